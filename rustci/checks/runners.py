"""What: a job asks for a runner label that GitHub removed or is about to remove.

Why: a job on a label that is gone waits for a day and then fails; before that come brownouts.

Fix: the label that the message names. Labels that rustci chose follow `rustci update`; those in
`platforms.runners` change with `rustci init --runner …`.

Example: `ubuntu-22.04` ends on 2027-04-17: use `ubuntu-24.04`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from rustci import runners
from rustci.checks.base import Context, Finding, JobNode, Level, WorkflowFile, entries
from rustci.runners import Runner, State
from rustci.yamlio import Node

ID = "runners"
TITLE = "A runner label is gone, or soon will be"
NOTICE = timedelta(days=90)
"""How long before its end a deprecated label becomes an error."""
_MATRIX = re.compile(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}")


def check(context: Context) -> Iterator[Finding]:
    """Yield the labels that are removed, deprecated or moving."""
    for file, job, node, label in _used(context):
        if problem := _problem(label, context.today):
            yield _found(file, job, node, label, *problem)


def turning_days(context: Context) -> Iterator[date]:
    """Yield the days on which time alone changes what this rule says."""
    for *_, label in _used(context):
        if label.ends:
            yield _day(label.ends)
            yield _day(label.ends) - NOTICE


def _used(context: Context) -> Iterator[tuple[WorkflowFile, JobNode, Node, Runner]]:
    """Yield every label of GitHub's that a job asks for."""
    for file in context.workflows:
        for job in file.jobs():
            for node in _labels(job):
                if label := runners.runners().get(str(node.value).lower()):
                    yield file, job, node, label


def _problem(runner: Runner, today: date) -> tuple[str, Level] | None:
    if runner.ends and runner.state in {State.REMOVED, State.DEPRECATED}:
        ends = _day(runner.ends)
        if runner.state is State.REMOVED or ends <= today:
            return f"was removed ({runner.ends}) and never starts", Level.ERROR
        level = Level.ERROR if ends - NOTICE <= today else Level.NOTE
        return f"ends on {runner.ends}", level
    if runner.state is State.MOVING:
        return "moves to another image without a commit", Level.NOTE
    return None


def _found(
    file: WorkflowFile, job: JobNode, node: Node, label: Runner, problem: str, level: Level
) -> Finding:
    instead = f": use `{label.replacement}`" if label.replacement else ""
    return Finding(
        rule=ID,
        path=file.path,
        line=file.line(node),
        message=f"job `{job.id}` runs on `{label.label}`, which {problem}{instead}",
        fix=f"write `{label.replacement}` instead" if label.replacement else "take another label",
        level=Level.NOTE if job.own else level,
    )


def _labels(job: JobNode) -> Iterator[Node]:
    """Yield the labels in `runs-on`, those of the matrix included."""
    chosen = entries(job.node).get("runs-on")
    if chosen is None:
        return
    group = entries(chosen.value).get("labels")
    for node in _scalars(group.value if group else chosen.value):
        found = _MATRIX.fullmatch(str(node.value).strip())
        yield from _of_axis(job, found[1]) if found else [node]


def _of_axis(job: JobNode, axis: str) -> Iterator[Node]:
    strategy = entries(job.node).get("strategy")
    matrix = entries(strategy.value).get("matrix") if strategy else None
    keys = entries(matrix.value) if matrix else {}
    if axis in keys:
        yield from _scalars(keys[axis].value)
    for row in keys["include"].value.children if "include" in keys else ():
        if axis in entries(row.value):
            yield from _scalars(entries(row.value)[axis].value)


def _scalars(node: Node) -> Iterator[Node]:
    if node.children:
        for child in node.children:
            yield from _scalars(child.value)
    else:
        yield node


def _day(ends: Any) -> date:
    """Return the first day of what is known as a year, a month or a day."""
    text = str(ends)
    return date.fromisoformat(text + "-01" * (2 - text.count("-")))
