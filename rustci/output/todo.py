"""What is left to do by hand on GitHub after the files are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rustci.jobs import secrets_environment
from rustci.proposal import Proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to do, and where to click."""

    what: str
    where: str


SERVICES: Mapping[str | bool, tuple[Task, ...]] = {
    "codecov": (
        Task(
            what="Install the Codecov app for the repository; uploads then need no token",
            where="https://github.com/apps/codecov",
        ),
    ),
    "coveralls": (
        Task(what="Switch the repository on at Coveralls", where="https://coveralls.io/repos/new"),
    ),
}
"""What a coverage service asks for."""


def todo(proposal: Proposal) -> tuple[Task, ...]:
    """Return the tasks in the order in which they make sense."""
    repository = proposal.project.repository
    host = repository.host or "github.com"
    base = f"https://{host}/{repository.github}" if repository.github else "on GitHub: …"
    written = {workflow.id for workflow in proposal.workflows}
    tasks = [*_starter(proposal)]
    if "ci" in written:
        what = "Require the check `CI`, and no other, before a pull request may be merged"
        tasks.append(Task(what=what, where=f"{base}/settings/rules"))
    if "coverage" in written:
        tasks += SERVICES.get(proposal.config.coverage.service, ())
    return (*tasks, *_enterprise(proposal), *_settings(proposal, base))


def _starter(proposal: Proposal) -> list[Task]:
    """Return what makes a first benchmark the project's own."""
    if not proposal.starter:
        return []
    source, manifest = (change.path for change in proposal.starter)
    tasks = [
        Task(what="Put a call of your library in place of the stand-in", where=source),
        Task(what="Run `cargo bench --bench speed` once and look at what it says", where=manifest),
    ]
    if proposal.project.main.lockfile:
        what = "Commit Cargo.lock as well: that run adds criterion to it, and CI runs `--locked`"
        lock = (proposal.project.main.directory / "Cargo.lock").as_posix()
        tasks.append(Task(what=what, where=lock))
    return tasks


def _settings(proposal: Proposal, base: str) -> list[Task]:
    settings = dict.fromkeys(
        setting
        for workflow in proposal.workflows
        for job in workflow.jobs
        for setting in job.setup.settings
    )
    where = f"{base}/settings/environments (environment `{secrets_environment(proposal.config)}`)"
    return [
        Task(
            what=f"Set the {'secret' if setting.secret else 'variable'} `{setting.name}`"
            + ("" if setting.required else " (optional)"),
            where=where,
        )
        for setting in settings
    ]


def _enterprise(proposal: Proposal) -> list[Task]:
    """Return what a GitHub of one's own asks for: it has neither GitHub's runners nor actions."""
    host = proposal.project.repository.host or "github.com"
    if host == "github.com" or host.endswith(".ghe.com"):
        return []
    labels = dict.fromkeys(
        label
        for workflow in proposal.workflows
        for job in workflow.jobs
        for label in (
            job.matrix.axes.get("runner", ()) if job.matrix and "runner" in job.matrix.axes else ()
        )
        or (job.runner,)
        if isinstance(label, str) and "${{" not in label
    )
    return [
        Task(
            what=f"Give your runners the labels {', '.join(f'`{label}`' for label in labels)}",
            where=f"https://{host}: GitHub's own runners are not to be had there",
        ),
        Task(
            what="Let the server fetch actions from github.com (GitHub Connect), or mirror them",
            where=f"https://{host}, for its administrators",
        ),
    ]
