"""What people read: no name becomes markup, limits are kept, and the verdict comes first."""

from __future__ import annotations

import html
import re

import pytest

from rustci.bench.judge import Result, Row, judge
from rustci.bench.report import HEADINGS, LIMIT, summary, table, workflow_commands
from rustci.bench.settings import Settings
from rustci.bench.verdicts import VERDICTS
from rustci.bench.wording import LONGEST_NAME, columns, duration
from tests.bench.hostile import NAMES
from tests.bench.records import SETTINGS, around, bench, record, rounds

PARSE = rounds(bench("parse/json"), around(1.061, many=20))
SAME = [rounds(bench(f"same/{n}"), around(1.0, many=10, seed=n)) for n in range(5)]


def result(*rows: Row, settings: Settings = SETTINGS, errors: tuple[str, ...] = ()) -> Result:
    return Result("b" * 40, "a" * 40, settings, m=len(rows), rows=rows, errors=errors)


def flagged(name: str, status: str = "regressed") -> Row:
    numbers = {"ratio": 1.06, "lo": 1.04, "hi": 1.08, "rounds": 20, "base_ns": 100.0}
    return Row(bench(name), status, "why " + name, head_ns=106.0, **numbers)  # type: ignore[arg-type]


def decoded(cell: str) -> str:
    """Return what is seen of a cell."""
    assert re.fullmatch(r"(<code>|</code>|[A-Za-z0-9 /,;%+-]|&#\d+;)*", cell), cell
    return html.unescape(re.sub("</?code>", "", cell)).replace("\u2060", "")


# -- Markdown --------------------------------------------------------------------------------


def test_the_summary_begins_with_the_verdict() -> None:
    found = summary(judge(record(PARSE, *SAME)))
    first, _, second, *_ = found.splitlines()
    assert first == "### Benchmarks: 1 of 6 benchmarks is slower"
    assert re.fullmatch(r"- <code>parse/json</code> \*\*\+6\.\d %\*\* \[\+5\.\d, \+6\.\d\]", second)
    assert "1 slower, 5 unchanged within 5 %" in found
    assert found.count("```mermaid") == 1
    assert "run --base bbbb" in found


@pytest.mark.parametrize(
    ("rows", "errors", "verdict"),
    [
        ((flagged("a", "ok"),), (), "no slowdown in 1 benchmark"),
        ((flagged("a", "ok"), flagged("b", "ok")), (), "no slowdown in 2 benchmarks"),
        (
            (flagged("a", "ok"), flagged("b", "unstable")),
            (),
            "no slowdown found, 1 of 2 benchmarks undecided",
        ),
        ((flagged("a", "crashed"),), ("head crashed: a",), "the benchmarks could not be judged"),
        ((Row(bench("a"), "identical"),), (), "both sides run the same executables"),
    ],
)
def test_the_summary_says_in_a_few_words_how_it_went(
    rows: tuple[Row, ...], errors: tuple[str, ...], verdict: str
) -> None:
    assert f"### Benchmarks: {verdict}\n" in summary(result(*rows, errors=errors))


def test_nothing_to_compare_is_said() -> None:
    rows = (Row(bench("a"), "new"),)
    assert "there was nothing to compare" in summary(Result("b", "a", SETTINGS, rows=rows))


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_no_name_becomes_markup(name: str) -> None:
    found = summary(result(flagged(name)))
    rows = [line for line in found.splitlines() if line.startswith("| <code>")]
    assert len(rows) == 2, "in the first table and among all"
    for row in rows:
        cells = row.strip("|").split("|")
        assert len(cells) == 8
        seen = decoded(cells[0].strip())
        visible = re.sub(r"[\x00-\x1f\u2028\u202e\ud800\ufffe\uffff]", "\ufffd", name)
        assert seen == (visible if len(name) <= LONGEST_NAME else "x" * (LONGEST_NAME - 1) + "…")
    (reason,) = [line for line in found.splitlines() if "why " in line]
    assert decoded(reason.removeprefix("- ").replace(": ", " "))
    assert found.encode()
    assert "example.com" not in found


def test_the_target_tells_benchmarks_of_one_name_apart() -> None:
    found = judge(record(SAME[0], rounds(bench("same/0", target="render"), [1.0] * 10)))
    assert "parse: same/0" in table(found)
    assert "render: same/0" in table(found)


