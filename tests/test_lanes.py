"""The jobs of a workflow, run on this machine."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
import yaml

from rustci.lanes import Machine, Result, lanes, run
from tests.test_golden import GOLDEN

pytestmark = pytest.mark.skipif(os.name == "nt", reason="runs bash")


def written(steps: str, more: str = "") -> str:
    top = "on: push\nenv:\n  A: one\njobs:\n  job:\n    runs-on: ubuntu-24.04\n"
    return f"{top}{more}    steps:\n{steps}"


def machine(folder: Path, **more: object) -> Machine:
    return Machine(root=folder, limit=20, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*/.github/workflows/*.yml")), ids=str)
def test_every_generated_workflow_can_be_read(path: Path) -> None:
    found = list(lanes(path.read_text("utf-8"), str(path)))
    assert found
    jobs = yaml.safe_load(path.read_text("utf-8"))["jobs"]
    for lane in found:
        assert lane.steps or not any("run" in step for step in jobs[lane.job]["steps"])
        for step in lane.steps:
            assert "${{" not in step.script + "".join(step.env.values())


def test_a_matrix_makes_a_lane_of_each_row() -> None:
    path = GOLDEN / "workspace" / ".github" / "workflows" / "ci.yml"
    found = [lane for lane in lanes(path.read_text("utf-8"), str(path)) if lane.job == "test"]
    assert [lane.runner for lane in found] == ["ubuntu-24.04", "macos-15", "windows-2025"]
    assert [lane.steps[0].env["RUSTUP_TOOLCHAIN"] for lane in found] == ["stable"] * 3
    here = {"linux": "ubuntu-24.04", "darwin": "macos-15"}[sys.platform]
    elsewhere = next(lane for lane in found if lane.runner != here)
    outcome = run(elsewhere, machine(Path()))
    assert (outcome.result, outcome.cause) == (Result.NOT_RUN, f"needs `{elsewhere.runner}`")


@pytest.mark.parametrize(
    ("steps", "result", "cause"),
    [
        ("      - {name: S, run: test $A$B = onetwo, env: {B: two}}\n", Result.GREEN, ""),
        ("      - {name: S, run: false | true}\n", Result.RED, "`S`: no output"),
        (
            "      - {name: S, run: 'echo; echo first; echo \"error: bad\"; echo last; exit 3'}\n",
            Result.RED,
            "`S`: error: bad",
        ),
        (
            "      - {name: S, run: 'echo no such command: hack; exit 101'}\n",
            Result.NOT_RUN,
            "`S`: no such command: hack",
        ),
        ("      - {name: Install Rust, run: exit 1}\n", Result.GREEN, ""),
        ("      - {name: S, run: exit 1, if: runner.os == 'Windows'}\n", Result.GREEN, ""),
        (
            "      - {uses: taiki-e/install-action@1, with: {tool: 'no-such-tool@1.0'}}\n",
            Result.NOT_RUN,
            "`no-such-tool` is not installed",
        ),
    ],
)
def test_results(steps: str, result: Result, cause: str, tmp_path: Path) -> None:
    (lane,) = lanes(written(steps), "ci.yml")
    outcome = run(lane, machine(tmp_path, skip=frozenset({"Install Rust"})))
    assert (outcome.result, outcome.cause) == (result, cause)
    assert bool(outcome.tail) == ("echo" in steps)


def test_a_step_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    steps = "      - {name: S, run: (sleep 2; touch late) & wait}\n"
    (lane,) = lanes(written(steps), "ci.yml")
    outcome = run(lane, Machine(root=tmp_path, limit=1))
    assert (outcome.result, outcome.cause) == (Result.NOT_RUN, "`S` did not end in time")
    time.sleep(2)
    assert not (tmp_path / "late").exists()


def test_services_are_not_started() -> None:
    text = written(
        "      - {name: S, run: exit 1}\n", "    services:\n      redis: {image: redis}\n"
    )
    (lane,) = lanes(text, "ci.yml")
    assert run(lane, machine(Path())).cause == "needs the service `redis`"
