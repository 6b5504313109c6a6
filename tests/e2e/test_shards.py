"""Shards reach together what one undivided run reaches."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness import execute
from tests.e2e.machine import Machine
from tests.e2e.projects import HERE
from tests.e2e.repository import prepare

pytestmark = pytest.mark.e2e


def covered(here: Machine, folder: Path, *answers: str) -> list[str]:
    """Return each line of the report, told apart by whether it was reached."""
    root = prepare(HERE / "library", folder / "library", "--set=coverage.service=none", *answers)
    run = execute(here, root, workflow="coverage.yml", state=folder / "state")
    assert {outcome.state for outcome in run.outcomes} == {"green"}, run.explain()
    report = folder / "state" / "artifacts" / "coverage" / "lcov.info"
    lines = []
    for line in report.read_text("utf-8").splitlines():
        kind, _, rest = line.partition(":")
        if kind == "SF":
            lines.append(rest[rest.index("src/") :])
        elif kind == "DA":
            number, count = rest.split(",")[:2]
            lines.append(f"{number} {'reached' if int(count) else 'missed'}")
    return lines


def test_the_coverage_of_shards_is_that_of_one_run(here: Machine, tmp_path: Path) -> None:
    whole = covered(here, tmp_path / "whole")
    assert whole
    assert covered(here, tmp_path / "shards", "--set=tests.shards=2") == whole
