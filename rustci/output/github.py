"""Findings as annotations on a pull request.

Source of the format: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands;
of its escapes: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts.
"""

from __future__ import annotations

from rustci.checks import Report
from rustci.checks.base import Finding, Level
from rustci.output.findings import why

COMMANDS = {Level.ERROR: "error", Level.NOTE: "notice"}


def commands(report: Report) -> str:
    """Return one workflow command for each finding."""
    return "".join(f"{_command(finding)}\n" for finding in report.findings)


def _command(finding: Finding) -> str:
    properties = {
        "file": finding.path,
        "line": str(finding.line),
        "title": f"rustci {finding.rule}",
    }
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    message = f"{finding.message}\n{why(finding.rule)}\nFix: {finding.fix}"
    return f"::{COMMANDS[finding.level]} {listed}::{_data(message)}"


def _data(text: str) -> str:
    """Return text that cannot end its line or begin another command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
