"""The three-way merge of two trees: each decision, and the spans that it edits."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from rustci.merge import order, pins
from rustci.merge.jobs import flow_removals
from rustci.merge.layout import Indentation, block_text, flow_key, flow_text, value_text
from rustci.merge.match import Path, Triple, fingerprint, labels, triples
from rustci.merge.pins import Pin
from rustci.merge.source import Edit, Member, Source
from rustci.yamlio import Kind, Node

_FILTERS = ("branches", "tags", "paths")
_LISTS = frozenset(
    ["needs", "on", "types", "workflows", *_FILTERS, *(f"{name}-ignore" for name in _FILTERS)]
)
"""Keys whose value may be one word instead of a list."""
_COLLECTIONS = (Kind.MAPPING, Kind.SEQUENCE)


class Side(StrEnum):
    """A side of a merge."""

    THEIRS = "theirs"
    """What is on disk: the user's."""
    OURS = "ours"
    """What rustci would write now."""


class What(StrEnum):
    """What a side did to a member."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A place that both sides changed, differently; the file has the user's text there."""

    path: Path
    line: int
    """In theirs."""
    base: str | None
    theirs: str | None
    ours: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one side did, and the merge took over."""

    path: Path
    what: What


class Result(NamedTuple):
    """What a member is to mean, and the edits that make it so."""

    value: Any
    edits: list[Edit]


class _Same(NamedTuple):
    """A member that both sides have."""

    base: Member | None
    theirs: Member
    ours: Member


@dataclass(slots=True, kw_only=True)
class Merge:
    """One merge: its three sources, and what it has come to so far."""

    base: Source | None
    theirs: Source
    ours: Source
    prefer: Side | None = None
    wanted: frozenset[str] = frozenset()
    """Jobs that jobs of the user's wait for."""
    known: Mapping[str, Pin] = field(default_factory=dict)
    """The newest pins in theirs."""
    indentation: Indentation = field(default_factory=Indentation)
    conflicts: list[Conflict] = field(default_factory=list)
    applied: list[Change] = field(default_factory=list)
    kept: list[Change] = field(default_factory=list)

    def run(self) -> Result:
        """Merge the whole files."""
        base = self.base.root if self.base else None
        return self._collection((), _Same(base, self.theirs.root, self.ours.root), frozenset())

    # Decisions

    def _member(self, path: Path, same: _Same, axes: frozenset[str]) -> Result:
        """Merge a member that both sides have."""
        base, theirs, ours = same
        if base and self._unchanged(base, ours):
            if fingerprint(base.value.value) != fingerprint(theirs.value.value):
                self.kept.append(Change(path=path, what=What.CHANGED))
            return Result(theirs.value.value, [])
        mine, new = Pin.of(self.theirs, theirs), Pin.of(self.ours, ours)
        if mine and new and not self.theirs.is_shared(theirs.value):
            return self._pin(path, same, mine, new)
        value, edits = self._value(path, same, axes)
        beside = [*self._comment_above(same), *self._trailing(same)]
        covered = [edit for edit in edits if edit.end > edit.start]
        edits += [
            edit
            for edit in beside
            if not any(done.start <= edit.start < done.end for done in covered)
        ]
        return Result(value, edits)

    def _unchanged(self, base: Member, ours: Member) -> bool:
        """Whether the template has the very text that it had."""
        before = self.base.text[base.lead : base.end].strip() if self.base else ""
        return before == self.ours.text[ours.lead : ours.end].strip()

    def _value(self, path: Path, same: _Same, axes: frozenset[str]) -> Result:
        base, theirs, ours = same
        b = fingerprint(base.value.value) if base else None
        t, o = fingerprint(theirs.value.value), fingerprint(ours.value.value)
        shared = self.theirs.is_shared(theirs.value)
        untouched = t == b and t in {"{}", "[]"}
        if not shared and not untouched and self._mergeable(path, theirs, ours):
            like = base if base and self._mergeable(path, base, ours) else None
            return self._collection(path, _Same(like, theirs, ours), axes)
        if t == o:
            return Result(theirs.value.value, [])
        if o == b or (self.base is None):
            self.kept.append(Change(path=path, what=What.CHANGED))
            return Result(theirs.value.value, [])
        if t == b and not shared:
            return self._replaced(path, same)
        if self._takes_ours(path, same, possible=theirs.value.kind is Kind.ALIAS or not shared):
            return self._replaced(path, same)
        return Result(theirs.value.value, [])

    @staticmethod
    def _mergeable(path: Path, one: Member, other: Member) -> bool:
        """Whether two values are collections of the same kind, or a word and a list of words."""
        kinds = {one.value.kind, other.value.kind}
        if len(kinds) == 1:
            return kinds <= set(_COLLECTIONS)
        word = one if one.value.kind is Kind.SCALAR else other
        return (
            kinds == {Kind.SCALAR, Kind.SEQUENCE}
            and path[-1] in _LISTS
            and isinstance(word.value.value, str)
        )

    def _pin(self, path: Path, same: _Same, mine: Pin, new: Pin) -> Result:
        """Merge the action, which is a leaf, and its ref with the comment, which are data."""
        base = Pin.of(self.base, same.base) if self.base and same.base else None
        stays = Result(same.theirs.value.value, [])
        if mine.action == new.action:
            like = base if base and base.action == mine.action else None
            result = pins.merged(like, mine, new)
        elif base and mine.action == base.action:
            result = new
        elif base is None or new.action == base.action or not self._takes_ours(path, same):
            self.kept.append(Change(path=path, what=What.CHANGED))
            return stays
        else:
            result = new
        if result == mine:
            return stays
        self.applied.append(Change(path=path, what=What.CHANGED))
        edits = pins.edits(self.theirs, same.theirs, mine, result)
        return Result(f"{result.action}@{result.ref}", edits + self._comment_above(same))

    def _replaced(self, path: Path, same: _Same) -> Result:
        """Give a member of theirs the value of ours, unless that loses what the user wrote."""
        base, theirs, ours = same
        simple = self._simple(self.theirs, theirs) and self._simple(self.ours, ours)
        lost = not simple and self._own_comments(base, theirs)
        held = self.theirs.holds_shared(theirs.separator, theirs.end)
        if (lost or held) and not self._takes_ours(path, same, possible=not held):
            return Result(theirs.value.value, [])
        self.applied.append(Change(path=path, what=What.CHANGED))
        return Result(ours.value.value, [self._replacement(theirs, ours, simple=simple)])

    @staticmethod
    def _simple(source: Source, member: Member) -> bool:
        """Whether the value stands in the line of its key."""
        node = member.value
        inline = node.flow or not (node.children or node.block_scalar)
        return member.flow or (inline and "\n" not in source.text[node.start : node.end])

    def _replacement(self, theirs: Member, ours: Member, *, simple: bool) -> Edit:
        old, source = theirs.value, self.theirs
        if theirs.flow or simple:
            text = flow_text(self.ours, ours.value) if theirs.flow else self._written(ours.value)
            if not text and theirs.separator != theirs.start:
                return Edit(theirs.separator, old.end, "")
            return Edit(old.start, old.end, text if old.start > theirs.separator else f" {text}")
        column = source.column(theirs.start)
        text = value_text(self.ours, ours, column, self.indentation)
        return Edit(theirs.separator, source.body_end(theirs), text)

    def _written(self, node: Node) -> str:
        return self.ours.text[node.start : node.end]

    # Collections

    def _collection(self, path: Path, same: _Same, axes: frozenset[str]) -> Result:
        """Merge two mappings by key, or two sequences by what their items are."""
        base, theirs, ours = same
        old = self._members(self.base, base) if self.base and base else ()
        mine, new = self._members(self.theirs, theirs), self._members(self.ours, ours)
        if path[-1:] == ("matrix",):
            axes = frozenset(one.name for one in (*old, *mine, *new)) - {"include", "exclude"}
        found = triples(path, old, mine, new, axes)
        names = _names(found, old, mine, new)
        results: dict[int, Result] = {}
        for number, triple in enumerate(found):
            result = self._one((*path, names[number]), theirs, triple, axes)
            if result is not None:
                results[number] = result
        arranged = self._arranged(path, same, found, (old, mine, new), results)
        plan = _Plan(theirs=theirs, mine=mine, new=new, found=found, results=results)
        edits = self._edits(plan, arranged)
        values = [results[number].value for number in arranged.members]
        if theirs.value.kind is Kind.SCALAR and not edits:
            return Result(theirs.value.value, [])
        if theirs.value.kind is not Kind.MAPPING:
            return Result(values, edits)
        keys = (_name(found[number]) for number in arranged.members)
        return Result(dict(zip(keys, values, strict=True)), edits)

    @staticmethod
    def _members(source: Source, member: Member) -> tuple[Member, ...]:
        """Return the members of a collection; a word is a list of one."""
        node = member.value
        if node.kind is not Kind.SCALAR:
            return source.members(member)
        return (
            Member(
                key=None,
                value=node,
                lead=node.start,
                start=node.start,
                separator=node.start,
                end=node.end,
                flow=True,
            ),
        )

    def _one(
        self, path: Path, holder: Member, triple: Triple, axes: frozenset[str]
    ) -> Result | None:
        """Merge one member that some side has; None where it goes, or stays away."""
        base, theirs, ours = triple
        if theirs and ours:
            return self._member(path, _Same(base, theirs, ours), axes)
        if theirs and base:
            return self._removed(path, base, theirs)
        if theirs:
            self.kept.append(Change(path=path, what=What.ADDED))
            return Result(theirs.value.value, [])
        if ours and (base is None or self._brings_back(path, holder, base, ours)):
            self.applied.append(Change(path=path, what=What.ADDED))
            return Result(pins.moved_forward(self.ours, ours, "", self.known)[1], [])
        if ours:
            self.kept.append(Change(path=path, what=What.REMOVED))
        return None

    def _removed(self, path: Path, base: Member, theirs: Member) -> Result | None:
        """Decide on what the template no longer has: it goes if the user left it alone."""
        held = self.theirs.holds_shared(theirs.lead, theirs.end)
        wanted = path[:1] == ("jobs",) and len(path) == 2 and path[1] in self.wanted
        edited = fingerprint(pins.unpinned(base.value.value)) != fingerprint(
            pins.unpinned(theirs.value.value)
        )
        if held or wanted or edited or self._own_comments(base, theirs):
            same = Triple(base, theirs, None)
            if not self._takes_ours(path, same, possible=not held):
                return Result(theirs.value.value, [])
        self.applied.append(Change(path=path, what=What.REMOVED))
        return None

    def _brings_back(self, path: Path, holder: Member, base: Member, ours: Member) -> bool:
        """Whether the template insists on what the user deleted: only if told to, and changed.

        Jobs, triggers and items of lists that the user deleted stay so without a question.
        """
        before, after = (pins.unpinned(member.value.value) for member in (base, ours))
        free = ours.key is None or path[:-1] in {("jobs",), ("on",)}
        if free or fingerprint(before) == fingerprint(after):
            return False
        return self._takes_ours(path, Triple(base, None, ours), line=holder.start)

    def _takes_ours(
        self,
        path: Path,
        sides: Triple | _Same,
        *,
        possible: bool = True,
        line: int | None = None,
    ) -> bool:
        """Whether a conflict goes to the template; note it where nobody has decided."""
        if self.prefer is Side.OURS and possible:
            return True
        if self.prefer is Side.THEIRS:
            self.kept.append(Change(path=path, what=What.CHANGED))
            return False
        base, theirs, ours = sides
        offset = theirs.start if theirs else line or 0
        self.conflicts.append(
            Conflict(
                path=path,
                line=self.theirs.line(offset),
                base=_snippet(self.base, base),
                theirs=_snippet(self.theirs, theirs),
                ours=_snippet(self.ours, ours),
            )
        )
        return False

    def _arranged(
        self,
        path: Path,
        same: _Same,
        found: Sequence[Triple],
        sides: Sequence[Sequence[Member]],
        results: Mapping[int, Result],
    ) -> order.Order:
        """Return the members that stay or come, by their number, in the merged order."""
        numbers = {
            id(member): number
            for number, triple in enumerate(found)
            for member in triple
            if member is not None and number in results
        }
        old, mine, new = ([numbers[id(m)] for m in side if id(m) in numbers] for side in sides)
        mine = [number for number in mine if found[number].theirs]
        values = [member.value.value for member in sides[2]]
        matters = path[-1:] == ("steps",) or any(
            isinstance(value, str) and value.startswith("!") for value in values
        )
        merged = order.merged(old, mine, new, matters=matters)
        if merged.conflict and self._takes_ours(path, same):
            merged = order.merged(old, mine, new, matters=matters, prefer_ours=True)
        if merged.moved:
            self.applied.append(Change(path=path, what=What.MOVED))
        return merged

    # Edits

    def _edits(self, plan: _Plan, arranged: order.Order) -> list[Edit]:
        """Return the edits that make a collection of theirs what was decided."""
        inner = [
            edit
            for number, result in plan.results.items()
            if plan.found[number].theirs
            for edit in result.edits
        ]
        stays = [plan.found[number].theirs for number in arranged.members]
        if not arranged.moved and stays == list(plan.mine):
            return inner
        if plan.theirs.value.kind is Kind.SCALAR or plan.theirs.value.flow:
            return self._flow_edits(plan, arranged, inner)
        if not stays:
            node, end = plan.theirs.value, self.theirs.body_end(plan.theirs)
            empty = " {}" if node.kind is Kind.MAPPING else " []"
            return [Edit(plan.theirs.separator, end, empty)]
        first = plan.mine[0]
        compact = self.theirs.is_inline(first.start)
        if arranged.moved or (compact and stays[0] is not first):
            return [self._rebuilt(plan, arranged, compact=compact)]
        return inner + self._block_edits(plan, arranged)

    def _block_edits(self, plan: _Plan, arranged: order.Order) -> list[Edit]:
        """Return the edits that insert and delete lines."""
        stays = {id(plan.found[number].theirs) for number in arranged.members}
        edits = [Edit(one.lead, one.end, "") for one in plan.mine if id(one) not in stays]
        place = plan.mine[0].lead
        for index, number in enumerate(arranged.members):
            theirs = plan.found[number].theirs
            if theirs is None:
                edits.append(Edit(place, place, self._chunk(plan, number, index)))
                continue
            if index == 0 and theirs is not plan.mine[0]:
                edits.append(Edit(theirs.lead, theirs.lead + self._blank(theirs), ""))
            place = theirs.end
        return edits

    def _blank(self, member: Member) -> int:
        """Return how many characters of blank lines stand above a member."""
        found = re.compile(r"(?:[ \t]*\r?\n)*").match(self.theirs.text, member.lead, member.start)
        return found.end() - member.lead if found else 0

    def _rebuilt(self, plan: _Plan, arranged: order.Order, *, compact: bool) -> Edit:
        """Return the edit that writes all members of a block anew, from the same lines."""
        first, last = plan.mine[0], plan.mine[-1]
        column = self.theirs.column(first.start)
        chunks = []
        for index, number in enumerate(arranged.members):
            theirs = plan.found[number].theirs
            if theirs is None:
                chunks.append(self._chunk(plan, number, index))
                continue
            text = self.theirs.edited(theirs.lead, theirs.end, plan.results[number].edits)
            chunks.append(" " * column + text if compact and theirs is first else text)
        text = "".join(chunks)
        return Edit(first.lead, last.end, text.lstrip() if compact else text)

    def _chunk(self, plan: _Plan, number: int, index: int) -> str:
        """Return the lines of a member of ours as they look in theirs."""
        ours = plan.found[number].ours
        if ours is None:
            raise AssertionError(number)
        column = self.theirs.column(plan.mine[0].start)
        text = block_text(self.ours, ours, column, self.indentation)
        text, _ = pins.moved_forward(self.ours, ours, text, self.known)
        own = text.startswith("\n")
        text = text.lstrip("\n")
        spaced = self._spaced(plan, own=own, first=ours is plan.new[0])
        if index:
            return f"\n{text}" if spaced else text
        below = self.theirs.text[plan.mine[0].lead :].lstrip(" ")[:1] in "\r\n"
        return f"{text}\n" if spaced and not below else text

    def _spaced(self, plan: _Plan, *, own: bool, first: bool) -> bool:
        """Whether a blank line belongs above a new member: as above its new neighbours."""
        mine = [self._blank(one) > 0 for one in plan.mine[1:]]
        if mine and all(mine):
            return True
        if mine and not any(mine):
            return False
        if own or not first:
            return own
        return any(_blank_above(self.ours, one) for one in plan.new[1:])

    def _flow_edits(self, plan: _Plan, arranged: order.Order, inner: list[Edit]) -> list[Edit]:
        """Return the edits inside brackets; a single word becomes a list."""
        node = plan.theirs.value
        stays = [one for number in arranged.members if (one := plan.found[number].theirs)]
        if node.kind is Kind.SCALAR or arranged.moved or not stays:
            texts = [self._flow_member(plan.found[number]) for number in arranged.members]
            if node.kind is Kind.SCALAR:
                return [Edit(node.start, node.end, f"[{', '.join(texts)}]")]
            return [Edit(node.start + 1, node.end - 1, ", ".join(texts))]
        edits = inner + flow_removals(plan.mine, stays)
        between = self.theirs.text[plan.mine[0].end : plan.mine[1].start] if plan.mine[1:] else ""
        comma = between if re.fullmatch(r"\s*,\s*", between) else ", "
        above: Member | None = None
        for number in arranged.members:
            theirs = plan.found[number].theirs
            if theirs is None:
                text = self._flow_member(plan.found[number])
                place = above.end if above else stays[0].start
                text = f"{comma}{text}" if above else f"{text}{comma}"
                edits.append(Edit(place, place, text))
            above = theirs or above
        return edits

    def _flow_member(self, triple: Triple) -> str:
        if triple.theirs:
            return self.theirs.text[triple.theirs.start : triple.theirs.end]
        if triple.ours is None:
            raise AssertionError(triple)
        text = flow_text(self.ours, triple.ours.value)
        key = flow_key(self.ours, triple.ours)
        return f"{key}: {text}" if key else text

    # Comments

    def _comment_above(self, same: _Same) -> list[Edit]:
        """Return the edit that takes over a comment which the user left alone."""
        base, theirs, ours = same
        if not (self.base and base) or theirs.flow or self.theirs.is_inline(theirs.start):
            return []
        before = self.base.comment_lines(*self.base.comment_above(base))
        span = self.theirs.comment_above(theirs)
        after = self.ours.comment_lines(*self.ours.comment_above(ours))
        if before == after or before != self.theirs.comment_lines(*span):
            return []
        indent = " " * self.theirs.column(theirs.start)
        return [Edit(*span, "".join(f"{indent}{line}\n" for line in after))]

    def _trailing(self, same: _Same) -> list[Edit]:
        """Return the edit that takes over a comment behind a value, as `_comment_above` does."""
        base, theirs, ours = same
        if not (self.base and base) or theirs.flow:
            return []
        spans = self.base.trailing(base), self.theirs.trailing(theirs), self.ours.trailing(ours)
        before = self.base.text[slice(*spans[0])].strip()
        mine = self.theirs.text[slice(*spans[1])].strip()
        after = self.ours.text[slice(*spans[2])]
        if before == after.strip() or before != mine:
            return []
        return [Edit(*spans[1], after)]

    def _own_comments(self, base: Member | None, theirs: Member) -> bool:
        """Whether the user wrote a comment there."""
        before = Counter(self.base.comments(base)) if self.base and base else Counter()
        return bool(Counter(self.theirs.comments(theirs)) - before)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What was decided about the members of a collection."""

    theirs: Member
    mine: tuple[Member, ...]
    new: tuple[Member, ...]
    found: Sequence[Triple]
    results: Mapping[int, Result]


def _name(triple: Triple) -> str:
    return next(member.name for member in triple if member)


def _names(found: Sequence[Triple], *sides: Sequence[Member]) -> list[str]:
    """Return what people call each member: its key, or a label."""
    known: dict[int, str] = {}
    for side in sides:
        values = labels([member.value.value for member in side])
        for member, label in zip(side, values, strict=True):
            known[id(member)] = member.name if member.key else label
    return [next(known[id(m)] for m in (one.theirs, one.base, one.ours) if m) for one in found]


def _snippet(source: Source | None, member: Member | None) -> str | None:
    """Return the text of a value, without its indentation."""
    if source is None or member is None:
        return None
    start = member.value.start
    text = source.text[source.line_start(start) : source.body_end(member)]
    inline = source.text[source.line_start(start) : start].strip()
    if not inline:
        return textwrap.dedent(text).strip()
    return textwrap.dedent(source.text[start : source.body_end(member)]).strip()


def _blank_above(source: Source, member: Member) -> bool:
    return source.text[member.lead : member.start].lstrip(" ").startswith(("\n", "\r\n"))
