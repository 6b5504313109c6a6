"""`rustci pins`: list, verify and move the pins of actions, in any workflow of the repository."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from rustci import config as configuration
from rustci import files, pins, refresh, scaffold, transaction
from rustci.discover.git_files import find_root
from rustci.errors import ExitCode, Location, ProjectError, RustciError, UsageError
from rustci.output import pins as output
from rustci.output import text as text_output
from rustci.pins import Kind, Use
from rustci.refresh import BAD, State, Upstream, Verdict
from rustci.scaffold import Change, ChangeKind
from rustci.transaction import Write

T = TypeVar("T")

EPILOG = """\b
Examples:
  rustci pins                             every `uses:`, its version and the newest one; offline
  rustci pins check                       is each commit the tag that its comment names?
  rustci pins update --dry-run --diff     what would move
  rustci pins update                      move all, a release being at least 7 days old
  rustci pins update --major actions/checkout
  rustci pins update --offline            to the versions that rustci itself knows

GitHub is asked with GITHUB_TOKEN, GH_TOKEN or what `gh auth token` says; public actions need
none, but 60 requests an hour go without.
"""


class ListByDefault(click.Group):
    """A group that lists where no subcommand is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `list` in front of what is not for the group itself."""
        if not args or (args[0].startswith("-") and args[0] != "--help"):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=ListByDefault, epilog=EPILOG)
def command() -> None:
    """List, verify and move the pins of actions."""


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what all three take."""
    function = click.option(
        "--format", "format_", type=click.Choice(["text", "json"]), default="text"
    )(function)
    return click.option(
        "--path", default=".", type=click.Path(path_type=Path), help="The repository; here."
    )(function)


@command.command("list")
@common
def list_(path: Path, format_: str) -> ExitCode:
    """List every `uses:`. Asks nobody: what is newest comes with rustci."""
    found = _read(path)
    verdicts = [refresh.offline(use) for use in found.uses]
    _show(found, verdicts, format_)
    return ExitCode.OK


@command.command()
@common
@click.option("--no-cache", is_flag=True, help="Neither read nor keep answers of GitHub.")
def check(path: Path, format_: str, *, no_cache: bool) -> ExitCode:
    """Verify that each commit is the tag in its comment. Exit code 1 where one is not."""
    found = _read(path)
    upstream = _upstream(found, no_cache=no_cache)
    verdicts = [*_each(found.uses, upstream.check, quiet=format_ != "text")]
    _show(found, verdicts, format_)
    if any(verdict.state in BAD for verdict in verdicts):
        return ExitCode.NO
    return ExitCode.USAGE if found.problems else ExitCode.OK


@command.command()
@common
@click.argument("actions", nargs=-1, metavar="[ACTION]...")
@click.option("--major", is_flag=True, help="Also take releases that may break something.")
@click.option("--dry-run", "-n", is_flag=True, help="Write nothing.")
@click.option("--diff", is_flag=True, help="Show what changes, as `git diff` would.")
@click.option("--offline", is_flag=True, help="Ask nobody: take the versions that rustci knows.")
@click.option("--cooldown-days", type=click.IntRange(0, 90), help="Instead of pins.cooldown_days.")
@click.option("--no-cache", is_flag=True, help="Neither read nor keep answers of GitHub.")
def update(path: Path, format_: str, actions: tuple[str, ...], **flags: Any) -> ExitCode:
    """Move pins forward, of all actions or of those named. Exit code 3 where one needs a look."""
    done = moves(path, actions, quiet=format_ != "text", **flags)
    if done.changes and not flags["dry_run"]:
        writes = (Write(path=c.path, text=c.new, expected=c.old) for c in done.changes)
        transaction.apply(done.found.root, writes)
    if format_ == "json":
        paths = [change.path for change in done.changes]
        _show(done.found, done.verdicts, format_, files=paths, written=not flags["dry_run"])
        return done.code
    show(done, dry=flags["dry_run"])
    if flags["diff"]:
        click.echo("".join(scaffold.unified_diff(change) for change in done.changes), nl=False)
    return done.code


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the repository has: the texts, their uses, and the files that cannot be read."""

    root: Path
    texts: Mapping[str, str]
    uses: tuple[Use, ...]
    problems: tuple[RustciError, ...]
    locked: frozenset[str]
    """The files that `gh actions-lock` governs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """What becomes of the pins. Nothing is written yet."""

    found: Found
    verdicts: tuple[Verdict, ...]
    changes: tuple[Change, ...]

    @property
    def code(self) -> ExitCode:
        """How a command that makes the moves ends."""
        if any(verdict.state in BAD for verdict in self.verdicts):
            return ExitCode.DECISION
        return ExitCode.USAGE if self.found.problems else ExitCode.OK


def moves(
    path: Path,
    actions: Sequence[str] = (),
    *,
    quiet: bool,
    major: bool = False,
    offline: bool = False,
    no_cache: bool = False,
    cooldown_days: int | None = None,
    **_: Any,
) -> Moves:
    """Return where the pins of `actions`, or all, move to. Raises RustciError."""
    found = _read(path)
    judge = _judge(
        found, major=major, offline=offline, no_cache=no_cache, cooldown_days=cooldown_days
    )
    verdicts = tuple(_each(_chosen(found.uses, actions), judge, quiet=quiet))
    return Moves(found=found, verdicts=verdicts, changes=_changes(found, verdicts))


def show(done: Moves, *, dry: bool) -> None:
    """Print every pin, and how many move."""
    _show(done.found, done.verdicts, "text")
    paths = [change.path for change in done.changes]
    output.summary(done.verdicts, paths, text_output.console(), dry=dry)


