"""Compares the benchmarks once a week with the last release: small steps add up unseen.

On with `benchmarks.gate`. Five slowdowns of 1 % pass five pull requests and are 5 % together. The
same gate, with an anchor for base: the last release tag, or what `bench-history` was measured
against. A red run is a finding about the default branch, not about anybody's pull request.
"""

from rustci.jobs.base import Verdict
from rustci.jobs.measuring import CRITERION, benchmarked_with, measuring_job
from rustci.options import Config
from rustci.project import Project
from rustci.workflow import Job, Trouble

ID = "creep"
TITLE = "Slow creep"
WORKFLOW = "bench"

TROUBLES = (
    Trouble(
        symptom="`Slow creep` is red",
        cause="The default branch became slower since the last release, in steps too small to see.",
        fix="Bisect with `python3 .github/rustci/bench run --base COMMIT --head COMMIT`, or accept "
        "it with the next release: that becomes the new base.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Wherever the gate compares times."""
    if not benchmarked_with(project, CRITERION):
        return Verdict(on=False, possible=False, reason="no benchmark that uses `criterion`")
    if not config.benchmarks.gate:
        return Verdict(on=False, reason="`benchmarks.gate` is off")
    if config.benchmarks.mode == "counts":
        return Verdict(on=False, reason="`benchmarks.mode` compares no times")
    return Verdict(on=True, reason="small steps pass the gate one by one")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    return measuring_job(
        project,
        config,
        id=ID,
        name=TITLE,
        why="Steps too small for the gate add up: once a week, against the last release.",
        events=("schedule", "workflow_dispatch"),
        depth=0,
        troubles=TROUBLES,
    )
