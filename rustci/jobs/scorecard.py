"""Rates how the repository guards its supply chain, every week (OpenSSF Scorecard).

Off unless asked for: 3 % of the repositories behind the defaults have it, and most of its points
are about settings on GitHub. It is a report and no gate: findings go to the Security tab. Nothing
is published to the Scorecard service. The action runs in a container image that it names by tag:
the commit is pinned, the image is not.

Takes about two minutes and needs no secret; without an administrator's token it cannot see every
branch rule.
"""

from rustci.jobs.base import CODE_SCANNING, CODE_SCANNING_TROUBLE, Verdict, linux_runner
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Setup

ID = "scorecard"
TITLE = "Scorecard"
WORKFLOW = "scheduled"


def wanted(project: Project, config: Config) -> Verdict:
    """Only where it is asked for: it reports, and most points are settings on GitHub."""
    return Verdict(on=False, reason="a report, mostly about settings on GitHub")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("Shows what an attacker of the supply chain would try first."),
        runner=linux_runner(config),
        timeout=20,
        permissions=CODE_SCANNING,
        setup=Setup(rust=False, cache=False),
        troubles=(CODE_SCANNING_TROUBLE,),
    )
