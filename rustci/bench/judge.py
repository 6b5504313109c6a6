"""The verdict on a record: pure, so one record has one verdict, while it grows and ever after."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Optional

from . import SCHEMA
from .jsonio import dumps, plain
from .record import BASE, HEAD, Benchmark, Record
from .rule import (
    CONFIDENCE,
    FASTER,
    OPEN,
    SLOWER,
    UNSTABLE,
    Decision,
    confirmed,
    decide,
    within,
)
from .series import Pair, Series, flaw, sort_out
from .settings import Settings
from .signed_rank import centre, lower_bound, noise, upper_bound
from .wording import change, few, percent

GATED, CHANGED, IDENTICAL = "gated", "changed", "identical"
NEW, REMOVED, BASE_MISSING = "new", "removed", "base-missing"
OK, REGRESSED, IMPROVED, SUSPICIOUS, LAYOUT = "ok", "regressed", "improved", "suspicious", "layout"
INCONCLUSIVE, OUT_OF_BUDGET, SLOW, NO_DATA = "inconclusive", "budget", "slow", "no-data"
CRASHED = "crashed"
UNDECIDED = (INCONCLUSIVE, OUT_OF_BUDGET, SLOW, UNSTABLE, NO_DATA)
"""What `strict` fails."""
SLOW_SECONDS = 20.0
"""Of measuring in one process."""
UNLIKELY = math.log(0.5)
"""A log ratio that more often means that the work is no longer done."""


@dataclass(frozen=True)
class Stage:
    """What is to be measured next: `benchmarks`, most suspect first, up to `look` rounds each."""

    look: int
    benchmarks: tuple[Benchmark, ...]


@dataclass(frozen=True)
class Row:
    """What is said about one benchmark; ratios are head/base, 1.05 is 5 % slower."""

    benchmark: Benchmark
    status: str
    why: str = ""
    """What a person has to know besides the numbers, or should do."""
    ratio: Optional[float] = None
    lo: Optional[float] = None
    hi: Optional[float] = None
    """Bounds of the ratio, each of which holds with 95 %; None where there is none."""
    p: Optional[float] = None
    """The p-value of "slower by the tolerance at most"."""
    rounds: int = 0
    sd: Optional[float] = None
    """Noise: the robust standard deviation of the paired log ratios."""
    detectable: Optional[float] = None
    """The least slowdown, as a fraction, that these rounds could have failed."""
    base_ns: Optional[float] = None
    head_ns: Optional[float] = None
    """Medians of the processes' minima."""
    layouts: tuple[float, ...] = ()
    """The ratio in each relinked pair."""
    changes: tuple[float, ...] = ()
    """The ratio in each round."""


@dataclass(frozen=True)
class Result:
    """The verdict on a run."""

    base: str
    head: str
    settings: Settings
    rustc: str = ""
    flags: tuple[str, ...] = ()
    runner: Mapping[str, str] = field(default_factory=dict)
    m: int = 0
    """Benchmarks that share `alpha`: all that are gated, cleared ones included."""
    seconds: float = 0.0
    rounds: int = 0
    """The most rounds that any benchmark took."""
    rows: tuple[Row, ...] = ()
    errors: tuple[str, ...] = ()
    """Why the run as a whole could not be judged; exit 2 where there is any."""
    notices: tuple[str, ...] = ()
    """What else a reader should know of the run."""


@dataclass(frozen=True)
class _Case:
    """A benchmark on its way to its row."""

    benchmark: Benchmark
    kind: str
    series: Series
    decision: Decision

    @property
    def pairs(self) -> list[Pair]:
        """The rounds that the decision rests on."""
        look = self.decision.look or math.inf
        return [pair for pair in self.series.pairs if pair.look <= look]

    @property
    def ratios(self) -> list[float]:
        """Their log ratios."""
        return [pair.ratio for pair in self.pairs]


def next_stage(record: Record) -> Optional[Stage]:
    """Return what has to be measured next, or None when everything is decided."""
    settings = record.run.settings
    waiting: dict[int, list[_Case]] = {}
    for case in _cases(record):
        looks = (settings.rounds, *settings.looks) if case.kind == GATED else (settings.rounds,)
        look = next((each for each in looks if each > case.series.reached), None)
        if look and case.kind in {GATED, CHANGED} and _undecided(case):
            waiting.setdefault(look, []).append(case)
    if not waiting:
        return None
    look = min(waiting)
    return Stage(look, _most_suspect_first(waiting[look]))


def failing_before_layouts(record: Record) -> tuple[Benchmark, ...]:
    """Return the benchmarks whose failure the relinks have to confirm, most suspect first."""
    return _most_suspect_first([case for case in _cases(record) if case.decision.state == SLOWER])


def _most_suspect_first(cases: Sequence[_Case]) -> tuple[Benchmark, ...]:
    def suspicion(case: _Case) -> tuple[float, float, tuple[str, ...]]:
        seen = median(case.ratios) if case.pairs else 0.0
        return case.decision.p, -seen, case.benchmark.order

    return tuple(case.benchmark for case in sorted(cases, key=suspicion))


