"""What: the `ci` job does not wait for a job of its workflow, or is skipped when one fails.

Why: `CI` is the one check that branch protection requires. A job that it does not need may fail,
and the pull request can still be merged. A job with an `if` is only noted: skipped, it would make
`CI` red.

Fix: add the job to the `needs` of `ci`. A job that may fail is left out on purpose: say so with
`aggregate = "…"` under `[checks.ignore]` in `.github/rustci.toml`.

Example: somebody added a job `fuzz`, and `ci` says `needs: [format, test]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rustci.adopt import sure
from rustci.checks.base import Context, Finding, JobNode, Level, WorkflowFile, entries
from rustci.jobs.aggregate import ID as AGGREGATE

ID = "aggregate"
TITLE = "The required check does not wait for every job"


def check(context: Context) -> Iterator[Finding]:
    """Yield the jobs that no chain of `needs` leads to from the aggregate."""
    for file in context.workflows:
        jobs = {job.id: job for job in file.jobs()}
        if AGGREGATE not in jobs or AGGREGATE not in file.base.get("jobs", {}):
            continue
        last = jobs[AGGREGATE]
        for job in jobs.values():
            if job.id != AGGREGATE and job.id not in _names(last.value.get("needs")):
                certain = job.id in sure({name: one.value for name, one in jobs.items()})
                yield _missing(file, last, job, job.level if certain else Level.NOTE)
        if str(last.value.get("if", "")).strip("${} ") != "always()":
            yield Finding(
                rule=ID,
                path=file.path,
                line=last.line,
                message="without `if: always()` the aggregate is skipped when a job fails, which "
                "branch protection takes for passed",
                fix="write `if: always()` in the job `ci`",
            )


def _missing(file: WorkflowFile, last: JobNode, job: JobNode, level: Level) -> Finding:
    needs = entries(last.node).get("needs")
    return Finding(
        rule=ID,
        path=file.path,
        line=file.line(needs) if needs else last.line,
        message=f"`{AGGREGATE}` does not need the job `{job.id}`: it may fail unnoticed",
        fix=f"add `{job.id}` to the `needs` of `{AGGREGATE}`",
        level=level,
    )


def _names(needs: Any) -> list[Any]:
    return needs if isinstance(needs, list) else [needs]
