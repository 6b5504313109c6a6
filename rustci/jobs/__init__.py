"""The catalogue of CI jobs, and the plan: which of them a project gets, in which workflow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from hashlib import sha256

from rustci.errors import ConfigError
from rustci.jobs import (
    advisories,
    aggregate,
    bench,
    canary,
    clippy,
    codeql,
    coverage,
    creep,
    deny,
    docs,
    docsrs,
    features,
    format,  # noqa: A004
    gate,
    history,
    lockfile,
    manifests,
    msrv,
    review,
    rustci,
    scorecard,
    semver,
    targets,
    test,
    typos,
    unused,
    workflows,
)
from rustci.jobs.base import CatalogueJob, Verdict
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import MATRIX_LIMIT, Job, Workflow

CATALOGUE: tuple[CatalogueJob, ...] = (
    format,
    clippy,
    docs,
    lockfile,
    test,
    msrv,
    features,
    targets,
    bench,
    semver,
    deny,
    unused,
    manifests,
    typos,
    workflows,
    review,
    rustci,
    coverage,
    gate,
    creep,
    history,
    canary,
    docsrs,
    advisories,
    codeql,
    scorecard,
)
"""Every job that can be switched on or off, in the order in which workflows show them."""

FILES = ("ci", "coverage", "bench", "scheduled")
"""The workflows, in the order in which people read of them."""
PULL_REQUESTS = "on pull requests, on pushes to `{branch}`{queue} and by hand"


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
    wanted = verdicts(project, config)
    chosen = [job for job in CATALOGUE if wanted[job.ID].on]
    by_file: dict[str, list[Job]] = {name: [] for name in FILES}
    for job in chosen:
        built = job.build(project, config)
        by_file[job.WORKFLOW] += map(_finished, (*built.parts, built))
    if by_file["ci"]:
        needs = tuple(job.id for job in by_file["ci"])
        last = dataclasses.replace(aggregate.build(project, config), needs=needs)
        by_file["ci"].append(last)
    return tuple(
        _workflow(name, tuple(found), project, config) for name, found in by_file.items() if found
    )


def _finished(job: Job) -> Job:
    if job.size > MATRIX_LIMIT:
        raise ConfigError(
            f"job `{job.id}` would run {job.size} times; GitHub allows {MATRIX_LIMIT} per matrix",
            hint="fewer `platforms.runners`, `toolchains.channels`, `platforms.targets` or "
            "`tests.shards`",
        )
    if any(setting.secret for setting in job.setup.sccache_settings):
        # An environment hands its secrets only to jobs that name it.
        return dataclasses.replace(job, environment="sccache")
    return job


def _workflow(name: str, found: tuple[Job, ...], project: Project, config: Config) -> Workflow:
    queue = ", in the merge queue" if config.workflows.merge_queue else ""
    changes = PULL_REQUESTS.format(branch=config.workflows.branch, queue=queue)
    if name == "ci":
        why = "Everything that a change has to pass."
        return Workflow(id=name, name="CI", why=Verbatim(why), when=Verbatim(changes), jobs=found)
    if name == "coverage":
        why = "How much of the code the tests reach."
        return Workflow(
            id=name, name="Coverage", why=Verbatim(why), when=Verbatim(changes), jobs=found
        )
    if name == "bench":
        pushes = any(job.id == history.ID for job in found)
        pushed = f", on pushes to `{config.workflows.branch}`" if pushes else ""
        return Workflow(
            id=name,
            name="Benchmarks",
            why=Verbatim("Whether a change makes the code slower."),
            when=Verbatim(f"on pull requests{pushed}, once a week and by hand"),
            jobs=found,
            cron=cron(project),
            on_pushes=pushes,
        )
    return Workflow(
        id=name,
        name="Scheduled",
        why=Verbatim("What time alone can break."),
        when=Verbatim("once a week and by hand"),
        jobs=found,
        cron=cron(project),
        on_pull_requests=False,
        on_pushes=False,
    )


def cron(project: Project) -> str:
    """Return a weekly time of its own for each repository, never on the full hour.

    GitHub delays or drops scheduled runs at busy minutes, `:00` above all.
    """
    seed = sha256((project.repository.github or project.root.name).encode()).digest()
    return f"{seed[0] % 58 + 1} {seed[1] % 24} * * {seed[2] % 7}"
