"""Results for people: tables on a terminal, plain aligned text elsewhere.

Text of the project is data: control characters are shown escaped, and nothing is read as markup.
"""

from __future__ import annotations

import itertools
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rustci.errors import RustciError
from rustci.kinds import Value
from rustci.options import Source
from rustci.output.cost import crowd
from rustci.output.todo import todo
from rustci.paths import PROGRAMS
from rustci.project import Package, Project, TargetKind, Workspace
from rustci.proposal import Proposal
from rustci.quoting import HIDDEN
from rustci.scaffold import Change, ChangeKind, unified_diff
from rustci.workflow import Job, Workflow

if TYPE_CHECKING:
    from rich.console import Console

PLAIN_WIDTH = 160
"""Columns where no terminal tells how many it has."""

NO_BREAK = "\xa0"

OCCASIONS = {
    "pull_request": "on every pull request",
    "push": "on every push to the default branch",
    "schedule": "once a week",
}
"""When a job mostly runs, in words."""
MARKS = {
    ChangeKind.CREATE: ("+", "green"),
    ChangeKind.UPDATE: ("~", "yellow"),
    ChangeKind.MERGE: ("~", "yellow"),
    ChangeKind.REPLACE: ("!", "red"),
    ChangeKind.REMOVE: ("-", "red"),
    ChangeKind.UNCHANGED: ("=", "dim"),
    ChangeKind.KEEP: ("=", "dim"),
    ChangeKind.FOREIGN: ("?", "red"),
    ChangeKind.CONFLICT: ("?", "red"),
}


def visible(text: str) -> str:
    """Return `text` with control and hidden characters escaped: it cannot steer a terminal."""
    return "".join(
        char.encode("unicode_escape").decode()
        if unicodedata.category(char) in {"Cc", "Cs"} or char in HIDDEN
        else char
        for char in text
    )


def console(*, stderr: bool = False) -> Console:
    """Return a console for standard output. NO_COLOR and pipes switch colours off."""
    from rich.console import Console  # 60 ms that `--version` should not pay

    probe = Console(highlight=False, markup=False, emoji=False, stderr=stderr)
    if probe.is_terminal:
        return probe
    return Console(highlight=False, markup=False, emoji=False, width=PLAIN_WIDTH, stderr=stderr)


def facts(project: Project, out: Console) -> None:
    """Print what `rustci inspect` found."""
    repository = project.repository
    rows = [
        ("Repository", repository.github or project.root.name),
        ("Default branch", repository.default_branch or "unknown"),
        ("Workspace", _workspace(project.main)),
        ("Cargo.lock", "committed" if project.main.lockfile else "not committed"),
        ("Toolchain file", _toolchain(project)),
        ("Workflows", ", ".join(w.path.name for w in repository.workflows) or "none"),
        ("Not covered", ", ".join(str(w.directory) for w in project.others) or "nothing"),
    ]
    _table(out, "Project", ("", ""), rows)
    _table(
        out,
        "Packages",
        ("Package", "Edition", "MSRV", "Publish", "Targets", "Features", "Traits"),
        [_package(package) for package in project.packages],
    )
    for note in project.notes:
        _line(out, f"note: {note}", "yellow")


def summary(project: Project, out: Console) -> None:
    """Print what was found in a few lines, before the questions."""
    main = project.main
    names = ", ".join(package.name for package in main.members[:5])
    more = f" and {len(main.members) - 5} more" if len(main.members) > 5 else ""
    benches = sum(1 for _ in project.targets(TargetKind.BENCH))
    tests = sum(1 for _ in project.targets(TargetKind.TEST))
    _line(out, f"Found {_workspace(main)}: {names}{more}", "bold")
    lock = "Cargo.lock is committed" if main.lockfile else "no Cargo.lock"
    _line(out, f"  {tests} integration tests, {benches} benchmarks, {lock}")
    if workflows := ", ".join(w.path.name for w in project.repository.workflows):
        _line(out, f"  workflows: {workflows}")
    for note in project.notes:
        _line(out, f"  note: {note}", "yellow")


def proposal(found: Proposal, out: Console) -> None:
    """Print the answers with their reasons, the jobs, and what becomes of each file."""
    settings = found.config.settings
    _table(
        out,
        "Answers",
        ("Option", "Value", "Why"),
        [
            (name, shown(setting.value), _why(setting.source, setting.reason))
            for name, setting in settings.items()
            if setting.source > Source.DEFAULT
        ],
    )
    _table(
        out,
        f"Jobs ({found.jobs} on a pull request)",
        ("Job", "Runs", "Why"),
        [
            *(
                (name, str(_runs(found, name)), verdict.reason)
                for name, verdict in found.verdicts.items()
                if verdict.on
            ),
            *(
                (name, "–", verdict.reason)
                for name, verdict in found.verdicts.items()
                if not verdict.on
            ),
        ],
    )
    _crowd(found, out)
    files(found, out)


def _crowd(found: Proposal, out: Console) -> None:
    if warning := crowd(found):
        _line(out, f"warning: {warning}", "yellow")


