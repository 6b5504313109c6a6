"""The page that tells what was run, docs/explanation/proof.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.e2e.harness import Outcome, Run
from tests.e2e.projects import CASES, Case

HEAD = """\
# Proof: the workflows, executed

<!-- Written by `nox -s e2e` or `nox -s e2e_full`; do not edit. -->

`rustci init --yes` was run on each project below, everything was committed, and the workflow
files ran as written: [act](https://nektosact.com) executed every job on a Linux machine, with the
real cargo, nextest, llvm-cov, cargo-hack and rustdoc. Nothing in the files was changed.

What stood in for the outside:

- Each third-party action by a small local one that checks its inputs as the real one does (unknown
  and missing inputs fail) and does the local equal: the checkout fetches the commit, caches and
  artifacts move files, tools are put on `PATH` in the pinned version alone, Codecov and Coveralls
  read the report and refuse an empty one.
- GitHub's `gh` by a script that writes down what it is asked. One test runs the report with the
  real one, against a local server that keeps issues.
- What jobs have Cargo compile (sqlx-cli, diesel_cli, cargo-fuzz) was compiled before, unoptimised:
  Cargo itself said that it was installed, and went on.
- Rust's servers by a local one, which offers the installed toolchains only.
- Service containers, which act does not start on the host, by servers on the same ports.

Lanes for macOS and Windows cannot run there, and act enforces neither `permissions` nor
`concurrency` nor a job's `timeout-minutes`: those are linted, no more.
"""


@dataclass
class Report:
    """Collects the runs, in their order."""

    runs: list[tuple[Case, Run]] = field(default_factory=list)
    missing: list[tuple[Case, str]] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)

    def add(self, case: Case, run: Run) -> None:
        """Keep a run."""
        self.runs.append((case, run))

    def absent(self, case: Case, reason: str) -> None:
        """Keep why nothing of a project could be run."""
        self.missing.append((case, reason))

    def page(self) -> str:
        """Return the page as Markdown."""
        return "\n".join([HEAD, *self._projects(), *self._faults()])

    def _projects(self) -> Iterator[str]:
        yield "## Projects\n"
        for case in sorted({case for case, _ in self.runs}, key=CASES.index):
            answers = ", ".join(f"`{answer}`" for answer in case.answers)
            yield f"### {case.name}\n\n{case.about}{f'; with {answers}' if answers else ''}\n"
            yield from self._table([run for other, run in self.runs if other == case])
        for case, reason in self.missing:
            yield f"### {case.name}\n\n{case.about}: not executed, {reason}\n"

    def _table(self, runs: list[Run]) -> Iterator[str]:
        """Yield a row for each job, a column for each run, and what could not be executed."""
        found = [{o.name: o for o in run.outcomes} for run in runs]
        names = list(dict.fromkeys(name for outcomes in found for name in outcomes))
        yield _row("job", *(f"{run.workflow}, {run.event}" for run in runs))
        yield _row("---", *("--:" for _ in runs))
        absent = {o.name: o.reason for outcomes in found for o in outcomes.values() if o.reason}
        for name in names:
            if name not in absent:
                yield _row(name, *(_cell(outcomes.get(name)) for outcomes in found))
        yield ""
        if absent:
            yield "Not executed here:\n"
            yield from (f"- {name}: {reason}" for name, reason in absent.items())
            yield ""

    def _faults(self) -> Iterator[str]:
        if self.faults:
            yield "## Planted faults\n"
            yield "Each committed to a green project; all other jobs stayed green.\n"
            yield _row("fault", "red jobs")
            yield _row("---", "---")
            yield from (_row(about, red) for about, red in self.faults)
            yield ""


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(outcome: Outcome | None) -> str:
    return f"{outcome.state}, {outcome.seconds:.0f} s" if outcome else ""
