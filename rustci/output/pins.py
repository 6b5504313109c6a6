"""The pins of actions, for people and for scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from rustci.errors import RustciError
from rustci.output.json import SCHEMA
from rustci.output.text import error, visible
from rustci.pins import Kind, Use
from rustci.refresh import BAD, State, Verdict

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {
    State.CURRENT: "green",
    State.VERIFIED: "green",
    State.BEHIND: "yellow",
    State.MAJOR_BEHIND: "yellow",
    State.COOLING: "cyan",
    State.UNPINNED: "red",
    **dict.fromkeys(BAD, "bold red"),
}


def table(verdicts: Sequence[Verdict], out: Console, today: date) -> None:
    """Print one line for each use."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    rows = Table(box=box.SIMPLE_HEAD if out.is_terminal else None, pad_edge=False)
    for name in ("Where", "Action", "Version", "Newest", "Age", "State", "Note"):
        rows.add_column(name, overflow="fold")
    for found in verdicts:
        cells = [*_cells(found, today)]
        style = STYLES.get(found.state, "dim")
        texts = [
            Text(visible(cell), style if n == len(cells) - 2 else "")
            for n, cell in enumerate(cells)
        ]
        rows.add_row(*texts)
    out.print(rows)


def summary(verdicts: Sequence[Verdict], files: Sequence[str], out: Console, *, dry: bool) -> None:
    """Print how many pins were moved, or would be."""
    moved = sum(verdict.target is not None for verdict in verdicts)
    stopped = sum(verdict.state in BAD for verdict in verdicts)
    verb = "would move" if dry else "moved"
    out.print(f"{verb} {moved} of {len(verdicts)} pins, in {len(files)} files")
    if stopped:
        out.print(f"left {stopped} as they are: look at them, then pin them by hand", style="red")


def problems(found: Sequence[RustciError], out: Console) -> None:
    """Print the files that could not be read."""
    for problem in found:
        out.print(error(problem), soft_wrap=True)


def document(verdicts: Sequence[Verdict], found: Sequence[RustciError], **more: Any) -> str:
    """Return everything as one JSON document."""
    return json.dumps({"schema": SCHEMA} | fields(verdicts, found) | more, indent=2)


def fields(verdicts: Sequence[Verdict], found: Sequence[RustciError]) -> dict[str, Any]:
    """Return the pins and the files that could not be read, for a JSON document."""
    return {
        "pins": [_plain(verdict) for verdict in verdicts],
        "problems": [{"message": p.message, "where": str(p.where), "hint": p.hint} for p in found],
    }


def _cells(found: Verdict, today: date) -> tuple[str, ...]:
    use = found.use
    return (
        f"{use.path}:{use.line}",
        use.action,
        shown_version(use),
        found.newest or "-",
        f"≥ {(today - found.since).days} d" if found.since else "-",
        found.state.value,
        found.reason,
    )


def shown_version(use: Use) -> str:
    """Return what a use is at, as people call it."""
    if use.kind in {Kind.LOCAL, Kind.DOCKER}:
        return "-"
    short = use.ref[:12] if use.kind is Kind.SHA else use.ref
    return use.version or short


def _plain(found: Verdict) -> Mapping[str, Any]:
    use = found.use
    return {
        "path": use.path,
        "line": use.line,
        "column": use.column,
        "action": use.action,
        "kind": use.kind.value,
        "ref": use.ref,
        "version": use.version,
        "newest": found.newest,
        "since": found.since.isoformat() if found.since else None,
        "state": found.state.value,
        "target": {"sha": found.target.sha, "version": found.target.version}
        if found.target
        else None,
        "reason": found.reason,
    }
