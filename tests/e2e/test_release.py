"""The release workflow tries itself on pull requests, and publishes nothing there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.faults import Edit
from tests.e2e.harness import execute
from tests.e2e.machine import ROOT, Machine
from tests.e2e.report import Report
from tests.e2e.repository import commit, prepare

pytestmark = pytest.mark.e2e


@pytest.fixture
def released(tmp_path: Path) -> Path:
    answers = ("jobs.release=true", "release.targets=x86_64-unknown-linux-gnu")
    source = ROOT / "tests" / "projects" / "released"
    return prepare(source, tmp_path / "counter", *(f"--set={answer}" for answer in answers))


def test_a_pull_request_tries_everything_but_the_publishing(
    here: Machine, released: Path, report: Report, tmp_path: Path
) -> None:
    run = execute(here, released, workflow="release.yml", state=tmp_path / "state")
    assert not run.red(), run.explain()
    assert run.states("verify") == run.states("binaries") == {"green"}, run.output
    assert run.states("publish") == run.states("release") == {"skipped"}
    [kept] = (call for call in run.calls if call["action"] == "actions/upload-artifact")
    assert kept["inputs"]["name"] == "binaries-x86_64-unknown-linux-gnu"


def test_a_package_that_cannot_be_published_is_red(
    here: Machine, released: Path, report: Report, tmp_path: Path
) -> None:
    Edit("Cargo.toml", old='description = "Counts words"\n', new="").apply(released)
    Edit("Cargo.toml", new='\n[dependencies]\nmissing = { path = "missing" }\n').apply(released)
    (released / "missing" / "src").mkdir(parents=True)
    (released / "missing" / "src" / "lib.rs").write_text("", "utf-8")
    manifest = '[package]\nname = "missing"\nversion = "0.1.0"\nedition = "2021"\n'
    (released / "missing" / "Cargo.toml").write_text(manifest, "utf-8")
    lock = released / "Cargo.lock"
    text = lock.read_text("utf-8")
    block = '\n[[package]]\nname = "missing"\nversion = "0.1.0"\n'
    lock.write_text(f'{text.rstrip()}\ndependencies = [\n "missing",\n]\n{block}', "utf-8")
    commit(released, "Depend on a path")
    run = execute(here, released, workflow="release.yml", state=tmp_path / "state")
    assert [o.failed for o in run.outcomes if o.job == "verify"] == [
        ("Package without publishing",)
    ], run.explain()
    report.faults.append(("a release that crates.io would refuse", "verify"))
