"""Measuring: what is run, in which order, within which bounds, and what the record says of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rustci.bench import judge, measure, processes
from rustci.bench.builds import Builds
from rustci.bench.errors import BenchError
from rustci.bench.record import BASE, HEAD, Measurement, Record, load
from rustci.bench.settings import Settings
from tests.bench.peer import KEY, builds, calls, peer, silent

QUICK = Settings(rounds=5, looks=(6,), layouts=0)
ROOT = Path(__file__).parents[2]


def session(tmp_path: Path, built: Builds, settings: Settings = QUICK) -> measure.Session:
    output = tmp_path / "out" / "bench-raw.jsonl"
    return measure.Session(built, settings, 7, tmp_path / "scratch", output, silent)


def run(
    tmp_path: Path,
    base: Mapping[str, object] | None,
    head: Mapping[str, object],
    settings: Settings = QUICK,
    **more: Any,
) -> Record:
    return session(tmp_path, builds(tmp_path, base, head, **more), settings).measure()


def rounds(record: Record, name: str, side: str) -> list[int]:
    return [
        row.round
        for row in record.measurements
        if (row.benchmark.name, row.side) == (name, side) and row.round and not row.layout
    ]


def whys(record: Record, name: str, side: str) -> set[str]:
    rows = record.measurements
    return {row.why for row in rows if (row.benchmark.name, row.side) == (name, side)}


def test_every_benchmark_is_measured_on_both_sides_in_each_round(tmp_path: Path) -> None:
    record = run(tmp_path, {"f": 100.0, "g": 5.0}, {"f": 100.0, "g": 5.0})

    for name in ("f", "g"):
        for side in (BASE, HEAD):
            assert rounds(record, name, side)[:3] == [1, 2, 3]
            assert whys(record, name, side) == {""}
    assert {row.min_ns for row in record.measurements if row.benchmark.name == "f"} == {100.0}


def test_the_record_on_disk_is_the_record(tmp_path: Path) -> None:
    record = run(tmp_path, {"f": 100.0}, {"f": 110.0})
    written = load(tmp_path / "out" / "bench-raw.jsonl")

    assert written.run == record.run
    assert [(row.round, row.side, row.min_ns) for row in written.measurements] == [
        (row.round, row.side, row.min_ns) for row in record.measurements
    ]


def test_only_suspects_are_looked_at_again_and_by_a_filter(tmp_path: Path) -> None:
    built = builds(tmp_path, {"f": 100.0, "g": 100.0}, {"f": 100.0, "g": 120.0})
    settings = replace(QUICK, rounds=6, looks=(12,))

    record = session(tmp_path, built, settings).measure()

    assert max(rounds(record, "f", HEAD)) == 6
    assert max(rounds(record, "g", HEAD)) == 12
    filters = {call[0][-1] for call in calls(built.head.targets[KEY])[8:]}
    assert filters == {"^(?:g)$"}
    statuses = {row.benchmark.name: row.status for row in judge.judge(record).rows}
    assert statuses == {"f": judge.OK, "g": judge.REGRESSED}


def test_the_suspects_of_criterion_0_3_0_are_looked_at_again_by_their_id(tmp_path: Path) -> None:
    base = {"f": 100.0, "g": 100.0, "g/1": 100.0}
    built = builds(tmp_path, base, {**base, "g": 120.0})
    base_side, head_side = (
        replace(side, targets={KEY: replace(side.targets[KEY], criterion=(0, 3, 0))})
        for side in (built.base, built.head)
    )
    built = replace(built, base=base_side, head=head_side)
    settings = replace(QUICK, rounds=6, looks=(12,))

    record = session(tmp_path, built, settings).measure()

    assert {call[0][-2:] == ["--", "g"] for call in calls(built.head.targets[KEY])[8:]} == {True}
    assert (max(rounds(record, "g", HEAD)), max(rounds(record, "g/1", HEAD))) == (12, 6)
    statuses = {row.benchmark.name: row.status for row in judge.judge(record).rows}
    assert statuses == {"f": judge.OK, "g": judge.REGRESSED, "g/1": judge.OK}


def test_the_same_seed_deals_the_same_order_and_each_side_is_first_in_half(tmp_path: Path) -> None:
    def order(place: str) -> list[str]:
        built = builds(tmp_path / place, {"f": 100.0}, {"f": 100.0})
        rows = session(tmp_path / place, built).repeat(4).measurements
        return [row.side for row in rows if row.round]

    first, again = order("a"), order("b")

    assert first == again
    assert first[::2].count(BASE) == first[::2].count(HEAD) == 2


def test_both_sides_have_environments_of_one_size_and_run_in_their_package(tmp_path: Path) -> None:
    built = builds(tmp_path, {"f": 100.0}, {"f": 100.0})
    short = replace(built.base.targets[KEY], variables={"A": "1"})
    built = replace(built, base=replace(built.base, targets={KEY: short}))

    session(tmp_path, built).measure()

    seen = {side: calls(built.side(side).targets[KEY]) for side in (BASE, HEAD)}
    assert {size for side in seen for _, size, _ in seen[side]} == {seen[HEAD][0][1]}
    assert {folder for _, _, folder in seen[HEAD]} == {str(tmp_path / HEAD)}


def test_identical_executables_are_listed_and_never_measured(tmp_path: Path) -> None:
    record = run(tmp_path, {"f": 100.0}, {"f": 100.0}, identical=(KEY,))

    assert record.measurements == ()
    assert [each.name for each in record.run.listed[HEAD]] == ["f"]
    assert judge.exit_code(judge.judge(record)) == 0


def test_new_and_removed_benchmarks_are_listed_and_not_measured(tmp_path: Path) -> None:
    record = run(tmp_path, {"old": 100.0, "f": 100.0}, {"new": 100.0, "f": 100.0})

    assert rounds(record, "new", HEAD) == rounds(record, "old", BASE) == []
    assert {row.benchmark.name: row.status for row in judge.judge(record).rows} == {
        "f": judge.OK,
        "new": judge.NEW,
        "old": judge.REMOVED,
    }


def test_a_crash_is_retried_once(tmp_path: Path) -> None:
    record = run(tmp_path, {"f": 100.0}, {"f": "panic once"})

    assert whys(record, "f", HEAD) == {""}


def test_what_ran_before_a_crash_is_judged_and_the_rest_is_told(tmp_path: Path) -> None:
    benches = {"a": 100.0, "b": 100.0, "c": 100.0}
    record = run(tmp_path, benches, {**benches, "b": "panic"})

    assert rounds(record, "a", HEAD)[:3] == [1, 2, 3]
    (why,) = whys(record, "b", HEAD)
    assert "crashed twice, exit code 1" in why
    assert "panicked" in why
    result = judge.judge(record)
    statuses = {row.benchmark.name: row.status for row in result.rows}
    assert statuses["a"] == judge.OK
    assert statuses["b"] == judge.CRASHED
    assert judge.exit_code(result) == 2


def test_an_executable_that_crashes_at_once_is_never_green(tmp_path: Path) -> None:
    record = run(tmp_path, {"f": 100.0}, {"f": "panic"})

    assert judge.exit_code(judge.judge(record)) == 2


def test_a_missing_base_is_neutral_and_head_is_run_all_the_same(tmp_path: Path) -> None:
    fine = run(tmp_path / "fine", None, {"f": 100.0})
    crashed = run(tmp_path / "crashed", None, {"f": "panic"})

    assert fine.run.base_missing
    assert judge.exit_code(judge.judge(fine)) == 0
    assert judge.exit_code(judge.judge(crashed)) == 2


def test_what_hangs_is_stopped_and_the_budget_is_kept(tmp_path: Path) -> None:
    settings = replace(QUICK, budget=6.0, warm_up=0.01, measurement=0.01)
    started = time.monotonic()

    record = run(tmp_path, {"a": 100.0, "b": 100.0}, {"a": 100.0, "b": "hang"}, settings)

    assert time.monotonic() - started < settings.budget + 2
    (why,) = whys(record, "b", HEAD)
    assert "stopped at its limit" in why
    assert rounds(record, "a", HEAD)[:3] == [1, 2, 3]


def test_a_benchmark_that_writes_without_end_is_read_in_bounded_memory(tmp_path: Path) -> None:
    built = builds(tmp_path, {"f": 100.0}, {"f": "chatter"})
    target = built.head.targets[KEY]
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "CRITERION_HOME": str(home)}

    ended = processes.run([str(target.executable), "--bench"], tmp_path, environment)

    assert ended.code == 0
    assert len(ended.out) == processes.KEPT


def test_a_benchmark_that_fills_the_disk_is_stopped(tmp_path: Path) -> None:
    built = builds(tmp_path, {"f": 100.0}, {"f": 100.0})
    peer(tmp_path / HEAD, {"f": "fill"}, bytes=processes.LARGEST_FOLDER + 1)

    record = session(tmp_path, built).measure()

    (why,) = whys(record, "f", HEAD)
    assert "wrote more than" in why
    assert judge.exit_code(judge.judge(record)) == 2


def test_a_full_disk_ends_the_run_with_a_message(tmp_path: Path) -> None:
    built = builds(tmp_path, {"f": 100.0}, {"f": 100.0})
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    run = measure.Session(built, QUICK, 7, tmp_path / "scratch", full, silent)

    with pytest.raises(BenchError, match="cannot be written: No space left") as caught:
        run.measure()
    assert caught.value.where == str(full)
    assert "--output" in caught.value.todo


def test_an_executable_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    built = builds(tmp_path, {"f": 100.0}, {"f": 100.0})
    built.head.targets[KEY].executable.chmod(0o644)

    with pytest.raises(BenchError, match="cannot be started"):
        session(tmp_path, built).measure()


@pytest.mark.parametrize(
    ("seconds", "rounds", "measurement", "kept"),
    [(1000, 10, 0.3, 4), (60, 10, 0.1, 4), (33, 6, 0.1, 4), (12, 6, 0.1, 3), (0.1, 6, 0.1, 0)],
)
def test_scarce_time_shortens_then_cuts_rounds_then_leaves_the_costliest_out(
    seconds: float, rounds: int, measurement: float, kept: int
) -> None:
    costs = {"a": 0.4, "b": 0.5, "c": 0.6, "d": 3.0}

    settings, names = measure.fit(costs, Settings(), seconds)

    assert (settings.rounds, settings.measurement, len(names)) == (rounds, measurement, kept)
    assert names == set(list(costs)[:kept])


def test_what_takes_whole_seconds_is_not_cut_short() -> None:
    costs = {"old": 2.0, "new": 0.4}

    _, both = measure.fit(costs, Settings(), 16, fixed=())
    _, without = measure.fit(costs, Settings(), 16, fixed={"old"})

    assert both == {"old", "new"}
    assert without == {"new"}


def test_five_thousand_benchmarks_are_measured_as_far_as_the_budget_goes(tmp_path: Path) -> None:
    many = {f"bench{n:04}": 100.0 for n in range(5000)}
    settings = replace(QUICK, budget=4.0)

    record = run(tmp_path, many, many, settings)

    measured = {row.benchmark for row in record.measurements if row.min_ns is not None}
    assert 0 < len(measured) < 100
    assert len({row.benchmark for row in record.measurements}) == 5000
    assert any(row.why == measure.TOO_COSTLY for row in record.measurements)


SCRIPT = """
import sys
from pathlib import Path
from rustci.bench import cli, measure
from rustci.bench.processes import on_termination
from rustci.bench.settings import Settings
from tests.bench.peer import builds

here = Path(sys.argv[1])
on_termination()
built = builds(here, {"f": 100.0}, {"f": 100.0})
settings = Settings(rounds=1000)
output = here / "out" / "bench-raw.jsonl"
try:
    measure.Session(built, settings, 7, here / "scratch", output, print).measure()
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_a_record_that_can_be_judged(
    tmp_path: Path, number: signal.Signals
) -> None:
    argv = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL) as child:
        record = tmp_path / "out" / "bench-raw.jsonl"
        while not record.exists() or record.read_bytes().count(b"\n") < 8:
            assert child.poll() is None
            time.sleep(0.05)
        child.send_signal(number)
        assert child.wait(10) == 130

    rows: tuple[Measurement, ...] = load(record).measurements
    assert {row.side for row in rows} == {BASE, HEAD}
    judge.judge(load(record))
