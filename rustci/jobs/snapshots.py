"""Compares every snapshot and finds those that no test refers to any more (cargo-insta).

On where a package depends on insta. The tests of every change compare the snapshots that they
reach; an orphaned one stays in the tree for ever, and looks like something that is tested. Weekly,
because it takes a second run of all tests.
"""

from rustci.jobs.base import (
    Verdict,
    bare_metal,
    selected_features,
    tool,
    workspace_flag,
)
from rustci.jobs.weekly import dependents, weekly_tests
from rustci.options import Config
from rustci.project import Project
from rustci.workflow import Job, Trouble

ID = "snapshots"
TITLE = "Snapshots"
WORKFLOW = "scheduled"

TROUBLES = (
    Trouble(
        symptom="`encountered unreferenced snapshot`",
        cause="The test that wrote it was renamed or removed, or runs only with features or on a "
        "system that this job does not have.",
        fix="`cargo insta test --unreferenced=delete`, with the features of this job. Where the "
        "test is there, but not for this job, set `jobs.snapshots = false`.",
    ),
    Trouble(
        symptom="A snapshot differs",
        cause="The output changed, and the `.snap` file was not committed with it.",
        fix="`cargo insta test --review`, and commit what is right.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where a package depends on insta."""
    found = dependents(project, "insta")
    if not found:
        return Verdict(on=False, possible=False, reason="no package depends on insta")
    if bare_metal(project):
        return Verdict(on=False, reason="no test harness runs on bare metal")
    return Verdict(on=True, reason=f"`{found[0].name}` depends on `insta`")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    nextest = config.tests.runner == "nextest"
    features = selected_features(project, config)
    tools = (tool("cargo-insta"), *((tool("nextest"),) if nextest else ()))
    return weekly_tests(
        project,
        config,
        id=ID,
        name=TITLE,
        why="A snapshot that no test reads looks like something that is tested.",
        limit=30,
        flags=(
            workspace_flag(project),
            features.flags,
            "--test-runner nextest --disable-nextest-doctest"
            if nextest
            else "--test-runner cargo-test",
        ),
        locked=False,
        env=features.env,
        tools=tools,
        troubles=TROUBLES,
    )
