"""The self-test's replays: what is injected is found, and nothing else is."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from rustci.bench import self_test
from rustci.bench.record import BASE, HEAD, Benchmark, Measurement, Record, Run
from rustci.bench.settings import Settings

NAMES = tuple(Benchmark("pkg", "b", name) for name in ("a", "b", "c"))


def record(noise: float, rounds: int = 30) -> Record:
    """Return a run of base against itself, with times that are off by so much."""
    source = random.Random(1)
    rows = []
    for number in range(rounds + 1):
        for side in (BASE, HEAD):
            for each in NAMES:
                time = 100 * (1 + noise * source.random())
                look = 10 if number else 0
                row = Measurement(number, look, side, 0, each, 30, time, time, 1e6, 1.0, 0)
                rows.append(row)
    listed = {BASE: NAMES, HEAD: NAMES}
    return Record(Run("a" * 40, "a" * 40, 1, Settings(), listed=listed), tuple(rows))


@pytest.fixture(autouse=True)
def _few_replays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_test, "REPLAYS", 12)


def test_what_is_injected_is_found_and_nothing_else() -> None:
    quiet = record(noise=0.01)
    rows = self_test.paired(quiet)

    found = self_test.look_for(quiet, rows, 0.1, seed=1)

    assert set(found.found.values()) == {1.0}
    assert found.false == 0.0


def test_without_a_slowdown_nothing_fails() -> None:
    noisy = record(noise=0.3)

    assert self_test.look_for(noisy, self_test.paired(noisy), 0.0, seed=1).false == 0.0


def test_a_noisy_machine_sees_less_and_says_so() -> None:
    def least(noise: float) -> str:
        measured = record(noise)
        text = self_test.text(measured, self_test.paired(measured), 0.05, 1, print)
        return text.splitlines()[2].split()[1]

    assert least(0.005) == "+3%"
    assert least(0.1) != "+3%"


def test_calibration_relinks_and_broken_rounds_are_no_pairs() -> None:
    measured = record(noise=0.01, rounds=2)
    lost = [row for row in measured.measurements if (row.round, row.side) != (2, HEAD)]

    rows = self_test.paired(Record(measured.run, tuple(lost)))

    assert {number for _, number in rows} == {1}


def test_dealing_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    rows = self_test.paired(record(noise=0.1))

    def dealt(seed: int) -> object:
        return self_test.dealt(rows, NAMES[:1], 0.1, random.Random(seed))

    assert dealt(1) == dealt(1)
    assert dealt(1) != dealt(2)
