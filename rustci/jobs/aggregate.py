"""The one check to require: it passes only if every other job of the workflow passed.

On for every project. A skipped or cancelled job counts as not passed; GitHub's branch protection
alone would let it through. Require the check `CI` and no other, and the matrix may change freely.
"""

from rustci.jobs.base import Verdict, linux_runner
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Setup, Trouble

ID = "ci"
TITLE = "CI"
WORKFLOW = "ci"

TROUBLES = (
    Trouble(
        symptom="Only `CI` is red, and every other job is green or grey",
        cause="A job was skipped or cancelled. That counts as not passed.",
        fix="Its step prints the result of each job. Re-run the one that is not `success`.",
    ),
    Trouble(
        symptom="A required check stays at `Expected — waiting for status`",
        cause="The ruleset names a check that no job reports (an old name, or one matrix lane).",
        fix="Require `CI` alone, under Settings → Rules.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Every project: branch protection needs one stable name."""
    return Verdict(on=True, reason="one check to require")


def build(project: Project, config: Config) -> Job:
    """Return the job; the plan fills in what it needs."""
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("The one check to require: skipped and cancelled jobs count as not passed."),
        runner=linux_runner(config),
        timeout=5,
        permissions=(),
        condition=Verbatim("always()"),
        setup=Setup(rust=False, cache=False),
        variables=("NEEDS",),
        last=True,
        troubles=TROUBLES,
    )
