"""The pictures: well-formed whatever the names, without scripts, every mark with its words."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from rustci.bench.judge import judge
from rustci.bench.plots import MOST_PICTURES, MOST_ROWS, pictures
from rustci.bench.record import Record
from tests.bench.hostile import NAMES
from tests.bench.records import around, bench, record, rounds, run

A = bench("parse/json")
SLOW = [
    *rounds(A, [*around(1.06, many=19), 3.0]),
    *(row for seed in range(1, 6) for row in rounds(A, around(1.06, many=4), layout=seed)),
]
SAME = rounds(bench("same"), around(1.0, many=10))
SVG = "{http://www.w3.org/2000/svg}"


def drawn(made: Record) -> dict[str, ET.Element]:
    return {name: ET.fromstring(text) for name, text in pictures(made, judge(made)).items()}


def titles(picture: ET.Element, parent: str) -> list[str]:
    return [
        one.text or "" for each in picture.iter(SVG + parent) for one in each.findall(SVG + "title")
    ]


def test_the_forest_has_every_benchmark_with_its_words() -> None:
    found = drawn(record(SLOW, SAME))
    assert list(found) == ["forest.svg", "rounds-1.svg"]
    told = titles(found["forest.svg"], "g")
    assert re.fullmatch(r"parse/json: \+6\.\d % \[\+5\.\d, \+\d\.\d\], slower", told[0])
    assert told[1].startswith("same: ")
    assert told[1].endswith("unchanged")


def test_the_rounds_are_all_there_with_their_looks_and_relinks() -> None:
    picture = drawn(record(SLOW, SAME))["rounds-1.svg"]
    told = titles(picture, "g")
    assert sum(each.startswith("round ") for each in told) == 20
    assert sum(each.startswith("relink ") for each in told) == 5 * 4
    assert "round 20: +200.0 %" in told
    words = [each.text for each in picture.iter(SVG + "text")]
    assert {"screening", "look at 20", "relinks"} <= set(words)


def test_marks_lie_within_the_picture() -> None:
    for picture in drawn(record(SLOW, SAME)).values():
        _, _, width, height = map(float, picture.attrib["viewBox"].split())
        for mark in picture.iter(SVG + "circle"):
            assert 0 < float(mark.attrib["cx"]) < width
            assert 0 < float(mark.attrib["cy"]) < height


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_any_name_is_well_formed(name: str) -> None:
    benchmark = bench(name)
    made = record(rounds(benchmark, around(1.06, many=20)))
    found = drawn(made)
    assert len(found) == 2
    for picture in found.values():
        assert {each.tag.removeprefix(SVG) for each in picture.iter()} <= {
            *("svg", "title", "style", "g", "rect", "line", "path", "circle", "text"),
        }
    for text in pictures(made, judge(made)).values():
        assert text.encode()
        assert "url(" not in text
        assert "@import" not in text
        assert "@font-face" not in text


def test_both_backgrounds_are_served() -> None:
    for text in pictures(record(SLOW), judge(record(SLOW))).values():
        assert "prefers-color-scheme: dark" in text


def test_many_benchmarks_are_cut_and_counted() -> None:
    parts = [rounds(bench(f"{number:04}"), [1.5, 0.7]) for number in range(MOST_ROWS + 3)]
    found = drawn(record(*parts))
    assert len(found) == MOST_PICTURES + 1
    assert any("and 3 more" in (each.text or "") for each in found["forest.svg"].iter(SVG + "text"))


def test_a_run_without_numbers_has_an_empty_forest() -> None:
    found = drawn(Record(run(A)))
    assert list(found) == ["forest.svg"]
    assert titles(found["forest.svg"], "g") == []
