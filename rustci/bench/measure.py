"""Runs the executables: fresh processes, the sides interleaved, never beyond the budget.

Calibration → screening of all benchmarks → looks at the suspects → relinks of what would fail.
The record is written line by line, so whatever ends a run leaves one that can be judged.
"""

from __future__ import annotations

import math
import os
import platform
import random
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional, TypeVar

from . import criterion, judge, processes
from .builds import Builds, Key, Target, Workshop
from .criterion import Reading
from .errors import BenchError
from .processes import Ended, Limits
from .record import (
    BASE,
    HEAD,
    Benchmark,
    Measurement,
    Record,
    Run,
    dumps_measurement,
    dumps_run,
)
from .settings import Settings

T = TypeVar("T")
SIDES = (BASE, HEAD)
LAYOUT_ROUNDS = 4
"""Interleaved rounds for each relinked pair."""
SCARCE_ROUNDS, SCARCE_SECONDS = 6, 0.1
"""What the screening falls back on where its usual rounds do not fit into the budget."""
OVERHEAD = 0.05
"""Seconds that a benchmark takes besides its measuring, before that is known."""
PATIENCE = 5.0
"""A process may take this many times as long as it did in the calibration."""
LEAST_LIMIT = 10.0
"""Seconds that every process is granted."""
LISTING = Limits(seconds=60.0, kept=16 << 20)
TOO_COSTLY = "budget: there is no room for its rounds"
EVERYTHING = "(all benchmarks)"
"""Stands for the benchmarks of an executable that ended before it named one."""


@dataclass(frozen=True)
class Plan:
    """What one process is for."""

    round: int
    look: int
    layout: int = 0


class OutOfBudget(Exception):
    """The next pair of processes does not fit into the budget."""


