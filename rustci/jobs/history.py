"""Keeps the figures of each push to the default branch, and tells its trend.

On with `benchmarks.history`. Each push is measured against an anchor commit on the same runner:
times of different runs cannot be compared, as runners differ by far more than the code. A job that
runs none of the project's code then adds one file to the orphan branch `bench-history`, warns in
the run's annotations if a benchmark became slower, and draws the page (artifact `bench-page`).
"""

from dataclasses import replace

from rustci.jobs.base import (
    CRITERION,
    LOCK_TROUBLE,
    Verdict,
    bench_call,
    bench_setup,
    benchmarked_with,
    lane_env,
    linux_runner,
    minutes,
    primary_toolchain,
    rustc_pattern,
)
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
    toolchain = primary_toolchain(config)
    call = bench_call(project, config)
    measuring = Job(
        id="history-measure",
        name="Measure the default branch",
        why=Verbatim("Against an anchor on the same runner: times of two runs do not compare."),
        runner=linux_runner(config),
        timeout=minutes(30, project) + config.benchmarks.budget,
        events=("push",),
        env=lane_env(config, toolchain, **call.env),
        setup=bench_setup(project, config, depth=0),
        details={"rustc": rustc_pattern(toolchain), "call": call},
        programs=("bench",),
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
        setup=replace(Setup(rust=False, cache=False), depth=0),
        programs=("bench",),
        troubles=(*TROUBLES, LOCK_TROUBLE),
        parts=(measuring,),
    )
