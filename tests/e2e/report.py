"""The page that tells what was run, docs/explanation/proof.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.e2e.harness import Run
from tests.e2e.projects import Case

HEAD = """\
# Proof: the workflows, executed

<!-- Written by `nox -s e2e_full`; do not edit. -->

`rustci init --yes` was run on each project below, everything was committed, and the workflow
files ran as written: [act](https://nektosact.com) executed every job on a Linux machine, with the
real cargo, nextest, llvm-cov, cargo-hack and rustdoc. Nothing in the files was changed.

What stood in for the outside:

- Each third-party action by a small local one that checks its inputs as the real one does (unknown
  and missing inputs fail) and does the local equal: the checkout fetches the commit, caches and
  artifacts move files, tools are put on `PATH` in the pinned version alone, Codecov and Coveralls
  read the report and refuse an empty one.
- Rust's servers by a local one, which offers the installed toolchains only.
- Service containers, which act does not start on the host, by servers on the same ports.

Lanes for macOS and Windows cannot run there; they are linted, no more.
"""


@dataclass
class Report:
    """Collects the runs, in their order."""

    runs: list[tuple[Case, Run]] = field(default_factory=list)
    missing: list[tuple[Case, str]] = field(default_factory=list)
    faults: list[tuple[str, str, str]] = field(default_factory=list)

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
        for case in dict.fromkeys(case for case, _ in self.runs):
            answers = ", ".join(f"`{answer}`" for answer in case.answers)
            yield f"### {case.name}\n\n{case.about}{f'; with {answers}' if answers else ''}\n"
            yield from self._table([run for other, run in self.runs if other is case])
        for case, reason in self.missing:
            yield f"### {case.name}\n\n{case.about}: not executed, {reason}\n"

    def _table(self, runs: list[Run]) -> Iterator[str]:
        yield "| workflow | event | job | result | seconds | |\n|---|---|---|---|--:|---|"
        for run in runs:
            for o in run.outcomes:
                seconds = f"{o.seconds:.0f}" if o.state in {"green", "red"} else ""
                cells = (run.workflow, run.event, o.name, o.state, seconds, o.reason)
                yield f"| {' | '.join(cells)} |"
        yield ""

    def _faults(self) -> Iterator[str]:
        if self.faults:
            yield "## Planted faults\n"
            yield "Each in an otherwise green project; all other jobs stayed green.\n"
            yield "| fault | red | project |\n|---|---|---|"
            for about, red, project in self.faults:
                yield f"| {about} | {red} | {project} |"
            yield ""
