"""What a pull request costs: our workflow with cold and warm caches beside the usual starter's.

Every job is run alone, one after the other, by act. A job's seconds are what a runner would be paid
for; the critical path is what a developer waits for when all jobs have a runner of their own.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from rustci.actions import pin
from tests.e2e.conftest import here  # noqa: F401
from tests.e2e.harness import Event, Run, execute
from tests.e2e.machine import ROOT, Machine
from tests.e2e.projects import HERE
from tests.e2e.repository import commit, git, prepare

pytestmark = [pytest.mark.benchmark, pytest.mark.e2e]

STARTER = Path(__file__).with_name("starter.yml")
SAME = frozenset({"test", "clippy", "docs"})
"""Our jobs that check what the starter's do."""


@dataclass(frozen=True)
class Cost:
    """Seconds of all jobs, of those that the starter has too, and of the longest chain."""

    all: float
    same: float
    path: float

    def __str__(self) -> str:
        return f"{self.all:5.0f} s in jobs, {self.same:5.0f} s of it alike, {self.path:5.0f} s path"


def cost(run: Run) -> Cost:
    assert not run.red(), run.explain()
    ran = [outcome for outcome in run.outcomes if outcome.state == "green"]
    last = sum(outcome.seconds for outcome in ran if outcome.job == "ci")
    first = [outcome for outcome in ran if outcome.job != "ci"]
    return Cost(
        all=sum(outcome.seconds for outcome in ran),
        same=sum(o.seconds for o in first if o.job in SAME or run.workflow == "rust.yml"),
        path=max(outcome.seconds for outcome in first) + last,
    )


@pytest.mark.parametrize(
    "source", [ROOT / "tests" / "crates" / "chat-server", HERE / "workspace"], ids=lambda p: p.name
)
def test_a_pull_request_beside_the_starters(
    source: Path,
    here: Machine,  # noqa: F811
    tmp_path: Path,
) -> None:
    def measured(repository: Path, event: Event, workflow: str) -> Cost:
        state = tmp_path / "state" / repository.name
        return cost(execute(here, repository, event, workflow, state=state, concurrency=1))

    ours = prepare(source, tmp_path / "ours")
    theirs = Path(shutil.copytree(ours, tmp_path / "theirs"))
    git(theirs, "rm", "-r", "--quiet", ".github")
    workflow = theirs / ".github" / "workflows" / "rust.yml"
    workflow.parent.mkdir(parents=True)
    text = STARTER.read_text("utf-8").replace("{checkout}", pin("actions/checkout").sha)
    workflow.write_text(text, "utf-8")
    commit(theirs, "Start")

    starter = measured(theirs, "pull_request", "rust.yml")
    cold = measured(ours, "push", "ci.yml")
    warm = measured(ours, "pull_request", "ci.yml")

    print(
        f"\n{source.name}\n  starter      {starter}\n  ours, cold   {cold}\n  ours, warm   {warm}"
    )
    for name, mine in (("cold", cold), ("warm", warm)):
        print(
            f"  {name} / starter: all jobs {mine.all / starter.all:.2f}, the same checks"
            f" {mine.same / starter.same:.2f}, critical path {mine.path / starter.path:.2f}"
        )
    assert warm.all < cold.all
