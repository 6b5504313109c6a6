"""Replays the recorded rounds: windows of them, with base and head dealt anew.

`samples.json` holds what was measured; nothing here measures. In A/A windows base and head are the
same executable. A window is as many consecutive rounds as the gate can ask for, from any start.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from statistics import NormalDist, fmean

from rustci.bench.rule import OK, SLOWER, confirmed, decide
from rustci.bench.settings import Settings

RECORDED = json.loads(Path(__file__).with_name("samples.json").read_text("utf-8"))
RECORDS: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]] = RECORDED[
    "raw_min_ns_per_process"
]
ROUNDS = 60
RUN = 20
"""Benchmarks in a run."""
UNSTABLE = "chase"
"""The kernel that is bimodal by a quarter."""
STABLE = tuple(kernel for kernel in RECORDS["fine"] if kernel != UNSTABLE)
SETTINGS = Settings()
POWER = (
    ("fine", "S50", 0.99, 0.97),
    ("fine", "S100", 1.0, 1.0),
    ("suite", "S50", 0.97, 0.95),
)
"""Record, slowdown, and how often it has to be found: on the mean, and of the worst kernel."""
Times = tuple[Sequence[float], Sequence[float]]
"""Of base and of head, one for each round."""


def window(record: str, kernel: str, slow: str | None, start: int, seed: str) -> Times:
    """Return one window; without `slow` both sides are the same executable."""
    rows = RECORDS[record][kernel]
    coin = random.Random(f"{record}/{kernel}/{slow}/{start}/{seed}")
    rounds = [number % len(rows["A0"]) for number in range(start, start + ROUNDS)]
    sides = [("A0", "A1") if coin.random() < 0.5 else ("A1", "A0") for _ in rounds]
    base = [rows[side][number] for number, (side, _) in zip(rounds, sides, strict=True)]
    head = [rows[slow or side][number] for number, (_, side) in zip(rounds, sides, strict=True)]
    return base, head


def windows(record: str, kernel: str, slow: str | None, many: int) -> Iterator[Times]:
    """Yield that many windows, their starts spread evenly."""
    rounds = len(RECORDS[record][kernel]["A0"])
    for number in range(many):
        yield window(record, kernel, slow, number * rounds // many, str(number))


def runs(record: str, many: int) -> Iterator[list[Times]]:
    """Yield A/A runs of 20: every kernel twice, from other places of the record."""
    kernels = list(RECORDS[record])
    for number in range(many):
        place = random.Random(f"{record}/{number}")
        yield [
            window(record, kernel, None, place.randrange(100), f"{number}/{copy}")
            for kernel in kernels
            for copy in range(RUN // len(kernels))
        ]


def pairs(times: Times, settings: Settings = SETTINGS) -> list[tuple[int, float]]:
    """Return what the rule is told: the look that each round belongs to, and the log ratio."""
    looks = (settings.rounds, *settings.looks)
    return [
        (next(look for look in looks if number <= look), math.log(head / base))
        for number, (base, head) in enumerate(zip(*times, strict=True), 1)
    ]


@dataclass(frozen=True)
class Share:
    """How often a benchmark was said to be slower, or to be ok, and what that cost."""

    slower: float
    ok: float
    rounds: float


@cache
def shares(
    record: str, slow: str | None, many: int, settings: Settings = SETTINGS
) -> dict[str, Share]:
    """Return how each kernel fares, as one of a run of 20."""
    found = {}
    for kernel in RECORDS[record]:
        decisions = [
            decide({kernel: pairs(each)}, settings, RUN)[kernel]
            for each in windows(record, kernel, slow, many)
        ]
        states = Counter(each.state for each in decisions)
        rounds = fmean(each.look for each in decisions)
        found[kernel] = Share(states[SLOWER] / many, states[OK] / many, rounds)
    return found


def failing_runs(record: str, many: int) -> float:
    """Return the share of A/A runs of 20 in which anything fails."""
    failed = 0
    for run in runs(record, many):
        measured = {number: pairs(times) for number, times in enumerate(run)}
        decisions = decide(measured, SETTINGS, RUN).values()
        failed += any(each.state == SLOWER for each in decisions)
    return failed / many


# -- layouts: builds that differ in unrelated functions --------------------------------------

BUILDS = 6
SCORES = [NormalDist().inv_cdf((number + 0.625) / (BUILDS + 0.25)) for number in range(BUILDS)]
"""What six draws from a normal distribution are expected to be (Blom's approximation)."""


@cache
def levels(kind: str, kernel: str) -> tuple[float, ...]:
    """Return the log times of six builds: the record has their spread, not each of them."""
    spread = math.log1p(RECORDED["layout"]["spread_pct"][kind][kernel] / 100)
    return tuple(spread * score / (SCORES[-1] - SCORES[0]) for score in SCORES)


def differences(kind: str, kernel: str) -> list[float]:
    """Return the log ratio of every two builds, in either order, a build with itself included."""
    return [head - base for base, head in product(levels(kind, kernel), repeat=2)]


def fails_by_layout(kernel: str, slowdown: float, relinks: int) -> float:
    """Return how often a benchmark fails whose measuring is perfect and whose layout is dealt.

    The first build is aligned; the relinks, if any, are aligned and shuffled, and each deals anew.
    """
    shift = math.log1p(slowdown)
    first = fmean(
        each + shift > math.log1p(SETTINGS.tolerated) for each in differences("align", kernel)
    )
    beyond = fmean(
        confirmed([each + shift], SETTINGS) for each in differences("align+shuffled", kernel)
    )
    return first * (_majority(beyond, relinks) if relinks else 1)


def _majority(chance: float, draws: int) -> float:
    """Return the chance that the median of an odd number of draws is beyond a limit."""
    return sum(
        math.comb(draws, hits) * chance**hits * (1 - chance) ** (draws - hits)
        for hits in range(draws // 2 + 1, draws + 1)
    )


def of_run(chances: Iterable[float]) -> float:
    """Return the chance that any of 20 benchmarks fails, each being any of the kernels."""
    return 1 - (1 - fmean(chances)) ** RUN
