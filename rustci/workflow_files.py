"""The workflow files: what each is for, and what starts it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from hashlib import sha256
from zoneinfo import available_timezones

from rustci.errors import ConfigError
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Triggers, Workflow

File = Callable[[Project, Config, tuple[Job, ...]], Workflow]


def ci(project: Project, config: Config, jobs: tuple[Job, ...]) -> Workflow:
    """Return what every change has to pass."""
    return _file(
        "ci", "CI", "Everything that a change has to pass.", _changes(config), config, jobs
    )


def coverage(project: Project, config: Config, jobs: tuple[Job, ...]) -> Workflow:
    """Return what measures the tests."""
    why = "How much of the code the tests reach."
    return _file("coverage", "Coverage", why, _changes(config), config, jobs)


def bench(project: Project, config: Config, jobs: tuple[Job, ...]) -> Workflow:
    """Return what measures the code."""
    triggers = Triggers(
        pull_requests=True,
        pushes=any("push" in job.events for job in jobs),
        cron=weekly(project, config),
        timezone=_timezone(config),
    )
    why = "Whether a change makes the code slower."
    return _file("bench", "Benchmarks", why, triggers, config, jobs)


def scheduled(project: Project, config: Config, jobs: tuple[Job, ...]) -> Workflow:
    """Return what runs whether or not anything changed."""
    triggers = Triggers(cron=weekly(project, config), timezone=_timezone(config))
    why = "What time alone can break, and what takes too long for every change."
    return _file("scheduled", "Scheduled", why, triggers, config, jobs)


def load(project: Project, config: Config, jobs: tuple[Job, ...]) -> Workflow:
    """Return what puts the server under load."""
    triggers = Triggers(
        pull_requests=True,
        types=("opened", "reopened", "synchronize", "labeled"),
        label="load",
        cron=weekly(project, config),
        timezone=_timezone(config),
    )
    why = "Whether the server bears its users."
    return _file("load", "Load tests", why, triggers, config, jobs)


def release(project: Project, config: Config, jobs: tuple[Job, ...]) -> Workflow:
    """Return what a tag publishes; on pull requests that touch it, all but the publishing."""
    inside = "" if config.workflows.directory == "." else f"{config.workflows.directory}/"
    triggers = Triggers(
        tags=("v[0-9]*",),
        pull_requests=True,
        paths=(
            f"{inside}Cargo.toml",
            f"{inside}**/Cargo.toml",
            f"{inside}CHANGELOG.md",
            ".github/workflows/release.yml",
        ),
    )
    why = "What a version tag publishes; pull requests only try it."
    return _file("release", "Release", why, triggers, config, jobs)


def release_plz(project: Project, config: Config, jobs: tuple[Job, ...]) -> Workflow:
    """Return what keeps the release pull request and publishes when it is merged."""
    triggers = Triggers(pushes=True)
    why = "The release pull request, and the release once it is merged."
    return _file("release-plz", "release-plz", why, triggers, config, jobs)


def pages(project: Project, config: Config, jobs: tuple[Job, ...]) -> Workflow:
    """Return what publishes the book."""
    triggers = Triggers(pushes=True, pull_requests=True)
    return _file("pages", "Pages", "The book, on GitHub Pages.", triggers, config, jobs)


FILES: Mapping[str, File] = {
    "ci": ci,
    "coverage": coverage,
    "bench": bench,
    "scheduled": scheduled,
    "load": load,
    "release": release,
    "release-plz": release_plz,
    "pages": pages,
}
"""Every workflow file by its name without `.yml`, in the order in which people read of them."""


def weekly(project: Project, config: Config) -> str:
    """Return a weekly time of its own for each repository, never on the full hour.

    GitHub delays or drops scheduled runs at busy minutes, `:00` above all. In a time zone of the
    project's own it is early in the morning.
    """
    minute, hour, day = _seed(project)[:3]
    return f"{minute % 58 + 1} {_hour(hour, config)} * * {day % 7}"


def daily(project: Project, config: Config) -> str:
    """Return a daily time of its own for each repository, in the same way."""
    *_, minute, hour = _seed(project)
    return f"{minute % 58 + 1} {_hour(hour, config)} * * *"


def told(triggers: Triggers, branch: str) -> Verbatim:
    """Return in words what starts a workflow."""
    touching = f" that touch {', '.join(f'`{path}`' for path in triggers.paths)}"
    labelled = f" with the label `{triggers.label}`"
    occasions = [
        f"on pull requests{touching * bool(triggers.paths)}{labelled * bool(triggers.label)}"
        if triggers.pull_requests
        else "",
        f"on pushes to `{branch}`" if triggers.pushes else "",
        f"on tags like `{triggers.tags[0]}`" if triggers.tags else "",
        "in the merge queue" if triggers.merge_queue else "",
        _how_often(triggers.cron) if triggers.cron else "",
    ]
    *others, last = (*filter(None, occasions), "by hand")
    return Verbatim(f"{', '.join(others)} and {last}" if others else last)


def _file(
    name: str,
    title: str,
    why: str,
    triggers: Triggers,
    config: Config,
    jobs: tuple[Job, ...],
) -> Workflow:
    return Workflow(
        id=name,
        name=title,
        why=Verbatim(why),
        when=told(triggers, config.workflows.branch),
        triggers=triggers,
        jobs=jobs,
    )


def _changes(config: Config) -> Triggers:
    return Triggers(pushes=True, pull_requests=True, merge_queue=config.workflows.merge_queue)


def _how_often(cron: str) -> str:
    return "every night" if cron.endswith("* * *") else "once a week"


def _timezone(config: Config) -> str | None:
    """Return the time zone, None for UTC. Raises ConfigError for one that does not exist."""
    zone = config.workflows.timezone
    if zone == "UTC":
        return None
    known = available_timezones()  # none on systems without the data
    if known and zone not in known:
        near = get_close_matches(zone, known, n=1)
        raise ConfigError(
            f"`workflows.timezone` is `{zone}`, which is no time zone",
            where=config.settings["workflows.timezone"].where,
            hint=f"did you mean `{near[0]}`?" if near else "name one as in `Europe/Berlin`",
        )
    return zone


def _seed(project: Project) -> bytes:
    return sha256((project.repository.github or project.root.name).encode()).digest()


def _hour(seed: int, config: Config) -> int:
    return seed % 24 if config.workflows.timezone == "UTC" else seed % 5 + 1
