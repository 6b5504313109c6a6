"""The raw record: what every process measured, one JSON object per line (`bench-raw.jsonl`).

The first line is the `Run`, each other one a `Measurement`. A record that was cut off by a crash
or a full disk stays readable up to its last whole line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Optional, TypeVar

from . import SCHEMA
from .errors import BenchError
from .jsonio import Read, WrongShape, dumps, loads, plain, reader
from .settings import Settings

BASE, HEAD = "base", "head"
Item = TypeVar("Item")


@dataclass(frozen=True)
class Benchmark:
    """One benchmark: the key of everything that is said about it.

    criterion's `full_id` is ambiguous where names hold a slash, so its three parts are kept apart.
    """

    package: str
    target: str
    """The bench target: `[[bench]] name`."""
    group: str
    function: Optional[str] = None
    value: Optional[str] = None

    @property
    def name(self) -> str:
        """The `full_id` of criterion."""
        parts = (self.group, self.function, self.value)
        return "/".join(part for part in parts if part is not None)

    @property
    def order(self) -> tuple[str, ...]:
        """A key to sort by; optional parts cannot be compared as they are."""
        return (self.package, self.target, self.group, self.function or "", self.value or "")


@dataclass(frozen=True)
class Run:
    """Everything that was fixed before the first process started."""

    base: str
    """Commit of base, 40 hex digits."""
    head: str
    """Commit of head."""
    seed: int
    settings: Settings
    rustc: str = ""
    flags: tuple[str, ...] = ()
    """The rustflags in force, with those that align functions and loops."""
    runner: Mapping[str, str] = field(default_factory=dict)
    """`os arch image cpu cores`."""
    identical: tuple[tuple[str, str], ...] = ()
    """(package, target) whose two executables are the same file, byte for byte: not measured."""
    changed: tuple[tuple[str, str], ...] = ()
    """(package, target) whose benchmark sources differ: measured, shown, not gated."""
    listed: Mapping[str, tuple[Benchmark, ...]] = field(default_factory=dict)
    """Per side, the benchmarks that exist, as `--list` or the calibration saw them."""
    base_missing: str = ""
    """Why base has no benchmarks to compare with (it does not build); empty where it has."""


@dataclass(frozen=True)
class Measurement:
    """What one process measured of one benchmark, or that it failed to."""

    round: int
    """0 is the calibration, which is never judged; 1 is the first of the screening."""
    look: int
    """Rounds at the end of the stage that this belongs to: 10, 20, 40, 60; 0 for calibration."""
    side: str
    layout: int
    """Seed of the section shuffle; 0 for the executables as cargo linked them."""
    benchmark: Benchmark
    n: int
    """Samples."""
    min_ns: Optional[float]
    """Least time of one iteration over all samples; None where the process is invalid."""
    median_ns: Optional[float]
    total_ns: float
    t: float
    """Seconds since the run began, at the process' end."""
    rc: int
    """The process' exit code; negative for a signal."""
    why: str = ""
    """Why the measurement is invalid; empty where it is valid."""


@dataclass(frozen=True)
class Record:
    """A run and what it measured so far."""

    run: Run
    measurements: tuple[Measurement, ...] = ()
    cut: bool = False
    """Whether the file ends in the middle of a line, which was left out."""


def dumps_run(run: Run) -> str:
    """Return the first line of a record, with its newline."""
    return dumps({"schema": SCHEMA, **plain(run)})


def dumps_measurement(measurement: Measurement) -> str:
    """Return one line of a record, with its newline."""
    return dumps(plain(measurement))


def load(path: Path) -> Record:
    """Read a record; raise BenchError with file and line."""
    try:
        *lines, rest = path.read_bytes().split(b"\n")
    except OSError as error:
        raise BenchError(
            f"the record cannot be read: {error.strerror}",
            where=str(path),
            todo="Name the file that `bench run` wrote.",
        ) from error
    if not lines:
        raise BenchError(
            "the record is empty",
            where=str(path),
            todo="The run ended before it measured anything: read its output, then run it again.",
        )
    run = _line(lines[0], f"{path}:1", _read_run)
    found = [
        _line(line, f"{path}:{number}", _read_measurement)
        for number, line in enumerate(lines[1:], 2)
    ]
    return Record(run, tuple(found), cut=bool(rest))


def _line(line: bytes, where: str, read: Read) -> Any:
    """Return what a line holds; raise BenchError."""
    try:
        return read(loads(line), "")
    except (ValueError, RecursionError) as error:
        raise BenchError(
            f"{error}" if isinstance(error, WrongShape) else f"not JSON: {error}",
            where=where,
            todo="The record was edited or damaged: delete this line, or run the benchmarks again.",
        ) from error


def _read_run(data: Any, name: str) -> Run:
    if isinstance(data, dict) and data.get("schema") != SCHEMA:
        raise WrongShape(f"`schema` is {data.get('schema')!r}, and this version reads {SCHEMA}")
    run: Run = reader(Run)(data, name)
    if wrong := run.settings.wrong():
        raise WrongShape(f"settings: {wrong}")
    return run


def _read_measurement(data: Any, name: str) -> Measurement:
    found: Measurement = reader(Measurement)(data, name)
    if found.side not in {BASE, HEAD}:
        raise WrongShape(f"`side` is `{found.side}`, and only {BASE} and {HEAD} are known")
    return found


def join(records: Sequence[Record]) -> Record:
    """Return the shards of one run as one record; raise BenchError where they are not."""
    first = records[0].run
    for record in records:
        if (record.run.base, record.run.head, record.run.settings) != (
            first.base,
            first.head,
            first.settings,
        ):
            raise BenchError(
                "the records differ in base, head or settings, so they are not parts of one run",
                todo="Judge them one at a time.",
            )
    _each_once(records)
    run = replace(
        first,
        identical=_all(record.run.identical for record in records),
        changed=_all(record.run.changed for record in records),
        listed={
            side: _all(record.run.listed.get(side, ()) for record in records)
            for side in (BASE, HEAD)
        },
        base_missing=next((each.run.base_missing for each in records if each.run.base_missing), ""),
    )
    measurements = tuple(each for record in records for each in record.measurements)
    return Record(run, measurements, cut=any(record.cut for record in records))


def _each_once(records: Sequence[Record]) -> None:
    """Raise BenchError where a benchmark was measured in two records."""
    seen: set[Benchmark] = set()
    for record in records:
        found = {each.benchmark for each in record.measurements}
        if twice := sorted(benchmark.name for benchmark in found & seen):
            raise BenchError(
                f"`{twice[0]}` was measured in two of the records",
                todo="Judge them one at a time, or give each part of the run its own benchmarks.",
            )
        seen |= found


def _all(parts: Iterable[Sequence[Item]]) -> tuple[Item, ...]:
    """Return the items of all parts, each once, in order."""
    return tuple(dict.fromkeys(item for part in parts for item in part))
