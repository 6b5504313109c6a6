"""Running one workflow file with act, and reading its record. https://nektosact.com/usage/"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

Matrix = frozenset[tuple[str, str]]


@dataclass
class Lane:
    """What act told of one job, or of one lane of its matrix."""

    job: str
    matrix: Matrix
    started: datetime
    ended: datetime
    failed: list[str] = field(default_factory=list)
    ran: bool = False
    log: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """From the first word to the last."""
        return (self.ended - self.started).total_seconds()


def run(
    command: list[str], environment: Mapping[str, str], folder: Path, timeout: float
) -> tuple[list[Lane], str]:
    """Run act and return what each lane did, and all that it said. Raises TimeoutExpired."""
    with subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            output = process.communicate(timeout=timeout)[0].decode(errors="replace")
        finally:
            # Also ends what a killed act leaves behind.
            _end(process.pid)
    return lanes(output.splitlines()), output


def _end(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def lanes(lines: Iterable[str]) -> list[Lane]:
    """Collect act's JSON lines by job and matrix."""
    found: dict[tuple[str, Matrix], Lane] = {}
    for entry in map(_entry, lines):
        if "jobID" not in entry:
            continue
        key = (entry["jobID"], matrix(entry.get("matrix")))
        time = datetime.fromisoformat(entry["time"])
        lane = found.setdefault(key, Lane(*key, started=time, ended=time))
        _add(lane, entry, time)
    return list(found.values())


def matrix(values: Mapping[str, Any] | None) -> Matrix:
    """Return a lane's values in a form that can be compared."""
    return frozenset((key, str(value)) for key, value in (values or {}).items())


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _add(lane: Lane, entry: Mapping[str, Any], time: datetime) -> None:
    lane.ended = time
    message = str(entry.get("msg", "")).rstrip()
    if not message.startswith("LocalRepositoryCache"):
        lane.log.append(message)
    if entry.get("stepResult") == "failure":
        lane.failed.append(str(entry.get("step", "Set up job")))
    if entry.get("level") in {"error", "fatal"} and not lane.failed:
        lane.failed.append(str(entry.get("step", "Set up job")))
    if "jobResult" in entry:
        lane.ran = True
