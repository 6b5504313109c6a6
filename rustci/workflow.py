"""GitHub's model of a workflow, as the frozen values that templates print.

The words are those of https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax.
A `Verbatim` is text of rustci's own and printed as it stands; every other string is quoted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

from rustci.access import Access
from rustci.environment import Setting
from rustci.paths import WORKFLOWS
from rustci.quoting import Verbatim

MATRIX_LIMIT = 256
"""Jobs that one matrix may make (GitHub's limit for a run)."""

SCALAR_LIMIT = 19_000
"""Characters of a scalar that holds an expression; GitHub refuses the file near 20,500."""

FILE_LIMIT = 512_000
"""Bytes of a workflow file; above it GitHub starts nothing and says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """The rows that a job runs for: every combination of `axes`, or each of `include`.

    With both, `include` only adds values to combinations that the axes already make.
    """

    axes: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)
    include: tuple[Mapping[str, str | int | bool], ...] = ()
    exclude: tuple[Mapping[str, str], ...] = ()
    """Combinations of the axes that are left out; each fits at least one."""
    title: tuple[str, ...] = ()
    """The values that tell lanes apart by name, where not the axes."""

    @property
    def size(self) -> int:
        """How many jobs it makes."""
        if not self.axes:
            return len(self.include)
        left_out = (
            prod(len(values) for axis, values in self.axes.items() if axis not in row)
            for row in self.exclude
        )
        return prod(map(len, self.axes.values())) - sum(left_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One scope of the job's token beyond nothing, with the reason that is printed beside it."""

    scope: Verbatim
    level: Verbatim
    reason: Verbatim | None = None


CONTENTS_READ = Permission(scope=Verbatim("contents"), level=Verbatim("read"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A failure that users meet: what they see, why, and what to do. In Markdown."""

    symptom: str
    cause: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceContainer:
    """A container that runs beside the job (`services:`)."""

    id: str
    image: str
    ports: tuple[str, ...]
    env: Mapping[str, str]
    options: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrations:
    """How the job's database gets its tables before anything asks for them."""

    tool: str
    """The crate of the command-line program: `name@version`."""
    features: str
    diesel: bool
    folder: str
    """Of sqlx the one with the migrations, of diesel the one with diesel.toml."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a job needs before its own steps: the shared partials print it."""

    depth: int = 1
    """Commits that are checked out; 0 is all of them, with the tags."""
    rust: bool = True
    components: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    """Debian packages, installed on Linux only."""
    packages_on_linux_only: bool = False
    """The job also runs elsewhere, so the step needs a condition."""
    cache: bool = True
    cache_targets: bool = True
    cache_guard: bool = False
    """The runner may be self-hosted: leave its folders alone."""
    cache_key: Verbatim | None = None
    sccache: str | None = None
    """The name of the storage backend."""
    sccache_settings: tuple[Setting, ...] = ()
    tools: tuple[str, ...] = ()
    """`name@version`, as taiki-e/install-action takes them."""
    dependencies: bool = True
    """Something in the job resolves dependencies, if only to name them."""
    access: Access | None = None
    """What it needs for that; `plan` sets it, alike for every job."""
    migrations: Migrations | None = None

    @property
    def settings(self) -> tuple[Setting, ...]:
        """What the environment on GitHub has to hold."""
        return (*(self.access.settings if self.access else ()), *self.sccache_settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job. `id` names its partial (`templates/jobs/<id>.yml`) as well."""

    id: str
    name: str
    why: Verbatim
    """One sentence, printed as the job's comment and in CI.md."""
    runner: str | Verbatim | None
    timeout: int
    """Minutes."""
    group: str | None = None
    """The group that its runners are in."""
    permissions: tuple[Permission, ...] = (CONTENTS_READ,)
    needs: tuple[str, ...] = ()
    condition: Verbatim | None = None
    outputs: Mapping[str, Verbatim] = field(default_factory=dict)
    """What it hands to the jobs that need it."""
    narrowed: bool = False
    """It works on the packages in `$SCOPE` rather than on the whole workspace."""
    events: tuple[str, ...] = ()
    """Of the workflow's, those that it runs on, the usual one first; empty for all."""
    environment: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    matrix: Matrix | None = None
    experimental: bool = False
    """Some rows may fail without failing the job (`matrix.experimental`)."""
    services: tuple[ServiceContainer, ...] = ()
    setup: Setup = field(default_factory=Setup)
    details: Mapping[str, object] = field(default_factory=dict)
    """What only this job's partial reads."""
    variables: tuple[str, ...] = ()
    """The environment variables that its partial sets on single steps."""
    programs: tuple[str, ...] = ()
    """Packages of rustci's that it runs from `.github/rustci/<name>/`."""
    seeds: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Files that it works with, written where absent: by path in the workspace, what they print."""
    troubles: tuple[Trouble, ...] = ()
    last: bool = False
    """It waits for every other job of its workflow and stands below them."""
    parts: tuple[Job, ...] = ()
    """Jobs that do a part of its work, shown before it."""
    workflow: str = ""
    """Of a part: the file that it goes to, where that is not the whole's."""

    @property
    def size(self) -> int:
        """How many jobs it makes after its matrix."""
        return self.matrix.size if self.matrix else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggers:
    """The events that start a workflow. By hand it can always be started."""

    pushes: bool = False
    """To the default branch."""
    tags: tuple[str, ...] = ()
    """Pushes of tags that fit one of these patterns."""
    pull_requests: bool = False
    types: tuple[str, ...] = ()
    """The activities of pull requests, where they are not GitHub's usual ones."""
    paths: tuple[str, ...] = ()
    """Only pull requests that touch one of these."""
    label: str | None = None
    """Only pull requests that carry it: the jobs look."""
    merge_queue: bool = False
    cron: str | None = None
    """Runs on this schedule."""
    timezone: str | None = None
    """Of the schedule, by its IANA name; UTC without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """One workflow file."""

    id: str
    """The file's name without `.yml`."""
    name: str
    why: Verbatim
    when: Verbatim
    """When it runs, in words, for CI.md."""
    triggers: Triggers
    jobs: tuple[Job, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    def occasion(self, job: Job) -> str:
        """Return the event that a job mostly runs on."""
        if job.events:
            return job.events[0]
        if self.triggers.pull_requests:
            return "pull_request"
        return "schedule" if self.triggers.cron else "push"

    @property
    def path(self) -> str:
        """Where the file goes, from the repository root."""
        return f"{WORKFLOWS}/{self.id}.yml"

    @property
    def size(self) -> int:
        """How many jobs a run has."""
        return sum(job.size for job in self.jobs)
