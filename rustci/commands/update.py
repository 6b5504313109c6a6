"""`rustci update`: render again, merge with the user's edits, write."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click
from packaging.version import Version

from rustci import __version__, checks, transaction
from rustci import lock as lockfile
from rustci.errors import DecisionNeeded, ExitCode, Location, UsageError
from rustci.lock import Lock
from rustci.merge import Side
from rustci.output import pins as pins_output
from rustci.output import text, updates
from rustci.paths import DEPENDABOT
from rustci.proposal import Proposal, propose, settled, written_lock
from rustci.scaffold import Change, OnExisting
from rustci.update import Terms

if TYPE_CHECKING:
    from rustci.commands.pins import Moves

EPILOG = """\b
Examples:
  rustci update                               bring everything up to date, your edits kept
  rustci update --dry-run --diff              write nothing, show everything
  rustci update --only ci.yml --only msrv     a file, a job
  rustci update --conflict theirs             where both changed the same: keep what is on disk
  rustci update --restore .github/CI.md       bring back a file that you deleted
  rustci update --pins                        also move the pins of actions
  rustci update --join-needs                  the one required check waits for your jobs as well
"""


@click.command(epilog=EPILOG, context_settings={"max_content_width": 100})
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--dry-run", "-n", is_flag=True, help="Write nothing at all.")
@click.option("--diff", is_flag=True, help="Show what changes, as `git diff` would.")
@click.option("--only", multiple=True, metavar="FILE|JOB", help="Only this file, or this job.")
@click.option(
    "--conflict",
    type=click.Choice([side.value for side in Side]),
    help="Who wins where both changed the same thing: `ours`, what rustci would write, or "
    "`theirs`, what is on disk.",
)
@click.option("--restore", multiple=True, metavar="FILE", help="Bring back a file you deleted.")
@click.option("--pins", is_flag=True, help="Also move the pins of actions (asks GitHub).")
@click.option(
    "--join-needs/--no-join-needs",
    "join",
    default=None,
    help="Whether `CI` is to wait for jobs that you added; asked on a terminal, and remembered.",
)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text")
def command(path: Path, *, pins: bool, format_: str, **flags: Any) -> ExitCode:
    """Bring the workflows in PATH up to date; what you edited stays."""
    moves = _moves(path, quiet=format_ == "json") if pins else None
    moved = moves.changes if moves else ()
    found = _proposed(path, flags, moved)
    asks = format_ == "text" and not flags["dry_run"] and _terminal()
    if joins := _joins(found.unjoined, flags["join"], asks=asks):
        found = _proposed(path, flags, moved, joins)
    _show(found, moves, format_, diff=flags["diff"], dry_run=flags["dry_run"])
    if found.changes.undecided:
        if format_ == "json":
            return ExitCode.DECISION
        raise _undecided(found)
    if not flags["dry_run"]:
        transaction.apply(found.project.root, found.writes)
        if not flags["only"]:  # of the rest nobody knows
            checks.seal(path, found, os.environ, datetime.now(UTC).date())
    return moves.code if moves else ExitCode.OK


def _moves(path: Path, *, quiet: bool) -> Moves:
    """Ask GitHub where the pins move to. Raises OutsideError."""
    from rustci.commands import pins

    return pins.moves(path, quiet=quiet)


def _show(found: Proposal, moves: Moves | None, format_: str, *, diff: bool, dry_run: bool) -> None:
    if format_ == "json":
        more = pins_output.fields(moves.verdicts, moves.found.problems) if moves else {}
        click.echo(updates.document(found, diff=diff, dry_run=dry_run, **more))
        return
    if moves:
        from rustci.commands import pins

        pins.show(moves, dry=dry_run or bool(found.changes.undecided))
    updates.show(found, text.console(), diff=diff, dry_run=dry_run)


def _terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _joins(jobs: Sequence[str], join: bool | None, *, asks: bool) -> Mapping[str, bool]:
    """Return for each job of the user's whether the aggregate is to wait for it, if that is known.

    Raises click.Abort when the user leaves.
    """
    if join is not None:
        return dict.fromkeys(jobs, join)
    question = "Shall `CI`, the one check to require, wait for the job `{}` as well?"
    return {job: click.confirm(question.format(job), default=True) for job in jobs if asks}


def _proposed(
    path: Path,
    flags: dict[str, Any],
    moved: Sequence[Change],
    joins: Mapping[str, bool] = MappingProxyType({}),
) -> Proposal:
    """Return what an update comes to. Raises RustciError."""
    root, lock = written_lock(path)
    _require_as_new(lock)
    project, config = settled(path, root, lock, os.environ)
    only = tuple(_path(name, lock) for name in flags["only"])
    terms = Terms(
        prefer=Side(flags["conflict"]) if flags["conflict"] else None,
        restore=frozenset(_path(name, lock) for name in flags["restore"]),
        only=only,
        join=tuple(job for job, wanted in joins.items() if wanted),
        apart=tuple(job for job, wanted in joins.items() if not wanted),
    )
    named = {DEPENDABOT: OnExisting.MERGE} if DEPENDABOT in only else None
    found = propose(project, config, named, terms, moved)
    _require_known(terms.restore or (), [change.path for change in found.changes.changes])
    return found


def _path(name: str, lock: Lock) -> str:
    """Return the path of a file that is named as people do: `./x`, or its last part."""
    plain = name.removeprefix("./")
    matching = [path for path in lock.files if path.endswith(f"/{plain}")]
    return matching[0] if plain not in lock.files and len(matching) == 1 else plain


def _require_as_new(lock: Lock) -> None:
    if Version(lock.version) > Version(__version__):
        raise UsageError(
            f"rustci {lock.version} wrote these workflows, and this is {__version__}",
            where=Location(lockfile.PATH),
            hint="an older one would undo its work: `pip install --upgrade rustci`",
        )


def _require_known(restore: Sequence[str] | frozenset[str], known: Sequence[str]) -> None:
    for path in restore:
        if path not in known:
            raise UsageError(
                f"`--restore {path}` names no file that rustci would write",
                hint=f"it writes {', '.join(known)}",
            )


def _undecided(found: Proposal) -> DecisionNeeded:
    conflicts = sum(len(change.conflicts) for change in found.changes.undecided)
    if conflicts:
        plural = "s" * (conflicts != 1)
        return DecisionNeeded(
            f"{conflicts} conflict{plural}: both you and the template changed the same thing; "
            "nothing was written",
            hint="`--conflict theirs` keeps what is on disk, `--conflict ours` takes rustci's; "
            "`--only FILE` decides one file at a time",
        )
    names = ", ".join(f"`{change.path}` {change.reason}" for change in found.changes.undecided)
    return DecisionNeeded(
        f"{names}; nothing was written",
        hint="`rustci init --on-existing merge` adds what it lacks, `beside` writes another file, "
        "`keep` leaves it alone",
    )
