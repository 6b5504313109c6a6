"""The jobs that ask a database are green beside a real one, and red for what they are there for."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from rustci.jobs import CATALOGUE
from tests.e2e import servers, tools
from tests.e2e.conftest import FULL
from tests.e2e.faults import Edit
from tests.e2e.harness import Event, Run, execute
from tests.e2e.machine import ROOT, Machine
from tests.e2e.report import Report
from tests.e2e.repository import commit, git, prepare

pytestmark = pytest.mark.e2e

MIGRATION = "migrations/20260101000000_notes.sql"
PROGRAMS = {"sqlx": "sqlx-cli", "diesel": "diesel_cli"}
JOBS = {"sqlx": {"sqlx", "test"}, "diesel": {"diesel"}}
"""What is run of each project: the rest needs no database."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with a project, the step that fails, and the jobs that have it."""

    about: str
    project: str
    edit: Edit
    step: str
    red: tuple[str, ...]


FAULTS = (
    Fault(
        "saved queries of sqlx that are stale",
        "sqlx",
        Edit(MIGRATION, old="text TEXT", new="text VARCHAR(200)"),
        "Compare the saved queries with the database",
        ("sqlx",),
    ),
    Fault(
        "a migration of sqlx that fails",
        "sqlx",
        Edit(MIGRATION, old="CREATE TABLE", new="CREATE TABEL"),
        "Create the tables",
        ("test", "sqlx"),
    ),
    Fault(
        "a migration of diesel that cannot be taken back",
        "diesel",
        Edit("migrations/2026-01-01-000000_notes/down.sql", old="DROP TABLE notes", new="SELECT 1"),
        "Repeat every migration",
        ("diesel",),
    ),
    Fault(
        "a schema in the code that is not the database's",
        "diesel",
        Edit("src/schema.rs", old="text -> Text", new="text -> Nullable<Text>"),
        "Check the schema",
        ("diesel",),
    ),
)


@dataclass(frozen=True)
class Base:
    """A project whose jobs were green beside its database."""

    here: Machine
    root: Path
    state: Path

    def run(self, event: Event = "pull_request") -> Run:
        """Run beside a new database, one job after the other: here they share it."""
        with servers.running():
            return execute(self.here, self.root, event, state=self.state, concurrency=1)


@pytest.fixture(scope="module")
def bases(here: Machine, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Base]:
    """Return a function that returns a project with warm caches."""
    if reason := servers.obstacle():
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)

    @cache
    def base(name: str) -> Base:
        tools.build(here.tools, PROGRAMS[name])
        others = {job.ID for job in CATALOGUE} - {*JOBS[name], "semver"}
        folder = tmp_path_factory.mktemp(name)
        answers = (f"--set=jobs.{job}=false" for job in sorted(others))
        root = prepare(ROOT / "tests" / "projects" / name, folder / name, *answers)
        found = Base(here, root, folder / "state")
        run = found.run("push")
        assert not run.red(), run.explain()
        # No job lives on what another one has installed.
        assert all("is already installed" in o.log for o in run.outcomes if o.job != "ci")
        return found

    return base


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, id=fault.about.replace(" ", "-"))
        for fault in FAULTS
        if FULL or fault.project == "sqlx"
    ],
)
def test_a_fault_is_red(fault: Fault, bases: Callable[[str], Base], report: Report) -> None:
    base = bases(fault.project)
    head = git(base.root, "rev-parse", "HEAD").strip()
    try:
        fault.edit.apply(base.root)
        commit(base.root, "Change something")
        run = base.run()
    finally:
        git(base.root, "reset", "--quiet", "--hard", head)
    assert set(run.red()) == {*fault.red, "ci"}, run.explain()
    assert {o.failed for o in run.outcomes if o.job in fault.red} == {(fault.step,)}, run.explain()
    report.faults.append((fault.about, ", ".join(run.red())))
