"""The study behind the gate: `python -m tests.bench.study` prints the tables of the docs.

With `--write` it puts them into docs/explanation/benchmark-gate.md, with `--check` it compares.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

from rustci.bench.settings import Settings
from tests.bench.replay import (
    RECORDS,
    SETTINGS,
    STABLE,
    UNSTABLE,
    failing_runs,
    fails_by_layout,
    of_run,
    runs,
    shares,
    windows,
)
from tests.bench.rules import RULES, Rule, says_slower

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "benchmark-gate.md"
RUNS, WINDOWS = 500, 300
"""Runs of 20 in each record, and windows of each kernel."""
SLOWDOWNS = {"S20": "+2 %", "S50": "+5 %", "S100": "+10 %"}


def ours() -> Iterator[str]:
    """Yield what the gate does on both records."""
    yield "| Record | Head | Fails | Worst kernel | Called ok | Rounds | Unstable kernel fails |"
    yield "|---|---|--:|--:|--:|--:|--:|"
    for record in RECORDS:
        alarms = f"same ({share(failing_runs(record, RUNS))} of runs of 20 fail)"
        yield fares(record, None, alarms)
        for slow, told in SLOWDOWNS.items():
            if slow in RECORDS[record]["fnv"]:
                yield fares(record, slow, told)
        yield fares(record, None, "same, unstable ones not given up", Settings(unstable=9.0))
    yield fares("fine", "S100", "+10 %, unstable ones not given up", Settings(unstable=9.0))


def fares(record: str, slow: str | None, head: str, settings: Settings = SETTINGS) -> str:
    """Return what becomes of the kernels, as a row."""
    found = shares(record, slow, WINDOWS, settings)
    fails = [found[kernel].slower for kernel in STABLE]
    edge = min(fails) if slow in {"S50", "S100"} else max(fails)
    return row(
        record,
        head,
        share(fmean(fails)),
        share(edge),
        share(fmean(found[kernel].ok for kernel in STABLE)),
        f"{fmean(found[kernel].rounds for kernel in STABLE):.1f}",
        f"{share(found[UNSTABLE].slower)}, {found[UNSTABLE].rounds:.1f} rounds",
    )


def peers() -> Iterator[str]:
    """Yield what other rules do on the fine record."""
    yield "| Rule | Rounds | Same code: a run of 20 fails | +2 % | +5 % | +10 % |"
    yield "|---|--:|--:|--:|--:|--:|"
    for rule in RULES:
        alarms = fmean(any(says_slower(rule, each) for each in run) for run in runs("fine", RUNS))
        found = [share(flagged(rule, slow)) for slow in SLOWDOWNS]
        yield row(rule.title, f"{rule.rounds or '10–60'}", share(alarms), *found)


def flagged(rule: Rule, slow: str) -> float:
    """Return how often a rule flags a slowed kernel, the unstable one left out."""
    return fmean(
        fmean(says_slower(rule, each) for each in windows("fine", kernel, slow, WINDOWS))
        for kernel in STABLE
    )


def layouts() -> Iterator[str]:
    """Yield what relinks are worth."""
    yield "| Relinks | Same code: a run of 20 fails | +5 % found | worst kernel | +10 % found |"
    yield "|--:|--:|--:|--:|--:|"
    for relinks in (0, 1, 3, 5, 7):
        same, five, ten = (
            [fails_by_layout(kernel, slow, relinks) for kernel in STABLE] for slow in (0, 0.05, 0.1)
        )
        yield row(
            str(relinks), share(of_run(same)), share(fmean(five)), share(min(five)), share(min(ten))
        )


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def share(part: float) -> str:
    if part in {0, 1}:
        return f"{part * 100:.0f} %"
    return f"{part * 100:.2f} %" if part > 0.99 or part < 0.01 else f"{part * 100:.1f} %"


TABLES = {"gate": ours, "peers": peers, "layouts": layouts}


def main() -> int:
    """Print, write or check the tables; return the exit code."""
    page = PAGE.read_text("utf-8")
    for name, table in TABLES.items():
        text = "\n".join(table())
        print(f"\n{name}\n{text}", flush=True)
        begin, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
        page = re.sub(
            f"{re.escape(begin)}.*?{re.escape(end)}", f"{begin}{text}{end}", page, flags=re.DOTALL
        )
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page, "utf-8")
    stale = "--check" in sys.argv[1:] and page != PAGE.read_text("utf-8")
    if stale:
        print(f"{PAGE} is out of date: run `nox -s bench_study -- --write`")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
