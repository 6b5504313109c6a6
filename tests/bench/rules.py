"""How the peers decide, on the rounds that the gate is replayed on.

Each takes the times of base and of head, one for each round, and says whether head is slower. The
times are the least of a process; peers that read its median or mean have more noise than here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import NormalDist, fmean, median, stdev

from rustci.bench.rule import SLOWER, decide
from rustci.bench.signed_rank import centre, statistic, tails
from tests.bench.replay import RUN, SETTINGS, Times, pairs

TOLERATED = math.log1p(SETTINGS.tolerated)
LEVEL = SETTINGS.alpha / RUN
"""Bonferroni's share of each of a run of 20."""


@dataclass(frozen=True)
class Rule:
    """A way to decide."""

    title: str
    rounds: int
    """How many it takes; 0 where it takes what it needs."""
    slower: Callable[[Times], bool]


def single(limit: float) -> Callable[[Times], bool]:
    """Return whether one process of head takes so many times as long as one of base."""
    return lambda times: times[1][0] / times[0][0] > limit


def minima(limit: float) -> Callable[[Times], bool]:
    return lambda times: min(times[1]) / min(times[0]) > limit


def means(limit: float) -> Callable[[Times], bool]:
    return lambda times: fmean(times[1]) / fmean(times[0]) > limit


def mann_whitney(level: float, limit: float) -> Callable[[Times], bool]:
    """Return whether the two-sided test rejects and the ratio of medians is beyond a limit."""

    def slower(times: Times) -> bool:
        base, head = times
        return median(head) / median(base) > limit and p_of_ranks(base, head) < level

    return slower


def p_of_ranks(base: Sequence[float], head: Sequence[float]) -> float:
    """Return the two-sided p-value of Mann and Whitney: normal, with ties and continuity."""
    ordered = sorted([*((value, 0) for value in base), *((value, 1) for value in head)])
    rank, total, ties = 1, 0.0, 0
    for _, tied in groupby(ordered, key=lambda each: each[0]):
        sides = [side for _, side in tied]
        total += sum(sides) * (rank + (len(sides) - 1) / 2)
        ties += len(sides) ** 3 - len(sides)
        rank += len(sides)
    m, n = len(base), len(head)
    expected = n * (m + n + 1) / 2
    variance = m * n / 12 * ((m + n + 1) - ties / ((m + n) * (m + n - 1)))
    if variance == 0:
        return 1.0
    z = max(abs(total - expected) - 0.5, 0) / math.sqrt(variance)
    return 2 * NormalDist().cdf(-z)


def pairwise_z(limit: float, change: float) -> Callable[[Times], bool]:
    """Return whether the mean difference is so many standard errors and so much of base."""

    def slower(times: Times) -> bool:
        differences = [head - base for base, head in zip(*times, strict=True)]
        error = stdev(differences) / math.sqrt(len(differences)) or math.inf
        mean = fmean(differences)
        return mean / error >= limit and mean / fmean(times[0]) > change

    return slower


def ratios(times: Times) -> list[float]:
    return [math.log(head / base) for base, head in zip(*times, strict=True)]


def ranked(level: float, cap_of: Callable[[int], int]) -> Callable[[Times], bool]:
    """Return whether a signed-rank test with this cap rejects "slower by the tolerance at most"."""

    def slower(times: Times) -> bool:
        found = sorted(ratios(times))
        cap = cap_of(len(found))
        return tails(len(found), cap)[statistic(found, TOLERATED, cap)] <= level

    return slower


def estimate(times: Times) -> bool:
    """Return whether the centre of the ratios is beyond the tolerance, without any test."""
    return centre(ratios(times)) > TOLERATED


def gate(times: Times) -> bool:
    return decide({0: pairs(times)}, SETTINGS, RUN)[0].state == SLOWER


RULES: Sequence[Rule] = (
    Rule("github-action-benchmark, alert at 110 %", 1, single(1.10)),
    Rule("github-action-benchmark, alert at 200 % (default)", 1, single(2.0)),
    Rule("critcmp `-t 5`: one process of each", 1, single(1.05)),
    Rule("ratio of overall minima above 2.5 %", 20, minima(1.025)),
    Rule("ratio of means above 2.5 %", 20, means(1.025)),
    Rule("centre of the ratios above 2.5 %, no test", 20, estimate),
    Rule("benchstat: Mann-Whitney, p < 0.05", 20, mann_whitney(0.05, 1.0)),
    Rule("asv: Mann-Whitney, p < 0.002 and ratio above 1.1", 20, mann_whitney(0.002, 1.1)),
    Rule("tango's z ≥ 2.6 and mean above 1 %, on pairs of processes", 20, pairwise_z(2.6, 0.01)),
    Rule("sign test, Bonferroni", 20, ranked(LEVEL, lambda _: 1)),
    Rule("Wilcoxon signed-rank, Bonferroni", 20, ranked(LEVEL, lambda k: k)),
    Rule("truncated signed-rank, Bonferroni", 20, ranked(LEVEL, lambda k: max(2, k // 3))),
    Rule("**the gate**: screening, then looks at 20, 40, 60", 0, gate),
)


def says_slower(rule: Rule, times: Times) -> bool:
    """Return what a rule says of the first of the rounds that it takes."""
    base, head = times
    return rule.slower((base[: rule.rounds or None], head[: rule.rounds or None]))
