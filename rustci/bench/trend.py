"""Change points in a series of ratios: where the newest points moved away from those before.

The newest k points, for seven values of k, are compared with up to 30 before them by the rank-sum
test and its exact distribution: of how many pairs of a newer and an older point is the newer above?
Where nothing changed every interleaving of the two is equally likely, whatever the noise is like.

Ties count against a finding: a newer point that only equals an older one is not above it, while the
distribution is that of points without ties.

F. Wilcoxon, Individual comparisons by ranking methods, Biometrics Bulletin 1 (1945); H. B. Mann and
D. R. Whitney, On a test of whether one of two random variables is stochastically larger than the
other, Annals of Mathematical Statistics 18 (1947).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import Optional

NEWEST = (4, 5, 6, 8, 10, 12, 15)
"""How many of the newest points are compared, each in a test of its own."""
BEFORE = 30
"""At most so many points stand for what was before."""
ALPHA = 0.002
"""How often a series without a change may have a finding at one point, over all of `NEWEST`."""
SHIFT = 0.02
"""The least change of the median that is worth telling, as a fraction."""


@dataclass(frozen=True)
class Change:
    """A lasting change of a series."""

    at: int
    """The first point after the change."""
    shift: float
    """What the median changed by, as a fraction: 0.05 is 5 % slower, -0.05 is 5 % faster."""
    p: float

    @property
    def slower(self) -> bool:
        """Whether it is for the worse."""
        return self.shift > 0


@cache
def interleavings(k: int, n: int) -> tuple[int, ...]:
    """Return how many interleavings of newer and older points have u pairs with the newer above.

    The topmost point is a newer one, above all `n` older ones, or an older one, above nothing.
    """
    if not k or not n:
        return (1,)
    counts = [0] * (k * n + 1)
    for u, count in enumerate(interleavings(k - 1, n)):
        counts[u + n] += count
    for u, count in enumerate(interleavings(k, n - 1)):
        counts[u] += count
    return tuple(counts)


@cache
def tails(k: int, n: int) -> tuple[float, ...]:
    """Return P(U ≥ u) for every u from 0."""
    counts = interleavings(k, n)
    every, above = sum(counts), 0
    found: list[float] = []
    for count in reversed(counts):
        above += count
        found.append(above / every)
    return tuple(reversed(found))


def p_above(newer: Sequence[float], older: Sequence[float]) -> float:
    """Return the p-value of "newer points are no greater": small where they are."""
    ordered = sorted(older)
    above = sum(bisect_left(ordered, value) for value in newer)
    return tails(len(newer), len(older))[above]


def newest_change(series: Sequence[float]) -> Optional[Change]:
    """Return the change that the newest points tell of, placed where p is least."""
    found = [
        change for k in NEWEST for change in _tests(series, k) if change.p <= ALPHA / len(NEWEST)
    ]
    return min(found, key=lambda change: change.p, default=None)


def changes(series: Sequence[float]) -> tuple[Change, ...]:
    """Return the changes that lasted, found point by point; what follows one starts afresh."""
    found: list[Change] = []
    start = 0
    for end in range(1, len(series) + 1):
        change = newest_change(series[start:end])
        if change:
            start += change.at
            found.append(Change(start, change.shift, change.p))
    ends = [0, *(change.at for change in found), len(series)]
    measured = (
        Change(at, _shift(series[max(first, at - BEFORE) : at], series[at:last][:BEFORE]), p)
        for first, at, last, p in zip(ends, ends[1:], ends[2:], (change.p for change in found))
    )
    # A finding that is gone before the way back is itself found was a passing disturbance.
    return tuple(
        after for before, after in zip(found, measured) if _side(after.shift) == _side(before.shift)
    )


def _shift(before: Sequence[float], after: Sequence[float]) -> float:
    return median(after) / median(before) - 1


def _side(shift: float) -> int:
    """Return 1 for slower, -1 for faster, and 0 for what is not worth telling."""
    return int(shift > SHIFT) - int(1 / (1 + shift) > 1 + SHIFT)


def _tests(series: Sequence[float], k: int) -> Iterator[Change]:
    """Yield the newest `k` points as a change, for the worse or for the better."""
    newer, older = series[-k:], series[-k - BEFORE : -k]
    shift = _shift(older, newer) if older else 0.0
    if _side(shift) > 0:
        yield Change(len(series) - k, shift, p_above(newer, older))
    elif _side(shift) < 0:
        yield Change(len(series) - k, shift, p_above(older, newer))
