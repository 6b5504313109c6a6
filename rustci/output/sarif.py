"""Findings as SARIF 2.1.0, which GitHub's code scanning takes.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html, and "SARIF support for
code scanning" in GitHub's documentation for what is read of it.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from rustci import __version__
from rustci.checks import RULES, Report, section
from rustci.checks.base import Finding, Level, Rule

LEVELS = {Level.ERROR: "error", Level.NOTE: "note"}


def document(report: Report) -> str:
    """Return the log: one run, with every rule, and each finding as a result."""
    driver = {
        "name": "rustci",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in RULES],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding) for finding in report.findings],
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(log, indent=2) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.ID,
        "shortDescription": {"text": rule.TITLE},
        "fullDescription": {"text": section(rule, "What")},
        "help": {"text": f"{section(rule, 'Why')}\n\nFix: {section(rule, 'Fix')}"},
    }


def _result(finding: Finding) -> dict[str, Any]:
    ids = [rule.ID for rule in RULES]
    place = {
        "artifactLocation": {"uri": quote(finding.path), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": finding.line},
    }
    return {
        "ruleId": finding.rule,
        "ruleIndex": ids.index(finding.rule),
        "level": LEVELS[finding.level],
        "message": {"text": f"{finding.message}. Fix: {finding.fix}"},
        "locations": [{"physicalLocation": place}],
    }