def judge(record: Record) -> Result:
    """Return the verdict on whatever the record holds."""
    run = record.run
    cases = _cases(record)
    m = sum(case.kind == GATED for case in cases)
    rows = tuple(_row(case, run.settings, m) for case in cases)
    return Result(
        base=run.base,
        head=run.head,
        settings=run.settings,
        rustc=run.rustc,
        flags=run.flags,
        runner=run.runner,
        m=m,
        seconds=max((each.t for each in record.measurements), default=0.0),
        rounds=max((row.rounds for row in rows), default=0),
        rows=rows,
        errors=tuple(_errors(rows, record)),
        notices=tuple(_notices(rows, record)),
    )


def exit_code(result: Result) -> int:
    """Return 0 for ok, inconclusive or advisory, 1 for a regression, 2 where nothing is known."""
    failing = {REGRESSED}
    if result.settings.strict:
        failing.update(UNDECIDED)
    if result.settings.require_same:
        failing.add(REMOVED)
    if result.errors:
        return 2
    failed = any(row.status in failing for row in result.rows)
    return int(failed and not result.settings.advisory)


def dumps_result(result: Result) -> str:
    """Return `bench-result.json`."""
    return dumps(
        {
            "schema": SCHEMA,
            "base_sha": result.base,
            "head_sha": result.head,
            "exit_code": exit_code(result),
            **{
                name: plain(getattr(result, name))
                for name in (
                    *("rustc", "flags", "runner", "settings", "m", "seconds", "rounds"),
                    *("errors", "notices"),
                )
            },
            "results": [_row_as_json(row) for row in result.rows],
        }
    )


def _row_as_json(row: Row) -> dict[str, object]:
    found = plain(row)
    del found["changes"]  # the record has them
    return {"id": found.pop("benchmark"), "name": row.benchmark.name, **found}


# -- what there is, and what is decided ------------------------------------------------------


def _cases(record: Record) -> list[_Case]:
    """Return every benchmark that is listed or measured, by name."""
    found = sort_out(record)
    kinds = _kinds(record, found)
    judged = {
        benchmark: [(pair.look, pair.ratio) for pair in found[benchmark].pairs]
        for benchmark, kind in kinds.items()
        if kind == GATED and benchmark in found and _judged(found[benchmark])
    }
    m = list(kinds.values()).count(GATED)
    decisions = decide(judged, record.run.settings, m)
    return [
        _Case(
            each,
            kinds[each],
            found.get(each, Series()),
            decisions.get(each, Decision(OPEN, 0, 1.0)),
        )
        for each in sorted(kinds, key=lambda each: each.order)
    ]


def _kinds(record: Record, found: Mapping[Benchmark, Series]) -> dict[Benchmark, str]:
    """Return what each benchmark is before anything is judged."""
    run = record.run
    sides = {side: dict.fromkeys(run.listed.get(side, ())) for side in (BASE, HEAD)}
    for each in record.measurements:
        sides[each.side][each.benchmark] = None
    fallen = {(each.package, each.target) for each, one in found.items() if one.crash(BASE)}

    def kind(benchmark: Benchmark) -> str:
        place = (benchmark.package, benchmark.target)
        if place in run.identical:
            return IDENTICAL
        if benchmark not in sides[HEAD]:
            return BASE_MISSING if place in fallen else REMOVED
        if benchmark not in sides[BASE]:
            return BASE_MISSING if run.base_missing or place in fallen else NEW
        return CHANGED if place in run.changed else GATED

    return {benchmark: kind(benchmark) for benchmark in {**sides[BASE], **sides[HEAD]}}


def _judged(series: Series) -> bool:
    """Whether the valid rounds are enough, and neither side crashed."""
    return not (series.spoilt or series.crash(HEAD) or series.crash(BASE))


def _undecided(case: _Case) -> bool:
    return case.decision.state == OPEN and not case.series.left_out and _judged(case.series)


# -- rows ------------------------------------------------------------------------------------


def _row(case: _Case, settings: Settings, m: int) -> Row:
    status, why = _status(case, settings)
    pairs = case.pairs
    if not pairs or status in {CRASHED, NO_DATA, BASE_MISSING}:
        return Row(case.benchmark, status, why)
    ratios, level = case.ratios, 1 - CONFIDENCE
    gated = case.kind == GATED
    return Row(
        case.benchmark,
        status,
        why,
        ratio=math.exp(centre(ratios)),
        lo=_finite(lower_bound(ratios, level)),
        hi=_finite(upper_bound(ratios, level)),
        p=case.decision.p if gated else None,
        rounds=len(ratios),
        sd=noise(ratios),
        detectable=_detectable(ratios, settings, m) if gated else None,
        base_ns=median(pair.base_ns for pair in pairs),
        head_ns=median(pair.head_ns for pair in pairs),
        layouts=tuple(math.exp(each) for each in case.series.layouts),
        changes=tuple(math.exp(each) for each in ratios),
    )


def _finite(bound: float) -> Optional[float]:
    return math.exp(bound) if math.isfinite(bound) else None


