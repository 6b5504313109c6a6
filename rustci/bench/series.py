"""The measurements of a record, sorted by benchmark: pairs of base and head, relinks, failures."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Optional

from .jsonio import significant
from .record import BASE, HEAD, Benchmark, Measurement, Record

LEAST_NS, MOST_NS = 1e-3, 1e15
"""What a time can be; a clock that stands still or jumps gives others."""
LEAST_SAMPLES = 5
"""Samples without which a process' minimum says nothing."""
BUDGET = "budget"
"""How the reason begins why a benchmark was left out for want of time."""
STOPPED = "stopped"
"""How the reason begins why a process was ended by us; the end of the budget is one."""
INVALID = 0.2
"""Share of invalid rounds beyond which the valid ones are not judged either."""


@dataclass(frozen=True)
class Pair:
    """One round: base and head, measured one right after the other."""

    round: int
    look: int
    base_ns: float
    head_ns: float
    layout: int = 0

    @property
    def ratio(self) -> float:
        """The log ratio of head to base: above 0 where head is slower."""
        return math.log(self.head_ns) - math.log(self.base_ns)


@dataclass(frozen=True)
class Series:
    """What a record holds of one benchmark."""

    pairs: tuple[Pair, ...] = ()
    relinked: tuple[Pair, ...] = ()
    attempts: int = 0
    """Rounds in which it was run on either side."""
    reached: int = 0
    """The number of the last of them."""
    flaws: tuple[Measurement, ...] = ()
    """What was invalid, in order."""
    left_out: str = ""
    """Why it was never run."""
    seconds: float = 0.0
    """What one process measured, in the middle."""

    @property
    def spoilt(self) -> bool:
        """Whether too many rounds are invalid."""
        return len(self.pairs) < (1 - INVALID) * self.attempts

    def crash(self, side: str) -> str:
        """Say why a side crashed, or hung more than now and then; empty where it did not."""
        return next(
            (
                each.why
                for each in self.flaws
                if each.rc
                and each.side == side
                and (self.spoilt or not each.why.startswith(STOPPED))
            ),
            "",
        )

    @property
    def layouts(self) -> tuple[float, ...]:
        """The median log ratio in each relinked pair of executables."""
        seeds = dict.fromkeys(pair.layout for pair in self.relinked)
        return tuple(
            median(pair.ratio for pair in self.relinked if pair.layout == seed) for seed in seeds
        )


def sort_out(record: Record) -> dict[Benchmark, Series]:
    """Return what was measured of each benchmark, in the order of the record."""
    found: dict[Benchmark, list[Measurement]] = {}
    for each in record.measurements:
        found.setdefault(each.benchmark, []).append(each)
    return {benchmark: _series(rows) for benchmark, rows in found.items()}


def flaw(measurement: Measurement) -> str:
    """Say why a measurement cannot be used; empty where it can."""
    if measurement.why:
        return measurement.why
    if measurement.n < LEAST_SAMPLES:
        return f"{measurement.n} samples, and {LEAST_SAMPLES} are the least"
    if _time(measurement) is None:
        return "no possible time"
    return ""


def _series(rows: Iterable[Measurement]) -> Series:
    judged = [each for each in rows if each.round > 0]
    run = [each for each in judged if not each.why.startswith(BUDGET)]
    linked = [each for each in run if each.layout == 0]
    rounds = {each.round for each in linked}
    times = [each.total_ns for each in linked if not flaw(each)]
    return Series(
        pairs=_pairs(linked),
        relinked=_pairs([each for each in run if each.layout]),
        attempts=len(rounds),
        reached=max(rounds, default=0),
        flaws=tuple(
            each
            for each in rows
            if flaw(each) and each.layout == 0 and not each.why.startswith(BUDGET)
        ),
        left_out=next((each.why for each in judged if each.why.startswith(BUDGET)), ""),
        seconds=median(times) / 1e9 if times else 0.0,
    )


def _pairs(rows: Iterable[Measurement]) -> tuple[Pair, ...]:
    """Return the rounds that either side measured once; twice is two benchmarks of one name."""
    places: dict[tuple[int, int], dict[str, list[Measurement]]] = {}
    for each in rows:
        if not flaw(each):
            places.setdefault((each.layout, each.round), {}).setdefault(each.side, []).append(each)
    return tuple(
        Pair(number, sides[BASE][0].look, base, head, layout)
        for (layout, number), sides in sorted(places.items())
        if sorted(map(len, sides.values())) == [1, 1]
        and (base := _time(sides[BASE][0]))
        and (head := _time(sides[HEAD][0]))
    )


def _time(measurement: Measurement) -> Optional[float]:
    """Return the time as it is written, so that a record is judged alike before and after."""
    found = measurement.min_ns
    if found is None or not LEAST_NS <= found <= MOST_NS:
        return None
    return significant(found)
