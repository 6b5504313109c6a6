"""What the jobs about benchmarks share: which there are, and the job that measures them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from rustci.errors import ConfigError
from rustci.jobs.base import (
    LOCK_TROUBLE,
    lane_env,
    linux_runner,
    minutes,
    primary_toolchain,
    rustc_pattern,
    selected_features,
    setup,
)
from rustci.options import Config
from rustci.project import Package, Project, TargetKind
from rustci.quoting import Verbatim
from rustci.workflow import Job, Setup, Trouble

CRITERION = frozenset({"criterion"})
"""Crates whose benchmarks write files that times can be read from."""
COUNTING = frozenset({"gungraun", "iai-callgrind"})
"""Crates whose benchmarks count instructions."""
PROGRAM = "bench"
"""The package of rustci's that measures and judges."""


def benches(project: Project) -> tuple[tuple[Package, str], ...]:
    """Return the benchmarks with a harness of their own, each with its package."""
    return tuple(
        (package, target.name)
        for package, target in project.targets(TargetKind.BENCH)
        if not target.harness
    )


def benchmarked_with(project: Project, crates: Collection[str]) -> tuple[Package, ...]:
    """Return the members with benchmarks and one of the crates among their dependencies."""
    found = {package.name: package for package, _ in benches(project)}
    return tuple(
        package
        for package in found.values()
        if any(dependency.name in crates for dependency in package.dependencies)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What the calls of `.github/rustci/bench` have in common."""

    packages: bool
    """Whether `$PACKAGES` names some."""
    selection: Verbatim
    budget: Verbatim
    terms: Verbatim


def measuring_job(
    project: Project,
    config: Config,
    *,
    id: str,  # noqa: A002
    name: str,
    why: str,
    events: tuple[str, ...],
    depth: int,
    details: Mapping[str, object] | None = None,
    troubles: tuple[Trouble, ...] = (),
) -> Job:
    """Return a job that builds two commits and measures them; `depth` has to reach both.

    Raises ConfigError for a package in `benchmarks.packages` that has no benchmark to gate.
    """
    toolchain, bench = primary_toolchain(config), config.benchmarks
    packages = {"PACKAGES": " ".join(bench.packages)} if bench.packages else {}
    return Job(
        id=id,
        name=name,
        why=Verbatim(why),
        runner=linux_runner(config),
        timeout=minutes(30, project) + bench.budget,
        events=events,
        env=lane_env(config, toolchain, **packages, **selected_features(project, config).env),
        setup=_setup(project, config, depth),
        # All commits are there for the anchor among them.
        variables=("ANCHOR", "GITHUB_TOKEN") if depth == 0 else (),
        details={
            "rustc": rustc_pattern(toolchain),
            "call": _call(project, config),
            **(details or {}),
        },
        programs=(PROGRAM,),
        troubles=(*troubles, LOCK_TROUBLE),
    )


def _call(project: Project, config: Config) -> Call:
    bench, features = config.benchmarks, selected_features(project, config)
    known = [package.name for package in benchmarked_with(project, CRITERION | COUNTING)]
    for name in bench.packages:
        if name not in known:
            raise ConfigError(
                f"`benchmarks.packages` names `{name}`, which has no benchmark to gate",
                where=config.settings["benchmarks.packages"].where,
                hint=f"those that have are `{'`, `'.join(known)}`",
            )
    packages = '"${packages[@]/#/--package=}"' if bench.packages else ""
    return Call(
        packages=bool(bench.packages),
        selection=Verbatim.words(packages, features.flags),
        budget=Verbatim.words(f"--budget {bench.budget}m"),
        terms=Verbatim.words(
            f"--target {bench.target}",
            f"--tolerance {bench.tolerance}" if bench.tolerance else "",
            f"--budget {bench.budget}m",
            f"--layouts {bench.layouts}",
            "--strict" if bench.strict else "",
        ),
    )


def _setup(project: Project, config: Config, depth: int) -> Setup:
    """Return the steps before a measurement, which builds in worktrees and caches nothing."""
    found = setup(project, config, runners=(linux_runner(config),), cache=False)
    valgrind = ("valgrind",) if config.benchmarks.mode != "time" else ()
    packages = tuple(dict.fromkeys((*found.packages, *valgrind)))
    return replace(found, depth=depth, packages=packages)
