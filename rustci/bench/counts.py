"""Instruction counts in place of times: gungraun from 0.17 on, iai-callgrind from 0.9 to 0.16.

Valgrind counts, so the machine's noise is gone and one run is enough; each side is run twice all
the same, because hash seeds and addresses may move a count. What the counts do not see: caches,
branches, system calls, input and output, contention. A compiler may move them, too.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from . import builds, processes, report, worktrees
from .builds import Bench, Key, Selection, Tree
from .errors import BenchError
from .jsonio import significant
from .record import BASE, HEAD

HARNESSES = ("gungraun", "iai-callgrind")
OLDEST = {"gungraun": (0, 17), "iai-callgrind": (0, 9)}
LIMIT = 0.01
"""The growth of a count that is put up with."""
RESTLESS, RESTLESS_TIMES = 0.001, 5
"""Where a count differs by more from its own repetition, five times that is put up with."""
REGRESSED, IMPROVED, OK, NEW, REMOVED = "regressed", "improved", "ok", "new", "removed"
BLIND = (
    "Counts see neither caches, branches, system calls, I/O nor contention; a compiler that places"
    " code elsewhere moves them, too. Judge times as well."
)
Counts = Mapping[tuple[str, str, str], int]
"""Instructions by (package, bench target, benchmark)."""


@dataclass(frozen=True)
class Row:
    """What is said about one benchmark."""

    key: tuple[str, str, str]
    status: str
    base: Optional[int] = None
    head: Optional[int] = None
    limit: float = LIMIT

    @property
    def change(self) -> Optional[float]:
        """head/base - 1."""
        return self.head / self.base - 1 if self.base and self.head else None


def add_arguments(command: argparse.ArgumentParser, percent: Callable[[str], float]) -> None:
    """Declare the options of `bench counts`."""
    command.add_argument(
        "--limit", type=percent, default=LIMIT, metavar="PERCENT", help="growth put up with (1%%)"
    )
    command.add_argument("--output", type=Path, metavar="DIR", help="write bench-counts.json here")


def read_summary(text: str) -> tuple[str, Optional[int]]:
    """Return a benchmark's name and its instructions from a `summary.json`; raise ValueError.

    Layouts 3 to 6 are those of iai-callgrind's `schemas/summary.v*.schema.json`, 7 came with
    gungraun 0.18 or a little later.
    """
    summary = json.loads(text)
    if not isinstance(summary, dict) or not isinstance(summary.get("module_path"), str):
        raise ValueError("no summary of gungraun or iai-callgrind")
    version = str(summary.get("version"))
    if version not in {"3", "4", "5", "6", "7"}:
        raise ValueError(f"its layout is version {version}; 3 to 7 can be read")
    name = summary["module_path"]
    if summary.get("id"):
        name += f" {summary['id']}"
    for total in _totals(summary):
        if isinstance(total, dict) and "Ir" in total:
            return name, _new(total["Ir"])
    return name, None


def _totals(summary: Mapping[str, Any]) -> Iterator[Any]:
    """Yield Callgrind's totals by event, from wherever a layout keeps them."""
    run = (summary.get("callgrind_summary") or {}).get("callgrind_run") or {}
    yield (run.get("total") or {}).get("summary")  # 3
    for profile in summary.get("profiles") or []:
        if profile.get("tool") == "Callgrind":
            yield profile.get("data", {}).get("total", {}).get("metrics")  # 7
            total = profile.get("summaries", {}).get("total", {})
            yield (total.get("summary") or {}).get("Callgrind")  # 4 to 6


def _new(metric: Mapping[str, Any]) -> Optional[int]:
    """Return the new value, whether there is an old one beside it or not."""
    if "values" in metric:  # 7
        value = metric["values"].get("new")
    else:
        values = metric["metrics"]
        value = values["Both"][0] if "Both" in values else values.get("Left")
    if isinstance(value, dict):  # since 5: `{"Int": n}` or `{"Float": x}`
        value = value.get("Int", value.get("Float"))
    return None if value is None else int(value)


def read(home: Path, package: str, target: str) -> dict[tuple[str, str, str], int]:
    """Return every count below a home; raise BenchError with the file that cannot be read."""
    found = {}
    for path in sorted(home.rglob("summary.json")):
        try:
            name, count = read_summary(path.read_text("utf-8"))
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as problem:
            raise BenchError(f"cannot be read: {problem}", where=str(path)) from None
        if count:
            found[package, target, name] = count
    return found


def compare(base: tuple[Counts, Counts], head: tuple[Counts, Counts], limit: float) -> list[Row]:
    """Return a row for each benchmark, from two runs of each side."""
    rows = []
    for key in sorted({*base[0], *head[0]}):
        if key not in head[0] or key not in base[0]:
            missing = key not in base[0]
            status = NEW if missing else REMOVED
            rows.append(Row(key, status, base[0].get(key), head[0].get(key), limit))
            continue
        own = max(_apart(side, key) for side in (base, head))
        allowed = max(limit, RESTLESS_TIMES * own) if own > RESTLESS else limit
        row = Row(key, OK, min(_both(base, key)), min(_both(head, key)), allowed)
        change = row.change or 0.0
        status = REGRESSED if change > allowed else IMPROVED if change < -allowed else OK
        rows.append(Row(key, status, row.base, row.head, allowed))
    return rows


def _both(side: tuple[Counts, Counts], key: tuple[str, str, str]) -> tuple[int, int]:
    return side[0][key], side[1].get(key, side[0][key])


