"""The truncated signed-rank test against its definition, by brute force where that is possible."""

from __future__ import annotations

import math
from collections import Counter
from itertools import accumulate, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustci.bench.signed_rank import (
    cap_of,
    centre,
    holm,
    lower_bound,
    noise,
    p_above,
    p_below,
    statistic,
    tails,
    upper_bound,
)
from tests.bench.nulls import NULLS, rejections

DIFFERENCES = st.lists(st.integers(-8, 8).map(lambda n: n / 4), min_size=1, max_size=16)
"""Coarse, so that there are ties and zeros."""
SIZES = [(k, cap) for k in range(1, 13) for cap in range(1, k + 1)]


@pytest.mark.parametrize(("k", "cap"), SIZES)
def test_the_null_distribution_is_that_of_all_signs(k: int, cap: int) -> None:
    scores = [min(rank, cap) for rank in range(1, k + 1)]
    sums = Counter(
        sum(score for score, up in zip(scores, signs, strict=True) if up)
        for signs in product((False, True), repeat=k)
    )
    counts = [sums[t] for t in range(sum(scores), -1, -1)]
    assert tails(k, cap) == tuple(reversed([count / 2**k for count in accumulate(counts)]))


@settings(max_examples=40)
@given(DIFFERENCES, st.integers(-16, 16).map(lambda n: n / 8), st.integers(1, 16))
def test_the_statistic_is_the_sum_of_truncated_ranks(
    differences: list[float], theta: float, cap: int
) -> None:
    by_distance = sorted(differences, key=lambda x: (abs(x - theta), x <= theta))
    scored = enumerate(by_distance, 1)
    expected = sum(min(rank, cap) for rank, x in scored if x > theta)
    assert statistic(sorted(differences), theta, cap) == expected


@settings(max_examples=40)
@given(DIFFERENCES, st.sampled_from([0.01, 0.05, 0.3]))
def test_the_bounds_invert_the_test(differences: list[float], level: float) -> None:
    low, high = lower_bound(differences, level), upper_bound(differences, level)
    if math.isinf(low):
        assert p_above(differences, min(differences) - 1) > level
        assert math.isinf(high)
        return
    assert p_above(differences, low) > level >= p_above(differences, low - 1e-9)
    assert p_below(differences, high) > level >= p_below(differences, high + 1e-9)


@settings(max_examples=40)
@given(DIFFERENCES)
def test_the_centre_is_between_the_bounds(differences: list[float]) -> None:
    middle = centre(differences)
    assert lower_bound(differences, 0.4) <= middle <= upper_bound(differences, 0.4)
    assert min(differences) <= middle <= max(differences)


@settings(max_examples=40)
@given(DIFFERENCES)
def test_the_centre_moves_with_the_differences(differences: list[float]) -> None:
    assert centre([x + 2 for x in differences]) == pytest.approx(centre(differences) + 2)
    assert centre([-x for x in differences]) == pytest.approx(-centre(differences))


def test_one_wild_round_weighs_no_more_than_a_tame_one() -> None:
    tame = [0.05 + n / 1000 for n in range(20)]
    assert p_above([*tame, -0.2], 0.0) == p_above([*tame, -50.0], 0.0)


def test_ties_and_zeros_count_against_rejection() -> None:
    assert p_above([0.0] * 20, 0.0) == 1
    assert p_above([1, -1] * 10, 0.0) > p_above([1.001, -1] * 10, 0.0)


def test_few_rounds_reject_nothing() -> None:
    assert p_above([], 0.0) == 1
    assert lower_bound([], 0.05) == -math.inf
    assert lower_bound([1.0] * 4, 0.05) == -math.inf
    assert lower_bound([1.0] * 5, 0.05) == 1


def test_noise_is_that_of_the_bulk() -> None:
    draw = Random(1)
    bulk = [draw.gauss(0, 0.02) for _ in range(2000)]
    assert noise([*bulk, *[9.0] * 100]) == pytest.approx(0.02, rel=0.15)


def test_holm_rejects_step_by_step() -> None:
    assert holm({"a": 0.012, "b": 0.016, "c": 0.02, "d": 0.2}, 0.05, 4) == {"a", "b", "c"}
    assert holm({"a": 0.013, "b": 0.001}, 0.05, 4) == {"a", "b"}
    assert holm({"a": 0.013}, 0.05, 4) == set()


@pytest.mark.parametrize("null", NULLS)
@pytest.mark.parametrize("theta", [0.0, 0.025])
def test_it_rejects_no_more_often_than_it_may(null: str, theta: float) -> None:
    draws = 600
    for level, rejected in rejections(null, theta, draws, levels=(0.05,)).items():
        assert rejected <= level * draws + 4 * math.sqrt(level * draws)


def test_the_cap_is_a_third() -> None:
    assert [cap_of(k) for k in (1, 5, 6, 9, 60)] == [2, 2, 2, 3, 20]
