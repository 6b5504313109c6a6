"""The live campaign: it can be stopped and continued, and its turns are even."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from tests.bench.live import SCENARIOS, Outcome, logged, table, turns

RUN = Outcome(
    scenario="+5 %",
    busy=True,
    seed=0,
    code=1,
    statuses={"serde/encode_message/32": "regressed"},
    seconds=60.0,
    measuring=9.0,
)


def test_turns_are_even_wherever_a_campaign_is_stopped() -> None:
    order = [(s.name, busy) for _, s, busy in turns(2, SCENARIOS, (False, True), [])]

    assert len(set(order[: len(order) // 2])) == 2 * len(SCENARIOS)
    assert order[: len(order) // 2] == order[len(order) // 2 :]


def test_a_campaign_goes_on_where_its_log_ends(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(f"{json.dumps(asdict(RUN))}\n", "utf-8")

    done = logged(log)
    left = [(seed, s.name, busy) for seed, s, busy in turns(1, SCENARIOS, (False, True), done)]

    assert done == [RUN]
    assert (0, "+5 %", True) not in left
    assert len(left) == 2 * len(SCENARIOS) - 1
    assert logged(tmp_path / "none") == []


def test_the_table_tells_what_was_found() -> None:
    head, line = table([RUN])

    assert head.split()[-1] == "measuring"
    assert line.split() == ["+5", "%", "busy", "0/1", "1/1", "1/1", "60", "9"]
