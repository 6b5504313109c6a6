"""The page: what it says, that nothing foreign comes alive in it, and how it is in a browser."""

from __future__ import annotations

import math
import os
import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from rustci.bench import charts, page
from rustci.bench.branch import Contents
from rustci.bench.points import Point
from rustci.bench.record import Benchmark
from tests.bench.commits import PARSE, SORT, line, point, reading, sha

REPOSITORY = "https://github.com/owner/repo"
HOSTILE = Benchmark(
    "<script>alert(1)</script>",
    "a\"'&",
    "</svg></style><img src=x onerror=alert(2)>",
    "\u202egnp",
    "x" * 10_000,
)
VOID = {"meta", "link", "input", "path", "line", "circle"}


def example() -> Contents:
    """Return 60 commits of five benchmarks, one slower, one faster, one anchor moved."""
    source = random.Random(3)
    benchmarks = [
        PARSE,
        SORT,
        HOSTILE,
        *(Benchmark("store", "disk", "read", str(n)) for n in (1, 2)),
    ]

    def level(number: int, n: int) -> float:
        return {0: 1.06 if n >= 40 else 1.0, 1: 0.9 if n >= 25 else 1.0}.get(number, 1.0)

    points = [
        point(
            n,
            *(
                reading(
                    each,
                    level(number, n)
                    * math.exp(source.gauss(0, 0.006))
                    / level(number, 30 * (n > 30)),
                    ns=100 * 9**number,
                )
                for number, each in enumerate(benchmarks)
            ),
            anchor=30 if n > 30 else "anchor",
            subject="</title><script>alert(3)</script> & more" if n == 40 else "",
        )
        for n in range(60)
    ]
    return Contents(tuple(points), ("bench/2025/<b>.json: its name is none of ours",))


