"""Stops pull requests that bring in a dependency with a known vulnerability.

Off unless asked for. GitHub compares both sides of the pull request with its advisory database;
that needs the dependency graph, which is on in public repositories and a paid feature in private
ones, where the job would only fail. Unlike a weekly look at everything, it can only be red where
the change itself is to blame.

Takes a few seconds; nothing is checked out.
"""

from rustci.jobs.base import Verdict, linux_runner
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Setup, Trouble

ID = "review"
TITLE = "Dependency review"
WORKFLOW = "ci"

TROUBLES = (
    Trouble(
        symptom="`Dependency review is not supported on this repository`",
        cause="The dependency graph is off, or the repository is private without the licence.",
        fix="Switch it on under Settings → Advanced Security, or set `jobs.review = false`.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Only where it is asked for: private repositories have to pay for it."""
    return Verdict(on=False, reason="needs GitHub's dependency graph, in private repositories paid")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("A vulnerable dependency is cheapest to refuse before it is there."),
        runner=linux_runner(config),
        timeout=10,
        setup=Setup(rust=False, cache=False),
        troubles=TROUBLES,
    )
