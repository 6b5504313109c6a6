"""GitHub's model of a workflow, as the frozen values that templates print.

The words are those of https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax.
A `Verbatim` is text of rustci's own and printed as it stands; every other string is quoted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

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

    @property
    def size(self) -> int:
        """How many jobs it makes."""
        return prod(map(len, self.axes.values())) if self.axes else len(self.include)


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
    permissions: tuple[Permission, ...] = (CONTENTS_READ,)
    needs: tuple[str, ...] = ()
    condition: Verbatim | None = None
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
    programs: tuple[str, ...] = ()
    """Packages of rustci's that it runs from `.github/rustci/<name>/`."""
    seeds: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Files that it works with, written where absent: by path in the workspace, what they print."""
    troubles: tuple[Trouble, ...] = ()
    parts: tuple[Job, ...] = ()
    """Jobs of the same workflow that do a part of its work, shown before it."""

    @property
    def size(self) -> int:
        """How many jobs it makes after its matrix."""
        return self.matrix.size if self.matrix else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """One workflow file."""

    id: str
    """The file's name without `.yml`."""
    name: str
    why: Verbatim
    when: Verbatim
    """When it runs, in words, for CI.md."""
    jobs: tuple[Job, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cron: str | None = None
    """Runs on this schedule."""
    on_pull_requests: bool = True
    on_pushes: bool = True
    """To the default branch."""

    def occasion(self, job: Job) -> str:
        """Return the event that a job mostly runs on."""
        usual = "pull_request" if self.on_pull_requests else "schedule"
        return job.events[0] if job.events else usual

    @property
    def path(self) -> str:
        """Where the file goes, from the repository root."""
        return f"{WORKFLOWS}/{self.id}.yml"

    @property
    def size(self) -> int:
        """How many jobs a run has."""
        return sum(job.size for job in self.jobs)
