"""What rustci would do to a repository: the plan, the files, and how they compare with the disk."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from rustci import (
    __version__,
    adopt,
    discover,
    facts,
    files,
    jobs,
    scaffold,
    templates,
    update,
)
from rustci import (
    config as configuration,
)
from rustci import (
    lock as lockfile,
)
from rustci import (
    starter as starting,
)
from rustci.adopt import Recognised
from rustci.discover.git_files import find_root
from rustci.errors import DecisionNeeded, Location, ProjectError, UsageError
from rustci.jobs.base import Verdict
from rustci.lock import Lock
from rustci.options import Config, Setting, Source
from rustci.paths import CONFIG
from rustci.project import Project
from rustci.recommend import recommend
from rustci.scaffold import Change, ChangeKind, ChangeSet, Decisions, Generated
from rustci.starter import Starter
from rustci.transaction import Write
from rustci.update import Terms
from rustci.workflow import Job, Workflow

CONCURRENT = 20
"""Jobs that GitHub's free plan runs at once: of more, some wait for others of the same run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Everything that is shown before anything is written, and what to write."""

    project: Project
    config: Config
    verdicts: Mapping[str, Verdict]
    workflows: tuple[Workflow, ...]
    changes: ChangeSet
    settings: Change
    """What becomes of `.github/rustci.toml`."""
    starter: tuple[Change, ...] = ()
    """A first benchmark and the manifest that names it, where somebody asked for one."""
    lock: Lock
    """What the lock says once all is written."""
    writes: tuple[Write, ...]
    """In order; the lock comes last."""

    @property
    def files(self) -> tuple[Change, ...]:
        """Every file that is compared, the answers first."""
        return (self.settings, *self.starter, *self.changes.changes)

    @property
    def unjoined(self) -> tuple[str, ...]:
        """The user's jobs that the aggregate does not wait for, nobody having decided so."""
        return () if self.changes.undecided else update.unjoined(self.changes, self.lock)

    @property
    def on_pull_requests(self) -> tuple[Job, ...]:
        """The jobs that a pull request starts."""
        return tuple(
            job
            for workflow in self.workflows
            for job in workflow.jobs
            if workflow.occasion(job) == "pull_request"
        )

    @property
    def jobs(self) -> int:
        """How many they are once their matrices are laid out."""
        return sum(job.size for job in self.on_pull_requests)


def propose(
    project: Project,
    config: Config,
    decisions: Decisions,
    terms: Terms | None = None,
    moved: Sequence[Change] = (),
    starter: Starter | None = None,
) -> Proposal:
    """Return what `config` means for `project`. Reads the disk, writes nothing.

    `moved`: changes of pins that come first, and are written with all else. `starter`: a benchmark
    that the project has by then.
    Raises RustciError for answers that cannot be met and files that cannot be read or merged.
    """
    terms = terms or Terms()
    _refuse_claimed(project)
    previous = lockfile.read(project.root)
    before = previous or Lock(version="")
    workflows = jobs.plan(facts.recalled(project, before.facts), config)
    generated = dict(templates.render(workflows, project, config, starter))
    first_bench: tuple[Change, ...] = ()
    if starter:
        first_bench = starting.changes(project, starter, generated.pop(starter.path).text)
    disk = {p: files.read_bytes(project.root, p) for p in scaffold.paths(generated, previous)}
    disk |= {change.path: change.new.encode() for change in moved if change.new is not None}
    newer = update.with_newer_pins(generated, disk, previous)
    changes, lock = _compared(newer, disk, before, decisions, terms)
    changes = scaffold.with_moved(changes, moved, others=not terms.only)
    changes, lock = update.joined(changes, lock, terms)
    _refuse_twins(project, changes)
    settings = _settings(project, config)
    lock = replace(lock, facts=facts.next_facts(before.facts, project), seal=before.seal)
    last = scaffold.lock_write(lock, files.read_bytes(project.root, lockfile.PATH))
    first = (
        [Write(path=settings.path, text=settings.new, expected=settings.old)]
        if settings.kind is not ChangeKind.UNCHANGED
        else []
    )
    return Proposal(
        project=project,
        config=config,
        verdicts=jobs.verdicts(project, config),
        workflows=workflows,
        changes=changes,
        settings=settings,
        starter=first_bench,
        lock=lock,
        writes=(*first, *scaffold.writes(first_bench), *changes.writes, *([last] if last else [])),
    )


