"""The recommended workflows are green on real projects, from the first push."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e import servers, tools
from tests.e2e.conftest import FULL
from tests.e2e.harness import execute
from tests.e2e.machine import Machine
from tests.e2e.projects import CASES, Case
from tests.e2e.report import Report
from tests.e2e.repository import prepare

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.name) for case in CASES if FULL or not case.further]
)
def test_every_job_is_green(case: Case, here: Machine, report: Report, tmp_path: Path) -> None:
    if case.servers and (reason := servers.obstacle()):
        report.absent(case, reason)
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    tools.build(here.tools, *case.tools)
    answers = [f"--set={answer}" for answer in case.answers]
    repository = prepare(case.source, tmp_path / case.name, *answers)
    with ExitStack() as stack:
        if case.servers:
            stack.enter_context(servers.running())
        for workflow, event in case.runs:
            # Those that share a server cannot have it at once.
            concurrency = 1 if case.servers else 2
            run = execute(
                here,
                repository,
                event,
                workflow,
                state=tmp_path / "state",
                concurrency=concurrency,
            )
            report.add(case, run)
            assert not run.red(), run.explain()
            absent = all(outcome.state == "not executable" for outcome in run.outcomes)
            assert absent or any(outcome.state == "green" for outcome in run.outcomes), run.output
            assert not any(outcome.state == "skipped" for outcome in run.outcomes), run.output
            # What could not run here must not pass.
            assert all(o.failed for o in run.outcomes if o.job == "ci" and o.reason), run.output
