"""The charts of the history's page: SVG that scales in width and keeps its letters as they are.

Places are in percent from the left and in pixels from the top, so a chart needs no script to fit.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape

from .points import Found, Point, Sample, Series
from .wording import clean

HEIGHT, TOP, BOTTOM = 180, 24, 12
"""Pixels of a chart: all of it, above the highest and below the lowest value."""
LEAST_SPAN = 0.06
"""What a chart of ratios spans at least, so that noise does not look like mountains."""
DENSE = 100
"""Points beyond which they are drawn smaller."""
ROOM = 25
"""Percent of the width that the number of a change needs on a phone."""
COLOURS = 4
"""Processor models with a line of their own; the others share one."""

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
_UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))


@dataclass(frozen=True)
class Frame:
    """What all charts of a page share: the commits from left to right, and where they link to."""

    points: tuple[Point, ...]
    repository: str
    """The address of the repository; empty for none."""

    @cached_property
    def places(self) -> dict[str, float]:
        """Commits to percent from the left."""
        step = 98 / max(1, len(self.points) - 1)
        return {point.head: round(1 + n * step, 2) for n, point in enumerate(self.points)}

    def x(self, point: Point) -> float:
        """Return percent from the left."""
        return self.places[point.head]

    def address(self, point: Point) -> str:
        """Return the address of a commit, escaped; empty where there is no repository."""
        return escape(f"{self.repository}/commit/{point.head}") if self.repository else ""

    def link(self, point: Point) -> str:
        """Return a commit's short name, linked where there is a repository."""
        name, address = f'<span class="commit">{point.head[:9]}</span>', self.address(point)
        return f'<a href="{address}">{name}</a>' if address else name


@dataclass(frozen=True)
class _Scale:
    """Values to pixels from the top."""

    low: float
    high: float

    def y(self, value: float) -> float:
        """Return pixels, within ten times the chart's height."""
        part = (self.high - value) / (self.high - self.low)
        return round(TOP + max(-10.0, min(10.0, part)) * (HEIGHT - TOP - BOTTOM), 1)


@dataclass(frozen=True)
class _Dot:
    """One point of a chart."""

    point: Point
    value: float
    line: str
    """The class of its line; empty for the first."""
    told: str


@dataclass(frozen=True)
class Chart:
    """One benchmark as it is drawn."""

    series: Series
    stretches: tuple[tuple[Sample, ...], ...]
    found: tuple[Found, ...]

    @property
    def samples(self) -> tuple[Sample, ...]:
        """All values that are drawn, oldest first."""
        return tuple(sample for stretch in self.stretches for sample in stretch)

    @property
    def mark(self) -> str:
        """The chart's address within the page, the same as long as the benchmark has its name."""
        key = repr(self.series.benchmark.order).encode("utf-8", "replace")
        return f"b-{hashlib.sha256(key).hexdigest()[:10]}"

    @property
    def name(self) -> str:
        """What a person calls it."""
        return clean(self.series.benchmark.name)


def ratios(chart: Chart, frame: Frame) -> str:
    """Return the chart of a benchmark's ratios: line, interval, change points and new anchors."""
    changes = [sample.change for sample in chart.samples]
    low, high = min([*changes, 0.0]), max([*changes, 0.0])
    margin = max((high - low) * 0.15, (LEAST_SPAN - (high - low)) / 2)
    scale = _Scale(low - margin, high + margin)
    lines = "".join(_stretch(stretch, frame, scale) for stretch in chart.stretches)
    marks = "".join(_moved(stretch, frame) for stretch in chart.stretches)
    dots = [_Dot(sample.point, sample.change, "", _told(sample)) for sample in chart.samples]
    label = f"{chart.name}: change of time since the anchor, {len(changes)} commits"
    ticks = [(tick, percent(tick)) for tick in _ticks(scale)]
    return _figure(
        label,
        frame,
        scale,
        ticks,
        lines,
        marks + _marks(chart.found, frame),
        _dots(dots, frame, scale),
    )


