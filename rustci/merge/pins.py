"""Pins of actions: `uses: owner/repo@ref # version`. Ref and version are one datum, and data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rustci.merge.match import Path, labels
from rustci.merge.source import Edit, Member, Source
from rustci.yamlio import Kind

_USES = re.compile(r"(?P<action>[\w.-]+/[\w./-]+)@(?P<ref>[^\s@]+)")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TAG = re.compile(r"v?(\d+(?:\.\d+)*)")
_NAMED = re.compile(r"(?:^#\s*|[\s=@])(?P<name>v\d+(?:\.\d+)*|\d+(?:\.\d+)+)(?=$|[\s,;)])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """Which action a step uses, and at which ref."""

    action: str
    ref: str
    comment: str = ""
    """The one behind it on its line, from `#`."""

    @classmethod
    def of(cls, source: Source, member: Member) -> Pin | None:
        """Return the pin in a `uses` entry, or None where it names no ref of a repository."""
        value = member.value.value
        found = _USES.fullmatch(value) if isinstance(value, str) else None
        if member.name != "uses" or not found or member.value.kind is not Kind.SCALAR:
            return None
        start, end = source.trailing(member)
        return cls(action=found["action"], ref=found["ref"], comment=source.text[start:end].strip())

    @property
    def is_commit(self) -> bool:
        """Whether the ref is a full commit."""
        return _COMMIT.fullmatch(self.ref) is not None

    @property
    def version(self) -> tuple[int, ...] | None:
        """The numbers of the version that the ref or the comment names."""
        tag = None if self.is_commit else _TAG.fullmatch(self.ref)
        named = _NAMED.search(self.comment)
        digits = tag[1] if tag else named["name"].removeprefix("v") if named else None
        return tuple(map(int, digits.split("."))) if digits else None

    def newer_than(self, other: Pin) -> bool | None:
        """Whether it is; None where that cannot be told (`v4` and `v4.2.1` are as new)."""
        if self.version is None or other.version is None:
            return None
        length = min(len(self.version), len(other.version))
        mine, theirs = self.version[:length], other.version[:length]
        return None if mine == theirs else mine > theirs


def merged(base: Pin | None, theirs: Pin, ours: Pin) -> Pin:
    """Return the pin of an action after a merge: what one side alone changed, else the newer."""
    kept = _winner(base, theirs, ours)
    return kept if kept is theirs else replace(kept, comment=_comment(base, theirs, ours))


def _winner(base: Pin | None, theirs: Pin, ours: Pin) -> Pin:
    if base is not None and theirs.ref == base.ref:
        return ours
    if base is not None and ours.ref == base.ref:
        return theirs
    return ours if theirs.ref == ours.ref or ours.newer_than(theirs) else theirs


def _comment(base: Pin | None, theirs: Pin, ours: Pin) -> str:
    """Return the comment behind a pin that becomes ours: the user's words stay."""
    if not theirs.comment or (base is not None and theirs.comment == base.comment):
        return ours.comment
    mine, new = _NAMED.search(theirs.comment), _NAMED.search(ours.comment)
    if not mine or not new:
        return theirs.comment
    return theirs.comment[: mine.start("name")] + new["name"] + theirs.comment[mine.end("name") :]


def edits(source: Source, member: Member, old: Pin, new: Pin) -> list[Edit]:
    """Return the edits that make the pin in `member` from `old` to `new`."""
    before, after = f"{old.action}@{old.ref}", f"{new.action}@{new.ref}"
    place = source.text.index(before, member.value.start)
    found = [] if before == after else [Edit(place, place + len(before), after)]
    start, end = source.trailing(member)
    if old.comment != new.comment and not member.flow:
        gap = source.text[start:end].removesuffix(old.comment) or " "
        found.append(Edit(start, end, gap + new.comment if new.comment else ""))
    return found


def pins(source: Source, of: Member, path: Path = ()) -> Iterator[tuple[Path, Member, Pin]]:
    """Yield every pin in a member, with its path."""
    members = source.members(of)
    names = [member.name for member in members]
    if of.value.kind is Kind.SEQUENCE:
        names = labels([member.value.value for member in members])
    for member, name in zip(members, names, strict=True):
        pin = Pin.of(source, member)
        if pin:
            yield (*path, name), member, pin
        yield from pins(source, member, (*path, name))


def newest(source: Source) -> dict[str, Pin]:
    """Return the newest pin of each action in a file."""
    found: dict[str, Pin] = {}
    for _, _, pin in pins(source, source.root):
        if pin.action not in found or pin.newer_than(found[pin.action]):
            found[pin.action] = pin
    return found


def unpinned(value: Any) -> Any:
    """Return the value with every ref left out."""
    if isinstance(value, list):
        return [unpinned(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _bare(key, item) for key, item in value.items()}


def _bare(key: str, value: Any) -> Any:
    found = _USES.fullmatch(value) if key == "uses" and isinstance(value, str) else None
    return found["action"] if found else unpinned(value)


def moved_forward(
    source: Source, member: Member, text: str, known: Mapping[str, Pin]
) -> tuple[str, Any]:
    """Return a copy of a member's text, and its value, with pins that are older than the known."""
    refs: dict[str, str] = {}
    for _, holder, pin in pins(source, member):
        better = known.get(pin.action)
        if better and better.newer_than(pin):
            span = holder.value.start, max(source.trailing(holder)[1], holder.value.end)
            changed = source.edited(*span, edits(source, holder, pin, better))
            text = text.replace(source.text[slice(*span)], changed)
            refs[f"{pin.action}@{pin.ref}"] = f"{pin.action}@{better.ref}"
    return text, _with_refs(member.value.value, refs)


def _with_refs(value: Any, refs: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_with_refs(item, refs) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: refs.get(item, item)
        if key == "uses" and isinstance(item, str)
        else _with_refs(item, refs)
        for key, item in value.items()
    }


def without_refs(source: Source) -> str:
    """Return the text with every ref and the comment behind it left out."""
    found: list[Edit] = []
    for _, member, pin in pins(source, source.root):
        found += edits(source, member, pin, replace(pin, ref="", comment=""))
    return source.edited(0, len(source.text), found)


def adopted(source: Source, other: Source) -> str:
    """Return the text with the pins of `other` that are newer, or differ in the same place."""
    known = newest(other)
    places = {path: pin for path, _, pin in pins(other, other.root)}
    found: list[Edit] = []
    for path, member, pin in pins(source, source.root):
        there = places.get(path)
        same = there is not None and there.action == pin.action
        better = there if same else known.get(pin.action)
        # A commit that became a tag, or the reverse, is no bump: somebody decided it.
        if better is None or better.is_commit is not pin.is_commit:
            continue
        if better.newer_than(pin) or (same and pin.newer_than(better) is None):
            found += edits(source, member, pin, better)
    return source.edited(0, len(source.text), found)
