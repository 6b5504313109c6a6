"""The gate on real criterion benchmarks of the chat server, again and again: how it does.

    python tests/bench/live.py RUNS [--log FILE] [--work DIR] [--budget TIME]

The truth is known: `encode` does its work 20 times over in base, and 21 or 22 times in the slower
heads (+5 %, +10 %); `decode` is the same everywhere. Each scenario runs on an idle machine and
again while a process keeps another core busy. They take turns, so that a campaign that is stopped
early has about as many runs of each. With `--log` each finished run is a line of that file, those
that it holds count, and so the same command goes on where it was stopped; RUNS = 0 only prints the
table. `nox -s bench_live` runs this.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CRATE = ROOT / "tests" / "crates" / "chat-server"
ENCODE = "serde_json::to_string(frame).expect"
REPEATED = """let units = std::hint::black_box(20);
    for _ in 1..units {{
        std::hint::black_box(serde_json::to_string(std::hint::black_box(frame)).ok());
    }}
    {}"""
SLOWED = "serde/encode_message"
"""The group whose benchmarks the slower heads slow down."""


@dataclass(frozen=True)
class Scenario:
    """One change, and what is true of it."""

    name: str
    change: Callable[[Path], None]
    slower: bool
    verdict: int
    """The exit code of a gate that sees the truth."""


def edit(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Return a change that replaces a text in a file of the project."""

    def change(project: Path) -> None:
        path = project / file
        text = path.read_text("utf-8")
        assert old in text, f"{file} no longer holds {old!r}"
        path.write_text(text.replace(old, new), "utf-8")

    return change


LOADS = {"idle": (False,), "busy": (True,), "both": (False, True)}
UNITS = "black_box(20)"
SCENARIOS = (
    Scenario(
        "docs only", edit("README.md", "chat-server", "The chat server"), slower=False, verdict=0
    ),
    Scenario(
        "equal speed",
        edit("src/protocol.rs", "must be {}", "has to be {}"),
        slower=False,
        verdict=0,
    ),
    Scenario("+5 %", edit("src/protocol.rs", UNITS, "black_box(21)"), slower=True, verdict=1),
    Scenario("+10 %", edit("src/protocol.rs", UNITS, "black_box(22)"), slower=True, verdict=1),
)


@dataclass(frozen=True)
class Outcome:
    """What one run of the gate said."""

    scenario: str
    busy: bool
    """Whether another process kept a core busy."""
    seed: int
    code: int
    statuses: Mapping[str, str]
    seconds: float
    measuring: float

    def false(self, scenario: Scenario) -> Iterator[bool]:
        """Yield for each benchmark that is not slower whether it was failed."""
        for name, status in self.statuses.items():
            if not (scenario.slower and name.startswith(SLOWED)):
                yield status == "regressed"


def git(project: Path, *arguments: str) -> str:
    """Run git in the project and return what it prints."""
    person = ("-c", "user.name=live", "-c", "user.email=live@example.org")
    argv = ["git", *person, *arguments]
    done = subprocess.run(argv, cwd=project, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def repository(project: Path) -> str:
    """Make a repository of the chat server with work to slow down; return its first commit."""
    shutil.copytree(CRATE, project, ignore=shutil.ignore_patterns("target"))
    edit("src/protocol.rs", ENCODE, REPEATED.format(ENCODE))(project)
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "base")
    return git(project, "rev-parse", "HEAD")


def committed(project: Path, base: str, scenario: Scenario) -> str:
    """Commit a scenario's change on top of base and return the commit."""
    git(project, "checkout", "--quiet", "--force", base)
    scenario.change(project)
    git(project, "commit", "--quiet", "--all", "--message", scenario.name)
    return git(project, "rev-parse", "HEAD")


