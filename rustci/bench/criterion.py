"""What criterion 0.3.0 to 0.8 leaves on disk, and what cargo-criterion prints, as readings.

Times are nanoseconds. A file that cannot be trusted becomes a reading with a reason.
"""

from __future__ import annotations

import json
import math
import os
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

from .record import Benchmark

FEWEST_SAMPLES = 5
"""criterion itself takes at least ten; `--quick` leaves two, which say nothing."""
LARGEST_FILE = 64 << 20
"""Bytes of JSON that are read; criterion writes some 50 for each sample."""
METACHARACTERS = frozenset(r"\.+*?()|[]{}^$")
"""What is escaped in a filter: old versions of the `regex` crate refuse any other escape."""
PATTERNS_SINCE = (0, 3, 1)
"""criterion 0.3.0 runs what contains the filter, letter for letter."""
WHOLE_SECONDS_BEFORE = (0, 4)
"""criterion 0.3 takes whole seconds only: `--warm-up-time 0.1` ends it with exit code 1."""


@dataclass(frozen=True)
class Reading:
    """What one process left behind of one benchmark."""

    benchmark: Benchmark
    title: str
    """The name that criterion prints: cut after 100 bytes, numbered where two are the same."""
    n: int = 0
    min_ns: Optional[float] = None
    median_ns: Optional[float] = None
    total_ns: float = 0.0
    why: str = ""
    """Why there is no time; empty where there is one."""


def filter_for(version: tuple[int, ...], benchmarks: Iterable[Benchmark]) -> tuple[str, ...]:
    """Return the arguments that let through these alone: criterion's FILTER is a pattern.

    Before it was one, it was an id or a part of it: others that contain it run as well, and where
    there are several ids, all benchmarks do.
    """
    ids = sorted({benchmark.name for benchmark in benchmarks})
    if version < PATTERNS_SINCE:
        return ("--", *ids) if len(ids) == 1 else ()
    escaped = ("".join(f"\\{c}" if c in METACHARACTERS else c for c in name) for name in ids)
    return ("^(?:" + "|".join(escaped) + ")$",) if ids else ()


def seconds(version: tuple[int, ...], wanted: float) -> float:
    """Return the nearest time that this version can be told, not below what is wanted."""
    return max(1, math.ceil(wanted)) if version < WHOLE_SECONDS_BEFORE else wanted


def arguments(
    version: tuple[int, ...], warm_up: float, measurement: float, samples: int
) -> tuple[str, ...]:
    """Return what a benchmark executable of this version of criterion is run with."""
    return (
        *("--bench", "--noplot", "--nresamples", "1000"),
        *("--warm-up-time", f"{seconds(version, warm_up):g}"),
        *("--measurement-time", f"{seconds(version, measurement):g}"),
        *("--sample-size", str(max(10, samples))),
    )


def titles(listing: str) -> tuple[str, ...]:
    """Return the titles that `--list` printed; of one that holds line breaks, its last line."""
    found = []
    for line in listing.splitlines():
        title, colon, kind = line.rpartition(": ")
        if colon and kind in {"bench", "benchmark"}:
            found.append(title)
    return tuple(found)


def read(home: Path, package: str, target: str, since: float) -> tuple[Reading, ...]:
    """Return what the process that was started at `since` (seconds, as mtime) left in `home`."""
    found: dict[Benchmark, Reading] = {}
    for folder in _folders(home):
        reading = _reading(home, folder, package, target, since)
        if reading is None:
            continue
        if reading.benchmark in found:
            reading = replace(_invalid(reading), why="two benchmarks of this target share this id")
        found[reading.benchmark] = reading
    return tuple(found[key] for key in sorted(found, key=lambda each: each.order))


def _folders(home: Path) -> Iterator[Path]:
    for root, names, files in os.walk(home):
        names.sort()
        folder = Path(root)
        if folder.name == "new" and "benchmark.json" in files:
            yield folder


