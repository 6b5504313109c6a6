"""What: a workflow that rustci did not write. It is listed, and not judged.

Why: you see at a glance what `check` says nothing about.

Fix: nothing to do. `rustci init --on-existing merge` brings the jobs of a hand-written `ci.yml` and
rustci's together.

Example: `.github/workflows/deploy.yml`.
"""

from __future__ import annotations

from collections.abc import Iterator

from rustci.checks.base import Context, Finding, Level
from rustci.fingerprint import unknown_workflows

ID = "unknown-workflows"
TITLE = "Workflows that rustci did not write"


def check(context: Context) -> Iterator[Finding]:
    """Yield a note on each."""
    for path in unknown_workflows(context.root, context.lock):
        yield Finding(
            rule=ID,
            path=path,
            message="was not written by rustci, and is not judged",
            fix="nothing to do",
            level=Level.NOTE,
        )
