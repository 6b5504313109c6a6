"""What the workflows that are already there do: frozen facts, like those of the project.

Apart from them because a sealed `rustci check` reads no workflow, and each class costs it time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath


class CiTask(StrEnum):
    """What a command in existing CI does."""

    FORMAT = "format"
    CLIPPY = "clippy"
    TEST = "test"
    DOCTEST = "doctest"
    DOC = "docs"
    COVERAGE = "coverage"
    BENCH = "bench"
    MSRV = "msrv"
    FEATURES = "features"
    DENY = "deny"
    AUDIT = "audit"
    SEMVER = "semver"
    UNUSED = "unused"
    TYPOS = "typos"
    MANIFESTS = "manifests"
    WORKFLOWS = "workflows"
    REVIEW = "review"
    MIRI = "miri"
    MINIMAL = "minimal"
    FUZZ = "fuzz"
    MUTANTS = "mutants"
    SNAPSHOTS = "snapshots"
    CAREFUL = "careful"
    LOOM = "loom"
    SANITIZERS = "sanitizers"
    PAGES = "pages"
    RELEASE = "release"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class CargoCall:
    """One cargo command of existing CI, as far as it tells what the code is held to today."""

    task: CiTask
    all_features: bool = False
    with_tests: bool = False
    """`--all-targets`, `--tests` and the like: more than libraries and binaries."""
    denies_warnings: bool = False
    """By its arguments, or by the variables around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingJob:
    """One job of a workflow that is already there."""

    id: str
    tasks: tuple[CiTask, ...]
    """What its commands and actions do; sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingWorkflow:
    """A workflow file that is already there, read as text: never run, never trusted."""

    path: PurePosixPath
    name: str | None
    tasks: tuple[CiTask, ...]
    """What its commands and actions do, just/make/xtask/scripts followed; sorted."""
    unseen: tuple[str, ...] = ()
    """Commands that could not be followed (`just ci` without a justfile)."""
    jobs: tuple[ExistingJob, ...] = ()
    calls: tuple[CargoCall, ...] = ()
    """Its cargo commands, each kind once; sorted."""
    coverage_service: str | None = None
    """`codecov` or `coveralls` where it uploads to one."""
    shards: int = 1
    """Slices into which nextest deals its tests."""
    problem: str | None = None
    """Why it could not be read."""