def absolute(chart: Chart, frame: Frame) -> str:
    """Return the chart of a benchmark's times, one line for each processor model."""
    timed = [(sample.point, sample.reading.ns) for sample in chart.samples]
    kinds = _kinds(point for point, _ in timed)
    dots = [
        _Dot(point, ns, kinds[cpu(point)][0], f"{duration(ns)} · {cpu(point)} · {_about(point)}")
        for point, ns in timed
        if ns is not None
    ]
    if not dots:
        return ""
    low, high = min(dot.value for dot in dots), max(dot.value for dot in dots)
    margin = (high - low) * 0.15 or high * 0.05
    scale = _Scale(low - margin, high + margin)
    ticks = [(tick, duration(tick)) for tick in _ticks(scale) if tick > 0]
    lines = legend = ""
    for kind, name in dict.fromkeys(kinds.values()):
        own = [(dot.point, dot.value) for dot in dots if dot.line == kind]
        lines += _line(own, frame, scale, kind) if own else ""
        legend += _key(kind, name)
    label = f"{chart.name}: time of one iteration, by processor model"
    figure = _figure(label, frame, scale, ticks, lines, "", _dots(dots, frame, scale))
    return f'{figure}<ul class="legend">\n{legend}</ul>\n'


def cpu(point: Point) -> str:
    """Return the processor model of a point's machine."""
    return point.runner.get("cpu") or "Unknown processor"


def _kinds(points: Iterable[Point]) -> dict[str, tuple[str, str]]:
    """Return class and name of the line of each processor model, the most frequent first."""
    models = [model for model, _ in Counter(map(cpu, points)).most_common()]
    last = (f"s{COLOURS}", "Other models")
    return {
        model: (f"s{n}" if n else "", model) if n < COLOURS else last
        for n, model in enumerate(models)
    }


def _key(kind: str, name: str) -> str:
    """Return one entry of the legend."""
    return (
        '<li><svg viewBox="0 0 28 8" class="lines" aria-hidden="true">'
        f'<path class="line {kind}" d="M1 4h26"/></svg>{escape(name)}</li>\n'
    )


def _figure(
    label: str,
    frame: Frame,
    scale: _Scale,
    ticks: Sequence[tuple[float, str]],
    lines: str,
    marks: str,
    dots: str,
) -> str:
    grid = axis = ""
    for tick, text in ticks:
        y = scale.y(tick)
        kind = "grid" if tick else "zero"
        grid += f'<line class="{kind}" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
        axis += f'<text x="48" y="{y}">{text}</text>'
    first, last = (date(frame.points[n].committed) for n in (0, -1))
    return (
        f'<figure>\n<div class="plot"><svg class="axis" aria-hidden="true">{axis}</svg>'
        f'<svg class="lines" role="group" aria-label="{escape(label)}">{grid}'
        f'<svg viewBox="0 0 100 {HEIGHT}" preserveAspectRatio="none" width="100%" '
        f'height="{HEIGHT}" aria-hidden="true">{lines}</svg>{marks}'
        f'<line class="cursor" y1="{TOP - 8}" y2="100%"/>\n{dots}</svg></div>\n'
        f'<p class="dates"><span>{first}</span><span>{last}</span></p>\n'
        f'<p class="readout" aria-hidden="true" hidden></p>\n</figure>\n'
    )


def _stretch(stretch: Sequence[Sample], frame: Frame, scale: _Scale) -> str:
    """Return the line of a stretch and the band of its intervals."""
    upper = [(sample.point, sample.hi or sample.ratio) for sample in stretch]
    lower = [(sample.point, sample.lo or sample.ratio) for sample in reversed(stretch)]
    band = "L".join(f"{frame.x(point)} {scale.y(bound - 1)}" for point, bound in upper + lower)
    line = _line([(sample.point, sample.change) for sample in stretch], frame, scale, "")
    return f'<path class="band" d="M{band}Z"/>{line}'


def _line(values: Sequence[tuple[Point, float]], frame: Frame, scale: _Scale, kind: str) -> str:
    places = "L".join(f"{frame.x(point)} {scale.y(value)}" for point, value in values)
    return f'<path class="line {kind}" d="M{places}"/>'


