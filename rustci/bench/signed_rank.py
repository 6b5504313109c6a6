"""The truncated signed-rank test of paired log ratios, exact and without randomness.

Each of K differences scores its rank by distance from θ, but at most K/3: a wild round weighs no
more than a tame one. T(θ) is the sum of the scores of those above θ. Where θ is the centre
every pattern of signs is equally likely, which gives T's distribution without further assumptions.

Ties and zeros count against rejection: of two equally far differences the one above θ has the lower
rank, and a difference equal to θ is not above it.

F. Wilcoxon, Individual comparisons by ranking methods, Biometrics Bulletin 1 (1945);
J. L. Hodges, E. L. Lehmann, Estimates of location based on rank tests, Annals of Mathematical
Statistics 34 (1963); S. Holm, A simple sequentially rejective multiple test procedure,
Scandinavian Journal of Statistics 6 (1979).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from functools import cache
from itertools import combinations_with_replacement
from statistics import median
from typing import Callable, TypeVar

Key = TypeVar("Key", bound=Hashable)


def cap_of(k: int) -> int:
    """Return the greatest score among `k` differences."""
    return max(2, k // 3)


@cache
def tails(k: int, cap: int) -> tuple[float, ...]:
    """Return P(T ≥ t) for every t from 0, where each of `k` signs is a fair coin."""
    patterns = [1]
    for rank in range(1, k + 1):
        score = min(rank, cap)
        longer = patterns + [0] * score
        for t, count in enumerate(patterns):
            longer[t + score] += count
        patterns = longer
    above, found = 0, []
    for count in reversed(patterns):
        above += count
        found.append(above / (1 << k))
    return tuple(reversed(found))


def statistic(ordered: Sequence[float], theta: float, cap: int) -> int:
    """Return T(θ) of differences in ascending order.

    The rank of a difference above θ is the number of those not above it that are as near or nearer:
    of those whose mean with it, a Walsh average, is above θ.
    """
    total, low = 0, 0
    for j in range(len(ordered) - 1, -1, -1):
        if ordered[j] <= theta:
            break
        while low < j and (ordered[low] + ordered[j]) / 2 <= theta:
            low += 1
        total += min(cap, j - low + 1)
    return total


def p_above(differences: Sequence[float], theta: float) -> float:
    """Return the p-value of "the centre is at most θ": small where it is above."""
    cap = cap_of(len(differences))
    return tails(len(differences), cap)[statistic(sorted(differences), theta, cap)]


def p_below(differences: Sequence[float], theta: float) -> float:
    """Return the p-value of "the centre is at least θ": small where it is below."""
    return p_above([-x for x in differences], -theta)


def lower_bound(differences: Sequence[float], level: float) -> float:
    """Return the least θ that is not rejected at `level`; minus infinity where none is."""
    ordered = sorted(differences)
    cap = cap_of(len(ordered))
    tail = tails(len(ordered), cap)
    if not ordered or tail[-1] > level:
        return -math.inf
    return _first(ordered, lambda theta: tail[statistic(ordered, theta, cap)] > level)


def upper_bound(differences: Sequence[float], level: float) -> float:
    """Return the greatest θ that is not rejected at `level`; infinity where none is."""
    return -lower_bound([-x for x in differences], level)


def centre(differences: Sequence[float]) -> float:
    """Return the Hodges-Lehmann estimate: where T(θ) crosses half of its greatest value."""
    ordered = sorted(differences)
    cap = cap_of(len(ordered))
    half = (len(tails(len(ordered), cap)) - 1) / 2
    reached = _first(ordered, lambda theta: statistic(ordered, theta, cap) <= half)
    passed = _first(ordered, lambda theta: statistic(ordered, theta, cap) < half)
    return (reached + passed) / 2


def noise(differences: Sequence[float]) -> float:
    """Return the robust standard deviation: 1.4826 times the median distance from the median."""
    middle = median(differences)
    return 1.4826 * median([abs(x - middle) for x in differences])


def holm(p_values: Mapping[Key, float], alpha: float, m: int) -> set[Key]:
    """Return what is rejected, with at most `alpha` for any false one among `m` hypotheses."""
    rejected: set[Key] = set()
    for key in sorted(p_values, key=lambda each: p_values[each]):
        if p_values[key] > alpha / (m - len(rejected)):
            break
        rejected.add(key)
    return rejected


def _first(ordered: Sequence[float], holds: Callable[[float], bool]) -> float:
    """Return the least Walsh average for which a condition holds that turns true only once."""
    walsh = sorted((low + high) / 2 for low, high in combinations_with_replacement(ordered, 2))
    start, stop = 0, len(walsh) - 1
    while start < stop:
        middle = (start + stop) // 2
        start, stop = (start, middle) if holds(walsh[middle]) else (middle + 1, stop)
    return walsh[start]