@pytest.mark.parametrize(
    ("status", "name"), [("regressed", "group/{}/" + "long" * 30), ("ok", "&" * 60 + "{}")]
)
def test_five_thousand_rows_are_cut_whole(status: str, name: str) -> None:
    rows = [flagged(name.format(number), status) for number in range(5000)]
    found = summary(result(*rows))
    assert len(found.encode()) <= LIMIT
    assert found.endswith("</details>\n")
    assert found.count("<details>") == found.count("</details>") == 2
    tables = re.findall(r"^\|.*$", found, re.MULTILINE)
    assert all(row.count("|") == 9 for row in tables)
    shown = [row for row in tables if VERDICTS[status] in row]
    cut = re.findall(r"^([\d,]+) more rows did not fit", found, re.MULTILINE)
    told = sum(int(number.replace(",", "")) for number in cut)
    assert len(shown) + told == 5000 * (2 if status == "regressed" else 1)


# -- annotations -----------------------------------------------------------------------------


def test_a_slow_benchmark_is_an_error() -> None:
    (line,) = workflow_commands(result(flagged("parse"), flagged("b", "ok"))).splitlines()
    assert line == (
        "::error title=Benchmark is slower::"
        "parse: +6.0 %25 [+4.0, +8.0], 100 ns to 106 ns in 20 rounds; why parse"
    )


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_no_name_becomes_a_command(name: str) -> None:
    found = workflow_commands(result(flagged(name), flagged(name, "unstable"), errors=(name,)))
    assert [line.split("::")[1].split(" ")[0] for line in found.splitlines()] == [
        "error",
        "error",
        "warning",
    ]
    assert all("%" not in re.sub("%25", "", line) for line in found.splitlines())


@pytest.mark.parametrize(
    ("status", "settings", "level"),
    [
        ("ok", Settings(), ""),
        ("improved", Settings(), ""),
        ("removed", Settings(), ""),
        ("inconclusive", Settings(), "warning"),
        ("no-data", Settings(), "warning"),
        ("layout", Settings(), "warning"),
        ("suspicious", Settings(), "warning"),
        ("inconclusive", Settings(strict=True), "error"),
        ("layout", Settings(strict=True), "warning"),
        ("removed", Settings(require_same=True), "error"),
        ("regressed", Settings(advisory=True), "error"),
    ],
)
def test_the_level_of_an_annotation(status: str, settings: Settings, level: str) -> None:
    found = workflow_commands(result(flagged("a", status), settings=settings))
    assert found.startswith(f"::{level} ") if level else not found


def test_github_shows_ten_and_the_tenth_counts_the_others() -> None:
    found = workflow_commands(result(*(flagged(str(n)) for n in range(50)))).splitlines()
    assert len(found) == 10
    assert "41 more" in found[-1]


# -- the terminal ----------------------------------------------------------------------------


def test_the_table_has_the_suspects_first_and_the_verdict_last() -> None:
    lines = table(judge(record(PARSE, *SAME))).splitlines()
    assert re.split("  +", lines[0]) == list(HEADINGS)
    assert lines[1].startswith("parse/json")
    assert lines[1].endswith("slower")
    assert lines[-1] == "1 of 6 benchmarks is slower"


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_no_name_breaks_the_table(name: str, width: int) -> None:
    head, row, *_ = table(result(flagged(name)), width).splitlines()
    assert row.endswith("  slower")
    assert columns(row.removesuffix("slower")) == head.index("verdict")
    assert "\x1b" not in row


def test_the_table_leaves_out_what_is_ok_and_much() -> None:
    rows = [flagged("slow"), *(flagged(str(number), "ok") for number in range(5000))]
    found = table(result(*rows)).splitlines()
    assert len(found) < 60
    assert "and 4,961 unchanged within 5 %" in found


@pytest.mark.parametrize(
    ("ns", "told"),
    [
        (0.4, "0.40 ns"),
        (1.234, "1.23 ns"),
        (12.34, "12.3 ns"),
        (123.4, "123 ns"),
        (1234, "1.23 µs"),
        (1.5e6, "1.50 ms"),
        (2.5e10, "25.0 s"),
        (None, "–"),
    ],
)
def test_times_have_three_digits(ns: float | None, told: str) -> None:
    assert duration(ns) == told
