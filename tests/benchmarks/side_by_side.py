"""CPU time of whole commands, in turn (A B A B …), so that a drifting machine cancels out."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ROUNDS = 9


def cpu_seconds(command: Sequence[str], cwd: Path) -> float:
    """Return user and system seconds of one run, its children included."""
    variables = dict(os.environ)
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # users have their bytecode cached
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=cwd, check=True, capture_output=True, env=variables)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def medians(
    commands: Mapping[str, Sequence[str]], cwd: Path, rounds: int = ROUNDS
) -> dict[str, float]:
    """Return the median CPU seconds of each command over `rounds`, after one round of warm-up."""
    for command in commands.values():
        cpu_seconds(command, cwd)
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(cpu_seconds(command, cwd))
    return {name: statistics.median(found) for name, found in times.items()}


def report(title: str, found: Mapping[str, float], base: str) -> None:
    """Print each command's CPU time and its ratio to `base`."""
    print(f"\n{title} (median CPU of {ROUNDS} interleaved runs)")
    for name, seconds in found.items():
        print(f"  {name:<44} {seconds * 1000:7.0f} ms  {seconds / found[base]:6.2f} x {base}")
