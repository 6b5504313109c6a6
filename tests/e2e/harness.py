"""Generated workflows, run as written: rendered, committed, executed by act on this machine."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import yaml

from tests.e2e import act, tools
from tests.e2e.actions import STAND_INS
from tests.e2e.lanes import LINUX, lanes, obstacle
from tests.e2e.machine import Machine

REPOSITORY = "octocat/project"
State = Literal["green", "red", "skipped", "not executable"]
Event = Literal["pull_request", "push", "merge_group", "schedule", "workflow_dispatch"]
EVENTS: Mapping[Event, Mapping[str, Any]] = {
    "pull_request": {
        "pull_request": {
            "number": 1,
            "head": {"ref": "topic", "repo": {"fork": False, "full_name": REPOSITORY}},
            "base": {"ref": "main"},
            "labels": [{"name": "load"}],
        }
    },
    "push": {"ref": "refs/heads/main"},
    "schedule": {"ref": "refs/heads/main"},
    "workflow_dispatch": {"ref": "refs/heads/main"},
    "merge_group": {"merge_group": {"base_ref": "refs/heads/main"}, "action": "checks_requested"},
}


@dataclass(frozen=True)
class Outcome:
    """How one job, or one lane of its matrix, ended."""

    job: str
    matrix: act.Matrix
    state: State
    seconds: float
    failed: tuple[str, ...]
    reason: str
    log: str = field(repr=False)

    @property
    def name(self) -> str:
        """The job, with what tells its lane from the others."""
        values = [value for key, value in sorted(self.matrix) if key != "rustc"]
        return f"{self.job} ({', '.join(values)})" if values else self.job


@dataclass(frozen=True)
class Run:
    """What became of one workflow on one event."""

    workflow: str
    event: Event
    outcomes: tuple[Outcome, ...]
    calls: tuple[Mapping[str, Any], ...] = field(repr=False)
    output: str = field(repr=False)

    def states(self, job: str) -> set[State]:
        """Return how the lanes of a job ended."""
        return {outcome.state for outcome in self.outcomes if outcome.job == job}

    def red(self) -> list[str]:
        """Return the jobs with a red lane, in the order of the file."""
        return list(dict.fromkeys(o.job for o in self.outcomes if o.state == "red"))

    def explain(self) -> str:
        """Return what to read when something is red: each red lane with the end of its log."""
        return "\n\n".join(
            f"{o.name}: {o.state} at {', '.join(o.failed)}\n{o.log[-4000:]}"
            for o in self.outcomes
            if o.state == "red"
        )


def execute(
    here: Machine,
    repository: Path,
    event: Event = "pull_request",
    workflow: str = "ci.yml",
    *,
    state: Path | None = None,
    concurrency: int = 2,
    timeout: float = 1800,
) -> Run:
    """Run a workflow file of a repository as written; lanes that cannot run here are told apart.

    `state` keeps the caches between runs of one repository; artifacts are a run's own.
    """
    file = repository / ".github" / "workflows" / workflow
    jobs: Mapping[str, Any] = yaml.safe_load(file.read_text("utf-8"))["jobs"]
    expected = [
        (job, values, obstacle(here.rustup, definition, values))
        for job, definition in jobs.items()
        for values in lanes(definition)
    ]
    state = state or here.folder / "state" / repository.name
    state.mkdir(parents=True, exist_ok=True)
    calls = state / "calls.jsonl"
    calls.unlink(missing_ok=True)
    shutil.rmtree(state / "artifacts", ignore_errors=True)
    found, output = act.run(
        _command(here, repository, file, event, state, _choice(expected), concurrency),
        here.environment(repository, state),
        repository,
        timeout,
    )
    seen = {(lane.job, lane.matrix): lane for lane in found}
    outcomes = [
        _outcome(job, values, reason, seen.get((job, act.matrix(values))))
        for job, values, reason in expected
    ]
    records = calls.read_text("utf-8").splitlines() if calls.exists() else []
    return Run(
        workflow,
        event,
        tuple(_excuse_dependents(jobs, outcomes)),
        tuple(map(json.loads, records)),
        output,
    )


Expected = tuple[str, Mapping[str, str], str]


def _choice(expected: Iterable[Expected]) -> list[str]:
    """Return act's flags that leave lanes out which cannot run: by runner, toolchain and target."""
    lanes = [(values, reason) for _, values, reason in expected]
    flags = []
    for axis in ("runner", "toolchain", "target"):
        every = {values[axis] for values, _ in lanes if axis in values}
        able = {values[axis] for values, reason in lanes if axis in values and not reason}
        if able < every:
            flags += [f"--matrix={axis}:{value}" for value in sorted(able) or ["none"]]
    return flags


def _command(
    here: Machine,
    repository: Path,
    file: Path,
    event: Event,
    state: Path,
    choice: list[str],
    concurrency: int,
) -> list[str]:
    text = file.read_text("utf-8")
    payload = state / "event.json"
    payload.write_text(json.dumps(EVENTS[event]), "utf-8")
    stand_ins = [
        f"--local-repository={action}@{ref}={here.folder / 'actions' / action.replace('/', '-')}"
        for action, ref in sorted(set(re.findall(r"uses: ([\w-]+/[\w-]+)@(\w+)", text)))
        if action in STAND_INS
    ]
    return [
        str(tools.act(here.tools)),
        event,
        f"--directory={repository}",
        f"--workflows={file}",
        f"--eventpath={payload}",
        f"--concurrent-jobs={concurrency}",
        f"--action-cache-path={here.folder / 'act'}",
        "--cache-server-addr=127.0.0.1",
        f"--cache-server-path={state / 'service'}",
        *(f"--platform={label}=-self-hosted" for label in _labels(text)),
        *stand_ins,
        *choice,
        "--no-skip-checkout",
        "--container-daemon-socket=-",
        "--action-offline-mode",
        "--pull=false",
        "--json",
        "--rm",
    ]


def _labels(text: str) -> list[str]:
    """Return the labels of runners that this machine can stand for."""
    return sorted({word for word in re.findall(r"[\w.-]+", text) if word.startswith(LINUX)})


def _outcome(job: str, values: Mapping[str, str], reason: str, lane: act.Lane | None) -> Outcome:
    state: State = "skipped"
    if lane:
        state = "red" if lane.failed else "green" if lane.ran else "skipped"
    return Outcome(
        job=job,
        matrix=act.matrix(values),
        state="not executable" if reason else state,
        seconds=lane.seconds if lane else 0,
        failed=tuple(dict.fromkeys(lane.failed)) if lane else (),
        reason=reason,
        log="\n".join(lane.log) if lane else "",
    )


def _excuse_dependents(jobs: Mapping[str, Any], outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Tell a job apart whose needs could not run here at all: what it says is of no weight."""
    outcomes = list(outcomes)
    absent = {
        job for job in jobs if all(o.state == "not executable" for o in outcomes if o.job == job)
    }
    for outcome in outcomes:
        needs = jobs[outcome.job].get("needs", [])
        missing = absent & set([needs] if isinstance(needs, str) else needs)
        if missing and outcome.state != "not executable":
            reason = f"needs {', '.join(sorted(missing))}, which cannot run here"
            yield replace(outcome, state="not executable", reason=reason)
        else:
            yield outcome
