"""The points of the history: one commit each, as ratios to an anchor measured in the same job.

Absolute times of hosted runners cannot be compared from one job to the next; ratios to one and the
same commit can. When the anchor moves, the ratios to the old and to the new one are chained by the
point that measured the new anchor against the old.

Files come from a branch that anybody with write access can push to, so nothing in them is trusted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from . import SCHEMA, jsonio, trend
from .errors import BenchError
from .judge import BASE_MISSING, CHANGED, IDENTICAL, NEW
from .record import Benchmark
from .wording import clean

LARGEST_FILE = 8_000_000
"""Bytes; 5,000 benchmarks need two million."""
LEAST, MOST = 1e-12, 1e12
"""What a ratio or a time may be; chains of anchors stay finite by it."""
LONGEST_SERIES = 400
"""Points of one benchmark, the newest ones, that are searched for changes."""
NEWS = max(trend.NEWEST)
"""Points during which a change is news."""
RUNNER = ("os", "arch", "image", "cpu", "cores")

UNCOMPARABLE = {NEW, CHANGED, BASE_MISSING}
"""What the judge says of benchmarks that the anchor lacks, or has with another source."""
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_YEAR_9999 = 253_402_300_799


@dataclass(frozen=True)
class Reading:
    """What one point says about one benchmark."""

    benchmark: Benchmark
    status: str
    ratio: Optional[float] = None
    """Head over anchor; None where they cannot be compared."""
    lo: Optional[float] = None
    hi: Optional[float] = None
    ns: Optional[float] = None
    """Time of one iteration of head."""


@dataclass(frozen=True)
class Point:
    """One commit of the main branch, measured."""

    head: str
    anchor: str
    committed: int
    """Seconds since 1970: points are in the order of their commits."""
    subject: str = ""
    rustc: str = ""
    runner: Mapping[str, str] = field(default_factory=dict)
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True)
class _Row:
    """What is read of one benchmark in a `bench-result.json`."""

    id: Benchmark
    status: str
    ratio: Optional[float]
    lo: Optional[float]
    hi: Optional[float]
    head_ns: Optional[float]


@dataclass(frozen=True)
class _Result:
    """What is read of a `bench-result.json`."""

    base_sha: str
    head_sha: str
    rustc: str
    runner: Mapping[str, str]
    results: tuple[_Row, ...]


@dataclass(frozen=True)
class Sample:
    """One value of a series."""

    point: Point
    reading: Reading
    ratio: float
    """To the first anchor of the stretch."""
    lo: Optional[float]
    hi: Optional[float]
    """Its bounds; None where the rounds were too few for any."""

    @property
    def change(self) -> float:
        """What was gained or lost since the first anchor: 0.05 is 5 % slower."""
        return self.ratio - 1


@dataclass(frozen=True)
class Found:
    """A change point of one benchmark."""

    benchmark: Benchmark
    point: Point
    """The first one after the change."""
    shift: float
    p: float
    age: int
    """Points from the change to the newest one, both counted."""


@dataclass(frozen=True)
class Series:
    """One benchmark over time, oldest first."""

    benchmark: Benchmark
    stretches: tuple[tuple[Sample, ...], ...]
    """Only values of one stretch can be compared: no measurement joins it to the others."""

    @property
    def samples(self) -> tuple[Sample, ...]:
        """All values."""
        return tuple(sample for stretch in self.stretches for sample in stretch)

    def found(self) -> tuple[Found, ...]:
        """Return the change points."""
        return tuple(found for stretch in self.stretches for found in self._found(stretch))

    @property
    def newest(self) -> tuple[Sample, ...]:
        """The stretch that goes on."""
        return max(self.stretches, key=lambda stretch: stretch[-1].point.committed, default=())

    def news(self) -> tuple[Found, ...]:
        """Return the change points of late."""
        return tuple(found for found in self._found(self.newest) if found.age <= NEWS)

    def alarm(self) -> Optional[Found]:
        """Return the last change where it is for the worse, is news, and was not mended since."""
        last = next(iter(self.news()[-1:]), None)
        standing = trend.newest_change([sample.ratio for sample in self.newest[-LONGEST_SERIES:]])
        worse = last and last.shift > 0 and standing and standing.slower
        return last if worse else None

    def _found(self, stretch: Sequence[Sample]) -> Iterable[Found]:
        newest = stretch[-LONGEST_SERIES:]
        for change in trend.changes([sample.ratio for sample in newest]):
            yield Found(
                self.benchmark,
                newest[change.at].point,
                change.shift,
                change.p,
                len(newest) - change.at,
            )


def dumps_point(point: Point) -> str:
    """Return the file that is kept for a point."""
    return jsonio.dumps({"schema": SCHEMA, **jsonio.plain(point)})


def read_point(data: bytes, where: str) -> Point:
    """Read the file of a point; raise BenchError where it is none."""
    point: Point = _read(data, where, Point)
    wrong = _wrong(point)
    if wrong:
        raise _not_ours(wrong, where)
    return replace(
        point,
        subject=clean(point.subject),
        rustc=clean(point.rustc),
        runner={name: clean(point.runner.get(name, "")) for name in RUNNER},
    )


def read_result(data: bytes, where: str, about: Callable[[str], tuple[int, str]]) -> Point:
    """Make a point of a `bench-result.json`; raise BenchError where it is none or holds nothing.

    `about` returns when a commit was made and its subject.
    """
    result: _Result = _read(data, where, _Result)
    if not _COMMIT.fullmatch(result.head_sha):
        raise _not_ours("`head_sha` is no commit", where)
    readings = tuple(map(_reading, result.results))
    if not any(reading.ratio or reading.status in UNCOMPARABLE for reading in readings):
        raise BenchError(
            "nothing was measured, so there is no point to add",
            where=where,
            todo="`bench report` tells why; the history stays as it is.",
        )
    runner = {name: result.runner.get(name, "") for name in RUNNER}
    committed, subject = about(result.head_sha)
    made = Point(
        result.head_sha, result.base_sha, committed, subject, result.rustc, runner, readings
    )
    return read_point(dumps_point(made).encode(), where)


def _read(data: bytes, where: str, kind: Any) -> Any:
    try:
        document = jsonio.loads(data)
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise _not_ours(f"its schema is not {SCHEMA}", where)
        return jsonio.reader(kind)(document, "")
    except (ValueError, RecursionError) as error:
        raise _not_ours(clean(str(error)), where) from None


def _not_ours(why: str, where: str) -> BenchError:
    return BenchError(f"this is no file of ours: {why}", where=clean(where, 500))


def _wrong(point: Point) -> str:
    """Return what is impossible about a point; empty where nothing is."""
    if not (_COMMIT.fullmatch(point.head) and _COMMIT.fullmatch(point.anchor)):
        return "`head` or `anchor` is no commit"
    if point.head == point.anchor:
        return "`head` is its own anchor"
    if not 0 <= point.committed <= _YEAR_9999:
        return "`committed` is no time"
    numbers = (each for row in point.readings for each in (row.ratio, row.lo, row.hi, row.ns))
    if not all(number is None or LEAST <= number <= MOST for number in numbers):
        return "a ratio or a time is out of bounds"
    return ""


def _reading(row: _Row) -> Reading:
    if row.status == IDENTICAL:
        return Reading(row.id, row.status, 1.0, 1.0, 1.0, row.head_ns)
    return Reading(row.id, row.status, row.ratio, row.lo, row.hi, row.head_ns)


def series(points: Iterable[Point]) -> tuple[Series, ...]:
    """Return the series of all benchmarks, sorted by name."""
    readings: dict[Benchmark, list[tuple[Point, Reading]]] = {}
    for point in sorted(points, key=lambda point: (point.committed, point.head)):
        for reading in {each.benchmark: each for each in point.readings}.values():
            readings.setdefault(reading.benchmark, []).append((point, reading))
    return tuple(
        Series(benchmark, _chained(readings[benchmark]))
        for benchmark in sorted(readings, key=lambda benchmark: benchmark.order)
    )


def _chained(readings: Iterable[tuple[Point, Reading]]) -> tuple[tuple[Sample, ...], ...]:
    """Return ratios to the first anchor of each stretch.

    An anchor that was itself measured continues the stretch that it was measured in.
    """
    known: dict[str, tuple[int, float]] = {}
    stretches: list[list[Sample]] = []
    for point, reading in readings:
        if reading.ratio is None or reading.status in UNCOMPARABLE:
            continue
        if point.anchor not in known:
            known[point.anchor] = (len(stretches), 1.0)
            stretches.append([])
        stretch, factor = known[point.anchor]
        ratio = factor * reading.ratio
        lo, hi = (bound and factor * bound for bound in (reading.lo, reading.hi))
        stretches[stretch].append(Sample(point, reading, ratio, lo, hi))
        if LEAST < ratio < MOST:
            known.setdefault(point.head, (stretch, ratio))
    return tuple(map(tuple, stretches))
