"""What the rule does on recorded rounds of ten kernels; `nox -s bench_study` replays many more."""

from __future__ import annotations

from itertools import combinations
from math import log1p
from statistics import fmean

import pytest

from tests.bench.replay import (
    POWER,
    RECORDED,
    RECORDS,
    STABLE,
    UNSTABLE,
    differences,
    failing_runs,
    fails_by_layout,
    levels,
    of_run,
    shares,
)

WINDOWS = 60
LAYOUT = RECORDED["layout"]


@pytest.mark.parametrize("record", RECORDS)
def test_unchanged_code_does_not_fail(record: str) -> None:
    assert failing_runs(record, many=50) == 0


@pytest.mark.parametrize("record", RECORDS)
def test_unchanged_benchmarks_are_ok_after_few_rounds(record: str) -> None:
    found = shares(record, None, WINDOWS)
    assert fmean(found[kernel].ok for kernel in STABLE) >= 0.99
    assert fmean(share.rounds for share in found.values()) <= 12


@pytest.mark.parametrize("record", RECORDS)
def test_an_unstable_benchmark_never_fails_and_is_given_up_early(record: str) -> None:
    found = shares(record, None, WINDOWS)[UNSTABLE]
    assert found.slower == 0
    assert found.rounds <= 24


@pytest.mark.parametrize(("record", "slow", "mean", "worst"), POWER)
def test_slowdowns_are_found(record: str, slow: str, mean: float, worst: float) -> None:
    found = [shares(record, slow, WINDOWS)[kernel].slower for kernel in STABLE]
    assert fmean(found) >= mean
    assert min(found) >= worst


def test_a_slowdown_below_the_tolerance_does_not_fail() -> None:
    found = shares("fine", "S20", WINDOWS)
    assert fmean(share.slower for share in found.values()) <= 0.01
    assert max(found[kernel].slower for kernel in STABLE) == 0


def test_a_slowdown_is_hardly_ever_called_ok() -> None:
    assert max(shares("fine", "S50", WINDOWS)[kernel].ok for kernel in STABLE) <= 0.05


# -- layouts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["align", "align+shuffled"])
def test_the_builds_are_as_far_apart_as_was_recorded(kind: str) -> None:
    for percent, apart in ((2.5, "2.5%"), (5, "5%")):
        beyond = sum(
            abs(one - other) > log1p(percent / 100)
            for kernel in STABLE
            for one, other in combinations(levels(kind, kernel), 2)
        )
        assert abs(beyond - LAYOUT["pairs_over"][kind][apart]) <= 2


def test_one_layout_would_fail_as_often_as_was_recorded() -> None:
    found = fmean(
        fmean(each > log1p(0.025) for each in differences("align", kernel)) for kernel in STABLE
    )
    assert found == pytest.approx(LAYOUT["null_alarm"]["align S=1"]["per_bench"], abs=0.005)
    assert of_run([found]) > 0.2


def test_relinks_clear_what_only_the_layout_made_slower() -> None:
    assert of_run(fails_by_layout(kernel, 0.0, relinks=5) for kernel in STABLE) <= 0.01


def test_relinks_confirm_a_slowdown() -> None:
    found = [fails_by_layout(kernel, 0.05, relinks=5) for kernel in STABLE]
    assert fmean(found) >= 0.95
    assert min(found) >= 0.85
    assert all(fails_by_layout(kernel, 0.10, relinks=5) == 1 for kernel in STABLE)
