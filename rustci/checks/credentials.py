"""What: a checkout leaves the job's token in `.git/config`.

Why: every later step can read it there, build scripts and tests of all dependencies included, and
an uploaded folder may carry it out.

Fix: `persist-credentials: false` under the checkout's `with:`. A step that pushes gets its token
through `env:` instead.

Example: a second checkout that somebody added without it.
"""

from __future__ import annotations

from collections.abc import Iterator

from rustci.checks.base import Context, Finding, entries

ID = "credentials"
TITLE = "A checkout leaves its token behind"


def check(context: Context) -> Iterator[Finding]:
    """Yield the checkouts that persist their credentials."""
    for file in context.workflows:
        for job in file.jobs():
            steps = entries(job.node).get("steps")
            for step in steps.value.children if steps else ():
                value = step.value.value if isinstance(step.value.value, dict) else {}
                if not str(value.get("uses", "")).lower().startswith("actions/checkout@"):
                    continue
                given = value.get("with")
                kept = given.get("persist-credentials") if isinstance(given, dict) else None
                if str(kept).lower() != "false":
                    yield Finding(
                        rule=ID,
                        path=file.path,
                        line=file.line(step),
                        message=f"a checkout in job `{job.id}` keeps the token in `.git/config`",
                        fix="add `persist-credentials: false` under its `with:`",
                        level=job.level,
                    )
