"""The jobs of a workflow, run on this machine: each `run:` step as written, in a shell of its own.

What a `uses:` step would bring must be here already: a job whose tools are missing is not run.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from rustci import yamlio
from rustci.runners import System, runner

INSTALLING = frozenset(
    {"Install Rust", "Install native libraries", "Install the target", "Start sccache"}
)
"""Steps that change the machine rather than check the project."""
TAIL = 20
"""Lines of output that are kept of a job that did not pass."""
CAUSE_LENGTH = 160
"""Characters."""
_BINARIES = {"nextest": "cargo-nextest"}
"""What a tool's binary is called where its name in the workflow differs."""
_SYSTEMS = {"linux": System.LINUX, "darwin": System.MACOS, "win32": System.WINDOWS}
_MATRIX = re.compile(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}")
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_MISSING = re.compile(
    r"failed to resolve address for.*|is unavailable for download.*|Could not resolve host.*"
    r"|Temporary failure (?:in name resolution|resolving).*|failed to lookup address.*"
    r"|could not download nonexistent rust version.*"
    r"|toolchain '\S+' is not installed|is not installed for the toolchain.*|no such command: .*"
    r"|target may not be installed|failed to find llvm-tools-preview"
)
"""What a machine says that lacks the network, a toolchain, a component or a target."""
_TELLING = re.compile(r"(?:error(?:\[E\d+\])?:|warning: unused|Diff in|FAIL|TIMEOUT|thread '.*pan)")
_EMPTY = re.compile(
    r"error: (?:test run failed|could not compile|aborting due to|command|\d+ targ)"
)


class Result(StrEnum):
    """What became of a job."""

    GREEN = "green"
    RED = "red"
    NOT_RUN = "not run"
    """This machine cannot run it, or not in the time given: it is not known."""


class Step(NamedTuple):
    """A `run:` step of a lane, the matrix filled in."""

    name: str
    script: str
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One job with one row of its matrix."""

    job: str
    name: str
    """The job's ID, and the row's values in parentheses."""
    runner: str
    chosen: bool
    """The matrix chose the runner: the same is run on others."""
    steps: tuple[Step, ...]
    tools: tuple[str, ...] = ()
    """The binaries that its steps need."""
    services: tuple[str, ...] = ()
    folder: str = "."
    """Where it works, relative to the repository's root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a lane, and why."""

    lane: str
    result: Result
    seconds: int = 0
    cause: str = ""
    tail: tuple[str, ...] = ()
    """The last lines of the output of one that is red."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where lanes run: a checkout, the variables around the steps, and what is left out."""

    root: Path
    limit: int
    """Seconds for a lane."""
    env: Mapping[str, str] = field(default_factory=dict)
    skip: frozenset[str] = frozenset()
    """Names of steps."""


def lanes(text: str, path: str) -> Iterator[Lane]:
    """Yield every lane of a workflow, jobs that wait for others apart. Raises ProjectError."""
    document = yamlio.load_workflow(text, path)
    run = document.get("defaults", {}).get("run", {})
    for identifier, job in document["jobs"].items():
        for row in [] if "needs" in job else rows(job.get("strategy", {}).get("matrix", {})):
            values = [str(value) for key, value in row.items() if key not in ("rustc", "packages")]
            yield Lane(
                job=identifier,
                name=f"{identifier} ({', '.join(values)})" if values else identifier,
                runner=_filled(job["runs-on"], row),
                chosen="matrix." in job["runs-on"],
                steps=tuple(_steps(job, row, {**document.get("env", {}), **job.get("env", {})})),
                tools=tuple(_tools(job["steps"])),
                services=tuple(job.get("services", {})),
                folder=run.get("working-directory", "."),
            )


