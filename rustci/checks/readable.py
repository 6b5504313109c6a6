"""What: a workflow of rustci's cannot be read safely: tabs, duplicate keys, tags, no YAML at all.

Why: GitHub does not run it either, or runs something else than it seems to say; and rustci neither
checks nor merges what it cannot read.

Fix: mend the line that is named, then run `rustci check` again.

Example: `ci.yml:31: the key 'timeout-minutes' is there twice`.
"""

from __future__ import annotations

from collections.abc import Iterator

from rustci.checks.base import Context, Finding

ID = "readable"
TITLE = "A workflow cannot be read safely"


def check(context: Context) -> Iterator[Finding]:
    """Yield the workflows that could not be read."""
    for problem in context.unreadable:
        place = problem.where
        yield Finding(
            rule=ID,
            path=str(place.path) if place else "",
            line=(place.line if place else None) or 1,
            message=problem.message,
            fix="mend that line, then run `rustci check` again",
        )
