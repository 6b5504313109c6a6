"""A fault that only a further target has turns that target's job red."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import FULL
from tests.e2e.faults import Edit
from tests.e2e.harness import execute
from tests.e2e.lanes import CROSS, obstacle
from tests.e2e.machine import Machine
from tests.e2e.projects import HERE, ONLY_TARGETS
from tests.e2e.report import Report
from tests.e2e.repository import commit, prepare

pytestmark = pytest.mark.e2e


def test_a_constant_of_64_bits_is_red_on_32(here: Machine, report: Report, tmp_path: Path) -> None:
    target = "i686-unknown-linux-musl"
    lacking(here, target)
    answers = (f"platforms.targets={target}", *ONLY_TARGETS, "jobs.test=true")
    codec = prepare(HERE / "codec", tmp_path / "codec", *(f"--set={one}" for one in answers))
    Edit("src/lib.rs", old="usize::MAX as u64", new="u64::MAX").apply(codec)
    commit(codec, "Promise more than 32 bits hold")
    run = execute(here, codec, state=tmp_path / "state")
    assert run.red() == ["cross", "ci"], run.explain()
    assert [o.failed for o in run.outcomes if o.job == "cross"] == [("Run the tests",)]
    assert "the_longest_message_has_an_address" in run.explain()
    report.faults.append(("a constant that 32 bits do not hold", "cross, ci"))


@pytest.mark.skipif(not FULL, reason="compiles wasm-bindgen's test runner, which takes minutes")
def test_what_only_webassembly_gets_wrong_is_red(
    here: Machine, report: Report, tmp_path: Path
) -> None:
    lacking(here, "wasm32-unknown-unknown")
    answers = (*ONLY_TARGETS, "jobs.test=true")
    wasm = prepare(HERE / "wasm", tmp_path / "wasm", *(f"--set={one}" for one in answers))
    Edit("src/lib.rs", old="    2\n", new="    usize::BITS / 32\n").apply(wasm)
    commit(wasm, "Count in halves of 64 bits")
    run = execute(here, wasm, state=tmp_path / "state")
    assert run.red() == ["wasm", "ci"], run.explain()
    assert [o.failed for o in run.outcomes if o.job == "wasm"] == [("Run the tests",)]
    report.faults.append(("a number that is another one in WebAssembly", "wasm, ci"))


def test_a_target_that_rust_lacks_here_is_no_fault(here: Machine) -> None:
    target = "x86_64-unknown-hurd-gnu"
    ways: tuple[dict[str, Any], ...] = (
        {"uses": f"{CROSS}{'0' * 40}", "with": {"target": "${{ matrix.target }}"}},
        {"run": f"cargo test --target {target} --tests"},
    )
    common = {"runs-on": "ubuntu-24.04", "env": {"RUSTUP_TOOLCHAIN": "stable"}}
    for step in ways:
        reason = obstacle(here.rustup, {**common, "steps": [step]}, {"target": target})
        assert reason == f"needs the target {target} of Rust stable, which is not installed"
    # A benchmark's target is another thing.
    assert not obstacle(here.rustup, {**common, "steps": [{"run": "bench --target 5%"}]}, {})


def lacking(here: Machine, target: str) -> None:
    """Skip where Rust has no standard library for a target."""
    if not here.rustup.toolchains["stable"].has("rust-std", target):
        pytest.skip(f"needs the target {target} of Rust stable, which is not installed")
