"""What people read: the job summary, annotations and the table on a terminal."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from .judge import (
    CRASHED,
    IDENTICAL,
    LAYOUT,
    OK,
    REGRESSED,
    REMOVED,
    SUSPICIOUS,
    UNDECIDED,
    Result,
    Row,
)
from .record import Benchmark
from .verdicts import VERDICTS, bounds, change_of, counted, headline, labels, urgent_first
from .wording import change, clean, columns, duration, few, fit, percent

LIMIT = 1_000_000
"""Bytes of a summary; GitHub takes 1 MiB of each step.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands"""
QUIET = {OK, IDENTICAL}
"""What needs no line of its own."""
DRAWN = 3
"""Charts of rounds in a summary."""
ANNOTATED = 10
"""Errors and warnings that GitHub shows of one step, each."""
LISTED = 40
"""Rows of a terminal's table, unless more are not ok."""
REASONS = 20
"""Different ones that are written out."""
BAR = 6
"""Characters on either side of a bar's middle."""
HEADINGS = ("benchmark", "base", "head", "change", "95 % bounds", "rounds", "verdict")
PALETTE = '%%{init: {"themeVariables": {"xyChart": {"plotColorPalette": "#cf222e, #8b949e"}}}}%%'
"""Colours of a chart's lines that both of GitHub's backgrounds show; Mermaid's own are too pale."""
PROGRAM = "python3 .github/rustci/bench"


# -- Markdown --------------------------------------------------------------------------------


