"""What: a job has no `timeout-minutes`, or one above 360.

Why: a job that hangs holds its runner for six hours, and somebody pays for each minute.

Fix: give the job a limit of about three times what it usually takes.

Example: a job that somebody added without one.
"""

from __future__ import annotations

from collections.abc import Iterator

from rustci.checks.base import Context, Finding, entries

ID = "timeouts"
TITLE = "A job has no time limit"
MOST = 360
"""Minutes after which GitHub's own runners stop a job anyway."""


def check(context: Context) -> Iterator[Finding]:
    """Yield the jobs without a limit; a call of a reusable workflow cannot have one."""
    for file in context.workflows:
        for job in file.jobs():
            limit = job.value.get("timeout-minutes")
            # An expression is somebody's decision, and only GitHub can work it out.
            fine = isinstance(limit, str) or (isinstance(limit, int | float) and limit <= MOST)
            if "uses" in job.value or fine:
                continue
            child = entries(job.node).get("timeout-minutes")
            problem = "has no `timeout-minutes`" if limit is None else f"may run {limit} minutes"
            yield Finding(
                rule=ID,
                path=file.path,
                line=file.line(child) if child else job.line,
                message=f"job `{job.id}` {problem}",
                fix="add `timeout-minutes: 30` (or what fits) to the job",
                level=job.level,
            )
