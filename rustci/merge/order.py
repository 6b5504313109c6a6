"""Where members go: the user's order, with the template's new members beside their neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The merged order of members, each named by a number."""

    members: tuple[int, ...]
    moved: bool = False
    """The template moved some, and the user did not."""
    conflict: bool = False
    """Both sides moved them, differently."""


def merged(
    base: Sequence[int],
    theirs: Sequence[int],
    ours: Sequence[int],
    *,
    matters: bool,
    prefer_ours: bool = False,
) -> Order:
    """Return the order of all in `theirs` and `ours`."""
    common = set(base) & set(theirs) & set(ours)
    old, mine, new = ([one for one in side if one in common] for side in (base, theirs, ours))
    moved = matters and new not in (old, mine)
    conflict = moved and mine != old
    if conflict and not prefer_ours:
        moved = False
    placed = _reordered(theirs, new) if moved else list(theirs)
    _insert(placed, ours)
    return Order(members=tuple(placed), moved=moved, conflict=conflict)


def _reordered(theirs: Sequence[int], new: Sequence[int]) -> list[int]:
    """Return `new` with each of the user's own members behind what it stood behind."""
    placed = list(new)
    above: int | None = None
    for one in theirs:
        if one not in new:
            placed.insert(0 if above is None else placed.index(above) + 1, one)
        above = one
    return placed


def _insert(placed: list[int], ours: Sequence[int]) -> None:
    """Put what only `ours` has behind the member above it there, else before the one below."""
    for index, one in enumerate(ours):
        if one in placed:
            continue
        above = next((other for other in reversed(ours[:index]) if other in placed), None)
        below = next((other for other in ours[index + 1 :] if other in placed), None)
        if above is not None:
            placed.insert(placed.index(above) + 1, one)
        elif below is not None:
            placed.insert(placed.index(below), one)
        else:
            placed.append(one)
