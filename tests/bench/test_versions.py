"""The gate with the published crates: each layout of criterion, and the runners that count."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench.crates import commit, repository

pytestmark = pytest.mark.slow
GATE = (sys.executable, str(Path(__file__).parents[2] / "rustci" / "bench"))
MANIFEST = """\
[package]
name = "demo"
version = "0.1.0"
edition = "2021"
[lib]
bench = false
[dev-dependencies]
{crate} = "={version}"
[[bench]]
name = "speed"
harness = false
[profile.bench]
debug = true
[workspace]
"""
LIBRARY = """\
#[inline(never)]
pub fn sum(n: u64) -> u64 {
    (0..n).fold(1, |a, b| std::hint::black_box(a.rotate_left(3) ^ b))
}
"""
TIMES = """\
use criterion::{criterion_group, criterion_main, BenchmarkId, Criterion};
fn run(c: &mut Criterion) {
    let mut group = c.benchmark_group("group/of <b>|");
    group.bench_with_input(BenchmarkId::new("name", "new"), &3_000u64, |b, n| {
        b.iter(|| demo::sum(*n))
    });
    group.finish();
}
criterion_group!(all, run);
criterion_main!(all);
"""
COUNTS = """\
use iai_callgrind::{library_benchmark, library_benchmark_group, main};
#[library_benchmark]
#[bench::short(20_000)]
fn sum(n: u64) -> u64 {
    demo::sum(std::hint::black_box(n))
}
library_benchmark_group!(name = group; benchmarks = sum);
main!(library_benchmark_groups = group);
"""


def gate(
    tmp_path: Path, crate: str, version: str, bench: str, slower: str, *command: str
) -> tuple[int, Any]:
    """Run the gate on a change that makes the library slower; return its code and its result."""
    project, output = tmp_path / "project", tmp_path / "out"
    repository(
        project,
        {
            "Cargo.toml": MANIFEST.format(crate=crate, version=version),
            "benches/speed.rs": bench,
            "src/lib.rs": LIBRARY,
        },
    )
    subprocess.run(["cargo", "generate-lockfile"], cwd=project, check=True, capture_output=True)
    commit(project, {"src/lib.rs": LIBRARY.replace("0..n", f"0..n + n / {slower}")})
    argv = [*GATE, *command, "--work", str(tmp_path / "work"), "--output", str(output)]
    done = subprocess.run(argv, cwd=project, capture_output=True, text=True, check=False)
    written = sorted(output.glob("*.json"))
    assert written, done.stdout + done.stderr
    return done.returncode, json.loads(written[0].read_text("utf-8"))


@pytest.mark.parametrize("version", ["0.3.0", "0.3.6", "0.4.0", "0.5.1", "0.6.0", "0.7.0", "0.8.2"])
def test_a_slowdown_is_found_with_each_criterion(tmp_path: Path, version: str) -> None:
    code, result = gate(tmp_path, "criterion", version, TIMES, "2", "run", "--layouts", "0")

    (row,) = result["results"]
    assert (code, row["status"], row["name"]) == (1, "regressed", "group/of <b>|/name/new")
    assert row["ratio"] == pytest.approx(1.5, abs=0.1)


@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not installed")
@pytest.mark.parametrize("version", ["0.14.2", "0.15.2", "0.16.1"])
def test_instructions_are_counted_with_the_runner_of_each_layout(
    tmp_path: Path, version: str
) -> None:
    code, result = gate(tmp_path, "iai-callgrind", version, COUNTS, "20", "counts")

    (row,) = result["results"]
    assert (code, row["status"]) == (1, "regressed")
    assert row["change"] == pytest.approx(0.05, abs=0.001)
