"""Points, results and git repositories for the tests of the history."""

from __future__ import annotations

import hashlib
import json
import math
import random
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from rustci.bench.branch import Branch
from rustci.bench.points import Point, Reading
from rustci.bench.record import Benchmark

DAY = 86_400
START = 1_760_000_000
PARSE = Benchmark("parser", "speed", "parse", "json", "1k")
SORT = Benchmark("parser", "speed", "sort")
CPUS = ("AMD EPYC 7763", "Intel Xeon 8370C")


def sha(name: object) -> str:
    return hashlib.sha1(str(name).encode()).hexdigest()


def reading(
    benchmark: Benchmark, ratio: float, *, ns: float = 1000.0, wide: float = 0.01
) -> Reading:
    return Reading(benchmark, "ok", ratio, ratio * (1 - wide), ratio * (1 + wide), ns)


def point(number: int, *readings: Reading, anchor: object = "anchor", subject: str = "") -> Point:
    return Point(
        sha(number),
        sha(anchor),
        START + number * DAY,
        subject or f"Commit {number}",
        "rustc 1.95.0",
        {"cpu": CPUS[number % 2]},
        readings,
    )


def line(
    benchmark: Benchmark, steps: Sequence[tuple[int, float]], seed: int = 1, sd: float = 0.008
) -> list[Point]:
    """Return points whose ratio is that of each step, for so many commits, with noise."""
    noise = random.Random(seed)
    ratios = [ratio for length, ratio in steps for _ in range(length)]
    return [
        point(n, reading(benchmark, ratio * math.exp(noise.gauss(0, sd))))
        for n, ratio in enumerate(ratios)
    ]


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=A Person", "-c", "user.email=person@example.com")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def committed(folder: Path, subject: str) -> str:
    git(folder, "commit", "--quiet", "--allow-empty", "-m", subject)
    return git(folder, "rev-parse", "HEAD")


def cloned(remote: Path, folder: Path, *options: str) -> Branch:
    git(remote.parent, "clone", "--quiet", *options, remote.as_uri(), str(folder))
    return Branch(folder)


def result(
    folder: Path, head: str, base: str, rows: Sequence[dict[str, object]] | None = None
) -> Path:
    """Write a `bench-result.json`."""
    row = {
        "id": {
            "package": "parser",
            "target": "speed",
            "group": "parse",
            "function": None,
            "value": None,
        },
        "name": "parse",
        "status": "ok",
        "ratio": 1.01,
        "lo": 0.99,
        "hi": 1.02,
        "base_ns": 100.0,
        "head_ns": 101.0,
    }
    document = {
        "schema": 1,
        "base_sha": base,
        "head_sha": head,
        "rustc": "rustc 1.95.0",
        "runner": {"os": "linux", "cpu": CPUS[0], "cores": "4"},
        "results": [row] if rows is None else [row | each for each in rows],
    }
    path = folder / "bench-result.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


Cloning = Callable[..., Branch]
