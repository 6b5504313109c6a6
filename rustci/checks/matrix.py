"""What: a workflow is beyond GitHub's limits.

Why: with more than 256 jobs in a matrix, 19,000 characters in a value with expressions or 512,000
bytes in a file GitHub then starts nothing, or fails the run before its first job.

Fix: fewer values on the axes, `exclude`, or two jobs; a long script belongs into a file.

Example: six runners, five toolchains and ten feature sets make 300 jobs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

from rustci.checks.base import Context, Finding, JobNode, WorkflowFile
from rustci.workflow import FILE_LIMIT, MATRIX_LIMIT, SCALAR_LIMIT
from rustci.yamlio import Node

ID = "matrix"
TITLE = "A workflow is beyond GitHub's limits"


def check(context: Context) -> Iterator[Finding]:
    """Yield matrices, values and files that are too large."""
    for file in context.workflows:
        size = len(file.text.encode(errors="surrogateescape"))
        if size > FILE_LIMIT:
            yield _found(file, 1, f"the file has {size:,} bytes; GitHub takes {FILE_LIMIT:,}")
        for node in _long(file.root):
            problem = f"a value with expressions has {len(node.value):,} characters"
            yield _found(file, file.line(node), f"{problem}; GitHub takes about {SCALAR_LIMIT:,}")
        for job in file.jobs():
            if (jobs := _size(job)) > MATRIX_LIMIT:
                yield _found(
                    file,
                    job.line,
                    f"job `{job.id}` would run {jobs} times; GitHub allows {MATRIX_LIMIT}",
                )


def _found(file: WorkflowFile, line: int, message: str) -> Finding:
    return Finding(
        rule=ID, path=file.path, line=line, message=message, fix="make it smaller, or split it"
    )


def _size(job: JobNode) -> int:
    """Return how many jobs a matrix makes; one that is an expression only GitHub can count."""
    matrix = _mapping(_mapping(job.value.get("strategy")).get("matrix"))
    axes = {key: v for key, v in matrix.items() if key not in {"include", "exclude"}}
    lists = [values for values in axes.values() if isinstance(values, list)]
    include = matrix.get("include")
    excluded = matrix.get("exclude")
    combined = prod(map(len, lists)) if lists else 0
    combined -= len(excluded) if isinstance(excluded, list) else 0
    rows = include if isinstance(include, list) else []
    return combined + sum(_adds(row, axes) for row in rows)


def _adds(row: Any, axes: Mapping[str, Any]) -> bool:
    """Whether a row of `include` fits no combination of the axes, and so makes one of its own."""
    shared = [key for key in _mapping(row) if key in axes]
    return not shared or any(row[key] not in axes[key] for key in shared)


def _long(node: Node) -> Iterator[Node]:
    if isinstance(node.value, str) and len(node.value) > SCALAR_LIMIT and "${{" in node.value:
        yield node
    for child in node.children:
        yield from _long(child.value)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