def _detectable(ratios: Sequence[float], settings: Settings, m: int) -> Optional[float]:
    """Return the least slowdown that fails where the noise is that of `ratios`."""
    bound = lower_bound(ratios, settings.share / m)
    if not math.isfinite(bound):
        return None
    return math.expm1(math.log1p(settings.tolerated) + centre(ratios) - bound)


def _status(case: _Case, settings: Settings) -> tuple[str, str]:
    """Return a status and the sentence that explains it."""
    series = case.series
    if why := series.crash(HEAD):
        return CRASHED, why
    if why := series.crash(BASE):
        return BASE_MISSING, why
    if case.kind not in {GATED, CHANGED}:
        return case.kind, _EXPLAINED[case.kind]
    if series.left_out or not series.attempts:
        return OUT_OF_BUDGET, series.left_out or "none of its rounds was run"
    if series.spoilt:
        return NO_DATA, _invalid(series)
    if case.kind == CHANGED:
        return CHANGED, _EXPLAINED[CHANGED]
    return _verdict(case, settings)


_EXPLAINED = {
    IDENTICAL: "both executables are the same file",
    CHANGED: "the benchmark itself differs, so the two times mean different things",
    NEW: "base does not have it",
    REMOVED: "head does not have it; a rename is one removed and one new",
    BASE_MISSING: "base has nothing to compare with",
}


def _invalid(series: Series) -> str:
    reasons = Counter(flaw(each) for each in series.flaws)
    lost = series.attempts - len(series.pairs)
    often = reasons.most_common(1)[0][0] if reasons else "two benchmarks of a target have this name"
    return f"{lost} of {series.attempts} rounds are invalid: {often}"


def _verdict(case: _Case, settings: Settings) -> tuple[str, str]:
    """Return the status of a benchmark that was judged."""
    ratios, state = case.ratios, case.decision.state
    if state == SLOWER:
        return _slower(case.series.layouts, settings)
    if centre(ratios) <= UNLIKELY and upper_bound(ratios, 1 - CONFIDENCE) < 0:
        return SUSPICIOUS, "less than half of the time: is the work still done?"
    if state == FASTER:
        return IMPROVED, ""
    if state != OPEN or within(ratios, settings):
        return (state, _advice(settings)) if state == UNSTABLE else (OK, "")
    return _open(case, settings)


def _advice(settings: Settings) -> str:
    return (
        f"varies by more than {percent(settings.unstable)} from process to process: fix its seeds "
        "and inputs, allocate outside of the measured code, avoid threads"
    )


def _slower(layouts: Sequence[float], settings: Settings) -> tuple[str, str]:
    """Return the status of a slowdown, by what the relinks say of it."""
    if not layouts:
        return REGRESSED, ""
    if confirmed(layouts, settings):
        return REGRESSED, f"stays in {len(layouts)} relinks"
    spread = ", ".join(change(math.exp(each)) for each in layouts)
    return LAYOUT, f"gone when the functions are linked in other orders: {spread}"


def _open(case: _Case, settings: Settings) -> tuple[str, str]:
    """Return why a benchmark stayed undecided."""
    if case.series.seconds > SLOW_SECONDS:
        return SLOW, f"{case.series.seconds:.0f} s in each process: too few rounds fit; shorten it"
    if case.series.reached < max((settings.rounds, *settings.looks)):
        return OUT_OF_BUDGET, f"undecided after {len(case.pairs)} rounds, when measuring ended"
    if noise(case.ratios) > settings.unstable:
        return UNSTABLE, _advice(settings)
    return (
        INCONCLUSIVE,
        f"a slowdown of {percent(settings.target)} is neither certain nor ruled out",
    )


# -- the run as a whole ----------------------------------------------------------------------


def _errors(rows: Sequence[Row], record: Record) -> Iterator[str]:
    """Yield why the run cannot be green: a crash, or nothing that could have been red."""
    if crashed := [row.benchmark.name for row in rows if row.status == CRASHED]:
        yield f"head crashed: {few(crashed)}"
    compared = [row for row in rows if row.status not in {IDENTICAL, NEW, REMOVED, BASE_MISSING}]
    measured = sum(row.rounds > 0 for row in compared)
    if 2 * measured < len(compared):
        yield f"only {measured} of {len(compared)} benchmarks were measured"
    if not compared and not _ran(rows, record):
        yield "nothing was measured: head ran no benchmark"


def _ran(rows: Sequence[Row], record: Record) -> bool:
    """Whether there was nothing to compare, and not for want of benchmarks that run."""
    return any(row.status == IDENTICAL for row in rows) or any(
        each.side == HEAD and not flaw(each) for each in record.measurements
    )


def _notices(rows: Sequence[Row], record: Record) -> Iterator[str]:
    if missing := record.run.base_missing:
        yield f"nothing to compare with: {missing}"
    fallen = [row.benchmark.name for row in rows if row.status == BASE_MISSING]
    if fallen and not missing:
        yield f"base crashed: {few(fallen)}"
    alone = any(row.status == REGRESSED and not row.layouts for row in rows)
    if alone and record.run.settings.layouts:
        yield "no relinks were run, so what is slower may be so by its place in memory alone"
    if record.cut:
        yield "the record ends in the middle of a line; what stands before it was judged"