class Reader(HTMLParser):
    """Collects elements and attributes, and checks that all are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, name: str = "") -> list[dict[str, str]]:
        return [
            attributes
            for found, attributes in self.found
            if found == tag and (not name or name in attributes.get("class", "").split())
        ]


@pytest.fixture(scope="module")
def text() -> str:
    return page.render(example(), REPOSITORY)


@pytest.fixture(scope="module")
def read(text: str) -> Reader:
    return Reader(text)


def test_each_benchmark_has_a_chart_and_a_table(read: Reader) -> None:
    assert len(read.all("article")) == 5
    assert len(read.all("table")) == 5
    assert len(read.all("path", "band")) == 5
    assert len(read.all("tbody")) == 5
    assert sum(tag == "tr" for tag, _ in read.found) == 5 * 61


def test_change_points_are_marked_and_listed_newest_first(read: Reader) -> None:
    assert [each["class"] for each in read.all("g", "mark")] == ["mark slower", "mark faster"]
    listed = re.findall(r"[▲▼] [+−]\d+\.\d\u202f%(?=parse/json/1k|sort)", read.text)
    assert [each[0] for each in listed] == ["▲", "▼"]


def test_commits_are_linked(read: Reader) -> None:
    links = {each["href"] for each in read.all("a", "point")}
    assert links == {f"{REPOSITORY}/commit/{sha(n)}" for n in range(60)}


def test_without_a_repository_nothing_is_linked() -> None:
    read = Reader(page.render(example(), ""))
    assert all(each["href"].startswith("#") for each in read.all("a"))
    assert all(each["role"] == "img" for each in read.all("g", "point"))


def test_lines_of_absolute_time_are_split_by_processor(read: Reader) -> None:
    assert read.text.count("AMD EPYC 7763") >= 5
    assert len(read.all("ul", "legend")) == 5
    assert len(read.all("path", "s1")) == 2 * 5  # the line, and its key in the legend


def test_hostile_names_are_inert(text: str, read: Reader) -> None:
    assert len(read.all("script")) == 1
    assert len(read.all("style")) == 1
    assert not read.all("img")
    assert "alert(3)" in read.text
    assert not any(name.startswith("on") for _, attributes in read.found for name in attributes)
    assert not any("style" in attributes for _, attributes in read.found)
    assert "\u202e" not in text
    assert "x" * 300 not in text


def test_the_policy_names_the_only_script_and_style(text: str, read: Reader) -> None:
    (policy,) = [each["content"] for each in read.all("meta") if "http-equiv" in each]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "http:" not in text.replace(REPOSITORY, "")
    assert "https:" not in text.replace(REPOSITORY, "")


def test_the_same_history_gives_the_same_page_whatever_the_order(text: str) -> None:
    found = example()
    assert page.render(replace(found, points=found.points[::-1]), REPOSITORY) == text


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ((), "The first point comes with the next commit"),
        ((point(1, replace(reading(PARSE, 1), status="new", ratio=None)),), "have no anchor yet"),
    ],
)
def test_a_history_without_values_says_so(points: tuple[Point, ...], said: str) -> None:
    assert said in Reader(page.render(Contents(points), "")).text


def test_a_bound_that_is_not_known_is_not_made_up() -> None:
    unknown = point(1, replace(reading(PARSE, 1.1), lo=None))
    text = Reader(page.render(Contents((unknown,)), "")).text
    assert "? to +11.1\u202f%" in text


def test_one_commit_is_drawn() -> None:
    read = Reader(page.render(Contents((point(1, reading(PARSE, 1.0)),)), ""))
    assert len(read.all("g", "point")) == 2


def test_a_wild_value_stays_within_the_drawing() -> None:
    values = [1e-12, 1e12, 1.0]
    text = page.render(
        Contents(tuple(point(n, reading(PARSE, value)) for n, value in enumerate(values))), ""
    )
    drawn = [each["d"] for each in Reader(text).all("path") if "band" in each["class"]]
    numbers = [float(each) for each in re.findall(r"[^MLZ ]+", drawn[0])]
    assert len(numbers) == 2 * 2 * len(values)
    assert all(abs(each) <= 10 * charts.HEIGHT for each in numbers)


def test_a_long_history_and_many_benchmarks_stay_within_bounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page, "CHARTS", 3)
    monkeypatch.setattr(page, "COMMITS", 20)
    monkeypatch.setattr(page, "FEWEST", 5)
    read = Reader(page.render(example(), REPOSITORY))
    assert len(read.all("article")) == 3
    assert len(read.all("g", "mark")) == 1
    assert "The newest 20 commits are drawn." in read.text
    assert "Not drawn, for want of values or of room: 2 benchmarks." in read.text


def test_a_thousand_commits_are_drawn_in_seconds() -> None:
    found = Contents(tuple(line(PARSE, [(500, 1.0), (500, 1.05)])))
    assert len(page.render(found, REPOSITORY)) < 300_000


@pytest.mark.parametrize(
    ("change", "said"),
    [(0.0512, "+5.1 %"), (-0.03, "−3.0 %"), (0.0, "0 %"), (-0.0001, "0 %"), (12.5, "+1,250 %")],
)
def test_a_change_is_written_as_people_do(change: float, said: str) -> None:
    assert charts.percent(change).replace("\u202f", " ") == said


@pytest.mark.parametrize(
    ("ns", "said"),
    [(0.5, "0.5 ns"), (999, "999 ns"), (1234, "1.23 µs"), (5.5e6, "5.5 ms"), (4e12, "4,000 s")],
)
def test_a_time_is_written_with_its_unit(ns: float, said: str) -> None:
    assert charts.duration(ns).replace("\u202f", " ") == said


# -- in a browser -----------------------------------------------------------------------------

SIZES = [(390, 844), (1280, 900)]
LUMINANCE = """
() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const lum = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const colour = parse(getComputedStyle(element).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll("body *")].filter((element) =>
    !["SCRIPT", "STYLE", "TITLE", "title"].includes(element.tagName) &&
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));
  return texts.map((element) => {
    const style = getComputedStyle(element);
    const svg = element instanceof SVGElement;
    const a = lum(parse(svg ? style.fill : style.color)), b = lum(behind(element));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    return [ratio, element.outerHTML.slice(0, 80)];
  }).sort((one, other) => one[0] - other[0]);
}
"""


def chromium() -> str:
    """Return the browser; without one the tests are skipped, on CI they fail."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if not found:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no Chromium is installed")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as play:
        started = play.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox"] if root else []
        )
        yield started
        started.close()


