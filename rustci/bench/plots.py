"""Pictures of a verdict, as SVG without scripts and fonts, for light and dark backgrounds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from .judge import (
    IMPROVED,
    LAYOUT,
    OK,
    REGRESSED,
    SUSPICIOUS,
    UNDECIDED,
    Result,
    Row,
)
from .record import Benchmark, Record
from .series import Pair, Series, sort_out
from .settings import Settings
from .verdicts import VERDICTS, bounds, change_of, labels, urgent_first
from .wording import change, clean, fit, percent

MOST_ROWS, MOST_PICTURES = 200, 50
FLAGGED = (REGRESSED, LAYOUT, SUSPICIOUS, *UNDECIDED)
WIDTH, LEFT, RIGHT, LINE = 1040, 250, 690, 24
"""Of the forest: pixels, where the axis begins and ends, and the height of a row."""
WILD = math.log(1.4)
"""The log ratio at which a forest ends at the latest."""
TICKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
STYLE = """
svg { --ink: #1f2328; --quiet: #59636e; --line: #d1d9e0; --band: #eaeef2; --back: #ffffff;
  --slower: #cf222e; --faster: #0969da; --open: #9a6700; --same: #59636e; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e6edf3; --quiet: #9198a1; --line: #3d444d; --band: #212830; --back: #0d1117;
    --slower: #ff7b72; --faster: #58a6ff; --open: #d29922; --same: #9198a1; } }
.back { fill: var(--back); } .band { fill: var(--band); }
text { fill: var(--ink); font: 13px system-ui, sans-serif; }
.title { font-size: 16px; font-weight: 600; } .quiet { fill: var(--quiet); font-size: 12px; }
.end { text-anchor: end; } .middle { text-anchor: middle; }
line, path { stroke: var(--line); fill: none; } .zero { stroke: var(--quiet); }
.target { stroke: var(--quiet); stroke-dasharray: 4 4; }
.slower { --mark: var(--slower); } .faster { --mark: var(--faster); }
.open { --mark: var(--open); } .same { --mark: var(--same); }
.mark { fill: var(--mark); stroke: var(--back); } .range { stroke: var(--mark); stroke-width: 2; }
.between { fill: var(--mark); opacity: 0.15; } .word { fill: var(--mark); }
"""


def pictures(record: Record, result: Result) -> dict[str, str]:
    """Return SVG by file name: `forest.svg` and `rounds-<n>.svg` for each flagged benchmark."""
    names = labels(result.rows)
    found = sort_out(record)
    flagged = [row for row in urgent_first(result.rows) if row.changes and row.status in FLAGGED]
    drawn = {
        f"rounds-{number}.svg": _rounds(
            row, names[row.benchmark], found[row.benchmark], result.settings
        )
        for number, row in enumerate(flagged[:MOST_PICTURES], 1)
    }
    return {"forest.svg": _forest(result, [*_with_names(result, names)]), **drawn}


@dataclass(frozen=True)
class Axis:
    """Log ratios from `low` to `high` on pixels from `start` to `stop`."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, ratio: float) -> float:
        """Return the pixel of a log ratio, or of the end that it lies beyond."""
        part = (min(max(ratio, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + part * (self.stop - self.start)

    def holds(self, ratio: float) -> bool:
        """Whether a log ratio is on the axis."""
        return self.low <= ratio <= self.high

    def ticks(self, gap: float) -> Sequence[float]:
        """Return round changes, as fractions, that are so many pixels apart."""
        found: list[float] = []
        for step in TICKS:
            first = math.ceil(math.expm1(self.low) / step)
            last = math.floor(math.expm1(self.high) / step)
            found = [number * step for number in range(first, last + 1)]
            places = [self(math.log1p(each)) for each in found]
            if all(abs(one - other) >= gap for one, other in zip(places, places[1:])):
                break
        return found


# -- the forest: every benchmark's change with its bounds ------------------------------------


def _with_names(result: Result, names: Mapping[Benchmark, str]) -> Iterator[tuple[Row, str]]:
    """Yield what has numbers, the most urgent first."""
    for row in urgent_first(result.rows):
        if row.ratio is not None:
            yield row, names[row.benchmark]


def _forest(result: Result, rows: Sequence[tuple[Row, str]]) -> str:
    shown = rows[:MOST_ROWS]
    axis = _forest_axis([row for row, _ in shown], result.settings)
    top, bottom = 84, 84 + LINE * len(shown)
    parts = [
        _text(24, 34, "Change of each benchmark, head against base", "title"),
        _text(24, 56, _legend(result.settings), "quiet"),
        *_grid(axis, result.settings, top, bottom),
    ]
    for number, (row, name) in enumerate(shown):
        parts += _forest_row(row, name, axis, top + LINE * number + LINE / 2)
    if len(rows) > len(shown):
        more = f"and {len(rows) - len(shown):,} more, all in bench-result.json"
        parts.append(_text(24, bottom + 48, more, "quiet"))
    height = bottom + (68 if len(rows) > len(shown) else 44)
    return _svg("Change of each benchmark", WIDTH, height, parts)


def _legend(settings: Settings) -> str:
    return (
        f"Shaded: the tolerance of {percent(settings.tolerated)}. Dashed: the target of "
        f"{percent(settings.target)}. Each of the bounds holds with 95 %."
    )


def _forest_axis(rows: Iterable[Row], settings: Settings) -> Axis:
    """Return an axis for all but the wildest changes, which are drawn at its ends."""
    ends = [math.log(end) for row in rows for end in (row.ratio, row.lo, row.hi) if end]
    least = 1.6 * math.log1p(settings.target)
    low, high = min([*ends, -least]), max([*ends, least])
    return Axis(1.06 * max(low, -WILD), 1.06 * min(high, WILD), LEFT, RIGHT)


def _grid(axis: Axis, settings: Settings, top: float, bottom: float) -> Iterator[str]:
    tolerated, target = math.log1p(settings.tolerated), math.log1p(settings.target)
    left, right = axis(-tolerated), axis(tolerated)
    yield _box(left, top, right - left, bottom - top, "band")
    for tick in axis.ticks(gap=56):
        x = axis(math.log1p(tick))
        yield _line(x, top, x, bottom, "zero" if tick == 0 else "")
        yield _text(x, bottom + 20, _tick(tick), "quiet middle")
    yield _line(axis(target), top, axis(target), bottom, "target")


def _tick(fraction: float) -> str:
    return "0" if fraction == 0 else f"{fraction * 100:+.3g} %"


def _forest_row(row: Row, name: str, axis: Axis, y: float) -> Iterator[str]:
    ratio = math.log(row.ratio or 1)
    low, high = (math.log(end) if end else far for end, far in ((row.lo, -9.0), (row.hi, 9.0)))
    told = f"{name}: {change_of(row)}, {VERDICTS[row.status]}"
    kind = _kind(row)
    yield _text(24, y + 4, fit(name, 28), "", name)
    yield f'<g class="{kind}">{_title(told)}'
    yield _line(axis(low), y, axis(high), y, "range")
    yield _mark(kind, axis(ratio), y, inside=axis.holds(ratio))
    yield "</g>"
    yield _text(RIGHT + 76, y + 4, change(row.ratio), "end")
    yield _text(RIGHT + 88, y + 4, bounds(row), "quiet")
    yield f'<g class="{kind}">{_text(WIDTH - 24, y + 4, VERDICTS[row.status], "end word")}</g>'


def _kind(row: Row) -> str:
    """Return the colour and shape of a row."""
    if row.status == REGRESSED:
        return "slower"
    if row.status in {IMPROVED, SUSPICIOUS}:
        return "faster"
    return "same" if row.status == OK else "open"


def _mark(kind: str, x: float, y: float, *, inside: bool) -> str:
    """Return a triangle towards slower or faster, a dot or a diamond; flat where it is cut off."""
    shapes = {
        "slower": f"M{x - 4:.1f} {y - 6:.1f}l10 6l-10 6z",
        "faster": f"M{x + 4:.1f} {y - 6:.1f}l-10 6l10 6z",
        "open": f"M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z",
    }
    if not inside:
        return f'<path class="mark" d="M{x - 3:.1f} {y - 7:.1f}h6v14h-6z"/>'
    if kind in shapes:
        return f'<path class="mark" d="{shapes[kind]}"/>'
    return f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'


# -- the rounds of one benchmark -------------------------------------------------------------


def _rounds(row: Row, name: str, series: Series, settings: Settings) -> str:
    width, top, bottom = 960, 84, 384
    pairs = series.pairs[: row.rounds]
    seeds = list(dict.fromkeys(pair.layout for pair in series.relinked))
    split = 900 - (60 + 48 * len(seeds) if seeds else 0)
    axis = _rounds_axis(row, [*pairs, *series.relinked], settings, top, bottom)
    step = (split - 90) / max(len(pairs), 1)
    places = [90 + step * (number + 0.5) for number in range(len(pairs))]
    parts = [
        _text(24, 34, clean(name, 90), "title", name),
        _text(24, 56, f"{change_of(row)}, {VERDICTS[row.status]}. {_legend(settings)}", "quiet"),
        *_levels(row, axis, settings, 90, split),
        *_looks(pairs, places, step, top, bottom),
        *(_dot(pair, x, axis, _kind(row), "round") for pair, x in zip(pairs, places)),
        _text((90 + split) / 2, bottom + 36, "rounds", "quiet middle"),
    ]
    if seeds:
        parts += _relinks(series, seeds, axis, split + 60, settings)
        parts.append(_text((split + 960) / 2, bottom + 36, "relinks", "quiet middle"))
    return _svg(f"Change of {name} in each round", width, bottom + 56, parts)


def _rounds_axis(
    row: Row, pairs: Sequence[Pair], settings: Settings, top: float, bottom: float
) -> Axis:
    """Return an axis for all but the wildest rounds, which are drawn at its ends."""
    middle = math.log(row.ratio or 1)
    reach = max(5 * (row.sd or 0), math.log1p(settings.target) / 2)
    tame = [pair.ratio for pair in pairs if abs(pair.ratio - middle) <= reach]
    high = max([*tame, 1.2 * math.log1p(settings.target)]) + 0.1 * reach
    low = min([*tame, -0.4 * math.log1p(settings.target)]) - 0.1 * reach
    return Axis(low, high, bottom, top)


def _levels(row: Row, axis: Axis, settings: Settings, left: float, right: float) -> Iterator[str]:
    tolerated, target = math.log1p(settings.tolerated), axis(math.log1p(settings.target))
    upper, lower = axis(tolerated), axis(-tolerated)
    yield _box(left, upper, right - left, lower - upper, "band")
    for tick in axis.ticks(gap=26):
        y = axis(math.log1p(tick))
        yield _line(left, y, right, y, "zero" if tick == 0 else "")
        yield _text(left - 10, y + 4, _tick(tick), "quiet end")
    yield _line(left, target, right, target, "target")
    yield f'<g class="{_kind(row)}">'
    if row.lo and row.hi:
        upper, lower = axis(math.log(row.hi)), axis(math.log(row.lo))
        told = _title(f"bounds {bounds(row)}")
        yield _box(left, upper, right - left, max(lower - upper, 1), "between", told)
    middle = axis(math.log(row.ratio or 1))
    yield _line(left, middle, right, middle, "range", _title(f"centre {change(row.ratio)}"))
    yield "</g>"


def _looks(
    pairs: Sequence[Pair], places: Sequence[float], step: float, top: float, bottom: float
) -> Iterator[str]:
    """Yield a line behind the last round of each look, and every tenth round's number."""
    for number, (pair, x) in enumerate(zip(pairs, places), 1):
        last = number == len(pairs) or pairs[number].look != pair.look
        if last:
            told = "screening" if pair.look == pairs[0].look else f"look at {pair.look}"
            yield _line(x + step / 2, top - 6, x + step / 2, bottom, "zero")
            yield _text(x + step / 2 - 6, top - 10, told, "quiet end")
        if pair.round % 10 == 0 or pair.round == 1:
            yield _text(x, bottom + 18, str(pair.round), "quiet middle")


def _relinks(
    series: Series, seeds: Sequence[int], axis: Axis, left: float, settings: Settings
) -> Iterator[str]:
    """Yield one column for each relinked pair of executables, its median as a bar."""
    right = left + 48 * len(seeds)
    upper, lower = axis(math.log1p(settings.tolerated)), axis(-math.log1p(settings.tolerated))
    yield _box(left, upper, right - left, lower - upper, "band")
    yield _line(left, axis(0), right, axis(0), "zero")
    for number, (seed, middle) in enumerate(zip(seeds, series.layouts), 1):
        kind = "slower" if middle > math.log1p(settings.tolerated) else "same"
        x = left + 48 * (number - 0.5)
        of_it = [pair for pair in series.relinked if pair.layout == seed]
        told = _title(f"relink {number}: {change(math.exp(middle))}")
        yield f'<g class="{kind}">'
        yield _line(x - 17, axis(middle), x + 17, axis(middle), "range", told)
        yield "</g>"
        offsets = (x + 8 * (place - (len(of_it) - 1) / 2) for place in range(len(of_it)))
        yield from (
            _dot(pair, at, axis, kind, f"relink {number}, round")
            for pair, at in zip(of_it, offsets)
        )
        yield _text(x, axis.start + 18, str(number), "quiet middle")


def _dot(pair: Pair, x: float, axis: Axis, kind: str, what: str) -> str:
    inside = axis.holds(pair.ratio)
    told = _title(f"{what} {pair.round}: {change(math.exp(pair.ratio))}")
    y = axis(pair.ratio)
    if inside:
        mark = f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
    else:
        tip = -6 if pair.ratio > axis.high else 6
        mark = f'<path class="mark" d="M{x - 5:.1f} {y:.1f}h10l-5 {tip}z"/>'
    return f'<g class="{kind}">{told}{mark}</g>'


# -- SVG -------------------------------------------------------------------------------------


def _svg(title: str, width: float, height: float, parts: Iterable[str]) -> str:
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    label = f"aria-label={quoteattr(title)}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" {label}>',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            _box(0, 0, width, height, "back"),
            *parts,
            "</svg>\n",
        ]
    )


def _title(told: str) -> str:
    return f"<title>{escape(told)}</title>"


def _text(x: float, y: float, words: str, kind: str = "", full: str = "") -> str:
    told = _title(full) if full not in {"", words} else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{told}{escape(words)}</text>'


def _line(x: float, y: float, to_x: float, to_y: float, kind: str, told: str = "") -> str:
    ends = f'x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"'
    return f'<line class="{kind}" {ends}>{told}</line>'


def _box(x: float, y: float, width: float, height: float, kind: str, told: str = "") -> str:
    size = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{kind}" {size}>{told}</rect>'