def rows(matrix: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the values of each lane, as GitHub combines the axes and `include`.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
    """
    axes = {key: values for key, values in matrix.items() if key not in ("include", "exclude")}
    products = itertools.product(*axes.values()) if axes else ()
    combined = [dict(zip(axes, values, strict=True)) for values in products]
    left_out = matrix.get("exclude", [])
    combined = [row for row in combined if not any(out.items() <= row.items() for out in left_out)]
    further = []
    for extra in matrix.get("include", []):
        shared = [key for key in extra if key in axes]
        fitting = [row for row in combined if all(row[key] == extra[key] for key in shared)]
        for row in fitting:
            row.update(extra)
        further += [] if fitting else [dict(extra)]
    return [*combined, *further] or [{}]


def run(lane: Lane, machine: Machine) -> Outcome:
    """Run a lane, and stop at the first step that fails."""
    if reason := _lacking(lane):
        return Outcome(lane=lane.name, result=Result.NOT_RUN, cause=reason)
    started = time.monotonic()
    output = ""
    with tempfile.TemporaryDirectory(prefix="rustci-lane-") as temp:
        for step in lane.steps:
            if step.name in machine.skip:
                continue
            left = machine.limit - (time.monotonic() - started)
            code, output = _shell(step, lane, machine, Path(temp), left)
            if code != 0:
                return _failed(lane, step, code, output, round(time.monotonic() - started))
    return Outcome(lane=lane.name, result=Result.GREEN, seconds=round(time.monotonic() - started))


def _steps(
    job: Mapping[str, Any], row: Mapping[str, Any], around: Mapping[str, Any]
) -> Iterator[Step]:
    for step in job["steps"]:
        if "run" in step and step.get("if", "") in ("", "runner.os == 'Linux'"):
            env = {**around, **step.get("env", {})}
            yield Step(
                step["name"],
                _filled(step["run"], row),
                {name: _filled(value, row) for name, value in env.items()},
            )


def _filled(text: object, row: Mapping[str, Any]) -> str:
    """Return the text with the matrix's values; other expressions become empty."""
    return _EXPRESSION.sub("", _MATRIX.sub(lambda match: str(row.get(match[1], "")), str(text)))


def _tools(steps: list[Mapping[str, Any]]) -> Iterator[str]:
    for step in steps:
        if str(step.get("uses", "")).startswith("taiki-e/install-action@"):
            names = (spec.split("@")[0] for spec in step["with"]["tool"].split(","))
            yield from (_BINARIES.get(name, name) for name in names)


def _lacking(lane: Lane) -> str:
    """Return why this machine cannot run the lane; empty where it can try."""
    known = runner(lane.runner)
    if lane.chosen and known and known.os and known.os is not _SYSTEMS.get(sys.platform):
        return f"needs `{lane.runner}`"
    if lane.services:
        return f"needs the service `{'`, `'.join(lane.services)}`"
    for binary in ("bash", "cargo", *lane.tools):
        if not shutil.which(binary):
            return f"`{binary}` is not installed"
    return ""


def _shell(
    step: Step, lane: Lane, machine: Machine, temp: Path, limit: float
) -> tuple[int | None, str]:
    """Return the step's exit code, None where the time ran out, and its output."""
    log = temp / "output"
    summary = {"GITHUB_STEP_SUMMARY": str(temp / "summary")}
    with (
        log.open("wb") as out,
        subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.script],
            cwd=machine.root / lane.folder,
            env={**os.environ, "CI": "true", **summary, **step.env, **machine.env},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            code = process.wait(max(limit, 1))
        except BaseException as stopped:
            _end(process)
            if not isinstance(stopped, subprocess.TimeoutExpired):
                raise
            code = None
    return code, _ANSI.sub("", log.read_text("utf-8", "replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a shell with all that it started."""
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _failed(lane: Lane, step: Step, code: int | None, output: str, seconds: int) -> Outcome:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if code is None:
        result, cause = Result.NOT_RUN, f"`{step.name}` did not end in time"
    elif missing := _MISSING.search(output):
        result, cause = Result.NOT_RUN, f"`{step.name}`: {missing[0].strip()}"
    else:
        result, cause = Result.RED, f"`{step.name}`: {_telling(lines)}"
    return Outcome(
        lane=lane.name,
        result=result,
        seconds=seconds,
        cause=cause[:CAUSE_LENGTH],
        tail=tuple(lines[-TAIL:]),
    )


def _telling(lines: list[str]) -> str:
    """Return the line that says most; the last one where none stands out."""
    telling = [line for line in lines if _TELLING.match(line) and not _EMPTY.match(line)]
    return (telling or lines[-1:] or ["no output"])[0]
