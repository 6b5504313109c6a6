"""The rank-sum rule: exact, silent where nothing changed, and quick where something did."""

from __future__ import annotations

import math
import random
from itertools import combinations, product

import pytest

from rustci.bench import trend


def noisy(source: random.Random, ratio: float = 1.0, sd: float = 0.01) -> float:
    """Return a ratio with the noise of a job of ten rounds; one point in twenty is a wild one."""
    wild = 4 if source.random() < 0.05 else 1
    return ratio * math.exp(source.gauss(0, sd * wild))


@pytest.mark.parametrize(("k", "n"), [(1, 1), (1, 6), (2, 5), (3, 4), (4, 4), (5, 3), (4, 6)])
def test_the_p_value_is_that_of_all_arrangements(k: int, n: int) -> None:
    values = range(k + n)
    sums = [
        sum(a > b for a in newer for b in values if b not in newer)
        for newer in combinations(values, k)
    ]
    for newer in combinations(values, k):
        above = sum(a > b for a in newer for b in values if b not in newer)
        older = [b for b in values if b not in newer]
        expected = sum(each >= above for each in sums) / len(sums)
        assert trend.p_above(newer, older) == pytest.approx(expected, rel=1e-12)


def test_ties_never_make_findings_more_frequent() -> None:
    places = range(6)
    for values in product((0, 1, 2), repeat=6):
        found = [
            trend.p_above([values[i] for i in newer], [values[i] for i in places if i not in newer])
            for newer in combinations(places, 3)
        ]
        for p in set(found):
            assert sum(each <= p for each in found) / len(found) <= p + 1e-12


def test_the_distribution_is_whole_for_the_largest_sample() -> None:
    assert sum(trend.interleavings(15, 30)) == math.comb(45, 15)
    assert trend.tails(15, 30)[0] == 1
    assert trend.tails(4, 30)[-1] == 1 / math.comb(34, 4)


def test_equal_points_are_no_finding() -> None:
    assert trend.p_above([1.0] * 4, [1.0] * 30) == 1
    assert trend.newest_change([1.0] * 50) is None


@pytest.mark.parametrize("length", range(8))
def test_a_short_series_has_no_finding(length: int) -> None:
    assert trend.changes([1.0] * (length // 2) + [2.0] * (length - length // 2)) == ()


def test_a_step_is_found_at_its_place_and_told_once() -> None:
    before = [1 + n % 7 / 1000 for n in range(30)]
    after = [1.05 + n % 5 / 1000 for n in range(40)]
    (change,) = trend.changes(before + after)
    assert change.at == 30
    assert change.slower
    assert change.shift == pytest.approx(0.05, abs=0.004)


def test_a_step_back_is_a_change_of_its_own() -> None:
    level = [n % 7 / 1000 for n in range(30)]
    series = [1 + x for x in level] + [1.08 + x for x in level] + [1.0 + x for x in level]
    assert [(change.at, change.slower) for change in trend.changes(series)] == [
        (30, True),
        (60, False),
    ]


def test_a_disturbance_that_passes_is_no_change_until_both_its_ends_are_found() -> None:
    level = [n % 7 / 1000 for n in range(40)]
    passing = [1 + x for x in level[:30]] + [1.1 + x for x in level[:4]]
    assert [change.at for change in trend.changes(passing)] == [30]
    assert trend.changes(passing + [1 + x for x in level[:10]]) == ()
    both = trend.changes(passing + [1 + x for x in level])
    assert [change.slower for change in both] == [True, False]


def test_a_step_of_two_percent_is_put_up_with() -> None:
    assert trend.changes([1 + n % 3 / 10_000 for n in range(30)] + [1.0195] * 30) == ()


def test_one_wild_point_is_no_change() -> None:
    assert trend.changes([1 + n % 7 / 1000 for n in range(30)] + [1.6] * 3 + [1.001] * 9) == ()


def simulated(series: int, points: tuple[int, ...], sd: float) -> tuple[dict[int, float], float]:
    """Return how often +5 % is found after so many points, and false findings per point."""
    source = random.Random(20_260_101)
    found = dict.fromkeys(points, 0)
    false = 0
    for _ in range(series):
        before = [noisy(source, sd=sd) for _ in range(30)]
        after = [noisy(source, 1.05, sd) for _ in range(max(points))]
        false += len(trend.changes(before))
        for n in points:
            change = trend.newest_change(before + after[:n])
            found[n] += change is not None and change.slower
    return {n: hits / series for n, hits in found.items()}, false / (30 * series)


def test_a_step_of_five_percent_is_found_within_a_few_points() -> None:
    power, false = simulated(60, (4, 8), 0.01)
    assert power[4] >= 0.85
    assert power[8] >= 0.97
    assert false <= 0.001


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sd", "least"), [(0.005, (0.99, 1, 1)), (0.01, (0.9, 0.99, 1)), (0.015, (0.7, 0.95, 0.98))]
)
def test_the_study_of_the_trend(sd: float, least: tuple[float, ...]) -> None:
    power, false = simulated(1000, (4, 8, 12), sd)
    print(f"\nnoise {sd:.1%}: +5 % found {power}, false findings per point {false:.2%}")
    assert all(power[n] >= bound for n, bound in zip((4, 8, 12), least, strict=True))
    assert false <= trend.ALPHA
