"""What is said about a record: every status, the stages, and the exit code."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from rustci.bench.judge import (
    Result,
    Row,
    dumps_result,
    exit_code,
    failing_before_layouts,
    judge,
    next_stage,
)
from rustci.bench.record import BASE, HEAD, Measurement, Record
from rustci.bench.rule import SLOWER, decide
from rustci.bench.settings import Settings
from tests.bench.records import around, bench, measured, played, record, rounds, run
from tests.bench.replay import RUN, pairs, runs, windows

A, B = bench("a"), bench("b")
SLOW = around(1.06, many=20)
SAME = around(1.0, many=10)
WILD = [1.5, 0.7] * 30


def only(result: Result) -> Row:
    (row,) = result.rows
    return row


# -- one benchmark ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratios", "status"),
    [
        (SAME, "ok"),
        (SLOW, "regressed"),
        (around(0.8, many=20), "improved"),
        (around(0.4, many=20), "suspicious"),
        (around(1.025, noise=0.03), "inconclusive"),
        (WILD, "unstable"),
        (WILD[:20], "unstable"),
        (around(1.03, many=10), "budget"),
        (around(1.03, many=13), "budget"),
        ([], "budget"),
    ],
)
def test_the_numbers_decide(ratios: Sequence[float], status: str) -> None:
    found = judge(replace_listed(record(rounds(A, ratios))))
    assert only(found).status == status


def replace_listed(made: Record) -> Record:
    """List `A`, whether or not anything of it was measured."""
    return Record(replace(made.run, listed={BASE: (A,), HEAD: (A,)}), made.measurements)


def test_a_row_tells_the_slowdown_with_its_bounds() -> None:
    row = only(judge(record(rounds(A, SLOW))))
    assert row.ratio == pytest.approx(1.06, abs=0.01)
    assert row.ratio is not None
    assert row.lo is not None
    assert row.hi is not None
    assert 1.025 < row.lo < row.ratio < row.hi < 1.08
    assert row.sd == pytest.approx(0.01, rel=0.6)
    assert row.p is not None
    assert row.p < 0.001
    assert row.detectable is not None
    assert 0.025 < row.detectable < 0.05
    assert (row.rounds, row.base_ns) == (20, 100)


def test_what_could_have_failed_is_what_would_fail() -> None:
    row = only(judge(record(rounds(A, SLOW))))
    assert row.ratio is not None
    assert row.detectable is not None
    shift = (1 + row.detectable) / row.ratio
    for factor, status in ((shift * 1.0001, "regressed"), (shift * 0.9999, "budget")):
        moved = record(rounds(A, [ratio * factor for ratio in SLOW]))
        assert only(judge(moved)).status == status


def test_screening_alone_fails_nothing() -> None:
    assert only(judge(record(rounds(A, [2.0] * 10)))).status == "budget"


def test_fewer_rounds_than_could_fail_have_no_bounds() -> None:
    row = only(judge(record(rounds(A, [1.0] * 4))))
    assert (row.lo, row.hi, row.detectable) == (None, None, None)


@pytest.mark.parametrize(
    ("ratios", "status", "layouts"),
    [
        ([1.06] * 5, "regressed", 5),
        ([1.0, 1.06, 1.0, 1.01, 1.06], "layout", 5),
        ([], "regressed", 0),
    ],
)
def test_relinks_have_to_confirm(ratios: Sequence[float], status: str, layouts: int) -> None:
    relinks = [rounds(A, [ratio] * 4, layout=seed) for seed, ratio in enumerate(ratios, 1)]
    found = record(rounds(A, SLOW), *relinks)
    assert failing_before_layouts(found) == (A,)
    assert only(judge(found)).status == status
    assert len(only(judge(found)).layouts) == layouts


def test_a_relink_that_crashes_is_left_out() -> None:
    crash = measured(A, HEAD, 1, layout=1, min_ns=None, rc=-11, why="crashed twice")
    found = judge(record(rounds(A, SLOW), [measured(A, BASE, 1, layout=1), crash]))
    assert only(found).status == "regressed"
    assert exit_code(found) == 1


def test_relinks_are_not_asked_for_without_a_failure() -> None:
    assert failing_before_layouts(record(rounds(A, SAME))) == ()


@pytest.mark.parametrize(
    ("flawed", "reason"),
    [
        ({"min_ns": 0.0}, "no possible time"),
        ({"min_ns": -1.0}, "no possible time"),
        ({"min_ns": math.nan}, "no possible time"),
        ({"min_ns": math.inf}, "no possible time"),
        ({"min_ns": None}, "no possible time"),
        ({"min_ns": 1e-300}, "no possible time"),
        ({"min_ns": 1e300}, "no possible time"),
        ({"n": 4}, "4 samples"),
        ({"why": "stale file"}, "stale file"),
        ({"why": "stopped at its limit of 10 s", "rc": -9, "side": BASE}, "stopped"),
    ],
)
def test_invalid_rounds_are_left_out_and_too_many_spoil_the_rest(
    flawed: dict[str, object], reason: str
) -> None:
    def spoil(row: Measurement, until: int) -> Measurement:
        side = flawed.get("side", HEAD)
        fields = {name: value for name, value in flawed.items() if name != "side"}
        return replace(row, **fields) if row.side == side and row.round <= until else row  # type: ignore[arg-type]

    good = rounds(A, SAME) + rounds(B, SAME)
    few = only_of(record([spoil(row, 2) if row.benchmark == A else row for row in good]))
    assert (few.status, few.rounds) == ("ok", 8)
    spoilt = only_of(record([spoil(row, 3) if row.benchmark == A else row for row in good]))
    assert spoilt.status in {"no-data", "base-missing"}
    assert reason in spoilt.why
    assert spoilt.ratio is None


def only_of(made: Record) -> Row:
    return next(row for row in judge(made).rows if row.benchmark == A)


def test_zero_on_both_sides_is_no_ratio() -> None:
    zero = [replace(row, min_ns=0.0) for row in rounds(A, SAME)]
    found = judge(record(zero))
    assert only(found).status == "no-data"
    assert exit_code(found) == 2


def test_two_benchmarks_of_one_name_are_not_told_apart() -> None:
    row = only(judge(record(rounds(A, SAME), rounds(A, SAME))))
    assert row.status == "no-data"
    assert "this name" in row.why


def test_one_name_in_two_targets_is_two_benchmarks() -> None:
    other = bench("a", target="render")
    found = judge(record(rounds(A, SAME), rounds(other, SLOW)))
    assert [row.status for row in found.rows] == ["ok", "regressed"]


def test_a_slow_benchmark_is_named_where_it_stays_open() -> None:
    assert only(judge(record(rounds(A, around(1.03, many=10), seconds=25)))).status == "slow"
    assert only(judge(record(rounds(A, SAME, seconds=25)))).status == "ok"


# -- what is not gated -----------------------------------------------------------------------


def test_what_is_not_on_both_sides_is_listed_and_not_gated() -> None:
    made = record(rounds(A, SAME), [measured(B, HEAD, 0)], listed={})
    (_, new) = judge(made).rows
    assert new.status == "new"
    assert judge(made).m == 1
    (_, removed) = judge(record(rounds(A, SAME), [measured(B, BASE, 0)], listed={})).rows
    assert removed.status == "removed"


def test_a_removed_benchmark_fails_only_where_that_is_asked() -> None:
    parts = rounds(A, SAME), [measured(B, BASE, 0)]
    assert exit_code(judge(record(*parts, listed={}))) == 0
    strict = Settings(require_same=True)
    assert exit_code(judge(record(*parts, listed={}, settings=strict))) == 1


def test_a_changed_benchmark_is_measured_and_not_gated() -> None:
    found = judge(record(rounds(A, SLOW), changed=(("demo", "parse"),)))
    assert only(found).status == "changed"
    assert only(found).ratio == pytest.approx(1.06, abs=0.01)
    assert found.m == 0
    assert exit_code(found) == 0
    assert next_stage(record(rounds(A, SLOW[:10]), changed=(("demo", "parse"),))) is None


def test_identical_executables_are_not_measured() -> None:
    made = Record(replace(run(A, B), identical=(("demo", "parse"),)))
    found = judge(made)
    assert [row.status for row in found.rows] == ["identical", "identical"]
    assert exit_code(found) == 0
    assert next_stage(made) is None


# -- crashes, and runs that measured nothing -------------------------------------------------


def test_a_crash_of_head_fails_as_not_measured_and_the_others_are_judged() -> None:
    crash = measured(B, HEAD, 1, min_ns=None, rc=101, why="crashed twice, exit code 101: boom")
    found = judge(record(rounds(A, SLOW), [measured(B, BASE, 1), crash]))
    assert [row.status for row in found.rows] == ["regressed", "crashed"]
    assert found.errors == ("head crashed: b",)
    assert exit_code(found) == 2


def test_a_crash_of_base_is_neutral() -> None:
    crash = measured(B, BASE, 1, min_ns=None, rc=-11, why="crashed twice")
    found = judge(record(rounds(A, SAME), [measured(B, HEAD, 1), crash]))
    assert [row.status for row in found.rows] == ["ok", "base-missing"]
    assert exit_code(found) == 0
    assert "base crashed: b" in found.notices


def test_a_process_stopped_by_the_end_of_the_budget_is_no_crash() -> None:
    cut = [
        replace(row, min_ns=None, rc=-9, why="stopped at its limit of 1 s")
        if row.round == 7
        else row
        for row in rounds(A, around(1.03, many=7))
    ]
    assert only(judge(record(cut))).status == "budget"


def test_a_base_that_does_not_build_is_neutral_as_long_as_head_runs() -> None:
    why = "base does not build"
    head_only = {HEAD: (A,)}
    found = judge(record([measured(A, HEAD, 0)], listed=head_only, base_missing=why))
    assert only(found).status == "base-missing"
    assert exit_code(found) == 0
    assert any(why in notice for notice in found.notices)
    dead = measured(A, HEAD, 0, min_ns=None, rc=101, why="crashed twice")
    assert exit_code(judge(record([dead], listed=head_only, base_missing=why))) == 2


@pytest.mark.parametrize(
    "made",
    [
        Record(run()),
        Record(run(A, B)),
        record([measured(A, BASE, 0)], listed={BASE: (A,)}),
        record(rounds(A, SAME), listed={side: (A, B, bench("c")) for side in (BASE, HEAD)}),
        record([replace(row, n=0, min_ns=None) for row in rounds(A, SAME)]),
        record([measured(A, HEAD, n, why="stale file", min_ns=None) for n in range(1, 11)]),
    ],
    ids=["no benchmarks", "none run", "base alone", "less than half", "no samples", "stale"],
)
def test_a_run_that_measured_nothing_is_never_green(made: Record) -> None:
    found = judge(made)
    assert found.errors
    assert exit_code(found) == 2


@pytest.mark.parametrize(
    ("ratios", "settings", "code"),
    [
        (SAME, Settings(), 0),
        (SLOW, Settings(), 1),
        (SLOW, Settings(advisory=True), 0),
        (WILD, Settings(), 0),
        (WILD, Settings(strict=True), 1),
        (around(0.4, many=20), Settings(strict=True), 0),
    ],
)
def test_the_exit_code(ratios: Sequence[float], settings: Settings, code: int) -> None:
    assert exit_code(judge(record(rounds(A, ratios), settings=settings))) == code


# -- stages ----------------------------------------------------------------------------------


def test_the_first_stage_is_everything() -> None:
    stage = next_stage(Record(run(A, B)))
    assert stage is not None
    assert (stage.look, stage.benchmarks) == (10, (A, B))


def test_suspects_come_first_and_what_is_ok_does_not_come_again() -> None:
    slow, slower, same = bench("1"), bench("2"), bench("3")
    made = record(
        rounds(slow, around(1.04, many=10)), rounds(slower, [1.2] * 10), rounds(same, SAME)
    )
    stage = next_stage(made)
    assert stage is not None
    assert (stage.look, stage.benchmarks) == (20, (slower, slow))


def test_what_was_left_out_crashed_or_spoilt_is_not_asked_for_again() -> None:
    left_out = measured(A, HEAD, 1, min_ns=None, why="budget: there is no room for its rounds")
    crashed = measured(B, HEAD, 1, min_ns=None, rc=101, why="crashed twice")
    stale = [measured(bench("c"), HEAD, n, min_ns=None, why="stale file") for n in range(1, 11)]
    made = record([left_out, replace(left_out, side=BASE), crashed], stale)
    assert next_stage(made) is None
    assert [row.status for row in judge(made).rows] == ["budget", "crashed", "no-data"]


def test_the_last_look_ends_it() -> None:
    assert next_stage(record(rounds(A, around(1.025, noise=0.03)))) is None


@pytest.mark.parametrize("slow", [None, "S20", "S50"])
def test_measuring_stage_by_stage_decides_as_all_rounds_do(slow: str | None) -> None:
    dealt = next(runs("fine", 1))
    dealt[0] = next(windows("fine", "btree", slow, 1))
    names = [bench(f"{number:02}") for number in range(RUN)]
    grown = played(run(*names), dict(zip(names, dealt, strict=True)))
    known = {name: pairs(times) for name, times in zip(names, dealt, strict=True)}
    decisions = decide(known, Settings(), RUN)
    spent = {
        name: max(row.round for row in grown.measurements if row.benchmark == name)
        for name in names
    }
    assert spent == {name: each.look for name, each in decisions.items()}
    failing = tuple(name for name, each in decisions.items() if each.state == SLOWER)
    assert failing_before_layouts(grown) == failing
    assert judge(grown) == judge(grown)
    assert next_stage(grown) is None


def test_many_slow_benchmarks_all_fail() -> None:
    names = [bench(f"{number:03}") for number in range(60)]
    made = record(*(rounds(name, around(1.06, many=14, seed=n)) for n, name in enumerate(names)))
    assert {row.status for row in judge(made).rows} == {"regressed"}


# -- the result's file -----------------------------------------------------------------------


def test_the_result_is_plain_json() -> None:
    made = record(rounds(A, SLOW), rounds(B, [1.0] * 4))
    text = dumps_result(judge(made))
    found = json.loads(text, parse_constant=pytest.fail)
    assert text == dumps_result(judge(made))
    assert found["schema"] == 1
    assert found["exit_code"] == 1
    assert found["results"][0]["id"]["group"] == "a"
    assert found["results"][0]["status"] == "regressed"
    assert found["results"][1]["lo"] is None
    digits = f"{found['results'][0]['ratio']}".replace(".", "")
    assert len(digits) <= 6
