"""The long replays of `nox -s bench_study`: every start of a window, and many simulated nulls."""

from __future__ import annotations

import math
from statistics import fmean

import pytest

from rustci.bench.signed_rank import p_above, tails
from tests.bench.nulls import NULLS, rejections
from tests.bench.replay import POWER, RECORDS, STABLE, UNSTABLE, failing_runs, shares

pytestmark = pytest.mark.slow
WINDOWS = 500


@pytest.mark.parametrize("record", RECORDS)
def test_unchanged_code_fails_in_less_than_one_of_two_hundred_runs(record: str) -> None:
    assert failing_runs(record, many=1000) <= 0.005


@pytest.mark.parametrize("record", RECORDS)
def test_unchanged_benchmarks_take_few_rounds_and_the_unstable_one_does_not_fail(
    record: str,
) -> None:
    found = shares(record, None, WINDOWS)
    assert fmean(share.rounds for share in found.values()) <= 12
    assert fmean(found[kernel].ok for kernel in STABLE) >= 0.99
    assert found[UNSTABLE].slower <= 0.05 / 20, "its part of alpha"


@pytest.mark.parametrize(("record", "slow", "mean", "worst"), POWER)
def test_slowdowns_are_found(record: str, slow: str, mean: float, worst: float) -> None:
    found = [shares(record, slow, WINDOWS)[kernel].slower for kernel in STABLE]
    assert fmean(found) >= mean
    assert min(found) >= worst


def test_a_slowdown_below_the_tolerance_fails_in_one_of_a_hundred_at_most() -> None:
    assert fmean(share.slower for share in shares("fine", "S20", WINDOWS).values()) <= 0.01


@pytest.mark.parametrize("null", NULLS)
@pytest.mark.parametrize("theta", [0.0, 0.025])
def test_no_symmetric_null_is_rejected_too_often(null: str, theta: float) -> None:
    draws = 100_000 // len(NULLS)
    levels = (0.05, 0.01, 0.05 / 60)
    for level, rejected in rejections(null, theta, draws, levels).items():
        assert rejected <= level * draws + 4 * math.sqrt(level * draws)


@pytest.mark.parametrize("rounds", range(1, 201))
def test_the_tails_are_probabilities(rounds: int) -> None:
    found = tails(rounds, max(2, rounds // 3))
    assert found[0] == 1
    assert list(found) == sorted(found, reverse=True)
    assert found[-1] == 0.5**rounds == p_above([1.0] * rounds, 0.0)
