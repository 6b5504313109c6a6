"""Undefined behaviour that compiled tests do not show turns Miri red."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.faults import Edit
from tests.e2e.harness import execute
from tests.e2e.machine import ROOT, Machine
from tests.e2e.projects import USUAL_JOBS
from tests.e2e.report import Report
from tests.e2e.repository import commit, prepare

pytestmark = pytest.mark.e2e


def test_a_race_is_red(here: Machine, report: Report, tmp_path: Path) -> None:
    if not here.rustup.toolchains["nightly"].has("miri", here.rustup.host):
        pytest.skip("needs the component miri of Rust nightly, which is not installed")
    source = ROOT / "tests" / "projects" / "deep-checks"
    answers = ("coverage.service=false", *(f"jobs.{job}=false" for job in USUAL_JOBS))
    pool = prepare(source, tmp_path / "pool", *(f"--set={answer}" for answer in answers))
    # Every caller gets the same byte now.
    Edit("src/lib.rs", old="fetch_add(1", new="fetch_add(0").apply(pool)
    Edit("src/lib.rs", old="assert!(POOL.take().is_none());\n", new="").apply(pool)
    commit(pool, "Hand out one byte")
    run = execute(here, pool, state=tmp_path / "state")
    [miri] = (outcome for outcome in run.outcomes if outcome.job == "miri")
    assert miri.failed == ("Run the tests in Miri",), run.explain()
    assert "Data race detected" in miri.log
    report.faults.append(("threads that share a byte", "miri, ci"))