def _apart(side: tuple[Counts, Counts], key: tuple[str, str, str]) -> float:
    first, second = _both(side, key)
    return abs(second / first - 1)


def run(
    folder: Path,
    commits: Mapping[str, str],
    args: argparse.Namespace,
    selection: Selection,
    say: Callable[[str], None],
) -> int:
    """Count on both commits, print what was found and return the exit code."""
    if shutil.which("valgrind") is None:
        raise BenchError(
            "valgrind is not installed",
            where="PATH",
            todo="Install it: `sudo apt-get install valgrind`. It runs on Linux and Intel Macs.",
        )
    with worktrees.workplace(args.work) as work, builds.checkouts(folder, commits, work) as checked:
        trees, _, notices = checked
        for notice in notices:
            say(notice)
        head = _counted(trees[HEAD], selection, work, say)
        if not head[0]:
            raise BenchError("head's benchmarks wrote no counts", todo="Run `cargo bench` by hand.")
        try:
            base = _counted(trees[BASE], selection, work, say)
        except BenchError as problem:
            say(f"base cannot be counted, so nothing is compared: {problem}")
            return 0
    rows = compare(base, head, args.limit)
    print(table(rows), end="")
    if args.output:
        _write(args.output / "bench-counts.json", dumps(rows, commits))
    report.summarise(f"### Instruction counts\n\n```text\n{table(rows)}```\n")
    return 1 if any(row.status == REGRESSED for row in rows) else 0


def _counted(
    tree: Tree, selection: Selection, work: Path, say: Callable[[str], None]
) -> tuple[dict[tuple[str, str, str], int], dict[tuple[str, str, str], int]]:
    """Run the benchmarks of one tree twice."""
    chosen, _ = builds.chosen_benches(tree, selection, HARNESSES)
    results: list[dict[tuple[str, str, str], int]] = [{}, {}]
    for key, bench in chosen.items():
        runner = _runner(bench, tree, work, say)
        for n, result in enumerate(results):
            say(f"counting {key[0]}/{key[1]} of {tree.side}, {n + 1} of 2")
            result.update(_once(tree, key, bench, runner, selection, work / f"{tree.side}-{n}"))
    return results[0], results[1]


def _once(
    tree: Tree, key: Key, bench: Bench, runner: str, selection: Selection, home: Path
) -> dict[tuple[str, str, str], int]:
    shutil.rmtree(home, ignore_errors=True)
    prefix = bench.harness.upper().replace("-", "_")
    environment = {**tree.environment, f"{prefix}_HOME": str(home), f"{prefix}_RUNNER": runner}
    argv = [
        *("cargo", "bench", "--package", key[0], "--bench", key[1], *selection.cargo),
        *("--", "--save-summary=json"),
    ]
    ended = processes.run(argv, tree.folder, environment)
    if ended.code:
        raise BenchError(f"failed with exit code {ended.code}:\n{ended.tail}", where=key[1])
    return read(home, *key)


def _runner(bench: Bench, tree: Tree, work: Path, say: Callable[[str], None]) -> str:
    """Return the runner, which must be as old as the library; install it where it is missing."""
    version = ".".join(map(str, bench.version))
    if bench.version < OLDEST[bench.harness]:
        oldest = ".".join(map(str, OLDEST[bench.harness]))
        raise BenchError(
            f"{bench.harness} {version} writes no summary that can be read",
            where=tree.side,
            todo=f"Use {oldest} or newer.",
        )
    name = f"{bench.harness}-runner"
    there = shutil.which(name)
    if there and processes.run([there, "--version"], work).out.split()[-1:] == [version]:
        return there
    root = work / f"{name}-{version}"
    installed = root / "bin" / name
    if not installed.exists():
        say(f"installing {name} {version}")
        argv = ["cargo", "install", "--locked", "--version", f"={version}", "--root", str(root)]
        ended = processes.run([*argv, name], work)
        if ended.code:
            todo = f"Install it yourself: `cargo install {name}@{version}`."
            raise BenchError(f"cannot be installed:\n{ended.tail}", where=name, todo=todo)
    return str(installed)


def table(rows: list[Row]) -> str:
    """Return the rows as text, what counts against head first."""
    lines = []
    for row in sorted(rows, key=lambda row: (row.status != REGRESSED, row.status == OK, row.key)):
        change = "" if row.change is None else f"{row.change:+.2%} (limit {row.limit:.2%})"
        name = " ".join("/".join(row.key).split())[:200].replace("`", "'")
        lines.append(f"{row.status:10}{change:26}{row.base or '-'} -> {row.head or '-'}  {name}")
    return "\n".join([*lines, BLIND, ""])


def dumps(rows: list[Row], commits: Mapping[str, str]) -> str:
    """Return `bench-counts.json`."""
    content = {
        "schema": 1,
        "base_sha": commits[BASE],
        "head_sha": commits[HEAD],
        "results": [
            {
                "id": list(row.key),
                "status": row.status,
                "base": row.base,
                "head": row.head,
                "change": None if row.change is None else significant(row.change),
                "limit": significant(row.limit),
            }
            for row in rows
        ],
    }
    return json.dumps(content, sort_keys=True, indent=1) + "\n"


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as problem:
        raise BenchError(
            f"cannot be written: {problem.strerror}",
            where=str(path),
            todo="Name another folder with --output.",
        ) from None