@pytest.fixture(params=[(*size, scheme) for size in SIZES for scheme in ("light", "dark")])
def tab(request: pytest.FixtureRequest, browser: Any, text: str, tmp_path: Path) -> Iterator[Any]:
    """Yield the page, opened from a file; afterwards nothing may have been said or requested."""
    width, height, scheme = request.param
    path = tmp_path / "index.html"
    path.write_text(text, "utf-8")
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    opened = context.new_page()
    heard: list[str] = []
    opened.on("console", lambda message: heard.append(message.text))
    opened.on("pageerror", lambda error: heard.append(str(error)))
    opened.on("request", lambda sent: heard.append(sent.url))
    opened.goto(path.as_uri())
    yield opened
    assert [each for each in heard if not each.startswith("data:")] == [path.as_uri()]
    context.close()


@pytest.mark.browser
def test_everything_fits_the_width(tab: Any) -> None:
    width = tab.viewport_size["width"]
    for summary in tab.locator("details > summary").all():
        summary.click()
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    boxes = [each.bounding_box() for each in tab.locator(".card").all()]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)


@pytest.mark.browser
def test_all_text_can_be_read_against_its_background(tab: Any) -> None:
    for summary in tab.locator("details > summary").all():
        summary.click()
    measured = tab.evaluate(LUMINANCE)
    assert len(measured) > 300
    assert measured[0][0] >= 4.5, measured[0]


@pytest.mark.browser
def test_the_filter_shows_what_it_names(tab: Any) -> None:
    shown = tab.locator(".card:visible")
    assert shown.count() == 5
    tab.get_by_role("searchbox").fill("READ disk")
    assert shown.count() == 2
    assert tab.locator(".controls output").text_content() == "2 of 5 shown"
    tab.get_by_role("searchbox").fill("nothing like it")
    assert shown.count() == 0
    tab.get_by_role("searchbox").fill("")
    tab.get_by_role("checkbox").check()
    assert shown.count() == 2


@pytest.mark.browser
def test_a_link_to_a_hidden_chart_brings_it_back(tab: Any) -> None:
    tab.get_by_role("searchbox").fill("read")
    link = tab.locator(".changes a[href^='#']").first
    link.click()
    target = tab.locator(".card" + str(link.get_attribute("href")))
    target.wait_for(state="visible")
    assert tab.get_by_role("searchbox").input_value() == ""


@pytest.mark.browser
def test_the_keyboard_reaches_every_point(tab: Any) -> None:
    for _ in range(40):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.matches('.point')"):
            break
    here = "document.activeElement.getAttribute('aria-label')"
    assert sha(59)[:9] in tab.evaluate(here)
    tab.keyboard.press("ArrowLeft")
    assert sha(58)[:9] in tab.evaluate(here)
    tab.keyboard.press("Home")
    assert sha(0)[:9] in tab.evaluate(here)
    figure = "document.activeElement.closest('figure').querySelector('.readout').textContent"
    assert tab.evaluate(figure) == tab.evaluate(here)
    tab.keyboard.press("Tab")
    assert not tab.evaluate("document.activeElement.matches('.point')"), "one tab stop per chart"


@pytest.mark.browser
def test_the_pointer_shows_values(tab: Any) -> None:
    plot = tab.locator(".plot .lines").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    tab.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 90)
    readout = tab.locator(".readout").first.text_content()
    assert any(sha(n)[:9] in readout for n in (29, 30))


@pytest.mark.browser
def test_without_scripts_all_of_it_is_there(browser: Any, text: str, tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text(text, "utf-8")
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(path.as_uri())
    assert opened.locator(".card:visible").count() == 5
    assert opened.locator(".controls:visible").count() == 0
    assert opened.locator(".point").first.locator("title").count() == 1
    opened.locator(".card details > summary").first.click()
    assert opened.locator("table:visible").count() == 1
    context.close()
