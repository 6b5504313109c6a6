"""Instruction counts: summaries of every layout, and what a difference between them means.

Layout 7 is a real file of gungraun 0.20; 3 to 6 are written from iai-callgrind's schemas.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rustci.bench import counts
from rustci.bench.builds import Bench, Tree
from rustci.bench.counts import IMPROVED, NEW, OK, REGRESSED, REMOVED, compare
from rustci.bench.errors import BenchError
from tests.bench.crates import FILES, repository

SUMMARIES = Path(__file__).parent / "counts"
KEY = ("pkg", "sums", "f")


@pytest.mark.parametrize("layout", ["3", "4", "5", "6", "7"])
def test_every_layout_is_read(layout: str) -> None:
    text = (SUMMARIES / f"{layout}.json").read_text("utf-8")

    assert counts.read_summary(text) == ("sums::all::bench_sum long", 36771)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read"),
        ("[]", "no summary"),
        ('{"module_path": "a", "version": "8"}', "3 to 7 can be read"),
        ('{"module_path": "a", "version": "6", "profiles": [3]}', "cannot be read"),
    ],
)
def test_a_broken_summary_is_told_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "summary.json").write_text(text, "utf-8")

    with pytest.raises(BenchError, match=message) as caught:
        counts.read(tmp_path, "pkg", "sums")
    assert caught.value.where == str(tmp_path / "summary.json")


def test_a_home_is_read_by_package_target_and_benchmark(tmp_path: Path) -> None:
    place = tmp_path / "pkg" / "sums" / "all" / "f"
    place.mkdir(parents=True)
    (place / "summary.json").write_text((SUMMARIES / "6.json").read_text("utf-8"), "utf-8")

    found = counts.read(tmp_path, "pkg", "sums")

    assert found == {("pkg", "sums", "sums::all::bench_sum long"): 36771}


@pytest.mark.parametrize(
    ("base", "head", "status", "limit"),
    [
        ((1000, 1000), (1000, 1000), OK, 0.01),
        ((1000, 1000), (1009, 1009), OK, 0.01),
        ((1000, 1000), (1020, 1020), REGRESSED, 0.01),
        ((1000, 1000), (980, 980), IMPROVED, 0.01),
        ((10000, 10000), (10101, 10105), REGRESSED, 0.01),
        ((1000, 1010), (1030, 1030), OK, 0.05),
        ((1000, 1010), (1060, 1060), REGRESSED, 0.05),
    ],
)
def test_a_count_that_repeats_badly_is_given_more_room(
    base: tuple[int, int], head: tuple[int, int], status: str, limit: float
) -> None:
    first, second = (({KEY: a}, {KEY: b}) for a, b in (base, head))

    (row,) = compare(first, second, counts.LIMIT)

    assert row.status == status
    assert row.limit == pytest.approx(limit)


def test_new_and_removed_benchmarks_fail_nothing() -> None:
    new, old = ("pkg", "sums", "new"), ("pkg", "sums", "old")

    rows = compare(({old: 5}, {old: 5}), ({new: 5}, {new: 5}), 0.01)

    assert {row.key: row.status for row in rows} == {new: NEW, old: REMOVED}
    assert {row.change for row in rows} == {None}


def test_the_table_says_what_counts_do_not_see_and_quotes_names() -> None:
    row = counts.Row(("pkg", "sums", "`<b>\n@me" + "x" * 10_000), REGRESSED, 100, 110)

    text = counts.table([row])

    assert text.splitlines()[0].startswith("regressed +10.00% (limit 1.00%)")
    assert "caches" in text
    assert "`" not in text
    assert len(text) < 1000


def test_the_result_is_json() -> None:
    rows = [counts.Row(KEY, OK, 100, 100), counts.Row(("pkg", "sums", "new"), NEW, None, 5)]

    result = json.loads(counts.dumps(rows, {"base": "a", "head": "b"}))

    assert result["schema"] == 1
    assert [row["change"] for row in result["results"]] == [0.0, None]


def test_a_version_that_writes_no_summary_is_told(tmp_path: Path) -> None:
    repository(tmp_path / "p", dict(FILES))
    bench = Bench("", "", "0.1.0", "iai-callgrind", (0, 8, 0))
    tree = Tree("head", "a" * 40, tmp_path, tmp_path, {})

    with pytest.raises(BenchError, match=r"iai-callgrind 0.8.0 writes no summary") as caught:
        counts._runner(bench, tree, tmp_path, print)
    assert "0.9 or newer" in caught.value.todo


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")

    with pytest.raises(BenchError, match="cannot be written"):
        counts._write(tmp_path / "file" / "bench-counts.json", "{}")
