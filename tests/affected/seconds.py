"""What fewer packages save, in seconds of the jobs: `nox -s affected -- FOLDER COUNT TIMED`.

Of the pull requests that take fewer packages, TIMED evenly spread ones are run both ways: what the
narrowed jobs say to cargo, with the dependencies built and no member, as the cache leaves them.
Runs the code of the repository.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

COMMANDS = (
    ("clippy", "--all-targets"),
    ("doc", "--no-deps"),
    ("test", "--all-targets"),
    ("test", "--doc"),
)


class Cost(NamedTuple):
    """Seconds that the commands take for everything, for fewer packages, and for the selection."""

    full: float
    fewer: float
    selecting: float


def spread(candidates: Sequence[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    """Return so many of the pull requests, evenly spread."""
    step = max(len(candidates) / count, 1)
    return [candidates[int(n * step)] for n in range(min(count, len(candidates)))]


def cost(root: Path, packages: str, doctests: str, selecting: float) -> Cost:
    """Return what the checked-out pull request takes, both ways."""
    flags = ["--workspace"]
    _run(root, ("test", "--all-targets", "--no-run"), flags)  # whatever the dependencies need
    _run(root, ("clippy", "--all-targets"), flags)
    full = sum(_seconds(root, command, flags) for command in _cleaned(root))
    fewer = 0.0
    if packages != "none":
        for command in _cleaned(root):
            chosen = (doctests if "--doc" in command else packages).split()
            if chosen != ["none"]:
                fewer += _seconds(root, command, chosen)
    return Cost(full, fewer, selecting)


def _cleaned(root: Path) -> tuple[tuple[str, ...], ...]:
    """Remove what was built of the members, and return the commands."""
    command = ["cargo", "metadata", "--no-deps", "--format-version=1"]
    answer = subprocess.run(command, cwd=root, check=True, capture_output=True).stdout
    members = [f"--package={package['id']}" for package in json.loads(answer)["packages"]]
    _run(root, ("clean",), members)
    return COMMANDS


def _seconds(root: Path, command: Sequence[str], flags: Sequence[str]) -> float:
    started = time.monotonic()
    _run(root, command, flags)
    return time.monotonic() - started


def _run(root: Path, command: Sequence[str], flags: Sequence[str]) -> None:
    """Run cargo. A test that fails here (it may want the network) is no matter for the time."""
    more = ("--no-fail-fast",) if command[0] == "test" and "--no-run" not in command else ()
    environment = os.environ | {"CARGO_INCREMENTAL": "0", "CARGO_TARGET_DIR": f"{root}-target"}
    done = subprocess.run(
        ["cargo", *command, *flags, *more],
        cwd=root,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    tests_failed = command[0] == "test" and "could not compile" not in done.stderr
    if done.returncode and not tests_failed:
        raise OSError(f"cargo {' '.join(command)}: {done.stderr[-2000:]}")
