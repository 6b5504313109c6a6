"""What benchmarks and their verdicts are called, in whatever form they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Optional

from .judge import (
    BASE_MISSING,
    CHANGED,
    CRASHED,
    IDENTICAL,
    IMPROVED,
    INCONCLUSIVE,
    LAYOUT,
    NEW,
    NO_DATA,
    OK,
    OUT_OF_BUDGET,
    REGRESSED,
    REMOVED,
    SLOW,
    SUSPICIOUS,
    UNDECIDED,
    Result,
    Row,
)
from .record import Benchmark
from .rule import UNSTABLE
from .wording import change, clean, percent, signed

VERDICTS: Mapping[str, str] = {
    REGRESSED: "slower",
    CRASHED: "crashed",
    LAYOUT: "layout only",
    SUSPICIOUS: "suspiciously fast",
    INCONCLUSIVE: "inconclusive",
    UNSTABLE: "unstable",
    SLOW: "too slow to tell",
    OUT_OF_BUDGET: "out of budget",
    NO_DATA: "no data",
    BASE_MISSING: "no base",
    CHANGED: "benchmark changed",
    REMOVED: "removed",
    NEW: "new",
    IMPROVED: "faster",
    OK: "unchanged",
    IDENTICAL: "identical",
}
"""What each status is called, the most urgent first; what needs no line of its own comes last."""


def labels(rows: Iterable[Row]) -> dict[Benchmark, str]:
    """Return what each benchmark is called: its name, with package and target where they differ."""
    benchmarks = [row.benchmark for row in rows]
    packages = {each.package for each in benchmarks}
    targets = {(each.package, each.target) for each in benchmarks}

    def label(each: Benchmark) -> str:
        place = [each.package] if len(packages) > 1 else []
        place += [each.target] if len(targets) > 1 else []
        return clean(": ".join([*place, each.name]))

    return {each: label(each) for each in benchmarks}


def urgent_first(rows: Iterable[Row]) -> list[Row]:
    """Return the rows in the order of `VERDICTS`, the greatest slowdowns first within each."""
    order = {status: number for number, status in enumerate(VERDICTS)}
    return sorted(rows, key=lambda row: (order[row.status], -(row.ratio or 0), row.benchmark.order))


def change_of(row: Row) -> str:
    """Return a row's change with its bounds, if it has any: `+6.1 % [+4.2, +8.0]`."""
    known = row.lo is not None or row.hi is not None
    return f"{change(row.ratio)} {bounds(row)}" if known else change(row.ratio)


def bounds(row: Row) -> str:
    """Return the bounds of a change in percent: `[+4.2, +8.0]`."""
    if row.ratio is None or (row.lo is None and row.hi is None):
        return "–"
    return f"[{_end(row.lo, '-∞')}, {_end(row.hi, '∞')}]"


def _end(ratio: Optional[float], unknown: str) -> str:
    return unknown if ratio is None else signed(ratio)


def headline(result: Result) -> str:
    """Return the verdict in a few words."""
    slower = [row for row in result.rows if row.status == REGRESSED]
    if slower:
        return f"{len(slower)} of {_benchmarks(len(result.rows))} {_is(len(slower))} slower"
    if result.errors:
        return "the benchmarks could not be judged"
    if all(row.status == IDENTICAL for row in result.rows):
        return "both sides run the same executables"
    if not result.m:
        return "there was nothing to compare"
    undecided = sum(row.status in UNDECIDED for row in result.rows)
    if undecided:
        return f"no slowdown found, {undecided} of {_benchmarks(len(result.rows))} undecided"
    return f"no slowdown in {_benchmarks(len(result.rows))}"


def counted(rows: Sequence[Row], target: float) -> str:
    """Return how many rows have each verdict: `18 unchanged within 5 %, 1 inconclusive`."""
    found = {status: sum(row.status == status for row in rows) for status in VERDICTS}
    return ", ".join(
        f"{count:,} {VERDICTS[status]}" + (f" within {percent(target)}" if status == OK else "")
        for status, count in found.items()
        if count
    )


def _benchmarks(count: int) -> str:
    return f"{count:,} benchmark" if count == 1 else f"{count:,} benchmarks"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
