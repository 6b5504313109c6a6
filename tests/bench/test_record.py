"""The record's file: what is written is read again, and what is wrong is named with its place."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rustci.bench.errors import BenchError
from rustci.bench.judge import judge
from rustci.bench.record import (
    HEAD,
    Benchmark,
    Record,
    dumps_measurement,
    dumps_run,
    join,
    load,
)
from rustci.bench.settings import Settings
from tests.bench.records import around, bench, measured, record, rounds, run

A, B = bench("a"), bench("b")
NAMES = st.text(st.characters(), max_size=20)


def written(path: Path, made: Record) -> Path:
    text = dumps_run(made.run) + "".join(map(dumps_measurement, made.measurements))
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def line(**fields: object) -> str:
    """Return one measurement's line with some fields set; `...` leaves a field out."""
    found = {**json.loads(dumps_measurement(measured(A))), **fields}
    return json.dumps({name: value for name, value in found.items() if value is not ...}) + "\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(NAMES, NAMES, st.none() | NAMES)
def test_any_name_survives(tmp_path: Path, target: str, group: str, value: str | None) -> None:
    hostile = Benchmark("demo", target, group, None, value)
    made = record([measured(hostile, min_ns=1.25)], identical=((target, group),))
    assert load(written(tmp_path / "raw.jsonl", made)) == made


def test_a_record_is_judged_alike_before_and_after_it_is_written(tmp_path: Path) -> None:
    made = record(rounds(A, around(1.0371, noise=0.013)), rounds(B, around(0.9, many=20)))
    read = load(written(tmp_path / "raw.jsonl", made))
    assert read != made, "times are rounded"
    assert judge(read) == judge(made)


def test_what_is_not_a_number_is_written_as_null() -> None:
    for time in (math.nan, math.inf, -math.inf):
        found = json.loads(dumps_measurement(measured(A, min_ns=time)), parse_constant=pytest.fail)
        assert found["min_ns"] is None


@pytest.mark.parametrize("lost", [1, 20, 100])
def test_a_record_cut_off_is_read_to_its_last_whole_line(tmp_path: Path, lost: int) -> None:
    made = record(rounds(A, [1.0] * 3))
    path = written(tmp_path / "raw.jsonl", made)
    path.write_bytes(path.read_bytes()[:-lost])
    assert load(path) == Record(made.run, made.measurements[:-1], cut=True)
    assert any("middle of a line" in notice for notice in judge(load(path)).notices)


@pytest.mark.parametrize("text", ["", '{"schema":1,"base":"b'])
def test_a_record_without_its_first_line_is_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "raw.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BenchError, match="empty") as caught:
        load(path)
    assert caught.value.where == str(path)
    assert caught.value.todo


def test_a_missing_record_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="cannot be read: No such file") as caught:
        load(tmp_path / "raw.jsonl")
    assert str(tmp_path) in caught.value.where


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("\n", "not JSON"),
        ("nonsense\n", "not JSON"),
        ("[]\n", "the line is not an object"),
        ("\udcff\n", "not JSON"),
        ("[" * 100_000 + "\n", "not JSON"),
        (line(min_ns=math.nan), "NaN"),
        (line(min_ns="1"), "`min_ns` is not a number"),
        (line(round=1.5), "`round` is not a whole number"),
        (line(round=True), "`round` is not a whole number"),
        (line(side="left"), "`side` is `left`"),
        (line(side=...), "`side` is missing"),
        (line(benchmark={"package": "demo"}), "`benchmark.target` is missing"),
        (line(benchmark=["demo"]), "`benchmark` is not an object"),
    ],
)
def test_a_bad_line_is_named_with_its_number(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "raw.jsonl"
    lines = dumps_run(run(A)) + dumps_measurement(measured(A)) + text
    path.write_bytes(lines.encode("utf-8", "surrogateescape"))
    with pytest.raises(BenchError, match=what) as caught:
        load(path)
    assert caught.value.where == f"{path}:3"
    assert caught.value.todo


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"schema": 2}, "`schema` is 2"),
        ({"schema": None}, "`schema` is None"),
        ({"settings": {"target": "5 %"}}, "`settings.target` is not a number"),
        ({"settings": {"looks": [20, "x"]}}, r"`settings.looks\[1\]` is not a whole number"),
        ({"settings": {"target": -2}}, "settings: `target` is -2"),
        ({"settings": {"tolerance": 0.2}}, "settings: `tolerance` is 0.2"),
        ({"settings": {"alpha": 0}}, "settings: `alpha` is 0"),
        ({"settings": {"rounds": 0}}, "settings: `rounds` is 0"),
        ({"settings": {"looks": []}}, "settings: `looks` are not"),
        ({"identical": [["demo"]]}, r"`identical\[0\]` is not a list of 2"),
        ({"flags": "-C"}, "`flags` is not a list"),
        ({"listed": []}, "`listed` is not an object"),
    ],
)
def test_a_bad_first_line_is_named(tmp_path: Path, fields: dict[str, object], what: str) -> None:
    path = tmp_path / "raw.jsonl"
    path.write_text(json.dumps({**json.loads(dumps_run(run(A))), **fields}) + "\n", "utf-8")
    with pytest.raises(BenchError, match=what) as caught:
        load(path)
    assert caught.value.where == f"{path}:1"


def test_parts_of_a_run_are_judged_together() -> None:
    parts = [record(rounds(A, around(1.06, many=20))), record(rounds(B, around(1.0, many=10)))]
    found = judge(join(parts))
    assert [row.status for row in found.rows] == ["regressed", "ok"]
    assert found.m == 2


def test_records_that_do_not_belong_together_are_refused() -> None:
    one = record(rounds(A, [1.0]))
    with pytest.raises(BenchError, match="`a` was measured in two"):
        join([one, one])
    with pytest.raises(BenchError, match="differ in base, head or settings"):
        join([one, record(rounds(B, [1.0]), settings=Settings(target=0.1))])
    with pytest.raises(BenchError, match="differ in base, head or settings"):
        join([one, Record(replace(run(B), head="c" * 40), (measured(B, HEAD),))])
