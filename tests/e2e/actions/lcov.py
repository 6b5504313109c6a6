"""Reading coverage reports in the LCOV format, as the services do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.e2e.actions.base import Call, Refused


def judge(call: Call, names: Sequence[str], *, strict: bool) -> None:
    """Record what the named reports tell; refuse a bad one, or only say so if not strict."""
    problem = None if names else "no report is named"
    found = {}
    for name in names:
        try:
            found[name] = lines(call.workspace / name)
        except Refused as refused:
            problem = str(refused)
    call.record(lines=found, problem=problem)
    if problem and strict:
        raise Refused(problem)
    if problem:
        print(f"::warning::{problem}")


def lines(report: Path) -> tuple[int, int]:
    """Return how many lines the report tells of and how many of them ran; none is refused."""
    if not report.is_file():
        raise Refused(f"there is no {report.name}")
    try:
        found = [
            int(line.split(",")[1])
            for line in report.read_text("utf-8").splitlines()
            if line.startswith("DA:")
        ]
    except (ValueError, IndexError) as problem:
        raise Refused(f"{report.name} is no LCOV report: {problem}") from problem
    if not found:
        raise Refused(f"{report.name} tells of no line")
    return len(found), sum(count > 0 for count in found)