def recognised(project: Project, replaced: Collection[str] = ()) -> tuple[Recognised, ...]:
    """Return what hand-written workflows already do, save those that are to be replaced.

    Raises RustciError for one that cannot be taken over.
    """
    paths = (workflow.path.as_posix() for workflow in project.repository.workflows)
    kept = (path for path in paths if path not in replaced)
    texts = {path: files.read_text(project.root, path) or "" for path in kept}
    return adopt.recognised(project, texts, lockfile.read(project.root))


def _refuse_twins(project: Project, changes: ChangeSet) -> None:
    """Raise DecisionNeeded for `CI.yml`, which is `ci.yml` where names ignore case."""
    for change in changes.changes:
        if change.kind is ChangeKind.CREATE:
            path = PurePosixPath(change.path)
            for name in files.names(project.root, str(path.parent)):
                if name != path.name and name.lower() == path.name.lower():
                    twin = path.with_name(name)
                    raise DecisionNeeded(
                        f"`{twin}` and `{path}` are one file where names ignore case",
                        where=Location(str(twin)),
                        hint=f"`git mv {twin} {path}`, then run the command again",
                    )


def _refuse_claimed(project: Project) -> None:
    """Raise ProjectError where a new folder would break cargo: `members = ["*"]` claims it."""
    base = project.root / project.main.directory
    made = {".config", ".github"} if str(project.main.directory) == "." else {".config"}
    names = sorted(n for n in project.main.claimed & made if not (base / n).exists())
    if names:
        raise ProjectError(
            f"`workspace.members` would take `{names[0]}` for a member, and cargo would fail",
            where=Location(str(project.main.directory / "Cargo.toml")),
            hint="add `exclude = [" + ", ".join(f'"{n}"' for n in names) + "]` to [workspace], or "
            'write `members = ["[!.]*"]`',
        )


def written_lock(path: Path) -> tuple[Path, Lock]:
    """Return the repository that `path` is in, and its lock. Raises UsageError without one."""
    root = find_root(path.resolve()) or path.resolve()
    lock = lockfile.read(root)
    if lock is None:
        raise UsageError(
            "rustci has written nothing here yet",
            where=Location(lockfile.PATH),
            hint="`rustci init` writes the workflows, and the lock that this command needs",
        )
    return root, lock


def settled(
    path: Path, root: Path, lock: Lock, environ: Mapping[str, str]
) -> tuple[Project, Config]:
    """Return the project and the answers as they stand, nobody being asked. Raises RustciError.

    The default branch is the one that the lock names: a checkout in CI does not know it. Nor are
    workflows of others read for the service that they upload coverage to, once the lock names it.
    """
    given = [configuration.own_layer(root), configuration.environment_layer(environ)]
    project = discover.read_project(
        path, configuration.directory_of(given), workflows=facts.COVERAGE not in lock.facts
    )
    detected = dict(recommend(project))
    if branch := lock.facts.get(facts.BRANCH):
        reason = "the default branch when the workflows were written"
        detected["workflows.branch"] = Setting(
            value=branch[0], source=Source.DETECTED, reason=reason
        )
    return project, configuration.resolve((detected, *given))


def _compared(
    generated: Mapping[str, Generated],
    disk: scaffold.Disk,
    before: Lock,
    decisions: Decisions,
    terms: Terms,
) -> tuple[ChangeSet, Lock]:
    """Return what becomes of the files, all or those that the terms name, and the next lock."""
    merge = update.merge(terms.prefer)
    if not terms.only:
        changes = scaffold.compare(generated, disk, before, decisions, merge, terms.restore)
        return changes, scaffold.next_lock(changes, generated, before, __version__)
    part = update.chosen(generated, before, terms.only)
    places = {before.beside.get(path, path) for path in part} | {*terms.only}
    named = {path: file for path, file in before.files.items() if path in places}
    lock = replace(before, files=named)
    changes = scaffold.compare(part, disk, lock, decisions, merge, terms.restore)
    after = scaffold.next_lock(changes, part, lock, before.version)
    others = {path: file for path, file in before.files.items() if path not in named}
    return changes, replace(after, files=others | dict(after.files), beside=before.beside)


def _settings(project: Project, config: Config) -> Change:
    old = files.read_bytes(project.root, CONFIG)
    text = files.read_text(project.root, CONFIG)
    adopted = {
        name: setting.reason
        for name, setting in config.settings.items()
        if setting.source in {Source.ADOPTED, Source.PROBED}
    }
    new = configuration.updated_file(text, configuration.decided(config), adopted)
    kind = ChangeKind.CREATE if old is None else ChangeKind.UPDATE
    if text == new:
        kind = ChangeKind.UNCHANGED
    return Change(path=CONFIG, kind=kind, old=old, new=new, reason="your answers")
