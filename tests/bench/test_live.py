"""The whole gate on small real repositories: git, cargo, executables, record, verdict."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.bench.crates import BENCH, FILES, LIBRARY, MANIFEST, commit, git, repository

pytestmark = pytest.mark.slow
GATE = (sys.executable, str(Path(__file__).parents[2] / "rustci" / "bench"))
SLOWER = LIBRARY.replace("0..n", "0..n + n / 2")
PLACED = """
#[no_mangle]
#[inline(never)]
pub extern "C" fn near() -> u64 {
    std::hint::black_box(1)
}
#[no_mangle]
#[inline(never)]
pub extern "C" fn other() -> u64 {
    std::hint::black_box(2)
}
pub fn sum(n: u64) -> u64 {
    let place = |function: extern "C" fn() -> u64| std::hint::black_box(function as usize);
    let n = if place(near) > place(other) { n + n / 2 } else { n };
    (0..n).fold(1, |a, b| std::hint::black_box(a.rotate_left(3) ^ b))
}
"""
"""What a cache does at times, for certain: where functions lie decides how long it takes."""


@dataclass(frozen=True)
class Ended:
    """What one run of the gate left."""

    code: int
    text: str
    result: Mapping[str, Any]
    project: Path

    @property
    def statuses(self) -> dict[str, str]:
        return {row["name"]: row["status"] for row in self.result["results"]}


def environment(**more: str) -> dict[str, str]:
    hidden = ("GITHUB_", "CARGO_TARGET_DIR")
    return {k: v for k, v in os.environ.items() if not k.startswith(hidden)} | more


def gate(
    tmp_path: Path,
    base: Mapping[str, str],
    head: Mapping[str, str],
    *more: str,
    **variables: str,
) -> Ended:
    """Commit base, then head's changes, and run the gate between the two."""
    project = tmp_path / "project"
    repository(project, {**FILES, **base})
    commit(project, head)
    output = tmp_path / "out"
    argv = [*GATE, "run", "--output", str(output), "--work", str(tmp_path / "work"), *more]
    done = subprocess.run(
        argv, cwd=project, env=environment(**variables), capture_output=True, text=True, check=False
    )
    path = output / "bench-result.json"
    result = json.loads(path.read_text("utf-8")) if path.exists() else {}
    assert "Traceback" not in done.stderr
    assert git(project, "worktree", "list").count("\n") == 0
    assert not (tmp_path / "work" / "head").exists()
    return Ended(done.returncode, done.stdout + done.stderr, result, project)


@pytest.mark.parametrize(
    "change", [{"README.md": "# Tiny\n"}, {"src/lib.rs": f"// Sums.{LIBRARY}"}]
)
def test_a_change_of_documentation_measures_nothing(tmp_path: Path, change: dict[str, str]) -> None:
    ended = gate(tmp_path, {}, change)

    assert ended.code == 0
    assert ended.statuses == {"sum": "identical"}
    assert ended.result["rounds"] == 0