def gate(project: Path, base: str, head: str, *more: str) -> tuple[int, dict[str, str], float]:
    """Run the gate as a workflow does: the package's own source, by the Python at hand.

    Returns its exit code, the status of each benchmark and the seconds that it measured for.
    """
    output = project.parent / "output"
    shutil.rmtree(output, ignore_errors=True)
    argv = [
        *(sys.executable, str(ROOT / "rustci" / "bench"), "run", "--bench", "serde"),
        *("--base", base, "--head", head, "--output", str(output), *more),
    ]
    done = subprocess.run(argv, cwd=project, check=False, capture_output=True, text=True)
    if not (output / "bench-result.json").exists():
        sys.exit(f"the gate ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    result = json.loads((output / "bench-result.json").read_text("utf-8"))
    statuses = {row["name"]: row["status"] for row in result["results"]}
    return done.returncode, statuses, result["seconds"]


@contextlib.contextmanager
def load(*, on: bool) -> Iterator[None]:
    """Keep one core busy, the last one."""
    if not on:
        yield
        return
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as child:
        try:
            if sys.platform == "linux":
                os.sched_setaffinity(child.pid, {max(os.sched_getaffinity(child.pid))})
            yield
        finally:
            child.kill()


def turns(
    runs: int, scenarios: Sequence[Scenario], loads: Sequence[bool], done: Sequence[Outcome]
) -> Iterator[tuple[int, Scenario, bool]]:
    """Yield what is left to run, by turns: the seed, the scenario, and whether under load."""
    ran = {(each.seed, each.scenario, each.busy) for each in done}
    for seed in range(runs):
        for busy in loads:
            for scenario in scenarios:
                if (seed, scenario.name, busy) not in ran:
                    yield seed, scenario, busy


def logged(log: Path) -> list[Outcome]:
    """Return the outcomes that a campaign's file holds."""
    lines = log.read_text("utf-8").splitlines() if log.exists() else []
    return [Outcome(**json.loads(line)) for line in lines]


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the lines of the table: each scenario, idle and under load."""
    yield "scenario     load  false fail verdict right  slowed found  seconds  measuring"
    for busy in (False, True):
        for scenario in SCENARIOS:
            of = [o for o in outcomes if (o.scenario, o.busy) == (scenario.name, busy)]
            if of:
                yield row("busy" if busy else "idle", scenario, of)


def row(name: str, scenario: Scenario, outcomes: Sequence[Outcome]) -> str:
    """Return a scenario's line of the table."""
    false = sum(any(each.false(scenario)) for each in outcomes)
    right = sum(each.code == scenario.verdict for each in outcomes)
    slowed = [
        status
        for each in outcomes
        for bench, status in each.statuses.items()
        if bench.startswith(SLOWED)
    ]
    power = f"{slowed.count('regressed')}/{len(slowed)}" if scenario.slower else "-"
    mean = sum(each.seconds for each in outcomes) / len(outcomes)
    measuring = sum(each.measuring for each in outcomes) / len(outcomes)
    runs = len(outcomes)
    return (
        f"{scenario.name:12} {name:5} {false:>3}/{runs:<5} {right:>3}/{runs:<5} {power:>9}"
        f" {mean:>8.0f} {measuring:>10.0f}"
    )


def main() -> None:
    """Run the scenarios by turns, idle and under load; print each run, and the table at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=int, help="runs of each scenario, those of the log included")
    parser.add_argument("--log", type=Path, help="append each run here, and go on from there")
    parser.add_argument("--work", type=Path, help="keep the builds here")
    parser.add_argument("--budget", default="10m", help="of measuring, for each run")
    parser.add_argument("--only", help="the one scenario of this name")
    parser.add_argument("--load", choices=LOADS, default="both", help="which runs to make")
    args = parser.parse_args()
    outcomes = logged(args.log) if args.log else []
    scenarios = [each for each in SCENARIOS if args.only in {None, each.name}]
    loads = LOADS[args.load]
    with tempfile.TemporaryDirectory(prefix="bench-live-") as folder:
        project = Path(folder) / "project"
        base = repository(project)
        work = args.work or Path(folder) / "work"
        for seed, scenario, busy in turns(args.runs, scenarios, loads, outcomes):
            head = committed(project, base, scenario)
            started = time.monotonic()
            with load(on=busy):
                code, statuses, measuring = gate(
                    *(project, base, head, "--seed", str(seed), "--budget", args.budget),
                    *("--work", str(work / str(SCENARIOS.index(scenario)))),
                )
            seconds = time.monotonic() - started
            outcome = Outcome(scenario.name, busy, seed, code, statuses, seconds, measuring)
            outcomes.append(outcome)
            line = json.dumps(asdict(outcome))
            print(line, file=sys.stderr, flush=True)
            if args.log:
                with args.log.open("a", encoding="utf-8") as file:
                    file.write(f"{line}\n")
    print(*table(outcomes), sep="\n")


if __name__ == "__main__":
    main()
