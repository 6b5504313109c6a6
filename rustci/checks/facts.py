"""What: a fact of the project that the workflows depend on is not what it was.

Why: it says where the drift comes from: a raised `rust-version`, a new member, benchmark or
feature.

Fix: `rustci update`.

Example: `rust-version`: demo 1.70 became demo 1.85.
"""

from __future__ import annotations

from collections.abc import Iterator

from rustci import facts, files
from rustci.checks.base import Context, Finding, first_line
from rustci.facts import FactChange

ID = "facts"
TITLE = "The project changed since the workflows were written"


def check(context: Context) -> Iterator[Finding]:
    """Yield the facts that changed, where an update would change a file."""
    if not context.drift or context.proposal is None:
        return
    directory = context.proposal.project.main.directory
    for change in facts.changed(context.lock.facts, facts.remembered(context.proposal.project)):
        name = "Cargo.lock" if change.fact == "lock file" else "Cargo.toml"
        path = (directory / name).as_posix()
        text = files.read_text(context.root, path) or ""
        yield Finding(
            rule=ID,
            path=path,
            line=first_line(text, _words(change)),
            message=str(change),
            fix="rustci update",
        )


def _words(change: FactChange) -> tuple[str, ...]:
    """Return what the manifest says of the change."""
    if change.fact == "rust-version":
        return ("rust-version",)
    return tuple(f"{value.rpartition('/')[2]}" for value in change.added)
