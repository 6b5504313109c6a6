"""The history as one HTML file: readable without scripts, and without a single outside request.

Names and subjects come from a branch that many can push to. They are escaped, and a policy in the
page's head lets no script and no style run but the two that stand in this package.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from pathlib import Path

from .branch import Contents
from .charts import (
    Chart,
    Frame,
    absolute,
    arrow,
    bounds,
    cpu,
    date,
    direction,
    duration,
    percent,
    ratios,
)
from .points import Found, Point, Sample, Series, series
from .wording import clean

COMMITS = 200
"""Shown at most, the newest ones."""
CHARTS = 250
POINTS = 8_000
"""In all charts together, so that a phone can still show the page: about 5 MB."""
FEWEST = 40
"""Commits that are shown however many benchmarks there are."""
NEWS = 8
"""Changes that are listed at once."""
GUIDE = """\
<details><summary>How to read this page</summary>
<p class="note">The band holds the true ratio: each of its two bounds is right for 95 of 100 points.
A dashed line marks a change: the points from there on differ from up to 30 before by more than 2 %,
and by more than chance does once in 500 times (exact rank-sum test). A dotted line marks a new
anchor; ratios are carried over. A gap means that nothing joins the two sides. Absolute times depend
on the machine: compare them within one processor model only.</p>
<p class="note">In a chart, the arrow keys move from point to point, and Enter opens the commit.</p>
</details>
"""


def render(contents: Contents, repository: str) -> str:
    """Return the page; `repository` is the address that commits are linked to, or empty."""
    every = series(contents.points)
    newest = sorted(contents.points, key=lambda point: (point.committed, point.head))
    most = POINTS // max(1, min(CHARTS, len(every)))
    frame = Frame(tuple(newest[-max(FEWEST, min(COMMITS, most)) :]), repository)
    charts = _charts(every, frame)
    body = (
        _head(newest, every, charts, frame)
        + (_cards(charts, frame) if charts else _nothing(newest))
        + _foot(contents, frame, len(every) - len(charts))
    )
    return _document("Benchmark history", body)


def _charts(every: Sequence[Series], frame: Frame) -> list[Chart]:
    """Return what is drawn: everything, or what changed lately and then the rest in order."""
    charts = [_chart(each, frame) for each in every]
    drawn = [chart for chart in charts if chart.stretches]
    kept = {chart.mark for chart in sorted(drawn, key=lambda chart: not chart.found)[:CHARTS]}
    return [chart for chart in drawn if chart.mark in kept]


def _chart(each: Series, frame: Frame) -> Chart:
    """Return what can be seen of a series in the frame."""
    seen = [
        tuple(sample for sample in stretch if sample.point.head in frame.places)
        for stretch in each.stretches
    ]
    found = tuple(found for found in each.found() if found.point.head in frame.places)
    return Chart(each, tuple(stretch for stretch in seen if stretch), found)


def _document(title: str, body: str) -> str:
    style, script = _asset("page.css"), _asset("page.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f'<title>{title}</title>\n<link rel="icon" href="data:,">\n'
        f"<style>{style}</style>\n</head>\n<body>\n"
        f'<div class="page">\n{body}</div>\n<script>{script}</script>\n</body>\n</html>\n'
    )


def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def _digest(text: str) -> str:
    """Return a text's name in a content security policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _head(
    newest: Sequence[Point], every: Sequence[Series], charts: Sequence[Chart], frame: Frame
) -> str:
    found = sorted(
        (
            (each.point.committed, chart.name, chart, each)
            for chart in charts
            for each in chart.found
        ),
        key=lambda row: row[:2],
        reverse=True,
    )
    slower = sum(chart.found[-1].shift > 0 for chart in charts if chart.found)
    over = f'<p class="over">{escape(frame.repository.partition("://")[2])}</p>\n'
    return (
        '<a class="skip" href="#benchmarks">Skip to the benchmarks</a>\n<header>\n'
        f"{over if frame.repository else ''}<h1>Benchmark history</h1>\n"
        '<p class="lead">The time of each commit on the main branch, divided by that of an anchor '
        "commit which was measured beside it in the same job. Lower is faster.</p>\n"
        f"{_facts(newest, len(every), slower)}</header>\n<main>\n"
        f"{_changes([(chart, each) for _, _, chart, each in found], frame) if charts else ''}"
    )


def _facts(newest: Sequence[Point], benchmarks: int, slower: int) -> str:
    facts = [(f"{benchmarks:,}", "benchmark" if benchmarks == 1 else "benchmarks", "")]
    facts += [(f"{len(newest):,}", "commit" if len(newest) == 1 else "commits", "")]
    if newest:
        facts += [(date(newest[-1].committed), "newest commit", "")]
        kind = ' class="slower"' if slower else ""
        facts += [(f"{slower:,}", "slower at their last change", kind)]
    rows = "".join(
        f"<div><dt>{label}</dt><dd{kind}>{value}</dd></div>\n" for value, label, kind in facts
    )
    return f'<dl class="facts">\n{rows}</dl>\n'


