"""What: the `ci` job waits for a job that is not there, or not for one that is, or may be skipped.

Why: `CI` is the one check that branch protection requires. A job that it does not need may fail,
and the pull request can still be merged. A job with an `if` is only noted: skipped, it would make
`CI` red.

Fix: `rustci update --join-needs` adds it to the `needs` of `ci`; on a terminal `rustci update`
asks. A job that may fail is left out on purpose: `--no-join-needs` says so, and is remembered.

Example: somebody added a job `fuzz`, and `ci` says `needs: [format, test]`.
"""

from __future__ import annotations

from collections.abc import Iterator

from rustci.adopt import sure, unawaited
from rustci.checks.base import Context, Finding, JobNode, Level, WorkflowFile, entries
from rustci.jobs.aggregate import ID as AGGREGATE
from rustci.merge.jobs import needs

ID = "aggregate"
TITLE = "The required check does not wait for every job"


def check(context: Context) -> Iterator[Finding]:
    """Yield the jobs that no chain of `needs` leads to from the aggregate."""
    for file in context.workflows:
        jobs = {job.id: job for job in file.jobs()}
        if AGGREGATE not in jobs or AGGREGATE not in file.base.get("jobs", {}):
            continue
        last = jobs[AGGREGATE]
        values = {name: job.value for name, job in jobs.items()}
        for name in unawaited(values):
            if name not in file.apart:
                yield _missing(file, last, jobs[name], certain=name in sure(values))
        for name in sorted(needs(last.value) - jobs.keys()):
            yield Finding(
                rule=ID,
                path=file.path,
                line=_line(file, last),
                message=f"`{AGGREGATE}` needs `{name}`, which is no job: GitHub refuses the file",
                fix=f"take `{name}` out of its `needs`",
            )
        if str(last.value.get("if", "")).strip("${} ") != "always()":
            yield Finding(
                rule=ID,
                path=file.path,
                line=last.line,
                message="without `if: always()` the aggregate is skipped when a job fails, which "
                "branch protection takes for passed",
                fix="write `if: always()` in the job `ci`",
            )


def _missing(file: WorkflowFile, last: JobNode, job: JobNode, *, certain: bool) -> Finding:
    return Finding(
        rule=ID,
        path=file.path,
        line=_line(file, last),
        message=f"`{AGGREGATE}` does not need the job `{job.id}`: it may fail unnoticed",
        fix="rustci update --join-needs" if certain else f"add `{job.id}` to the `needs` by hand",
        level=job.level if certain else Level.NOTE,
    )


def _line(file: WorkflowFile, last: JobNode) -> int:
    found = entries(last.node).get("needs")
    return file.line(found) if found else last.line
