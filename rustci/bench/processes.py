"""Child processes: bounded in time, output and disk, and gone when we are.

No shell is ever involved: names from the repository are arguments, never program text.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Optional

from .errors import BenchError

KEPT = 64 << 10
"""Bytes of output that are kept, the last ones; whatever is written beyond is read and dropped."""
LARGEST_FOLDER = 1 << 30
"""Bytes that a process may leave in its folder."""
TICK = 1.0
"""Seconds between two looks at a process; seldom, so as not to disturb what it measures."""


class Terminated(KeyboardInterrupt):
    """SIGTERM: handled like Ctrl-C, so that worktrees are removed on that way out, too."""


@dataclass(frozen=True)
class Limits:
    """Where a process is stopped."""

    seconds: float = float("inf")
    kept: int = KEPT
    folder: Optional[Path] = None
    """The folder whose size is watched."""


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    """Exit code; negative for a signal."""
    out: str
    err: str
    seconds: float
    stopped: str = ""
    """Why we stopped it; empty where it ended by itself."""

    @property
    def tail(self) -> str:
        """The last lines that it wrote, most telling stream first."""
        text = self.err.strip() or self.out.strip()
        return "\n".join(text.splitlines()[-20:])


class _Tail(threading.Thread):
    """Reads a pipe to its end and keeps the last bytes."""

    def __init__(self, pipe: IO[bytes], kept: int) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self._kept = kept
        self._bytes = bytearray()
        self.start()

    def run(self) -> None:
        """Read until the last holder of the pipe has closed it."""
        with self._pipe:
            while chunk := os.read(self._pipe.fileno(), 1 << 16):
                self._bytes += chunk
                if len(self._bytes) > 2 * self._kept:
                    del self._bytes[: -self._kept]

    def text(self) -> str:
        """Return what was kept."""
        return bytes(self._bytes[-self._kept :]).decode("utf-8", "replace")


def on_termination() -> None:
    """Let SIGTERM unwind the stack as Ctrl-C does."""

    def stop(number: int, frame: Optional[FrameType]) -> None:
        raise Terminated

    signal.signal(signal.SIGTERM, stop)


def run(
    argv: Sequence[str],
    cwd: Path,
    environment: Optional[Mapping[str, str]] = None,
    limits: Optional[Limits] = None,
) -> Ended:
    """Run a process to its end or its limits; raise BenchError where it cannot be started."""
    limits = limits or Limits()
    started = time.monotonic()
    try:
        child = subprocess.Popen(
            argv,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as problem:
        raise BenchError(
            f"cannot be started: {problem}", where=argv[0], todo="Is it installed, and on PATH?"
        ) from None
    return _followed(child, started, limits)


def _followed(child: subprocess.Popen[bytes], started: float, limits: Limits) -> Ended:
    out, err = (_Tail(pipe, limits.kept) for pipe in (child.stdout, child.stderr) if pipe)
    stopped = ""
    try:
        while not stopped and child.poll() is None:
            # The pipe closes when the process ends: no need to ask it over and over again.
            left = started + limits.seconds - time.monotonic()
            out.join(max(0.0, min(TICK, left)))
            stopped = _beyond(limits, left) if out.is_alive() else _waited(child, left)
    finally:
        _kill(child)
        code = child.wait()
    seconds = time.monotonic() - started
    for tail in (out, err):
        tail.join(TICK)
    return Ended(code, out.text(), err.text(), seconds, stopped)


def _waited(child: subprocess.Popen[bytes], left: float) -> str:
    """Wait for a process that has closed its output."""
    try:
        child.wait(max(0.0, left) if left < threading.TIMEOUT_MAX else None)
    except subprocess.TimeoutExpired:
        return "stopped at its time limit"
    return ""


def _beyond(limits: Limits, left: float) -> str:
    if left <= 0:
        return f"stopped at its limit of {limits.seconds:.0f} s"
    if limits.folder and size(limits.folder) > LARGEST_FOLDER:
        return f"stopped: it wrote more than {LARGEST_FOLDER >> 20} MiB"
    return ""


def size(folder: Path) -> int:
    """Return the bytes of all files below `folder`."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # removed since it was listed
                total += (Path(root) / name).lstat().st_size
    return total


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it started."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    except (ProcessLookupError, PermissionError):
        return
