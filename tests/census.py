"""What `rustci init --yes` would run beside what maintainers run, over many repositories.

    nox -s census -- FOLDER… [--write]

Each folder is a checked-out repository, or holds some. Nothing of them is run: their workflows are
read as `rustci init` reads them. With `--write` the tables go into docs/explanation/census.md.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rustci import config as configuration
from rustci import jobs
from rustci.adopt import SATISFIES
from rustci.errors import RustciError
from rustci.existing import CiTask
from rustci.precedents import precedents
from rustci.recommend import recommend
from tests.strategies import read

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "census.md"
MARK = "<!-- census -->"
TASKS: Mapping[str, CiTask] = {job: task for task, job in SATISFIES.items()} | {
    job.ID: CiTask(job.ID) for job in jobs.CATALOGUE if job.ID in set(CiTask)
}
"""The task by which existing CI shows that it has a job's like."""
SHARE = 3
"""Reasons that are told for each difference, the most frequent first."""


@dataclass(frozen=True)
class Repository:
    """One repository: what runs today, and for each job whether and why rustci would write it."""

    name: str
    today: frozenset[CiTask]
    on: frozenset[str]
    reasons: Mapping[str, str]
    blind: bool
    """A command could not be followed: something may run that was not seen."""


@dataclass(frozen=True)
class Row:
    """One job over all repositories."""

    job: str
    both: tuple[Repository, ...]
    theirs: tuple[Repository, ...]
    """They run it, rustci would not."""
    ours: tuple[Repository, ...]
    """rustci would write it, they do not run it."""


def repositories(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield each folder with workflows, and those directly in each without."""
    for folder in folders:
        inner = [folder] if (folder / ".github").is_dir() else sorted(folder.iterdir())
        yield from (path.resolve() for path in inner if (path / ".github" / "workflows").is_dir())


def inspected(folder: Path) -> Repository:
    """Return what a repository runs and would get. Raises RustciError."""
    project = read(folder)
    layers = (recommend(project), precedents(project))
    verdicts = jobs.verdicts(project, configuration.resolve(layers))
    workflows = project.repository.workflows
    return Repository(
        name=folder.name.replace("+", "/"),
        today=frozenset(task for workflow in workflows for task in workflow.tasks),
        on=frozenset(job for job, verdict in verdicts.items() if verdict.on),
        reasons={job: verdict.reason for job, verdict in verdicts.items()},
        blind=any(workflow.unseen or workflow.problem for workflow in workflows),
    )


def row(job: str, task: CiTask, found: Iterable[Repository]) -> Row:
    """Compare one job over all repositories."""
    cells: dict[tuple[bool, bool], list[Repository]] = {}
    for each in found:
        cells.setdefault((task in each.today, job in each.on), []).append(each)
    return Row(
        job,
        both=tuple(cells.get((True, True), ())),
        theirs=tuple(cells.get((True, False), ())),
        ours=tuple(cells.get((False, True), ())),
    )


def why(job: str, found: Iterable[Repository]) -> str:
    """Return the most frequent reasons, names of the projects' own taken out."""
    reasons = Counter(re.sub(r"`[^`]*`", "`…`", each.reasons[job]) for each in found)
    return "; ".join(f"{reason} ({count})" for reason, count in reasons.most_common(SHARE))


def table(found: list[Repository]) -> Iterator[str]:
    """Yield the comparison of every job as Markdown."""
    yield "| Job | They run it | rustci writes it | Both | Only they, and why rustci does not | "
    yield "|---|--:|--:|--:|---|"
    for job, task in TASKS.items():
        each = row(job, task, found)
        theirs, ours = len(each.both) + len(each.theirs), len(each.both) + len(each.ours)
        missing = f"{len(each.theirs)}: {why(job, each.theirs)}" if each.theirs else ""
        yield f"| `{job}` | {theirs} | {ours} | {len(each.both)} | {missing} |"


def by_repository(found: list[Repository]) -> Iterator[str]:
    """Yield what differs in each repository as Markdown."""
    yield "| Repository | Only they run | Only rustci would write | Not all could be seen |"
    yield "|---|---|---|:-:|"
    for each in found:
        theirs = [job for job, task in TASKS.items() if task in each.today and job not in each.on]
        ours = [job for job, task in TASKS.items() if task not in each.today and job in each.on]
        blind = "x" if each.blind else ""
        yield f"| {each.name} | {', '.join(theirs)} | {', '.join(ours)} | {blind} |"


def main() -> int:
    """Print the tables, or write them into the docs."""
    parser = argparse.ArgumentParser(prog="census", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--write", action="store_true", help=f"into {PAGE.name}")
    given = parser.parse_args()
    found, refused = [], []
    for folder in repositories(given.folders):
        try:
            found.append(inspected(folder))
        except RustciError as problem:
            refused.append(f"- {folder.name.replace('+', '/')}: {problem}")
    lines = [f"{len(found)} repositories.", "", *table(found), "", *by_repository(found)]
    lines += ["", "Refused:", "", *refused] if refused else []
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    if given.write:
        head = PAGE.read_text("utf-8").partition(MARK)[0]
        PAGE.write_text(f"{head}{MARK}\n\n{text}", "utf-8")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
