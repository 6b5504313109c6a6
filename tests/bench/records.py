"""Records made up for the tests: what processes would have measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from random import Random

from rustci.bench.judge import next_stage
from rustci.bench.record import BASE, HEAD, Benchmark, Measurement, Record, Run
from rustci.bench.settings import Settings

LOOKS = (10, 20, 40, 60)
SETTINGS = Settings()


def bench(name: str, target: str = "parse") -> Benchmark:
    return Benchmark("demo", target, name)


def run(*benchmarks: Benchmark, settings: Settings = SETTINGS) -> Run:
    return Run(
        base="b" * 40,
        head="a" * 40,
        seed=1,
        settings=settings,
        rustc="rustc 1.95.0",
        runner={"os": "Linux", "arch": "x86_64", "image": "", "cpu": "EPYC", "cores": "4"},
        listed={BASE: benchmarks, HEAD: benchmarks},
    )


def measured(
    benchmark: Benchmark,
    side: str = HEAD,
    number: int = 1,
    *,
    min_ns: float | None = 100.0,
    layout: int = 0,
    rc: int = 0,
    why: str = "",
    n: int = 30,
    seconds: float = 0.3,
) -> Measurement:
    look = next((each for each in LOOKS if number <= each), LOOKS[-1]) if number else 0
    return Measurement(
        number, look, side, layout, benchmark, n, min_ns, min_ns, seconds * 1e9, 1.0, rc, why
    )


def rounds(
    benchmark: Benchmark,
    ratios: Iterable[float],
    *,
    first: int = 1,
    layout: int = 0,
    seconds: float = 0.3,
) -> list[Measurement]:
    """Return both sides of consecutive rounds, base always taking 100 ns."""
    return [
        measured(benchmark, side, number, min_ns=ns, layout=layout, seconds=seconds)
        for number, ratio in enumerate(ratios, first)
        for side, ns in ((BASE, 100.0), (HEAD, 100.0 * ratio))
    ]


def around(ratio: float, noise: float = 0.01, many: int = 60, seed: int = 1) -> list[float]:
    """Return ratios of so many rounds."""
    draw = Random(seed)
    return [ratio * (1 + draw.gauss(0, noise)) for _ in range(many)]


def record(
    *parts: Iterable[Measurement], settings: Settings = SETTINGS, **fields: object
) -> Record:
    """Return the record of these measurements; `fields` are the run's."""
    rows = tuple(row for part in parts for row in part)
    names = tuple(dict.fromkeys(row.benchmark for row in rows))
    return Record(replace(run(*names, settings=settings), **fields), rows)  # type: ignore[arg-type]


def played(run: Run, times: Mapping[Benchmark, tuple[Sequence[float], Sequence[float]]]) -> Record:
    """Measure as the gate does, stage by stage, from recorded times of base and head."""
    rows: list[Measurement] = []
    done = dict.fromkeys(times, 0)
    while (stage := next_stage(Record(run, tuple(rows)))) is not None:
        for each in stage.benchmarks:
            base, head = times[each]
            for number in range(done[each] + 1, stage.look + 1):
                rows += [
                    replace(measured(each, side, number, min_ns=ns), look=stage.look)
                    for side, ns in ((BASE, base[number - 1]), (HEAD, head[number - 1]))
                ]
            done[each] = stage.look
    return Record(run, tuple(rows))
