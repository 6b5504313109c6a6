"""The page about the gate's files names every key and every status, and no other."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

from rustci.bench import judge, record, rule
from rustci.bench.record import Benchmark, Measurement, Record, Run
from rustci.bench.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "bench-files.md").read_text("utf-8")
BENCHMARK = Benchmark("p", "t", "g")
RUN = Run("a", "b", 1, Settings(), listed={"base": (BENCHMARK,), "head": (BENCHMARK,)})
MEASURED = Measurement(1, 10, "base", 0, BENCHMARK, 30, 1.0, 2.0, 3.0, 4.0, 0)


def told(head: str) -> set[str]:
    """Return what the table with this header names in its first column."""
    table = re.search(rf"^\| {re.escape(head)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert table, head
    return {
        name
        for line in table[1].splitlines()
        for name in re.findall("`([^`]+)`", line.split("|")[1])
    }


def test_every_key_of_the_result_is_told() -> None:
    result = json.loads(judge.dumps_result(judge.judge(Record(RUN, (MEASURED,)))))

    assert told("Key") == set(result)
    assert told("Key in `results`") == set(result["results"][0])
    assert told("Key in `settings`") == set(result["settings"])
    assert told("`id`, `benchmark`") == set(result["results"][0]["id"])


def test_every_key_of_the_record_is_told() -> None:
    assert told("Key in the first line") == set(json.loads(record.dumps_run(RUN)))
    assert told("Key in the other lines") == set(json.loads(record.dumps_measurement(MEASURED)))
    assert {"base", "head"} == {record.BASE, record.HEAD}
    assert len(dataclasses.fields(Measurement)) == len(told("Key in the other lines"))


def test_every_status_is_told_and_what_fails() -> None:
    from rustci.bench.verdicts import VERDICTS

    assert told("`status`") == set(VERDICTS)
    strict = set(re.findall(r"^\| `([a-z-]+)` \|.*\| with `strict` \|$", PAGE, re.MULTILINE))
    assert strict == {*judge.UNDECIDED}
    assert rule.UNSTABLE in strict