class Session:
    """One run of the gate: the clock, the executables and the record so far."""

    def __init__(
        self,
        builds: Builds,
        settings: Settings,
        seed: int,
        scratch: Path,
        output: Optional[Path],
        say: Callable[[str], None],
    ) -> None:
        self._builds = builds
        self._settings = settings
        self._seed = seed
        self._scratch = scratch
        self._output = output
        self._say = say
        self._started = time.monotonic()
        self._run: Optional[Run] = None
        self._measurements: list[Measurement] = []
        self._costs: dict[Benchmark, float] = {}
        self._rounds: dict[Benchmark, int] = {}

    # -- the stages --------------------------------------------------------------------------

    def measure(self) -> Record:
        """Run every stage and return the record; raise BenchError where nothing can be run."""
        kept = self._calibrate()
        if kept:
            self._interleave(kept)
        return self.record

    def repeat(self, rounds: int) -> Record:
        """Run so many rounds of everything without judging any; return the record."""
        kept = self._calibrate()
        try:
            if kept:
                self._rounds_of(kept, rounds)
        except OutOfBudget:
            self._say(f"the budget of {self._settings.budget:.0f} s is spent")
        return self.record

    def _interleave(self, kept: Sequence[Benchmark]) -> None:
        try:
            self._rounds_of(kept, self._settings.rounds)
            while (stage := judge.next_stage(self.record)) is not None:
                affordable = self._affordable(stage.benchmarks, stage.look)
                if not affordable:
                    break
                self._rounds_of(affordable, stage.look)
            self._confirm(judge.failing_before_layouts(self.record))
        except OutOfBudget:
            self._say(f"the budget of {self._settings.budget:.0f} s is spent")

    @property
    def record(self) -> Record:
        """Return the record so far."""
        if self._run is None:
            raise LookupError("the calibration has not ended")
        return Record(self._run, tuple(self._measurements))

    def _calibrate(self) -> tuple[Benchmark, ...]:
        """Run everything once, begin the record, and return what the budget has room for."""
        keys = sorted(set(self._builds.base.targets) | set(self._builds.head.targets))
        measured = [key for key in keys if key not in self._builds.identical]
        titles = {key: self._titles(key) for key in keys}
        names = {key: _both(titles[key]) for key in measured}
        narrowed = self._narrowed(names)
        found: dict[tuple[str, Key], list[Measurement]] = {}
        for key in _shuffled(measured, f"{self._seed}/calibration"):
            for side in _shuffled(SIDES, f"{self._seed}/calibration/{key}"):
                if target := self._builds.side(side).targets.get(key):
                    self._say(f"calibrating {key[0]}/{key[1]}, {side}")
                    found[side, key] = self._first(target, side, titles[key][side], narrowed[key])
        found = _alike(found)
        listed = {side: tuple(self._listed(side, keys, titles, found)) for side in SIDES}
        rows = [row for side, key in sorted(found) for row in found[side, key]]
        kept, left_out = self._fitted(rows, listed)
        self._begin(listed, rows)
        self._leave_out(listed, rows, kept, left_out)
        return kept

    def _first(
        self, target: Target, side: str, titles: Sequence[str], narrowed: Sequence[str]
    ) -> list[Measurement]:
        """Run a target for the first time; what it does not reach is told by its title."""
        expected = [Benchmark(*target.key, title) for title in (narrowed or titles or [EVERYTHING])]
        readings, ended = self._process(target, side, expected if narrowed else ())
        found = {reading.title: reading for reading in readings}
        whole = readings and not ended.stopped
        share = ended.seconds / len(readings) if whole else self._usual_cost(target.key)
        for reading in readings:
            known = self._costs.get(reading.benchmark, 0.0)
            self._costs[reading.benchmark] = max(share, known)
        missing = [
            Reading(each, each.group, why=_why(ended))
            for each in expected
            if each.group not in found
            and not any(title.endswith("\n" + each.group) for title in found)
            and not (each.group == EVERYTHING and found)
        ]
        left_out = [
            Reading(Benchmark(*target.key, title), title, why=TOO_COSTLY)
            for title in (sorted(set(titles) - set(narrowed)) if narrowed else ())
        ]
        kept = [each for each in readings if not narrowed or each.title in narrowed]
        rows = [*kept, *missing, *left_out]
        return rows_of(Plan(0, 0), side, rows, self._elapsed(), ended.code)

    def _confirm(self, failing: Sequence[Benchmark]) -> None:
        """Measure what would fail again with its functions in other orders."""
        workshop = self._builds.workshop
        if not failing or workshop is None:
            return
        keys = sorted({(each.package, each.target) for each in failing})
        look = max(self._rounds[each] for each in failing)
        numbers = random.Random(f"{self._seed}/layouts")  # noqa: S311
        for seed in numbers.sample(range(1, 1 << 31), self._settings.layouts):
            paused = time.monotonic()
            try:
                targets = self._relinked(workshop, keys, seed)
            except BenchError as problem:
                self._say(f"failures are not confirmed by other layouts: {problem}")
                return
            self._started += time.monotonic() - paused  # builds are not measuring
            for number in range(1, LAYOUT_ROUNDS + 1):
                self._round(failing, Plan(number, look, seed), LAYOUT_ROUNDS, targets)

    def _relinked(
        self, workshop: Workshop, keys: Sequence[Key], seed: int
    ) -> dict[tuple[str, Key], Target]:
        """Return both sides of some targets with their functions in the order of `seed`."""
        found = {}
        for key in keys:
            self._say(f"linking {key[0]}/{key[1]} anew, seed {seed}")
            for side in SIDES:
                target = self._builds.side(side).targets[key]
                found[side, key] = workshop.relinked(side, target, seed)
        return found

    # -- rounds ------------------------------------------------------------------------------

    def _rounds_of(self, benchmarks: Sequence[Benchmark], look: int) -> None:
        """Measure each of the benchmarks until it has `look` rounds."""
        first = min(self._rounds.get(each, 0) for each in benchmarks) + 1
        targets = {
            (side, key): target
            for side in SIDES
            for key, target in self._builds.side(side).targets.items()
        }
        for number in range(first, look + 1):
            due = [each for each in benchmarks if self._rounds.get(each, 0) < number]
            left = (look - number + 1) * self._cost(due)
            self._say(f"round {number} of {look}: benchmarks: {len(due)}, {_clock(left)} left")
            self._round(due, Plan(number, look), look, targets)
            self._rounds.update(dict.fromkeys(due, number))

    def _round(
        self,
        benchmarks: Sequence[Benchmark],
        plan: Plan,
        rounds: int,
        targets: Mapping[tuple[str, Key], Target],
    ) -> None:
        """Measure both sides of each target once, in the order that the seed deals."""
        keys = sorted({(each.package, each.target) for each in benchmarks})
        for key in _shuffled(keys, f"{self._seed}/{plan.look}/{plan.layout}/{plan.round}"):
            due = [each for each in benchmarks if (each.package, each.target) == key]
            if self._cost(due) > self._left():
                raise OutOfBudget
            name = f"{self._seed}/{plan.look}/{plan.layout}/{key}"
            for side in _order(name, plan.round, rounds):
                self._once(targets[side, key], side, due, plan)

    def _once(self, target: Target, side: str, benchmarks: Sequence[Benchmark], plan: Plan) -> None:
        """Measure one side of one target; a benchmark without a reading is told why."""
        readings, ended = self._process(target, side, self._filtered(target, side, benchmarks))
        wanted = set(benchmarks)
        found = {reading.benchmark: reading for reading in readings}
        missing = [Reading(each, each.name, why=_why(ended)) for each in wanted - set(found)]
        kept = [reading for each, reading in found.items() if each in wanted]
        self._write(rows_of(plan, side, [*kept, *missing], self._elapsed(), ended.code))

    def _filtered(
        self, target: Target, side: str, benchmarks: Sequence[Benchmark]
    ) -> Sequence[Benchmark]:
        """Return the benchmarks to filter for; none where all of the target are due."""
        listed = self.record.run.listed[side]
        everything = {each for each in listed if (each.package, each.target) == target.key}
        return () if everything == set(benchmarks) else benchmarks

    # -- processes ---------------------------------------------------------------------------

    def _process(
        self, target: Target, side: str, filtered: Sequence[Benchmark]
    ) -> tuple[tuple[Reading, ...], Ended]:
        """Run a target; once more where it crashes."""
        readings, ended = self._attempt(target, side, filtered)
        if ended.code and not ended.stopped:
            readings, ended = self._attempt(target, side, filtered)
        return readings, ended

    def _attempt(
        self, target: Target, side: str, filtered: Sequence[Benchmark]
    ) -> tuple[tuple[Reading, ...], Ended]:
        home = self._scratch / side / "criterion"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        since = home.stat().st_mtime
        settings = self._settings
        argv = [
            str(target.executable),
            *criterion.arguments(
                target.criterion, settings.warm_up, settings.measurement, settings.samples
            ),
            *criterion.filter_for(target.criterion, filtered),
        ]
        limits = Limits(self._limit(target, filtered), folder=home)
        ended = processes.run(argv, target.folder, self._environment(target, side, home), limits)
        readings = criterion.read(home, *target.key, since)
        shutil.rmtree(home, ignore_errors=True)
        return readings, ended

    def _limit(self, target: Target, filtered: Sequence[Benchmark]) -> float:
        """Return how long a process may take, in seconds."""
        if self._run is None:
            usual = self._settings.budget / 4
        else:
            listed = {each for side in SIDES for each in self._run.listed[side]}
            due = filtered if target.criterion >= criterion.PATTERNS_SINCE else ()
            of_it = due or [e for e in listed if (e.package, e.target) == target.key]
            usual = max(LEAST_LIMIT, PATIENCE * sum(self._costs.get(e, 0.0) for e in of_it))
        return max(1.0, min(usual, self._left()))

    def _environment(self, target: Target, side: str, home: Path) -> dict[str, str]:
        """Return the variables: as many bytes on either side, for they move the stack."""
        sizes = [
            _bytes(self._builds.side(each).targets[target.key].variables)
            for each in SIDES
            if target.key in self._builds.side(each).targets
        ]
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            **target.variables,
            "CRITERION_HOME": str(home),
            "CARGO_TARGET_DIR": str(home.parent),
            "RUSTCI_BENCH_PAD": "x" * (max(sizes) - _bytes(target.variables)),
        }

    def _titles(self, key: Key) -> dict[str, tuple[str, ...]]:
        """Return the titles that each side's executable lists; none where it fails to."""
        found: dict[str, tuple[str, ...]] = dict.fromkeys(SIDES, ())
        for side in SIDES:
            target = self._builds.side(side).targets.get(key)
            if target is None:
                continue
            home = self._scratch / side / "criterion"
            home.mkdir(parents=True, exist_ok=True)
            argv = [str(target.executable), "--bench", "--list"]
            environment = self._environment(target, side, home)
            ended = processes.run(argv, target.folder, environment, LISTING)
            found[side] = criterion.titles(ended.out)
        return found

    # -- the budget --------------------------------------------------------------------------

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _left(self) -> float:
        return self._settings.budget - self._elapsed()

    def _usual_cost(self, key: Key) -> float:
        """Return the seconds that a benchmark takes in a process, before that is known."""
        version = self._version(key)
        times = (self._settings.warm_up, self._settings.measurement)
        return sum(criterion.seconds(version, time) for time in times) + OVERHEAD

    def _version(self, key: Key) -> tuple[int, ...]:
        """Return the older version of criterion of a target's two sides."""
        sides = (self._builds.side(side).targets.get(key) for side in SIDES)
        return min(target.criterion for target in sides if target)

    def _cost(self, benchmarks: Iterable[Benchmark]) -> float:
        """Return the seconds that one round of both sides takes."""
        return 2 * sum(
            self._costs.get(each) or self._usual_cost((each.package, each.target))
            for each in benchmarks
        )

    def _affordable(self, benchmarks: Sequence[Benchmark], look: int) -> tuple[Benchmark, ...]:
        """Return the most suspect ones that can be brought up to `look`.

        Time for the relinks of one of them is kept back.
        """
        layouts = self._settings.layouts * LAYOUT_ROUNDS if self._builds.workshop else 0
        chosen: list[Benchmark] = []
        spent = 0.0
        for each in benchmarks:
            rounds = look - self._rounds.get(each, 0) + (0 if chosen else layouts)
            spent += rounds * self._cost([each])
            if spent > self._left():
                break
            chosen.append(each)
        return tuple(chosen)

    def _narrowed(self, names: Mapping[Key, Sequence[str]]) -> dict[Key, list[str]]:
        """Return the titles to be run where the budget has no room for all; else none."""
        costs = {(key, name): self._usual_cost(key) for key in names for name in names[key]}
        slow = {each for each in costs if self._version(each[0]) < criterion.WHOLE_SECONDS_BEFORE}
        self._settings, kept = fit(costs, self._settings, self._settings.budget, slow)
        if len(kept) == len(costs):
            return {key: [] for key in names}
        return {key: [name for name in names[key] if (key, name) in kept] for key in names}

    def _fitted(
        self, rows: Sequence[Measurement], listed: Mapping[str, Sequence[Benchmark]]
    ) -> tuple[tuple[Benchmark, ...], tuple[Benchmark, ...]]:
        """Return the benchmarks that both sides measured: those that fit, and those that do not."""
        valid = {(row.side, row.benchmark) for row in rows if not row.why}
        both = [e for e in listed[HEAD] if all((side, e) in valid for side in SIDES)]
        costs = {each: self._costs[each] for each in both}
        slow = {
            each
            for each in both
            if self._version((each.package, each.target)) < criterion.WHOLE_SECONDS_BEFORE
        }
        self._settings, kept = fit(costs, self._settings, self._left(), slow)
        return tuple(e for e in both if e in kept), tuple(e for e in both if e not in kept)

    # -- the record --------------------------------------------------------------------------

    def _listed(
        self,
        side: str,
        keys: Sequence[Key],
        titles: Mapping[Key, Mapping[str, Sequence[str]]],
        found: Mapping[tuple[str, Key], Sequence[Measurement]],
    ) -> Iterable[Benchmark]:
        """Yield what one side has, each by the three parts that either side's files tell."""
        for key in keys:
            if (side, key) in found:
                yield from (row.benchmark for row in found[side, key])
            else:
                yield from (Benchmark(*key, title) for title in titles[key][side])

    def _begin(self, listed: Mapping[str, tuple[Benchmark, ...]], rows: list[Measurement]) -> None:
        """Write the first lines of the record."""
        builds = self._builds
        self._run = Run(
            base=builds.base.commit,
            head=builds.head.commit,
            seed=self._seed,
            settings=self._settings,
            rustc=builds.rustc,
            flags=builds.flags,
            runner=runner(),
            identical=builds.identical,
            changed=builds.changed,
            listed=listed,
            base_missing=builds.base.missing,
        )
        self._put(dumps_run(self._run), "w")
        self._write(rows)

    def _leave_out(
        self,
        listed: Mapping[str, Sequence[Benchmark]],
        rows: Sequence[Measurement],
        kept: Sequence[Benchmark],
        left_out: Sequence[Benchmark],
    ) -> None:
        """Say in the first round's rows why a benchmark is not measured in it."""
        there, costly = set(listed[HEAD]), set(left_out)
        first = [
            replace(row, round=1, look=self._settings.rounds, min_ns=None, median_ns=None)
            for row in rows
            if (row.why and row.benchmark in there) or row.benchmark in costly
        ]
        self._write([replace(row, why=row.why or TOO_COSTLY) for row in first])

    def _write(self, rows: Sequence[Measurement]) -> None:
        self._measurements.extend(rows)
        self._put("".join(map(dumps_measurement, rows)))

    def _put(self, lines: str, mode: str = "a") -> None:
        """Hand whole lines of the record to the disk; raise BenchError."""
        if self._output is None:
            return
        try:
            self._output.parent.mkdir(parents=True, exist_ok=True)
            with self._output.open(mode, encoding="utf-8", newline="\n") as file:
                file.write(lines)
        except OSError as problem:
            raise BenchError(
                f"the record cannot be written: {problem.strerror}",
                where=str(self._output),
                todo="Make room, or name another folder with --output; what is written so far "
                "can be judged.",
            ) from None


