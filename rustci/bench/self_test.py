"""What this machine can see: the gate turned on itself, where the truth is known.

Base and head are the same commit, so whatever is found between them is a false alarm. Slowdowns
are then injected into the record: the measured times of head are multiplied, and the record is
judged again. Their noise is thus this machine's own, whatever the benchmarks do; what the
injection leaves out is that slower code may also be noisier code.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from . import builds, judge, measure, worktrees
from .builds import Builds, Selection
from .errors import BenchError
from .record import BASE, HEAD, Benchmark, Measurement, Record
from .settings import Settings

REPLAYS = 100
"""Runs of the gate that are made out of the one record, by dealing its rounds and sides anew."""
SHARE = 5
"""In each replay every fifth benchmark is slowed down, so that the others share the error rate."""
SIZES = (0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5)
"""The slowdowns that are tried, smallest first."""
FOUND = 0.9
"""How often a slowdown has to be found to count as one that is found."""
Rows = Mapping[tuple[Benchmark, int], Mapping[str, Measurement]]
"""The valid measurements of a benchmark in a round, by side."""


@dataclass(frozen=True)
class Sight:
    """What was found of one size of slowdown."""

    found: Mapping[Benchmark, float]
    """How often, as a fraction, by benchmark."""
    false: float
    """How many of the replays failed a benchmark that was not slowed down, as a fraction."""


def add_arguments(
    command: argparse.ArgumentParser,
    percent: Callable[[str], float],
    duration: Callable[[str], float],
) -> None:
    """Declare the options of `bench self-test`."""
    add = command.add_argument
    add("--ref", default="HEAD", metavar="REF", help="the commit to measure (HEAD)")
    add("--rounds", type=int, default=40, metavar="N", help="measured rounds (40; 60: every look)")
    add(
        "--inject", type=percent, default=0.05, metavar="PERCENT", help="slowdown to look for (5%%)"
    )
    add("--budget", type=duration, default=1200.0, metavar="TIME", help="of measuring (20m)")


def run(
    folder: Path, args: argparse.Namespace, selection: Selection, say: Callable[[str], None]
) -> int:
    """Measure, replay, and print what was found; raise BenchError where nothing was measured."""
    settings = Settings(budget=args.budget)
    if args.rounds < settings.rounds:
        raise BenchError(
            f"{args.rounds} rounds are too few", where="--rounds", todo="Take 10 at least."
        )
    sha = worktrees.commit(folder, args.ref)
    seed = measure.seed_of(sha)
    with (
        worktrees.workplace(args.work) as work,
        builds.both(folder, {BASE: sha, HEAD: sha}, work, selection, say) as built,
    ):
        if built.base.missing:
            raise BenchError(built.base.missing)
        itself = replace(built, identical=(), changed=())
        session = measure.Session(itself, settings, seed, work / "scratch", None, say)
        record = session.repeat(args.rounds)
        print(_first_lines(built, record))
        print(_relinked(itself, settings, seed, work, say))
    rows = paired(record)
    if not rows:
        raise BenchError("nothing was measured", todo="Run `cargo bench` by hand to see why.")
    print(text(record, rows, args.inject, seed, say))
    return 0


def _first_lines(built: Builds, record: Record) -> str:
    runner, total = record.run.runner, len(built.head.targets)
    return (
        f"this machine: {runner['cpu']}, {runner['cores']} cores, {runner['os']} {runner['arch']}\n"
        f"two builds of {built.head.commit[:12]}: {len(built.identical)} of {total} executables"
        " are the same, so their benchmarks would be skipped where nothing has changed"
    )


def _relinked(
    itself: Builds, settings: Settings, seed: int, work: Path, say: Callable[[str], None]
) -> str:
    """Run the whole gate against the same code with its functions in another order."""
    if itself.workshop is None:
        return "functions in another order: this linker cannot shuffle them, so no layout stage"
    shuffled = {}
    for key, target in itself.head.targets.items():
        say(f"linking {key[0]}/{key[1]} anew")
        shuffled[key] = itself.workshop.relinked(HEAD, target, 1)
    head = replace(itself.head, targets=shuffled)
    session = measure.Session(
        replace(itself, head=head), settings, seed + 1, work / "scratch", None, say
    )
    result = judge.judge(session.measure())
    told = [
        f"{row.benchmark.name} {row.status} {row.ratio - 1:+.1%}"
        for row in result.rows
        if row.status != judge.OK and row.ratio is not None
    ]
    failed = sum(row.status == judge.REGRESSED for row in result.rows)
    return (
        f"functions in another order, the whole gate: {failed} of {len(result.rows)} benchmarks"
        f" failed{': ' * bool(told)}{'; '.join(told)}"
    )


def text(record: Record, rows: Rows, inject: float, seed: int, say: Callable[[str], None]) -> str:
    """Return what the replays found, as a table."""
    say(f"replaying {REPLAYS} runs")
    unchanged = look_for(record, rows, 0.0, seed)
    found = look_for(record, rows, inject, seed).found
    least: dict[Benchmark, float] = {}
    for size in SIZES:
        say(f"replaying {REPLAYS} runs with {size:.0%} injected")
        for each, share in look_for(record, rows, size, seed).found.items():
            if share >= FOUND:
                least.setdefault(each, size)
        if len(least) == len(found):
            break
    rounds = max(number for _, number in rows)
    lines = [
        (
            f"base against itself, {REPLAYS} runs replayed from {rounds} measured rounds:"
            f" {unchanged.false:.1%} of them failed"
        ),
        f"{f'+{inject:.0%} found':>12}  least found in {FOUND:.0%} of runs  benchmark",
    ]
    for each in sorted(found, key=lambda each: each.order):
        smallest = f"+{least[each]:.0%}" if each in least else f"above +{SIZES[-1]:.0%}"
        name = " ".join(each.name.split())[:100]
        lines.append(f"{found[each]:>12.0%}  {smallest:>26}  {each.package}/{each.target}: {name}")
    lines.append(
        "Slowdowns were injected by multiplying head's measured times: the noise is this machine's,"
        "\nbut code that is really slower may be noisier, too."
    )
    return "\n".join(lines)


def paired(record: Record) -> Rows:
    """Return the rounds of a record that both sides measured."""
    found: dict[tuple[Benchmark, int], dict[str, Measurement]] = {}
    for row in record.measurements:
        if row.round > 0 and not row.layout and row.min_ns is not None:
            found.setdefault((row.benchmark, row.round), {})[row.side] = row
    return {place: sides for place, sides in found.items() if len(sides) == 2}


def look_for(record: Record, rows: Rows, size: float, seed: int) -> Sight:
    """Replay many runs in which some benchmarks are slower by `size`; return what was found."""
    names = sorted({each for each, _ in rows}, key=lambda each: each.order)
    hits = dict.fromkeys(names, 0)
    tries = dict.fromkeys(names, 0)
    false = 0
    for number in range(REPLAYS):
        dealer = random.Random(f"{seed}/{number}")  # noqa: S311
        count = -(-len(names) // SHARE) if size else 0
        slower = frozenset(dealer.sample(names, count))
        failed = _failed(record, dealt(rows, slower, size, dealer))
        for each in slower:
            tries[each] += 1
            hits[each] += each in failed
        false += bool(failed - slower)
    shares = {each: hits[each] / tries[each] for each in names if tries[each]}
    return Sight(shares, false / REPLAYS)


def dealt(
    rows: Rows, slower: Iterable[Benchmark], size: float, dealer: random.Random
) -> dict[Benchmark, list[list[Measurement]]]:
    """Return each benchmark's rounds in another order, sides changed about, head slowed down."""
    injected = frozenset(slower)
    found: dict[Benchmark, list[list[Measurement]]] = {}
    for (each, _), sides in rows.items():
        pair = [sides[BASE], sides[HEAD]]
        dealer.shuffle(pair)
        factor = 1 + size if each in injected else 1.0
        found.setdefault(each, []).append([_as(pair[0], BASE, 1.0), _as(pair[1], HEAD, factor)])
    for rounds in found.values():
        dealer.shuffle(rounds)
    return found


def _as(row: Measurement, side: str, factor: float) -> Measurement:
    least, median = row.min_ns or 0.0, row.median_ns or 0.0
    return replace(row, side=side, min_ns=least * factor, median_ns=median * factor)


def _failed(
    record: Record, rounds: Mapping[Benchmark, Sequence[Sequence[Measurement]]]
) -> set[Benchmark]:
    """Run the gate on dealt rounds, stage by stage; return what fails, relinks aside."""
    settings = record.run.settings
    taken: list[Measurement] = []
    numbers = dict.fromkeys(rounds, 0)

    def take(names: Iterable[Benchmark], look: int) -> bool:
        before = len(taken)
        for each in names:
            for pair in rounds[each][numbers[each] : look]:
                numbers[each] += 1
                taken.extend(replace(row, round=numbers[each], look=look) for row in pair)
        return len(taken) > before

    take(rounds, settings.rounds)
    while stage := judge.next_stage(Record(record.run, tuple(taken))):
        if not take(stage.benchmarks, stage.look):
            break
    return set(judge.failing_before_layouts(Record(record.run, tuple(taken))))
