"""What: a job that publishes reads a cache.

Why: other runs write caches, and who gets code into one of them can leave files there that are then
published under your name. zizmor calls it `cache-poisoning`.

Fix: take the cache out of the job: a release is rare, and may take its time.

Example: `Swatinem/rust-cache` before `cargo publish`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rustci.checks.base import Context, Finding, entries

ID = "caches"
TITLE = "A job that publishes reads a cache"
CACHES = frozenset(
    {
        "actions/cache",
        "actions/cache/restore",
        "mozilla-actions/sccache-action",
        "swatinem/rust-cache",
    }
)
"""Actions that read a cache whatever they are given."""
ASKED = frozenset({"actions/setup-java", "actions/setup-node", "actions/setup-python"})
"""Actions that read one where `cache` is set."""
UNASKED = frozenset({"actions-rust-lang/setup-rust-toolchain", "actions/setup-go"})
"""Actions that read one unless `cache` is false."""
PUBLISHERS = frozenset(
    {
        "pypa/gh-action-pypi-publish",
        "release-plz/action",
        "rust-lang/crates-io-auth-action",
        "softprops/action-gh-release",
    }
)
COMMAND = re.compile(
    r"^(?!\s*#).*\b(?:(?:cargo|npm) publish|gh release (?:create|upload)|twine upload)\b"
    r"(?!.*--dry-run)",
    re.MULTILINE,
)
"""A command that publishes."""


def check(context: Context) -> Iterator[Finding]:
    """Yield the steps that read a cache in jobs that publish."""
    for file in context.workflows:
        for job in file.jobs():
            found = entries(job.node).get("steps")
            steps = (
                [s for s in found.value.children if isinstance(s.value.value, dict)]
                if found
                else []
            )
            if not any(_publishes(step.value.value) for step in steps):
                continue
            for step in steps:
                if _reads_cache(step.value.value):
                    yield Finding(
                        rule=ID,
                        path=file.path,
                        line=file.line(step),
                        message=f"job `{job.id}` publishes, and this step reads a cache",
                        fix="take the cache out of the job, or publish from a job of its own",
                        level=job.level,
                    )


def _action(step: Mapping[str, Any]) -> str:
    return str(step.get("uses", "")).partition("@")[0].lower()


def _publishes(step: Mapping[str, Any]) -> bool:
    return _action(step) in PUBLISHERS or COMMAND.search(str(step.get("run", ""))) is not None


def _reads_cache(step: Mapping[str, Any]) -> bool:
    given = step.get("with")
    asked = str(given.get("cache", "")).lower() if isinstance(given, dict) else ""
    action = _action(step)
    return (
        action in CACHES
        or (action in ASKED and asked not in {"", "false"})
        or (action in UNASKED and asked != "false")
    )
