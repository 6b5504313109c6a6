"""What: the token of a job may do more than the job asks for, or everything.

Why: a compromised action or build script acts with the token that the job gives it. What is not
granted cannot be taken.

Fix: `permissions: {}` at the top, and in each job what it needs, such as `contents: read`.

Example: an edit that replaced `permissions: {}` by `permissions: write-all`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rustci.checks.base import Context, Finding, JobNode, Level, WorkflowFile, entries

ID = "permissions"
TITLE = "A token may do too much"
FIX = "write `permissions: {}` at the top, and in the job only what it needs"


def check(context: Context) -> Iterator[Finding]:
    """Yield what grants everything, and jobs for which nobody said anything."""
    for file in context.workflows:
        yield from _top(file)
        for job in file.jobs():
            yield from _job(file, job)


def _top(file: WorkflowFile) -> Iterator[Finding]:
    """Judge the top: what it grants, every job gets that does not say otherwise."""
    child = entries(file.root).get("permissions")
    granted = child.value.value if child else None
    if child is None and all("permissions" in job.value for job in file.jobs()):
        return
    problem = "" if child and not _writes(granted) else "grants the token of every job too much"
    if child is None:
        problem = "has no `permissions` at the top: some jobs get what the repository allows"
    if problem:
        yield Finding(
            rule=ID,
            path=file.path,
            line=file.line(child) if child else 1,
            message=f"the workflow {problem}",
            fix=FIX,
            level=Level.NOTE if file.adopted else Level.ERROR,
        )


def _job(file: WorkflowFile, job: JobNode) -> Iterator[Finding]:
    child = entries(job.node).get("permissions")
    if child and child.value.value == "write-all":
        yield Finding(
            rule=ID,
            path=file.path,
            line=file.line(child),
            message=f"job `{job.id}` may write everything",
            fix=FIX,
            level=job.level,
        )


def _writes(granted: Any) -> bool:
    if isinstance(granted, dict):
        return any(level == "write" for level in granted.values())
    return bool(granted == "write-all")
