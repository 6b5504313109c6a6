"""The benchmark gate as the workflow runs it: cheap where nothing changed, red on a slowdown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.faults import Edit
from tests.e2e.harness import Run, execute
from tests.e2e.machine import Machine
from tests.e2e.projects import HERE
from tests.e2e.report import Report
from tests.e2e.repository import commit, prepare

pytestmark = pytest.mark.e2e


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    answers = ("benchmarks.budget=2", "benchmarks.layouts=2")
    return prepare(HERE / "measured", tmp_path / "measured", *(f"--set={a}" for a in answers))


def gate(here: Machine, root: Path, *edits: Edit) -> Run:
    """Run bench.yml on a commit with the edits, and leave the weekly job aside."""
    for edit in edits:
        edit.apply(root)
    commit(root, "Change something")
    run = execute(here, root, workflow="bench.yml", state=root.parent / "state")
    assert run.states("creep") == {"skipped"}
    return run


def test_a_change_of_the_docs_measures_nothing(
    here: Machine, measured: Path, report: Report
) -> None:
    run = gate(here, measured, Edit("README.md", new="What it is.\n"))
    assert run.states("gate") == {"green"}, run.explain()
    assert "identical" in run.output


def test_a_slowdown_is_red(here: Machine, measured: Path, report: Report) -> None:
    run = gate(here, measured, Edit("src/lib.rs", old="u32 = 20", new="u32 = 23"))
    assert [o.failed for o in run.outcomes if o.job == "gate"] == [
        ("Compare the times with the base",)
    ], run.output[-4000:]
    assert "digest" in run.output
    report.faults.append(("a benchmark that became 15 % slower", "gate"))