def _changes(found: Sequence[tuple[Chart, Found]], frame: Frame) -> str:
    if not found:
        text = "No benchmark has changed for good: nothing moved by more than its noise and 2 %."
        return f'<h2>What changed</h2>\n<p class="note">{text}</p>\n'
    rows = [_change(chart, each, frame) for chart, each in found]
    more = (
        f"<details><summary>{len(rows) - NEWS:,} earlier changes</summary>\n"
        f'<ul class="changes">\n{"".join(rows[NEWS:])}</ul>\n</details>\n'
    )
    return (
        f'<h2>What changed</h2>\n<ul class="changes">\n{"".join(rows[:NEWS])}</ul>\n'
        f"{more if rows[NEWS:] else ''}"
    )


def _change(chart: Chart, found: Found, frame: Frame) -> str:
    subject = escape(clean(found.point.subject, 100))
    return (
        f'<li><b class="{direction(found)}">{arrow(found)} {percent(found.shift)}</b>'
        f'<a href="#{chart.mark}">{escape(chart.name)}</a>'
        f"<span>{frame.link(found.point)} {subject} · {date(found.point.committed)}</span></li>\n"
    )


def _cards(charts: Sequence[Chart], frame: Frame) -> str:
    cards = "".join(_card(chart, frame) for chart in charts)
    changed = any(chart.found for chart in charts)
    return (
        '<h2 id="benchmarks" tabindex="-1">Benchmarks</h2>\n'
        '<form class="controls" role="search" hidden>\n'
        '<input type="search" id="filter" placeholder="Filter by name" aria-label="Filter by name" '
        'autocomplete="off" spellcheck="false">\n'
        f'<label{"" if changed else " hidden"}><input type="checkbox" id="changed"> '
        "Only those that changed</label>\n"
        '<output aria-live="polite"></output>\n</form>\n'
        f'<div class="cards">\n{cards}</div>\n'
    )


def _card(chart: Chart, frame: Frame) -> str:
    benchmark, latest = chart.series.benchmark, chart.samples[-1]
    where = f"{clean(benchmark.package, 80)} · {clean(benchmark.target, 80)}"
    title = f"{chart.mark}-name"
    return (
        f'<article class="card" id="{chart.mark}" aria-labelledby="{title}" '
        f'data-name="{escape(chart.name)} {escape(where)}">\n'
        f'<header><div><h3 id="{title}">{escape(chart.name)}</h3>'
        f'<p class="where">{escape(where)}</p></div>\n'
        f'<p class="latest"><b>{percent(latest.change)}</b><span>{bounds(latest)}</span></p>'
        f"</header>\n{ratios(chart, frame)}"
        f"<details><summary>Values and absolute times</summary>\n"
        f"{absolute(chart, frame)}{_table(chart, frame)}</details>\n</article>\n"
    )


def _table(chart: Chart, frame: Frame) -> str:
    rows = "".join(_row(sample, frame) for sample in reversed(chart.samples))
    return (
        '<div class="scroll" tabindex="0" role="region" '
        f'aria-label="Values of {escape(chart.name)}"><table>\n'
        '<thead><tr><th scope="col">Commit</th><th scope="col" class="number">Change</th>'
        '<th scope="col" class="number">Interval</th><th scope="col" class="number">Time</th>'
        '<th scope="col">Date</th><th scope="col">Processor</th></tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table></div>\n"
    )


def _row(sample: Sample, frame: Frame) -> str:
    ns = sample.reading.ns
    return (
        f'<tr><th scope="row">{frame.link(sample.point)}</th>'
        f'<td class="number">{percent(sample.change)}</td><td class="number">{bounds(sample)}</td>'
        f'<td class="number">{duration(ns) if ns else "–"}</td>'
        f"<td>{date(sample.point.committed)}</td><td>{escape(cpu(sample.point))}</td></tr>\n"
    )


def _nothing(newest: Sequence[Point]) -> str:
    text = (
        "The first ones have no anchor yet that has the same benchmarks; the next commit will."
        if newest
        else "The first point comes with the next commit on the main branch."
    )
    return f'<h2>No values yet</h2>\n<p class="note">{text}</p>\n'


def _foot(contents: Contents, frame: Frame, undrawn: int) -> str:
    notes = []
    if len(frame.points) < len(contents.points):
        notes.append(f"The newest {len(frame.points):,} commits are drawn.")
    if undrawn:
        notes.append(f"Not drawn, for want of values or of room: {_count(undrawn, 'benchmark')}.")
    if contents.skipped:
        notes.append(f"Not read: {_count(len(contents.skipped), 'file')} on the branch.")
    lines = "".join(f"<li>{escape(line)}</li>\n" for line in contents.skipped[:100])
    skipped = f"<details><summary>Files that were not read</summary><ul>{lines}</ul></details>\n"
    return (
        f"</main>\n<footer>\n{GUIDE}{''.join(f'<p>{note}</p>' for note in notes)}"
        f"{skipped if lines else ''}</footer>\n"
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
