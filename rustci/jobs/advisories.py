"""Looks up the dependencies in the RustSec advisory database every week (cargo-deny).

On where there is a deny.toml: its `[advisories]` says what counts and what is ignored. It runs on a
schedule and not on pull requests, because an advisory appears when somebody publishes it, whatever
the change at hand does. Switched on without a deny.toml, one is written, as for the job `deny`.

Takes about half a minute; nothing is compiled.
"""

from rustci.jobs.base import Verdict
from rustci.jobs.cargo_deny import deny_job, verdict
from rustci.options import Config
from rustci.project import Project
from rustci.workflow import Job, Trouble

ID = "advisories"
TITLE = "Advisories"
WORKFLOW = "scheduled"

TROUBLES = (
    Trouble(
        symptom="`Look up the dependencies` fails without a change of the code",
        cause="A vulnerability was published, or a crate was yanked or given up.",
        fix="`cargo update -p NAME` where a mended version exists. If the code is not reached, put "
        "the advisory into `ignore` of deny.toml, with the reason.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where there is a deny.toml."""
    return verdict(project)


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    return deny_job(
        project,
        config,
        id=ID,
        name=TITLE,
        why="Vulnerabilities are published when it suits nobody; this blocks nobody.",
        troubles=TROUBLES,
    )