def test_a_slowdown_fails_and_names_the_benchmark(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"

    ended = gate(
        *(tmp_path, {}, {"src/lib.rs": SLOWER}, "--layouts", "1"),
        GITHUB_STEP_SUMMARY=str(summary),
        GITHUB_ACTIONS="true",
    )

    assert ended.code == 1
    assert ended.statuses == {"sum": "regressed"}
    assert "sum" in summary.read_text("utf-8")
    assert "::error" in ended.text
    record = (tmp_path / "out" / "bench-raw.jsonl").read_text("utf-8")
    assert {json.loads(line)["layout"] > 0 for line in record.splitlines()[1:]} == {False, True}


def test_a_slowdown_that_is_only_layout_is_cleared_by_relinks(tmp_path: Path) -> None:
    ended = gate(
        *(tmp_path, {"src/lib.rs": PLACED}),
        {"src/lib.rs": PLACED.replace("near", "zone")},  # a name, and with it the linker's order
    )

    (row,) = ended.result["results"]
    assert (ended.code, row["status"]) == (0, "layout"), ended.text
    assert row["ratio"] == pytest.approx(1.5, abs=0.1)
    assert len(row["layouts"]) == 5
    assert "linked in other orders" in row["why"]


def test_a_benchmark_whose_source_changed_is_shown_and_not_gated(tmp_path: Path) -> None:
    ended = gate(
        tmp_path, {}, {"benches/speed.rs": BENCH.replace("tiny::sum", "|n| tiny::sum(2 * n)")}
    )

    assert ended.code == 0
    assert ended.statuses == {"sum": "changed"}


def test_a_target_whose_features_are_off_is_told_and_left_out(tmp_path: Path) -> None:
    more = '[features]\nlong = []\n[[bench]]\nname = "far"\nharness = false\n'
    manifest = f'{MANIFEST}{more}required-features = ["long"]\n'

    ended = gate(
        tmp_path, {"Cargo.toml": manifest, "benches/far.rs": BENCH}, {"README.md": "# Tiny\n"}
    )

    assert ended.code == 0
    assert ended.statuses == {"sum": "identical"}
    assert "tiny/far is not gated: the features that it requires are off" in ended.text


def test_a_fixture_that_changed_is_no_identical_run(tmp_path: Path) -> None:
    ended = gate(tmp_path, {"fixtures/a": "1"}, {"fixtures/a": "2"}, "--rounds", "5")

    assert ended.code == 0
    assert ended.statuses == {"sum": "changed"}


def test_a_head_that_does_not_build_exits_with_2_and_says_why(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"

    ended = gate(
        tmp_path, {}, {"src/lib.rs": "pub fn sum() -> ! {"}, GITHUB_STEP_SUMMARY=str(summary)
    )

    assert ended.code == 2
    assert "unclosed delimiter" in ended.text
    assert "unclosed delimiter" in summary.read_text("utf-8")


def test_a_base_that_does_not_build_is_neutral(tmp_path: Path) -> None:
    ended = gate(tmp_path, {"src/lib.rs": "pub fn"}, {"src/lib.rs": LIBRARY})

    assert ended.code == 0
    assert "base has nothing to run" in ended.text
    assert ended.statuses == {"sum": "base-missing"}


def test_a_base_without_benchmarks_is_neutral(tmp_path: Path) -> None:
    bare = MANIFEST.partition("[dev")[0] + "[workspace]\n"

    ended = gate(tmp_path, {"Cargo.toml": bare}, {"Cargo.toml": MANIFEST})

    assert ended.code == 0


def test_a_head_that_crashes_exits_with_2(tmp_path: Path) -> None:
    ended = gate(tmp_path, {}, {"src/lib.rs": 'pub fn sum(_: u64) -> u64 { panic!("oh no") }'})

    assert ended.code == 2
    assert ended.statuses == {"sum": "crashed"}
    assert "oh no" in ended.result["results"][0]["why"]


def test_a_missing_base_exits_with_2_and_the_way_to_fetch_it(tmp_path: Path) -> None:
    ended = gate(tmp_path, {}, {"README.md": "x"}, "--base", "origin/main")

    assert ended.code == 2
    assert "git fetch" in ended.text


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_worktrees_are_gone_after_an_interruption(tmp_path: Path, number: signal.Signals) -> None:
    project = tmp_path / "project"
    repository(project)
    commit(project, {"src/lib.rs": SLOWER})
    argv = [*GATE, "run", "--rounds", "500", "--output", str(tmp_path / "out")]
    with subprocess.Popen(argv, cwd=project, env=environment(TMPDIR=str(tmp_path))) as child:
        while git(project, "worktree", "list").count("\n") < 2:
            assert child.poll() is None
            time.sleep(0.05)
        child.send_signal(number)
        assert child.wait(30) == 130

    assert git(project, "worktree", "list").count("\n") == 0
    assert not list(tmp_path.glob("rustci-bench-*"))


def test_the_self_test_tells_what_this_machine_sees(tmp_path: Path) -> None:
    repository(tmp_path / "project")
    argv = [*GATE, "self-test", "--rounds", "20", "--inject", "20%"]

    done = subprocess.run(
        argv,
        cwd=tmp_path / "project",
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "1 of 1 executables are the same" in done.stdout
    assert "functions in another order" in done.stdout
    assert "tiny/speed: sum" in done.stdout
