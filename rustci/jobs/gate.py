"""Fails a pull request that makes a benchmark slower than the runner's own noise explains.

On with `benchmarks.gate`, where benchmarks use criterion (or gungraun or iai-callgrind, whose
instruction counts `benchmarks.mode` compares). Base and head are built side by side and measured in
turn on one runner by `.github/rustci/bench`, which needs nothing but the runner's Python; targets
whose executables are the same are not measured at all. How it decides is told in
docs/explanation/benchmark-gate.md. Costs two builds and up to `benchmarks.budget` minutes, but only
a few seconds for each benchmark that did not change. It needs no secret, so forks are judged too.
"""

from rustci.jobs.base import Verdict
from rustci.jobs.measuring import COUNTING, CRITERION, benchmarked_with, measuring_job
from rustci.options import Config
from rustci.project import Project
from rustci.workflow import Job, Trouble

ID = "gate"
TITLE = "Benchmark gate"
WORKFLOW = "bench"

TROUBLES = (
    Trouble(
        symptom="`Compare the times with the base` says `inconclusive`",
        cause="The runner was too noisy, or the budget too small, to tell. That fails nothing.",
        fix="Raise `benchmarks.budget`, or steady the benchmark: fixed seeds, fewer allocations, "
        "no threads, iterations below 10 ms.",
    ),
    Trouble(
        symptom="A benchmark is slower although its code did not change",
        cause="The compiler inlined or laid out the code differently; the summary tells how much.",
        fix="Look at the plot in the artifact `benchmarks`. `#[inline(never)]` on what is measured "
        "keeps changes elsewhere away from it.",
    ),
    Trouble(
        symptom="`Benchmarks were not measured`",
        cause="Nothing ran: head does not build, a benchmark panics, or a filter left none. The "
        "gate is never green for that reason.",
        fix="Run the command of the summary; it works on any machine with Python 3.9.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where it is asked for and there are benchmarks that it can read."""
    mode = config.benchmarks.mode
    crates = {"time": CRITERION, "counts": COUNTING, "both": CRITERION | COUNTING}[mode]
    if not benchmarked_with(project, crates):
        names = "`, `".join(sorted(crates))
        return Verdict(on=False, possible=False, reason=f"no benchmark that uses `{names}`")
    if not config.benchmarks.gate:
        return Verdict(on=False, reason="`benchmarks.gate` is off")
    return Verdict(on=True, reason=config.settings["benchmarks.gate"].reason)


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    mode = config.benchmarks.mode
    return measuring_job(
        project,
        config,
        id=ID,
        name=TITLE,
        why="Base and head, measured in turn; only what noise cannot explain fails.",
        events=("pull_request",),
        depth=2,
        details={"time": mode != "counts", "counts": mode != "time"},
        troubles=TROUBLES,
    )