def fit(
    costs: Mapping[T, float], settings: Settings, seconds: float, fixed: Collection[T] = ()
) -> tuple[Settings, set[T]]:
    """Return settings and benchmarks whose screening fits into so many seconds.

    `costs` are seconds for each process under `settings`. First the measuring is cut short, except
    for what is `fixed`, then rounds are, then the costliest benchmarks are left out.
    """
    brief = min(settings.measurement, SCARCE_SECONDS)
    scale = (settings.warm_up + brief) / (settings.warm_up + settings.measurement)
    short = {each: cost * (1 if each in fixed else scale) for each, cost in costs.items()}
    if 2 * settings.rounds * sum(costs.values()) <= seconds:
        return settings, set(costs)
    if 2 * settings.rounds * sum(short.values()) <= seconds:
        return replace(settings, measurement=brief), set(costs)
    scarce = min(settings.rounds, SCARCE_ROUNDS)
    kept: set[T] = set()
    spent = 0.0
    for each in sorted(short, key=lambda each: short[each]):
        spent += 2 * scarce * short[each]
        if spent > seconds:
            break
        kept.add(each)
    return replace(settings, measurement=brief, rounds=scarce), kept


def rows_of(
    plan: Plan, side: str, readings: Iterable[Reading], elapsed: float, code: int
) -> list[Measurement]:
    """Return a process' readings as lines of the record."""
    return [
        Measurement(
            round=plan.round,
            look=plan.look,
            side=side,
            layout=plan.layout,
            benchmark=each.benchmark,
            n=each.n,
            min_ns=each.min_ns,
            median_ns=each.median_ns,
            total_ns=each.total_ns,
            t=elapsed,
            rc=code,
            why=each.why,
        )
        for each in sorted(readings, key=lambda each: each.benchmark.order)
    ]


