"""What `rustci check` found, for people and for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rustci.checks import RULES, Report, note, section, unasked
from rustci.checks.base import Finding, Level
from rustci.fingerprint import CLEAN
from rustci.output.json import SCHEMA
from rustci.output.text import visible
from rustci.scaffold import unified_diff


def why(rule: str) -> str:
    """Return why a rule is there, in one paragraph."""
    return next(section(module, "Why") for module in RULES if rule == module.ID)


def text(report: Report, *, diff: bool) -> str:
    """Return the report as lines for people."""
    return "".join(f"{line}\n" for line in _lines(report, diff=diff))


def _lines(report: Report, *, diff: bool) -> Iterator[str]:
    told: set[str] = set()
    for finding in report.findings:
        place = f"{finding.path}:{finding.line}"
        if finding.level is Level.NOTE:
            yield visible(note(finding))
            continue
        yield visible(f"error: {place}: {finding.message} [{finding.rule}]")
        if finding.rule not in told:
            yield f"  why: {why(finding.rule)}"
        told.add(finding.rule)
        yield visible(f"  fix: {finding.fix}")
    yield from map(visible, unasked(report))
    if diff:
        yield from (visible(line) for line in _diff(report).split("\n")[:-1])
    errors = sum(finding.level is Level.ERROR for finding in report.findings)
    yield f"{errors} finding{'s' * (errors != 1)}" if errors else CLEAN


def document(report: Report, *, diff: bool) -> str:
    """Return the report as one JSON document."""
    found: dict[str, Any] = {
        "schema": SCHEMA,
        "clean": report.clean,
        "findings": [_plain(finding) for finding in report.findings],
        "ignored": dict(report.ignored),
    }
    if diff:
        found["diff"] = _diff(report)
    return json.dumps(found, indent=2) + "\n"


def _diff(report: Report) -> str:
    changes = report.proposal.files if report.proposal else ()
    return "".join(map(unified_diff, changes))


def _plain(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "level": finding.level.value,
        "path": finding.path,
        "line": finding.line,
        "message": finding.message,
        "why": why(finding.rule),
        "fix": finding.fix,
    }