def _moved(stretch: Sequence[Sample], frame: Frame) -> str:
    """Return a line for each point at which the anchor is another than before."""
    pairs = zip(stretch, stretch[1:])
    moves = [frame.x(new.point) for old, new in pairs if old.point.anchor != new.point.anchor]
    return "".join(f'<line class="moved" x1="{x}%" x2="{x}%" y1="{TOP}" y2="100%"/>' for x in moves)


def _marks(found: Sequence[Found], frame: Frame) -> str:
    """Return the change points; those that stand too close to the next one have no number."""
    places = [frame.x(each.point) for each in found]
    following = [*places[1:], 1e9]
    return "".join(
        _mark(each, x, words=after - x > ROOM) for each, x, after in zip(found, places, following)
    )


def _mark(found: Found, x: float, *, words: bool) -> str:
    anchor, shift = ("end", -5) if x > 100 - ROOM else ("start", 5)
    text = f'x="{x}%" dx="{shift}" y="13" text-anchor="{anchor}"'
    told = f"{arrow(found)} {percent(found.shift)}" if words else arrow(found)
    return (
        f'<g class="mark {direction(found)}" aria-hidden="true">'
        f'<line x1="{x}%" x2="{x}%" y1="2" y2="100%"/>'
        f'<text class="halo" {text}>{told}</text><text {text}>{told}</text></g>'
    )


def _dots(dots: Sequence[_Dot], frame: Frame, scale: _Scale) -> str:
    """Return the points; the last one is in the tab order, arrow keys reach the others."""
    radius = 2.5 if len(dots) <= DENSE else 1.75
    drawn = []
    for n, dot in enumerate(dots, 1):
        circle = f'<circle cx="{frame.x(dot.point)}%" cy="{scale.y(dot.value)}" r="{radius}"/>'
        inner = f"{circle}<title>{escape(dot.told)}</title>"
        order = f'class="point {dot.line}" tabindex="{0 if n == len(dots) else -1}"'
        address = frame.address(dot.point)
        drawn.append(
            f'<a {order} href="{address}">{inner}</a>\n'
            if address
            else f'<g {order} role="img">{inner}</g>\n'
        )
    return "".join(drawn)


def _told(sample: Sample) -> str:
    """Return a point in words."""
    return f"{percent(sample.change)}, {bounds(sample)} · {_about(sample.point)}"


def _about(point: Point) -> str:
    return f"{point.head[:9]} {clean(point.subject, 72)} · {date(point.committed)}"


def direction(found: Found) -> str:
    """Return the class of a change."""
    return "slower" if found.shift > 0 else "faster"


def arrow(found: Found) -> str:
    """Return the sign of a change, for those who see no colours."""
    return "▲" if found.shift > 0 else "▼"


def bounds(sample: Sample) -> str:
    """Return the interval of a value."""
    lo, hi = ("?" if each is None else percent(each - 1) for each in (sample.lo, sample.hi))
    return f"{lo} to {hi}"


def percent(change: float) -> str:
    """Return a change as people write it, with a true minus."""
    digits = 0 if abs(change) >= 10 else 1
    text = f"{change * 100:+,.{digits}f}"
    return ("0" if float(text.replace(",", "")) == 0 else text.replace("-", "−")) + "\u202f%"


def duration(ns: float) -> str:
    """Return a time with the unit that suits it."""
    size, unit = next((each for each in _UNITS if ns >= each[0]), _UNITS[-1])
    return f"{ns / size:.3g}\u202f{unit}" if ns / size < 1000 else f"{ns / size:,.0f}\u202f{unit}"


def date(seconds: int) -> str:
    """Return a day, in UTC."""
    day = time.gmtime(seconds)
    return f"{day.tm_mday}\u00a0{_MONTHS.split()[day.tm_mon - 1]}\u00a0{day.tm_year}"


def _ticks(scale: _Scale) -> Iterator[float]:
    """Yield three to seven round values within the scale."""
    rough = (scale.high - scale.low) / 4
    size = 10 ** math.floor(math.log10(rough))
    step = next(each * size for each in (1, 2, 5, 10) if each * size >= rough)
    for n in range(math.ceil(scale.low / step), math.floor(scale.high / step) + 1):
        yield n * step
