"""What an update comes to, for people and for scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rustci.adopt import Recognised
from rustci.lock import PATH
from rustci.output.json import SCHEMA
from rustci.output.text import MARKS, changes, visible
from rustci.proposal import Proposal
from rustci.scaffold import Change, ChangeKind, unified_diff

if TYPE_CHECKING:
    from rich.console import Console

    from rustci.merge import Conflict


def show(found: Proposal, out: Console, *, diff: bool, dry_run: bool) -> None:
    """Print what becomes of each file, and what has to be decided."""
    told = [change for change in found.files if change.kind is not ChangeKind.UNCHANGED]
    for change in told:
        mark, style = MARKS[change.kind]
        reason = f" ({change.reason})" if change.reason else ""
        line = f"{mark} {change.kind.value:<9} {change.path}{reason}"
        out.print(visible(line), style=style, soft_wrap=True)
        for conflict in change.conflicts:
            _conflict(change, conflict, out)
    if diff:
        changes(found.files, out)
    if found.changes.undecided:
        return
    written = [write.path for write in found.writes if write.path != PATH]
    verb = "would change" if dry_run else "changed"
    plural = "s" * (len(written) != 1)
    if found.unjoined:
        names = ", ".join(f"`{job}`" for job in found.unjoined)
        line = f"`CI` does not wait for {names}: `--join-needs` or `--no-join-needs` decides"
        out.print(visible(line), soft_wrap=True)
    out.print(f"{verb} {len(written)} file{plural}" if written else "everything is up to date")


def recognised(found: Sequence[Recognised], out: Console) -> None:
    """Print which jobs of the user make which of the catalogue needless."""
    if found:
        out.print("Recognised", style="bold")
    for one in found:
        verb = "has the id of" if one.taken else "already does"
        line = f"  {one.path}:{one.line}: job `{one.job}` {verb} `{one.catalogue}`"
        out.print(visible(line), soft_wrap=True)


def document(found: Proposal, *, diff: bool, dry_run: bool, **more: Any) -> str:
    """Return everything as one JSON document."""
    undecided = bool(found.changes.undecided)
    return json.dumps(
        {
            "schema": SCHEMA,
            "written": bool(found.writes) and not (dry_run or undecided),
            "files": [
                {"path": change.path, "state": change.kind.value, "reason": change.reason}
                | {"conflicts": [_plain(conflict) for conflict in change.conflicts]}
                | ({"diff": unified_diff(change)} if diff else {})
                for change in found.files
            ],
            "unjoined": list(found.unjoined),
        }
        | more,
        indent=2,
    )


def _conflict(change: Change, conflict: Conflict, out: Console) -> None:
    where = ".".join(conflict.path) or "the text"
    out.print(visible(f"    {change.path}:{conflict.line}: {where}"), soft_wrap=True)
    sides = {
        "base (rustci wrote)": conflict.base,
        "theirs (on disk)": conflict.theirs,
        "ours (rustci would write)": conflict.ours,
    }
    for name, side in sides.items():
        lines = ["nothing"] if side is None else side.splitlines() or [""]
        out.print(f"      {name}:", style="dim")
        for line in lines:
            out.print(f"        {visible(line)}", soft_wrap=True)


def _plain(conflict: Conflict) -> dict[str, Any]:
    return {
        "path": list(conflict.path),
        "line": conflict.line,
        "base": conflict.base,
        "theirs": conflict.theirs,
        "ours": conflict.ours,
    }
