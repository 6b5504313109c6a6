"""Keeps the figures of each push to the default branch, and tells its trend.

On with `benchmarks.history`. Each push is measured against an anchor commit on the same runner:
times of different runs cannot be compared, as runners differ by far more than the code. A job that
runs none of the project's code then adds one file to the orphan branch `bench-history`, warns in
the run's annotations if a benchmark became slower, and draws the page (artifact `bench-page`).
"""

from rustci.jobs.base import Verdict, linux_runner
from rustci.jobs.measuring import CRITERION, PROGRAM, benchmarked_with, measuring_job
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Permission, Setup, Trouble

ID = "history"
TITLE = "Benchmark history"
WORKFLOW = "bench"

TROUBLES = (
    Trouble(
        symptom="`Keep the figures` is refused",
        cause="A ruleset protects every branch, or Actions may not write to the repository.",
        fix="Let the ruleset leave `bench-history` out.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where it is asked for and the gate compares times."""
    if not benchmarked_with(project, CRITERION):
        return Verdict(on=False, possible=False, reason="no benchmark that uses `criterion`")
    if not (config.benchmarks.gate and config.benchmarks.history):
        return Verdict(on=False, reason="`benchmarks.history` is off")
    return Verdict(on=True, reason=config.settings["benchmarks.history"].reason)


def build(project: Project, config: Config) -> Job:
    """Return the job that writes, after the one that measures."""
    measuring = measuring_job(
        project,
        config,
        id="history-measure",
        name="Measure the default branch",
        why="Against an anchor on the same runner: times of two runs do not compare.",
        events=("push",),
        depth=0,
    )
    writes = Permission(
        scope=Verbatim("contents"),
        level=Verbatim("write"),
        reason=Verbatim("adds a file to the branch bench-history"),
    )
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("Only this job may write, and it runs none of the project's code."),
        runner=linux_runner(config),
        timeout=10,
        permissions=(writes,),
        needs=(measuring.id,),
        events=("push",),
        setup=Setup(rust=False, cache=False, depth=0),
        variables=("GITHUB_TOKEN",),
        programs=(PROGRAM,),
        troubles=TROUBLES,
        parts=(measuring,),
    )
