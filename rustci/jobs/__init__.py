"""The catalogue of CI jobs, and the plan: which of them a project gets, in which workflow."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from rustci.access import ENVIRONMENT, Access
from rustci.errors import ConfigError
from rustci.jobs import (
    advisories,
    affected,
    aggregate,
    bench,
    canary,
    careful,
    clippy,
    codeql,
    coverage,
    creep,
    cross,
    deny,
    diesel,
    docs,
    docsrs,
    features,
    format,  # noqa: A004
    fuzz,
    gate,
    heap,
    history,
    ignored,
    latest,
    load,
    lockfile,
    loom,
    manifests,
    minimal,
    miri,
    msrv,
    mutants,
    pages,
    property,  # noqa: A004
    release,
    release_plz,
    report,
    review,
    rustci,
    sanitizers,
    scorecard,
    semver,
    snapshots,
    sqlx,
    targets,
    test,
    typos,
    unused,
    wasm,
    workflows,
)
from rustci.jobs.base import DATABASE, CatalogueJob, Verdict, migrations_for_tests
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.runners import runner
from rustci.workflow import MATRIX_LIMIT, Job, Workflow
from rustci.workflow_files import FILES

GROUPS: Mapping[str, tuple[CatalogueJob, ...]] = {
    "Every change": (
        affected,
        format,
        clippy,
        docs,
        lockfile,
        test,
        sqlx,
        diesel,
        msrv,
        features,
        targets,
        cross,
        wasm,
        bench,
    ),
    "Quality and supply chain": (
        semver,
        deny,
        unused,
        manifests,
        typos,
        workflows,
        review,
        rustci,
    ),
    "Deep checks": (miri, sanitizers, careful, fuzz, mutants),
    "Coverage and benchmarks": (coverage, gate, creep, history, load),
    "Once a week": (
        canary,
        latest,
        minimal,
        ignored,
        property,
        snapshots,
        loom,
        heap,
        docsrs,
        advisories,
        codeql,
        scorecard,
        report,
    ),
    "Releases and pages": (release, release_plz, pages),
}
"""Every job that can be switched on or off, grouped for people."""

CATALOGUE: tuple[CatalogueJob, ...] = tuple(job for group in GROUPS.values() for job in group)
"""The same jobs in the order in which workflows show them."""


def verdicts(project: Project, config: Config) -> Mapping[str, Verdict]:
    """Return for each catalogue job whether it is wanted and why; switches outrank the rules.

    Raises ConfigError where a job was switched on that cannot work.
    """
    found = {}
    for job in CATALOGUE:
        verdict = job.wanted(project, config)
        if (switch := config.jobs.get(job.ID)) is not None:
            setting = config.settings[f"jobs.{job.ID}"]
            if switch and not verdict.possible:
                raise ConfigError(
                    f"`jobs.{job.ID}` is on, but {verdict.reason}",
                    where=setting.where,
                    hint=f"set `jobs.{job.ID} = false`, or give it what it lacks",
                )
            verdict = dataclasses.replace(verdict, on=switch, reason=setting.reason)
        found[job.ID] = verdict
    return found


def plan(project: Project, config: Config) -> tuple[Workflow, ...]:
    """Return the workflows with every decision taken. Raises ConfigError."""
    _check_platforms(config)
    wanted = verdicts(project, config)
    chosen = [job for job in CATALOGUE if wanted[job.ID].on]
    by_file: dict[str, list[Job]] = {name: [] for name in FILES}
    for job in (*chosen, aggregate):
        built = job.build(project, config)
        found = (*built.parts, built)
        if wanted[affected.ID].on:
            found = tuple(map(affected.narrow, found))
        for part in found:
            by_file[part.workflow or job.WORKFLOW].append(_finished(part, project, config))
    return tuple(
        FILES[name](project, config, ordered)
        for name, found in by_file.items()
        if (ordered := _ordered(found))
    )


def _ordered(found: list[Job]) -> tuple[Job, ...]:
    """Return the jobs of a workflow, those last that wait for all others; none for those alone."""
    others = tuple(job for job in found if not job.last)
    needs = tuple(job.id for job in others)
    narrowed = Verbatim(", ".join(f'"{job.id}"' for job in others if job.narrowed))
    last = tuple(
        dataclasses.replace(job, needs=needs, details={**job.details, "narrowed": narrowed})
        for job in found
        if job.last
    )
    return (*others, *last) if others else ()


def _check_platforms(config: Config) -> None:
    """Raise ConfigError for lanes that cannot be: GitHub says nothing of those it does not find."""
    platforms = config.platforms
    for triple in platforms.targets:
        if re.search(r"-gnu[a-z]*\.\d", triple):
            raise ConfigError(
                f"`platforms.targets` names `{triple}`, a target with a version of glibc",
                where=config.settings["platforms.targets"].where,
                hint="only zig links for a chosen glibc, and no job uses it: a `musl` target runs "
                "on every Linux",
            )
    for name in platforms.experimental:
        if name not in {*platforms.runners, *platforms.targets}:
            raise ConfigError(
                f"`platforms.experimental` names `{name}`, which is no runner or target",
                where=config.settings["platforms.experimental"].where,
                hint="take it out of `platforms.experimental`",
            )
    if platforms.group and any((known := runner(r)) and known.hosted for r in platforms.runners):
        raise ConfigError(
            "`platforms.group` holds your own runners, but `platforms.runners` names GitHub's",
            where=config.settings["platforms.group"].where,
            hint="name only runners of the group, or set `platforms.group = false`",
        )


def _own(label: str | None) -> bool:
    """Whether a job's runner is one of the user's own."""
    return label is not None and (known := runner(label)) is not None and not known.hosted


def _finished(job: Job, project: Project, config: Config) -> Job:
    """Return the job with what all jobs get alike, whoever wrote them."""
    if job.size > MATRIX_LIMIT:
        raise ConfigError(
            f"job `{job.id}` would run {job.size} times; GitHub allows {MATRIX_LIMIT} per matrix",
            hint="fewer `platforms.runners`, `toolchains.channels`, `platforms.targets` or "
            "`tests.shards`",
        )
    labels = job.matrix.axes.get("runner", ()) if job.matrix else ()
    if config.platforms.group and (_own(job.runner) or any(_own(str(label)) for label in labels)):
        job = dataclasses.replace(job, group=str(config.platforms.group))
    if job.setup.rust and job.setup.dependencies:
        job = _with_dependencies(job, project, config)
    if any(setting.secret for setting in job.setup.settings):
        # An environment hands its secrets only to jobs that name it, and a job names one.
        return dataclasses.replace(job, environment=secrets_environment(config))
    return job


def _with_dependencies(job: Job, project: Project, config: Config) -> Job:
    """Return a job that resolves dependencies: the private ones open, and a database with tables.

    Whatever has no database compiles against what sqlx saved.
    """
    found = config.access
    access = Access(registries=found.registries, ssh=found.ssh, https=found.https)
    env = {**access.env, **job.env}
    if project.database.queries and "SQLX_OFFLINE" not in env:
        env["SQLX_OFFLINE"] = "true"
    setup = dataclasses.replace(job.setup, access=access if access.settings else None)
    if DATABASE in job.env and not setup.migrations:
        setup = dataclasses.replace(setup, migrations=migrations_for_tests(project, config))
    return dataclasses.replace(job, env=env, setup=setup)


def secrets_environment(config: Config) -> str:
    """Return the environment on GitHub that holds the secrets."""
    found = config.access
    return ENVIRONMENT if found.registries or found.ssh or found.https else "sccache"
