"""Runs the tests that `#[ignore]` keeps out of every other run, optimised, every week.

On where a test is ignored: usually because it is slow, and what nobody runs breaks unseen. Nothing
is stopped after three minutes as in the test matrix, slow being the point; the job's time limit
holds.

Takes an optimised build, and the time that these tests take.
"""

from rustci.jobs.base import (
    Verdict,
    bare_metal,
    has_tests,
    selected_features,
    tool,
    workspace_flag,
)
from rustci.jobs.weekly import weekly_tests
from rustci.options import Config
from rustci.project import Project
from rustci.workflow import Job, Trouble

ID = "ignored"
TITLE = "Ignored tests"
WORKFLOW = "scheduled"

TROUBLES = (
    Trouble(
        symptom="A test fails that was never meant to run here",
        cause="It is ignored because it needs a network, hardware or an account, not time.",
        fix="Put it behind a feature or a `cfg` of its own in place of `#[ignore]`, or set "
        "`jobs.ignored = false`.",
    ),
    Trouble(
        symptom="The job runs into its time limit",
        cause="The slow tests take longer than the limit, or one of them hangs.",
        fix="The log names the test that runs last. Raise `timeout-minutes` of the job; the edit "
        "is kept by updates.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where a test is ignored."""
    found = sum(package.source.ignored_tests for package in project.packages)
    if not found:
        return Verdict(on=False, possible=has_tests(project), reason="no test is ignored")
    if bare_metal(project):
        return Verdict(on=False, reason="no test harness runs on bare metal")
    return Verdict(on=True, reason=f"{found} test{'s are' if found > 1 else ' is'} ignored")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    nextest = config.tests.runner == "nextest"
    features = selected_features(project, config)
    return weekly_tests(
        project,
        config,
        id=ID,
        name=TITLE,
        why="What no other run takes breaks unseen.",
        limit=60,
        flags=(workspace_flag(project), features.flags),
        env=features.env,
        tools=(tool("nextest"),) if nextest else (),
        details={"nextest": nextest},
        troubles=TROUBLES,
    )
