"""Which members of two collections are the same one, edited or moved.

Keys match by themselves. Steps match by `id`, else name, else content; rows of `include` by the
axes of their matrix; all else by content.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from rustci.merge.source import Member

ALIKE = 0.6
"""The share of two commands that has to agree for one to be an edit of the other."""
Value = Any
Path = tuple[str, ...]
Identity = Callable[[Value], Hashable | None]
Pairs = dict[int, int]


class Triple(NamedTuple):
    """The same member in the three files, None where a file lacks it."""

    base: Member | None
    theirs: Member | None
    ours: Member | None


def fingerprint(value: Value) -> str:
    """Return text that two values share exactly if they mean the same (1, "1" and true do not)."""
    return json.dumps(value, sort_keys=True)


def triples(
    path: Path,
    base: Sequence[Member],
    theirs: Sequence[Member],
    ours: Sequence[Member],
    axes: frozenset[str],
) -> list[Triple]:
    """Return all members, each with its likes: those in theirs first, in their order."""
    b, t, o = ([_value(path, member) for member in side] for side in (base, theirs, ours))
    rules = _rules(path, [*base, *theirs, *ours], axes)
    to_theirs, to_ours = pairs(b, t, rules), pairs(b, o, rules)
    known_theirs, known_ours = set(to_theirs.values()), set(to_ours.values())
    added_theirs = [index for index in range(len(t)) if index not in known_theirs]
    added_ours = [index for index in range(len(o)) if index not in known_ours]
    if rules is not _STEP_RULES:
        lost = [index for index in range(len(b)) if index not in to_theirs.keys() | to_ours.keys()]
        for index, mine, new in _edited_twice((b, lost), (t, added_theirs), (o, added_ours)):
            to_theirs[index], to_ours[index] = mine, new
            added_theirs.remove(mine)
            added_ours.remove(new)
    both = pairs([t[i] for i in added_theirs], [o[i] for i in added_ours], rules)
    found = [
        Triple(
            base[index],
            theirs[to_theirs[index]] if index in to_theirs else None,
            ours[to_ours[index]] if index in to_ours else None,
        )
        for index in range(len(b))
    ]
    taken = {added_ours[index] for index in both.values()}
    for place, index in enumerate(added_theirs):
        like = ours[added_ours[both[place]]] if place in both else None
        found.append(Triple(None, theirs[index], like))
    return found + [Triple(None, None, ours[i]) for i in added_ours if i not in taken]


def _value(path: Path, member: Member) -> Value:
    return member.name if member.key else member.value.value


def _rules(path: Path, members: Iterable[Member], axes: frozenset[str]) -> Sequence[Identity]:
    if any(member.key for member in members):
        return (fingerprint,)
    if path and path[-1] == "steps":
        return _STEP_RULES
    return (fingerprint, lambda row: _axes_of(row, axes), _first_entry)


def pairs(left: Sequence[Value], right: Sequence[Value], rules: Sequence[Identity]) -> Pairs:
    """Return which index of `left` is which of `right`; an earlier rule outranks a later one."""
    found: Pairs = {}
    taken: set[int] = set()
    for rule in rules:
        waiting: dict[Hashable, list[int]] = {}
        for index, value in enumerate(right):
            if index not in taken and (identity := rule(value)) is not None:
                waiting.setdefault(identity, []).append(index)
        for index, value in enumerate(left):
            queue = waiting.get(rule(value)) if index not in found else None
            if queue:
                found[index] = queue.pop(0)
                taken.add(found[index])
    if rules is _STEP_RULES:
        _pair_alike(left, right, found, taken)
    return found


def _edited_twice(
    *sides: tuple[Sequence[Value], Sequence[int]],
) -> list[tuple[int, int, int]]:
    """Return the rows, left over on all sides, that both changed so much that nothing names them.

    They have the same keys, in the order of the base; what both have now is no such row.
    """
    (base, lost), (theirs, mine), (ours, new) = sides
    if {fingerprint(theirs[i]) for i in mine} & {fingerprint(ours[i]) for i in new}:
        return []
    return [
        (b, t, o)
        for b, t, o in zip(lost, mine, new, strict=False)
        if _keys(base[b]) and _keys(base[b]) == _keys(theirs[t]) == _keys(ours[o])
    ]


def _keys(row: Value) -> set[str]:
    return set(row) if isinstance(row, dict) else set()


def _pair_alike(
    left: Sequence[Value], right: Sequence[Value], found: Pairs, taken: set[int]
) -> None:
    """Pair what is left: the same action without a name, a similar command in the same place."""
    for index, value in enumerate(left):
        if index in found:
            continue
        free = [other for other in range(len(right)) if other not in taken]
        like = next((other for other in free if _same_action(value, right[other])), None)
        if like is None and (index == 0 or index - 1 in found):
            place = found.get(index - 1, -1) + 1
            like = place if place in free and _alike(value, right[place]) else None
        if like is not None:
            found[index] = like
            taken.add(like)


def _same_action(left: Value, right: Value) -> bool:
    mine = action(_field(left, "uses"))
    if not mine or (_named(left) and _named(right)):
        return False
    return mine == action(_field(right, "uses"))


def _alike(left: Value, right: Value) -> bool:
    one, other = _field(left, "run"), _field(right, "run")
    if not one or not other or (_named(left) and _named(right)):
        return False
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= ALIKE


def _field(step: Value, key: str) -> str | None:
    found = step.get(key) if isinstance(step, dict) else None
    return found.strip() if isinstance(found, str) else None


def _named(step: Value) -> bool:
    return _field(step, "name") is not None


def action(uses: str | None) -> str | None:
    """Return `owner/repo/path` of a `uses`."""
    return uses.split("@", 1)[0] if uses else None


def _content(step: Value) -> Hashable | None:
    """Return what a step runs, whatever it is called and at whichever ref."""
    if _field(step, "run"):
        return ("run", _field(step, "run"))
    uses = action(_field(step, "uses"))
    return ("uses", uses, fingerprint(step.get("with"))) if uses else None


_STEP_RULES: Sequence[Identity] = (
    fingerprint,
    lambda step: ("id", _field(step, "id")) if _field(step, "id") else None,
    lambda step: ("name", _field(step, "name")) if _field(step, "name") else None,
    _content,
)


def _axes_of(row: Value, axes: frozenset[str]) -> Hashable | None:
    if not isinstance(row, dict):
        return None
    found = {key: value for key, value in row.items() if key in axes}
    return fingerprint(found) if found else None


def _first_entry(row: Value) -> Hashable | None:
    if not isinstance(row, dict) or not row:
        return None
    key = next(iter(row))
    return key, fingerprint(row[key])


def step_label(step: Value, index: int) -> str:
    """Return what people call a step or row: id, name, action, command, else its place."""
    for key in ("id", "name"):
        if label := _field(step, key):
            return label
    uses, run = action(_field(step, "uses")), _field(step, "run")
    return uses or (run.splitlines()[0] if run else f"[{index}]")


def labels(values: Sequence[Value]) -> list[str]:
    """Return a label for each item, numbered where several have the same."""
    seen: Counter[str] = Counter()
    found = []
    for index, value in enumerate(values):
        label = step_label(value, index) if isinstance(value, dict) else _short(value)
        seen[label] += 1
        found.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return found


def _short(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def renamed(before: Mapping[str, Value], after: Mapping[str, Value]) -> dict[str, str]:
    """Return the jobs that go by another id: every step that is theirs alone came along."""
    new = [identifier for identifier in after if identifier not in before]
    found: dict[str, str] = {}
    for identifier in before:
        if identifier in after:
            continue
        own = _own_steps(before, identifier)
        likes = [other for other in new if own and own <= _steps(after[other])]
        if len(likes) == 1 and likes[0] not in found.values():
            found[identifier] = likes[0]
    return found


def _own_steps(jobs: Mapping[str, Value], identifier: str) -> set[Hashable]:
    """Return what a job does and no other; where that is nothing, all that it does."""
    mine = _steps(jobs[identifier])
    others = [_steps(job) for other, job in jobs.items() if other != identifier]
    return mine.difference(*others) or mine


def _steps(job: Value) -> set[Hashable]:
    steps = job.get("steps") if isinstance(job, dict) else None
    found = [_content(step) for step in steps or [] if isinstance(step, dict)]
    return {identity for identity in found if identity is not None}
