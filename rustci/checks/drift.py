"""What: an update would change, add or remove a file.

Why: the workflows no longer say what the project, the answers and this version of rustci ask for,
so CI tests something else than was decided.

Fix: `rustci update`. It keeps your edits; where both sides changed the same thing it asks, and
`--conflict` decides. `rustci check --diff` shows every line.

Example: `rust-version` in Cargo.toml was raised, and `ci.yml` still compiles with the old one.
"""

from __future__ import annotations

from collections.abc import Iterator

from rustci.checks.base import Context, Finding
from rustci.scaffold import Change, ChangeKind, unified_diff

ID = "drift"
TITLE = "The files are not as an update would leave them"

MESSAGES = {
    ChangeKind.CREATE: "the file is missing",
    ChangeKind.UPDATE: "is as rustci wrote it, and would be written differently now",
    ChangeKind.MERGE: "lacks what the template says now (your edits would stay)",
    ChangeKind.REMOVE: "is as rustci wrote it, and no longer needed",
    ChangeKind.REPLACE: "would be replaced",
    ChangeKind.FOREIGN: "was not written by rustci, and stands where rustci would write",
}


def check(context: Context) -> Iterator[Finding]:
    """Yield a finding for each file that an update would change, or cannot decide on."""
    for change in context.drift:
        if change.kind is ChangeKind.CONFLICT:
            yield from _conflicts(change)
        else:
            yield Finding(
                rule=ID,
                path=change.path,
                line=_first_line(change),
                message=MESSAGES[change.kind],
                fix=_fix(change),
            )


def _fix(change: Change) -> str:
    if change.kind is ChangeKind.FOREIGN:
        return "rustci init --on-existing merge"
    return "rustci update"


def _conflicts(change: Change) -> Iterator[Finding]:
    for conflict in change.conflicts:
        where = ".".join(conflict.path) or "the whole text"
        yield Finding(
            rule=ID,
            path=change.path,
            line=conflict.line,
            message=f"you and the template both changed `{where}`",
            fix="rustci update --conflict theirs (keeps yours), or --conflict ours",
        )


def _first_line(change: Change) -> int:
    """Return the first line on disk that would change, from 1."""
    if change.old is None or change.kind is ChangeKind.FOREIGN:
        return 1
    line = 1
    for text in unified_diff(change).split("\n")[2:]:
        if text.startswith("@@"):
            line = int(text.split()[1].removeprefix("-").split(",")[0])
        elif text.startswith(" "):
            line += 1
        else:
            break
    return max(line, 1)