def _read(path: Path) -> Found:
    """Read every workflow and composite action. Raises RustciError where there is no folder."""
    root = find_root(path.resolve()) or path.resolve()
    texts: dict[str, str] = {}
    uses: list[Use] = []
    problems: list[RustciError] = []
    for name in _paths(root):
        try:
            text = files.read_text(root, name) or ""
            found = pins.find(text, name)
        except RustciError as problem:
            problems.append(problem)
            continue
        texts[name] = text
        uses += found.uses
        problems += [_unseen(name, *unseen) for unseen in found.unseen]
    lock = files.read_text(root, pins.ACTIONS_LOCK)
    return Found(
        root=root,
        texts=texts,
        uses=tuple(uses),
        problems=tuple(problems),
        locked=pins.locked_by_gh(lock, texts),
    )


def _paths(root: Path) -> list[str]:
    """Return every workflow and composite action, sorted. Links to folders are not followed."""
    github = root / ".github"
    found = [
        path for pattern in ("workflows/*.yml", "workflows/*.yaml") for path in github.glob(pattern)
    ]
    for folder, _, names in os.walk(github / "actions"):
        found += [Path(folder, name) for name in names if name in {"action.yml", "action.yaml"}]
    return sorted(path.relative_to(root).as_posix() for path in found)


def _unseen(path: str, line: int, value: str) -> ProjectError:
    return ProjectError(
        f"`uses: {value}` is written in a form that rustci does not follow",
        where=Location(path, line),
        hint="write it on one line: `uses: owner/repo@ref`",
    )


def _upstream(found: Found, *, no_cache: bool) -> Upstream:
    """Return GitHub. Imports requests only here: `list` does not need it."""
    from rustci import github

    access = github.access(os.environ, found.root, cache=not no_cache)
    lock = files.read_text(found.root, pins.ACTIONS_LOCK)
    return Upstream(github.Client(access), refresh.known_ids(lock))


def _judge(
    found: Found, *, major: bool, offline: bool, no_cache: bool, cooldown_days: int | None
) -> Callable[[Use], Verdict]:
    """Return what decides over one use."""

    def judge(use: Use) -> Verdict:
        if use.path in found.locked:
            reason = "actions.lock governs this file: change it and run `gh actions-lock`"
            return Verdict(use=use, state=State.HELD, reason=reason)
        return decide(use)

    if offline:
        decide = _offline(major=major)
    else:
        upstream = _upstream(found, no_cache=no_cache)
        days = _cooldown_days(found.root) if cooldown_days is None else cooldown_days
        rules = refresh.Rules(now=refresh.utc_now(), cooldown=timedelta(days=days), major=major)

        def decide(use: Use) -> Verdict:
            return upstream.update(use, rules)

    return judge


def _offline(*, major: bool) -> Callable[[Use], Verdict]:
    def decide(use: Use) -> Verdict:
        verdict = refresh.offline(use, major=major)
        if verdict.target and (reason := refresh.untouchable(use)):
            return replace(verdict, state=State.HELD, target=None, reason=reason)
        return verdict

    return decide


def _cooldown_days(root: Path) -> int:
    """Return `pins.cooldown_days`. Raises ConfigError."""
    layers = [configuration.own_layer(root), configuration.environment_layer(os.environ)]
    return configuration.resolve(layers).pins.cooldown_days


def _chosen(uses: Sequence[Use], actions: Sequence[str]) -> list[Use]:
    """Return the uses of the named actions, all if none is named. Raises UsageError."""
    import difflib

    known = {name.casefold() for use in uses for name in (use.action, use.repo)}
    for action in actions:
        if action.casefold() not in known:
            near = difflib.get_close_matches(action.casefold(), known, n=1)
            raise UsageError(
                f"no workflow uses {action}",
                hint=f"did you mean {near[0]}?" if near else "`rustci pins` lists what they use",
            )
    wanted = {action.casefold() for action in actions}
    return [
        use
        for use in uses
        if not wanted or not wanted.isdisjoint({use.action.casefold(), use.repo.casefold()})
    ]


def _each(
    uses: Sequence[Use], judge: Callable[[Use], Verdict], *, quiet: bool
) -> Iterable[Verdict]:
    """Yield the verdict of each use, with a bar on a terminal."""
    from rich.console import Console
    from rich.progress import track

    err = Console(stderr=True)
    hidden = quiet or not err.is_terminal
    steps = track(uses, "Asking", console=err, transient=True, disable=hidden)
    for use in steps:
        if use.kind in {Kind.SHA, Kind.TAG, Kind.BRANCH}:
            yield judge(use)
        else:
            yield refresh.offline(use)


def _changes(found: Found, verdicts: Sequence[Verdict]) -> tuple[Change, ...]:
    """Return the files with their pins moved."""
    edits: dict[str, list[pins.Edit]] = {}
    for verdict in verdicts:
        if verdict.target:
            moved = pins.edits(verdict.use, verdict.target.sha, verdict.target.version)
            edits.setdefault(verdict.use.path, []).extend(moved)
    return tuple(
        Change(
            path=path,
            kind=ChangeKind.UPDATE,
            old=old.encode(),
            new=pins.splice(old, moved),
            reason="its pins move",
        )
        for path, moved in sorted(edits.items())
        for old in [found.texts[path]]
    )


def _show(found: Found, verdicts: Sequence[Verdict], format_: str, **more: Any) -> None:
    if format_ == "json":
        click.echo(output.document(verdicts, found.problems, **more))
        return
    out = text_output.console()
    output.table(verdicts, out, refresh.utc_now().date())
    output.problems(found.problems, out)