def files(found: Proposal, out: Console) -> None:
    """Print what becomes of each file; those of a program that share a fate share a line."""
    _line(out, "Files", "bold")
    for (place, kind, reason), group in itertools.groupby(found.files, _fate):
        mark, style = MARKS[kind]
        count = len(list(group))
        shown = f"{place} ({count} files)" if place.endswith("/") else place
        _line(out, f"  {mark} {kind.value:<9} {shown}{f' ({reason})' * bool(reason)}", style)


def _fate(change: Change) -> tuple[str, ChangeKind, str]:
    place = change.path
    if place.startswith(PROGRAMS):
        place = place[: place.index("/", len(PROGRAMS)) + 1]
    return place, change.kind, change.reason


def review(found: Proposal, out: Console) -> None:
    """Print in a few lines which jobs run and what becomes of each file."""
    out.print()
    if not found.writes and not found.changes.undecided:
        _line(out, "Everything is as your answers say; there is nothing to write.", "bold")
        return
    _line(out, "Jobs", "bold")
    for workflow, event, jobs in _occasions(found.workflows):
        names = [job.name + f" x{job.size}" * (job.size > 1) for job in jobs]
        size = sum(job.size for job in jobs)
        for line in textwrap.wrap(
            # Lines break between jobs, not inside of their names.
            f"{size} {OCCASIONS[event]}: "
            + ", ".join(name.replace(" ", NO_BREAK) for name in names),
            min(out.width, 80) - 1,
            initial_indent=f"  {workflow.name:<10} ",
            subsequent_indent=" " * 13,
        ):
            _line(out, line.replace(NO_BREAK, " "))
    _crowd(found, out)
    out.print()
    files(found, out)
    out.print()


def diff(found: Proposal, out: Console) -> None:
    """Print the changes as `git diff` would."""
    changes(found.files, out)


def changes(found: Iterable[Change], out: Console) -> None:
    """Print some changes as `git diff` would; a program's files, as long as a book, are named."""
    styles = {"+": "green", "-": "red", "@": "cyan"}
    for change in found:
        if change.path.startswith(PROGRAMS):
            if change.kind is not ChangeKind.UNCHANGED:
                _line(out, f"# {change.path}: {change.kind.value}, rustci's own source")
            continue
        for line in unified_diff(change).split("\n"):
            _line(out, line, styles.get(line[:1], ""))


def tasks(found: Proposal, out: Console) -> None:
    """Print what is left to do on GitHub."""
    left = todo(found)
    if left:
        _line(out, "Left to do on GitHub", "bold")
    for task in left:
        _line(out, f"  [ ] {task.what}")
        _line(out, f"      {task.where}", "dim")


def error(problem: RustciError) -> str:
    """Return an error for standard error: what, where, and what to do next."""
    where = f"{problem.where}: " if problem.where else ""
    hint = f"\n\nhint: {problem.hint}" if problem.hint else ""
    return "\n".join(visible(line) for line in f"error: {where}{problem.message}{hint}".split("\n"))


def shown(value: Value) -> str:
    """Return a value as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return str(value)


def _why(source: Source, reason: str) -> str:
    return reason if source is Source.DETECTED else f"set by {reason}"


def _occasions(
    workflows: Iterable[Workflow],
) -> Iterator[tuple[Workflow, str, tuple[Job, ...]]]:
    """Yield what runs of each workflow on each event, the usual events first."""
    for workflow in workflows:
        for event in OCCASIONS:
            if jobs := tuple(job for job in workflow.jobs if workflow.occasion(job) == event):
                yield workflow, event, jobs


def _runs(found: Proposal, name: str) -> int:
    return sum(job.size for w in found.workflows for job in w.jobs if job.id == name)


def _workspace(workspace: Workspace) -> str:
    count = len(workspace.members)
    place = "" if str(workspace.directory) == "." else f" in `{workspace.directory}`"
    if count == 1 and not workspace.virtual:
        return f"one package{place}"
    return (
        f"a {'virtual ' * workspace.virtual}workspace of {count} package{'s' * (count != 1)}{place}"
    )


def _toolchain(project: Project) -> str:
    file = project.toolchain
    return f"{file.path}: {file.channel or 'no channel'}" if file else "none"


def _package(package: Package) -> tuple[str, ...]:
    counts = [
        f"{len(found)} {kind.value}"
        for kind in TargetKind
        if (found := package.of_kind(kind)) and kind is not TargetKind.BUILD
    ]
    source = package.source
    traits = [
        *(["proc-macro"] if package.proc_macro else []),
        *([f"no_std ({source.no_std})"] if source.no_std else []),
        *(["unsafe"] if source.uses_unsafe else []),
        *(["build script"] if package.of_kind(TargetKind.BUILD) else []),
        *([f"links {package.links}"] if package.links else []),
        *(["needs nightly"] if source.needs_nightly else []),
    ]
    return (
        package.name,
        package.edition,
        str(package.rust_version or "–"),
        "yes" if package.publishable else "no",
        ", ".join(counts),
        str(len(package.features)),
        ", ".join(traits),
    )


def _line(out: Console, text: str, style: str = "") -> None:
    out.print(visible(text), style=style or None, soft_wrap=True)


def _table(out: Console, title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD if out.is_terminal else None,
        show_header=any(head),
        pad_edge=False,
        title=title,
        title_justify="left",
        title_style="bold",
    )
    for name in head:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    out.print(table)
    out.print()
