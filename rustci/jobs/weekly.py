"""What the scheduled jobs share that run tests: all but the command."""

from __future__ import annotations

from collections.abc import Mapping

from rustci.jobs.base import (
    LOCK_TROUBLE,
    capped_lints,
    lane_env,
    linux_runner,
    locked_flag,
    minutes,
    package_specs,
    primary_toolchain,
    rustc_pattern,
    service_containers,
    service_env,
    setup,
)
from rustci.options import Config
from rustci.project import DependencyKind, Package, Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Trouble


def dependents(project: Project, *crates: str) -> tuple[Package, ...]:
    """Return the members whose own code or tests use one of the crates whatever is chosen."""
    return tuple(
        package
        for package in project.packages
        if any(
            dependency.name in crates
            and dependency.kind is not DependencyKind.BUILD
            and not dependency.optional
            for dependency in package.dependencies
        )
    )


def arguments(project: Project, packages: tuple[Package, ...], *targets: str) -> str:
    """Return Cargo's arguments for these packages and targets, with blanks between."""
    named = (f"--package={spec}" for spec in package_specs(project, packages).split())
    return " ".join((*named, *dict.fromkeys(targets)))


def weekly_tests(
    project: Project,
    config: Config,
    *,
    id: str,  # noqa: A002
    name: str,
    why: str,
    limit: int,
    flags: tuple[str, ...],
    toolchain: str = "",
    locked: bool = True,
    env: Mapping[str, str] | None = None,
    tools: tuple[str, ...] = (),
    variables: tuple[str, ...] = (),
    details: Mapping[str, object] | None = None,
    troubles: tuple[Trouble, ...],
) -> Job:
    """Return a job that runs tests beside their services. Nothing is cached from week to week."""
    toolchain = toolchain or primary_toolchain(config)
    label = linux_runner(config)
    return Job(
        id=id,
        name=name,
        why=Verbatim(why),
        runner=label,
        timeout=minutes(limit, project),
        env=lane_env(
            config, toolchain, **capped_lints(project) | service_env(config) | dict(env or {})
        ),
        services=service_containers(config),
        setup=setup(project, config, runners=(label,), tools=tools, cache=False),
        variables=("RUST_BACKTRACE", *variables),
        details={
            "flags": Verbatim.words(*flags, locked_flag(project) if locked else ""),
            "rustc": rustc_pattern(toolchain),
            **(details or {}),
        },
        troubles=(*troubles, *((LOCK_TROUBLE,) if locked and project.main.lockfile else ())),
    )
