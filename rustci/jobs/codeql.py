"""Analyses the workflows for security problems every week (CodeQL for GitHub Actions).

Off unless asked for: the findings go to code scanning, which private repositories pay for, and
GitHub's own default set-up does the same without a workflow. CodeQL follows data through
expressions and scripts, and finds injections that a linter does not.

Takes about two minutes. It writes to the Security tab and needs no secret.
"""

from rustci.jobs.base import CODE_SCANNING, CODE_SCANNING_TROUBLE, Verdict, linux_runner
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Setup

ID = "codeql"
TITLE = "CodeQL"
WORKFLOW = "scheduled"


def wanted(project: Project, config: Config) -> Verdict:
    """Only where it is asked for: GitHub's default set-up does the same."""
    return Verdict(on=False, reason="GitHub's default set-up does the same without a workflow")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("Follows untrusted data through expressions and scripts."),
        runner=linux_runner(config),
        timeout=20,
        permissions=CODE_SCANNING,
        setup=Setup(rust=False, cache=False),
        troubles=(CODE_SCANNING_TROUBLE,),
    )