def from_messages(base: Sequence[tuple[str, str]], head: Sequence[tuple[str, str]]) -> Record:
    """Return a record of cargo-criterion's messages: (name, text) of each run; raise BenchError.

    The n-th run of base is paired with the n-th of head, so they should have taken turns.
    """
    if len(base) != len(head):
        raise BenchError(
            f"{len(base)} runs of base and {len(head)} of head",
            todo="Give as many of each, in the order in which they took turns.",
        )
    rows = []
    for side, runs in ((BASE, base), (HEAD, head)):
        for number, (name, text) in enumerate(runs, 1):
            try:
                readings = criterion.read_messages(text)
            except ValueError as problem:
                raise BenchError(str(problem), where=name) from None
            rows += rows_of(Plan(number, len(base)), side, readings, 0.0, 0)
    listed = {
        side: tuple(dict.fromkeys(row.benchmark for row in rows if row.side == side))
        for side in SIDES
    }
    run = Run(base="", head="", seed=0, settings=Settings(), runner=runner(), listed=listed)
    return Record(run, tuple(rows))


def seed_of(sha: str) -> int:
    """Return the seed that a commit stands for."""
    return int(sha[:8], 16)


def runner() -> dict[str, str]:
    """Return what is known of this machine."""
    named = ("ImageOS", "ImageVersion")  # so spelt on GitHub's runners
    image = "-".join(filter(None, map(os.environ.get, named)))
    return {
        "os": platform.system(),
        "arch": platform.machine(),
        "image": image,
        "cpu": _cpu(),
        "cores": str(os.cpu_count() or 1),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _order(name: str, number: int, rounds: int) -> tuple[str, ...]:
    """Return which side comes first in round `number`: in half of the rounds base does."""
    firsts = _shuffled([n % 2 for n in range(rounds)], name)
    return (BASE, HEAD) if firsts[(number - 1) % rounds] else (HEAD, BASE)


def _shuffled(items: Iterable[T], name: str) -> list[T]:
    """Return the items in the order that `name` deals: the same one everywhere."""
    dealt = list(items)
    random.Random(name).shuffle(dealt)  # noqa: S311
    return dealt


def _why(ended: Ended) -> str:
    """Say why a process left nothing of a benchmark."""
    if ended.stopped:
        return ended.stopped
    if "nrecognized option" in ended.err:
        return "not a criterion benchmark: it does not know criterion's arguments"
    if ended.code:
        return f"crashed twice, exit code {ended.code}: {_last_words(ended)}"
    return "the process ended well and left no file of it"


def _last_words(ended: Ended) -> str:
    """Return what a process said of its end: a panic tells its place, then its message."""
    lines = [line for line in (ended.err.strip() or ended.out.strip()).splitlines() if line]
    panics = [number for number, line in enumerate(lines) if "panicked at" in line]
    told = lines[panics[-1] :][:2] if panics else lines[-1:]
    return " ".join(told)[:500] or "without a word"


def _alike(
    found: Mapping[tuple[str, Key], Sequence[Measurement]],
) -> dict[tuple[str, Key], list[Measurement]]:
    """Name what is known by its title alone by the three parts that the other side tells."""
    rows = [row for each in found.values() for row in each]
    parts = {
        (each.benchmark.package, each.benchmark.target, each.benchmark.name): each.benchmark
        for each in rows
        if each.min_ns is not None
    }
    return {
        place: [
            replace(row, benchmark=parts.get((*place[1], row.benchmark.name), row.benchmark))
            for row in each
        ]
        for place, each in found.items()
    }


def _both(titles: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the titles that head has, or base where head has none."""
    return list(titles[HEAD] or titles[BASE])


def _bytes(variables: Mapping[str, str]) -> int:
    return sum(len(name) + len(value) for name, value in variables.items())


def _clock(seconds: float) -> str:
    whole = math.ceil(seconds)
    return f"{whole // 60}:{whole % 60:02}"