def summary(result: Result) -> str:
    """Return the job summary in Markdown, at most `LIMIT` bytes of UTF-8."""
    names = labels(result.rows)
    rows = urgent_first(result.rows)
    loud = [row for row in rows if row.status not in QUIET]
    top = "\n".join(_top(result, names)) + "\n"
    reasons = "".join(f"- {text(named)}: {text(why)}\n" for named, why in _reasons(loud, names))
    charts = "".join(_chart(row, names[row.benchmark], result) for row in _drawn(loud))
    end = "\n".join(_decided(result)) + "\n"
    scale = _scale(rows, result)
    room = LIMIT - _size(top + reasons + charts + end) - 2000  # headings and counts of what was cut
    lines = [f"| {' | '.join(_cells(row, names, scale))} |" for row in rows]
    first = _table(lines[: len(loud)], room * 2 // 3) if loud else ""
    every = _table(lines, room - _size(first))
    folded = f"<details><summary>All {len(rows):,} benchmarks</summary>\n\n{every}\n</details>\n"
    parts = (top, first, reasons, charts, folded if rows else "", end)
    return "\n".join(part for part in parts if part)


def code(name: str) -> str:
    """Return a name as code."""
    return f"<code>{text(name)}</code>"


def text(foreign: str) -> str:
    """Return one line that Markdown, HTML and GitHub's mentions leave as it is."""
    return _MARKUP.sub(_entity, clean(foreign, 500))


_MARKUP = re.compile(r"[^A-Za-z0-9 /,;%+-]")


def _entity(found: re.Match[str]) -> str:
    # Mail addresses are found after entities were read, so a word joiner parts them.
    return f"&#{ord(found[0])};" + ("&#8288;" if found[0] == "@" else "")


def _top(result: Result, names: Mapping[Benchmark, str]) -> Iterator[str]:
    yield f"### Benchmarks: {headline(result)}\n"
    slower = [row for row in result.rows if row.status == REGRESSED]
    for row in sorted(slower, key=lambda row: -(row.ratio or 0))[:DRAWN]:
        yield f"- {code(names[row.benchmark])} **{change(row.ratio)}** {bounds(row)}"
    if len(slower) > DRAWN:
        yield f"- and {len(slower) - DRAWN} more"
    for error in result.errors:
        yield f"- **Error:** {text(error)}"
    for notice in result.notices:
        yield f"- Note: {text(notice)}"
    if result.rows:
        yield f"\n{counted(result.rows, result.settings.target)}."


def _cells(row: Row, names: Mapping[Benchmark, str], scale: float) -> Sequence[str]:
    verdict = VERDICTS[row.status]
    return (
        code(names[row.benchmark]),
        duration(row.base_ns),
        duration(row.head_ns),
        change(row.ratio),
        f"`{_bar(row.ratio, scale)}`" if row.ratio else "",
        bounds(row),
        str(row.rounds or "–"),
        f"**{verdict}**" if row.status in {REGRESSED, CRASHED} else verdict,
    )


def _reasons(rows: Iterable[Row], names: Mapping[Benchmark, str]) -> Iterator[tuple[str, str]]:
    """Yield what is to be said of rows besides their numbers, each with the names it holds for."""
    told: dict[str, list[str]] = {}
    for row in rows:
        if row.why and row.status not in QUIET:
            told.setdefault(row.why, []).append(names[row.benchmark])
    for why, named in list(told.items())[:REASONS]:
        yield few(named), why
    if len(told) > REASONS:
        yield f"{len(told) - REASONS} more", "see bench-result.json"


def _table(rows: Iterable[str], room: int) -> str:
    """Return as many whole rows as there is room for, and how many were cut."""
    lines = [
        "| Benchmark | Base | Head | Change |   | 95 % bounds | Rounds | Verdict |",
        "|---|--:|--:|--:|---|:-:|--:|---|",
    ]
    left, cut = room - sum(map(_size, lines)), 0
    for row in rows:
        left -= _size(row) + 1
        if left < 0:
            cut += 1
        else:
            lines.append(row)
    if cut:
        lines.append(f"\n{cut:,} more rows did not fit; `bench-result.json` has them all.")
    return "\n".join(lines) + "\n"


def _size(text: str) -> int:
    return len(text.encode())


def _scale(rows: Iterable[Row], result: Result) -> float:
    """Return the change at the end of a bar, as a log ratio."""
    most = max((abs(math.log(row.ratio)) for row in rows if row.ratio), default=0.0)
    return min(max(most, 2 * math.log1p(result.settings.target)), math.log(2))


def _bar(ratio: float, scale: float) -> str:
    """Return a change as a bar to the right where it is slower, to the left where faster."""
    filled = min(BAR, round(abs(math.log(ratio)) / scale * BAR))
    bar = "█" * filled
    left, right = ("", bar) if ratio > 1 else (bar, "")
    return f"{left:·>{BAR}}│{right:·<{BAR}}"


def _drawn(rows: Iterable[Row]) -> Sequence[Row]:
    return [row for row in rows if row.status in {REGRESSED, LAYOUT} and row.changes][:DRAWN]


def _chart(row: Row, name: str, result: Result) -> str:
    """Return the change in each round as a chart; only numbers of ours are in it."""
    values = [(ratio - 1) * 100 for ratio in row.changes]
    limit = result.settings.tolerated * 100
    low, high = min(*values, 0.0), max(*values, limit * 2)
    points = ", ".join(f"{value:.2f}" for value in values)
    return f"""
{code(name)}, change in each round, and the tolerance:

```mermaid
{PALETTE}
xychart-beta
  x-axis "round" 1 --> {len(values)}
  y-axis "%" {low - 0.5:.1f} --> {high + 0.5:.1f}
  line [{points}]
  line [{", ".join([f"{limit:.2f}"] * len(values))}]
```
"""


def _decided(result: Result) -> Iterator[str]:
    """Yield how the verdict came about."""
    settings = result.settings
    yield "<details><summary>How this was decided</summary>\n"
    noise = [row.sd for row in result.rows if row.sd is not None]
    yield (
        f"- Slower: the slowdown is above {percent(settings.tolerated)}, at odds of at most "
        f"{percent(settings.alpha)} that any of {result.m:,} unchanged benchmarks is called so."
    )
    yield (
        f"- Unchanged: with 95 % certainty less than {percent(settings.target)} slower, and no "
        f"more than {percent(settings.tolerated)} is seen. Each of the bounds holds with 95 %."
    )
    looks = ", ".join(str(look) for look in settings.looks)
    yield (
        f"- Rounds: {settings.rounds} of each, then up to {looks} of what was undecided; the most "
        f"were {result.rounds}. Each is a fresh process of base and one of head."
    )
    yield f"- Measuring took {result.seconds:.0f} s of a budget of {settings.budget:.0f} s."
    if noise:
        yield f"- Noise from process to process, in the middle of all: {percent(median(noise))}."
    yield from _machine(result)
    yield f"- Again: `{PROGRAM} run --base {_sha(result.base)} --head {_sha(result.head)}`"
    yield f"- Judged again from the record: `{PROGRAM} judge bench-raw.jsonl`"
    yield "\n</details>"


def _machine(result: Result) -> Iterator[str]:
    runner = [value for value in map(str, result.runner.values()) if value]
    if runner:
        yield f"- Runner: {text(', '.join(runner))}"
    if result.rustc:
        yield f"- Compiler: {text(' '.join([result.rustc, *result.flags]))}"


def _sha(commit: str) -> str:
    """Return a commit, whatever a damaged record says it is."""
    return commit if re.fullmatch("[0-9a-f]{4,64}", commit) else "…"


# -- annotations -----------------------------------------------------------------------------


def workflow_commands(result: Result) -> str:
    """Return GitHub's workflow commands, one line each; empty where there is nothing to say."""
    names = labels(result.rows)
    errors = [_command("error", "Benchmarks", error) for error in result.errors]
    errors += [
        _command("error", "Benchmark is slower", _told(row, names))
        for row in urgent_first(result.rows)
        if row.status == REGRESSED
    ]
    warnings, failing = [], set(UNDECIDED if result.settings.strict else ())
    failing |= {REMOVED} if result.settings.require_same else set()
    for status in (*UNDECIDED, LAYOUT, SUSPICIOUS, REMOVED):
        rows = [row for row in result.rows if row.status == status]
        if rows and status in failing:
            errors.append(_command("error", "Benchmarks", _together(status, rows, names)))
        elif rows and status != REMOVED:
            warnings.append(_command("warning", "Benchmarks", _together(status, rows, names)))
    notices = [_command("notice", "Benchmarks", notice) for notice in result.notices]
    return "".join([*_first_of("error", errors), *_first_of("warning", warnings), *notices])


def _told(row: Row, names: Mapping[Benchmark, str]) -> str:
    why = f"; {row.why}" if row.why else ""
    return (
        f"{names[row.benchmark]}: {change_of(row)}, "
        f"{duration(row.base_ns)} to {duration(row.head_ns)} in {row.rounds} rounds{why}"
    )


def _together(status: str, rows: Sequence[Row], names: Mapping[Benchmark, str]) -> str:
    return f"{VERDICTS[status]}: {few([names[row.benchmark] for row in rows])}"


def _first_of(level: str, commands: Sequence[str]) -> Sequence[str]:
    """Return what GitHub shows of so many, the last one telling how many it hides."""
    if len(commands) <= ANNOTATED:
        return commands
    hidden = len(commands) - ANNOTATED + 1
    rest = _command(level, "Benchmarks", f"{hidden} more, listed in the summary of the job")
    return [*commands[: ANNOTATED - 1], rest]


def _command(level: str, title: str, message: str) -> str:
    return f"::{level} title={title}::{clean(message, 1000).replace('%', '%25')}\n"


# -- the terminal ----------------------------------------------------------------------------


def table(result: Result, width: int = 100) -> str:
    """Return a plain table for a terminal of `width` columns, and the verdict below it."""
    names = labels(result.rows)
    rows = urgent_first(result.rows)
    loud = sum(row.status not in QUIET for row in rows)
    shown = rows[: max(LISTED, loud)]
    cells = [HEADINGS, *(_plain_cells(row, names) for row in shown)]
    widths = [max(map(columns, column)) for column in zip(*cells)]
    widths[0] = max(12, min(widths[0], width - sum(widths[1:]) - 2 * len(widths[1:])))
    lines = [_line(each, widths) for each in cells] if shown else []
    if len(rows) > len(shown):
        lines.append(f"and {counted(rows[len(shown) :], result.settings.target)}")
    lines += [*([""] if lines else []), *_verdict(result, shown, names)]
    return "\n".join(lines) + "\n"


def _plain_cells(row: Row, names: Mapping[Benchmark, str]) -> tuple[str, ...]:
    return (
        names[row.benchmark],
        duration(row.base_ns),
        duration(row.head_ns),
        change(row.ratio),
        bounds(row),
        str(row.rounds or "–"),
        VERDICTS[row.status],
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers, verdict = cells
    shown = fit(name, widths[0])
    padded = [shown + " " * (widths[0] - columns(shown))]
    padded += [cell.rjust(size) for cell, size in zip(numbers, widths[1:])]
    return "  ".join([*padded, verdict])


def _verdict(result: Result, rows: Sequence[Row], names: Mapping[Benchmark, str]) -> Iterator[str]:
    """Yield what the numbers do not tell, and the verdict last."""
    yield from (f"{named}: {clean(why, 300)}" for named, why in _reasons(rows, names))
    yield from (f"note: {clean(notice, 300)}" for notice in result.notices)
    yield from (f"error: {clean(error, 300)}" for error in result.errors)
    if result.rows:
        yield counted(result.rows, result.settings.target)
    yield headline(result)


def summarise(markdown: str) -> None:
    """Append to the summary of the job, where there is one; it never changes the verdict."""
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(markdown)
        except OSError as problem:
            reason = problem.strerror or problem
            print(f"warning: {path}: the summary cannot be written: {reason}", file=sys.stderr)