def _reading(home: Path, new: Path, package: str, target: str, since: float) -> Optional[Reading]:
    """Return the reading in a folder `new`; None where it is a copy that another one left."""
    try:
        fields = _json(new / "benchmark.json")
        key = _identity(fields, package, target)
    except ValueError as problem:
        place = Benchmark(package, target, new.parent.relative_to(home).as_posix())
        return Reading(place, place.group, why=f"benchmark.json: {problem}")
    directory = fields.get("directory_name")
    if isinstance(directory, str) and directory.replace("\\", "/") != (
        new.parent.relative_to(home).as_posix()
    ):
        return None
    title = fields.get("title")
    reading = Reading(key, title if isinstance(title, str) else key.name)
    try:
        iterations, times = _sample(new / "sample.json", since)
    except ValueError as problem:
        return replace(reading, why=f"sample.json: {problem}")
    return _summary(reading, iterations, times)


def _identity(fields: Any, package: str, target: str) -> Benchmark:
    if not isinstance(fields, dict) or not isinstance(fields.get("group_id"), str):
        raise ValueError("no `group_id` in it")
    parts = [fields.get(name) for name in ("function_id", "value_str")]
    if not all(part is None or isinstance(part, str) for part in parts):
        raise ValueError("`function_id` or `value_str` is no text")
    return Benchmark(package, target, fields["group_id"], parts[0], parts[1])


def _json(path: Path) -> Any:
    """Return the content; raise ValueError with what is wrong with it."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"larger than {LARGEST_FILE >> 20} MiB")
        return json.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        raise ValueError("missing: the process ended before it was written") from None
    except OSError as problem:
        raise ValueError(f"cannot be read: {problem.strerror}") from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise ValueError(f"not JSON: {problem}") from None


def _sample(path: Path, since: float) -> tuple[Sequence[Any], Sequence[Any]]:
    """Return iterations and times: an object since 0.3.3, a pair of lists before."""
    content = _json(path)
    if path.stat().st_mtime < since:
        raise ValueError("older than the process: a leftover of an earlier run")
    if isinstance(content, dict):
        content = [content.get("iters"), content.get("times")]
    if not (
        isinstance(content, list)
        and len(content) == 2
        and all(isinstance(column, list) for column in content)
    ):
        raise ValueError("neither layout that criterion writes")
    return content[0], content[1]


def _summary(reading: Reading, iterations: Sequence[Any], times: Sequence[Any]) -> Reading:
    why = _fault(iterations, times)
    if why:
        return replace(reading, n=len(times), why=why)
    each = [time / count for time, count in zip(times, iterations)]
    return replace(
        reading,
        n=len(each),
        min_ns=min(each),
        median_ns=statistics.median(each),
        total_ns=math.fsum(times),
    )


def _fault(iterations: Sequence[Any], times: Sequence[Any]) -> str:
    """Return why the samples say nothing; empty where they do."""
    if len(iterations) != len(times):
        return f"{len(iterations)} iteration counts for {len(times)} times"
    if len(times) < FEWEST_SAMPLES:
        return f"{len(times)} samples; {FEWEST_SAMPLES} are needed"
    if not all(_positive(count) for count in iterations):
        return "an iteration count that is not positive"
    if not all(_positive(time) for time in times):
        return "a time that is zero, negative or not a number"
    return ""


def _positive(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and 0 < value < math.inf


def _invalid(reading: Reading) -> Reading:
    return replace(reading, min_ns=None, median_ns=None, total_ns=0.0)


def read_messages(text: str, package: str = "", target: str = "") -> tuple[Reading, ...]:
    """Return the readings in cargo-criterion's `--message-format=json`; raise ValueError by line.

    Its messages tell one `id`, not the three parts: it becomes the group.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            message = json.loads(line) if line.strip() else {}
        except json.JSONDecodeError as problem:
            raise ValueError(f"line {number}: not JSON: {problem}") from None
        if not isinstance(message, dict):
            raise ValueError(f"line {number}: no message of cargo-criterion")
        if message.get("reason") == "benchmark-complete":
            found.append(_message(message, number, package, target))
    return tuple(found)


def _message(message: dict[str, Any], number: int, package: str, target: str) -> Reading:
    name = message.get("id")
    iterations, times = message.get("iteration_count"), message.get("measured_values")
    if not (isinstance(name, str) and isinstance(iterations, list) and isinstance(times, list)):
        raise ValueError(f"line {number}: `id`, `iteration_count` or `measured_values` is missing")
    reading = Reading(Benchmark(package, target, name), name)
    if message.get("unit") != "ns":
        return replace(reading, why="measured in another unit than nanoseconds")
    return _summary(reading, iterations, times)
