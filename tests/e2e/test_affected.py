"""A pull request runs what it affects, and whatever goes wrong never ends green with less."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.faults import Edit
from tests.e2e.harness import Run, execute
from tests.e2e.machine import ROOT, Machine
from tests.e2e.repository import commit, git, prepare

pytestmark = pytest.mark.e2e

CI = ".github/workflows/ci.yml"
PROGRAM = ".github/rustci/affected/__main__.py"
MEMBERS = ["count", "report", "shout", "words"]


@dataclass(frozen=True)
class Base:
    """The workspace with its caches warm."""

    here: Machine
    root: Path
    state: Path

    def pull_request(self, *edits: Edit, merged: bool = True) -> Run:
        """Run a pull request with these changes, merged as GitHub does, and take them back."""
        head = git(self.root, "rev-parse", "HEAD").strip()
        try:
            git(self.root, "switch", "--quiet", "--detach")
            for edit in edits:
                edit.apply(self.root)
            commit(self.root, "Change something")
            if merged:
                tree = git(self.root, "rev-parse", "HEAD^{tree}").strip()
                change = git(self.root, "rev-parse", "HEAD").strip()
                who = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
                both = ("-p", head, "-p", change, "-m", "Merge")
                merge = git(self.root, *who, "commit-tree", tree, *both).strip()
                git(self.root, "reset", "--quiet", "--hard", merge)
            return execute(self.here, self.root, state=self.state)
        finally:
            git(self.root, "switch", "--quiet", "main")
            git(self.root, "reset", "--quiet", "--hard", head)


@pytest.fixture(scope="module")
def family(here: Machine, tmp_path_factory: pytest.TempPathFactory) -> Base:
    folder = tmp_path_factory.mktemp("affected")
    answers = ("jobs.affected=true", "tests.affected_paths=README.md=")
    flags = [f"--set={a}" for a in (*answers, "platforms.runners=ubuntu-24.04")]
    root = prepare(ROOT / "tests" / "crates" / "family", folder / "family", *flags)
    base = Base(here, root, folder / "state")
    run = execute(here, root, "push", state=base.state)
    assert not run.red(), run.explain()
    assert ran(run) == MEMBERS
    return base


def ran(run: Run) -> list[str]:
    """Return the members of which a test ran."""
    log = "\n".join(outcome.log for outcome in run.outcomes if outcome.job == "test")
    lines = re.findall(r"(?:PASS|FAIL) \[.*", re.sub(r"\x1b\[[0-9;]*m", "", log))
    return [name for name in MEMBERS if any(re.search(rf"\s{name}\b", line) for line in lines)]


def test_a_leaf_runs_alone(family: Base) -> None:
    run = family.pull_request(Edit("report/src/lib.rs", new="// More.\n"))
    assert not run.red(), run.explain()
    assert ran(run) == ["report"]
    assert {outcome.state for outcome in run.outcomes} == {"green"}


def test_a_manifest_at_the_root_runs_everything(family: Base) -> None:
    run = family.pull_request(Edit("Cargo.toml", new="# More.\n"))
    assert not run.red(), run.explain()
    assert ran(run) == MEMBERS


def test_a_fault_in_a_dependant_is_red(family: Base) -> None:
    edit = Edit("words/src/lib.rs", old="whitespace().collect", new="whitespace().take(2).collect")
    run = family.pull_request(edit)
    assert run.red() == ["test", "ci"], run.explain()
    assert ran(run) == ["count", "shout", "words"]


def test_where_nothing_is_affected_the_narrowed_jobs_are_skipped(family: Base) -> None:
    run = family.pull_request(Edit("README.md", new="More.\n"))
    assert not run.red(), run.explain()
    skipped = {outcome.job for outcome in run.outcomes if outcome.state == "skipped"}
    assert skipped == {"clippy", "docs", "test"}
    assert run.states("ci") == {"green"}


def test_without_a_merge_commit_everything_runs(family: Base) -> None:
    run = family.pull_request(Edit("README.md", new="More.\n"), merged=False)
    assert not run.red(), run.explain()
    assert ran(run) == MEMBERS


def test_a_broken_program_is_red(family: Base) -> None:
    broken = Edit(PROGRAM, old="from __future__ import annotations\n", new="raise SystemExit(1)\n")
    run = family.pull_request(broken)
    assert run.red() == ["affected", "ci"], run.explain()
    assert not ran(run)


def test_a_program_that_says_nothing_is_red(family: Base) -> None:
    silent = Edit(PROGRAM, old="from __future__ import annotations\n", new="raise SystemExit\n")
    run = family.pull_request(silent)
    assert "ci" in run.red(), run.explain()


@pytest.mark.parametrize("edited", ["README.md", "report/src/lib.rs"])
def test_a_job_that_is_skipped_for_another_reason_is_red(edited: str, family: Base) -> None:
    head = git(family.root, "rev-parse", "HEAD").strip()
    job = "  lockfile:\n    name: Lock file\n"
    try:
        Edit(CI, old=job, new=f"{job}    if: false\n").apply(family.root)
        commit(family.root, "Skip a job")
        run = family.pull_request(Edit(edited, new="// More.\n"))
        assert run.red() == ["ci"], run.explain()
    finally:
        git(family.root, "reset", "--quiet", "--hard", head)
