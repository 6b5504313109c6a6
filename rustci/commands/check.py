"""`rustci check`: say whether an update would change anything, and which rules are broken."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rustci import fingerprint
from rustci.errors import ExitCode

if TYPE_CHECKING:
    from rustci.checks import Report

EPILOG = """\b
Examples:
  rustci check                      exit code 0: an update would change nothing, every rule holds
  rustci check --diff               show what an update would change
  rustci check --format github      annotations on the pull request
  rustci check --format sarif > rustci.sarif
"""


@click.command(epilog=EPILOG)
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--diff", is_flag=True, help="Show what an update would change.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    help="github: annotations on the pull request; sarif: for code scanning.",
)
def command(path: Path, *, diff: bool, format_: str) -> ExitCode:
    """Say what is wrong with the workflows in PATH. Writes nothing."""
    if format_ == "text" and (lines := fingerprint.answer(path)) is not None:
        click.echo("\n".join(lines))
        return ExitCode.OK
    from rustci import checks

    report = checks.examine(path, os.environ, datetime.now(UTC).date())
    click.echo(_shown(report, format_, diff=diff), nl=False)
    return ExitCode.OK if report.clean else ExitCode.NO


def _shown(report: Report, format_: str, *, diff: bool) -> str:
    from rustci.output import findings, github, sarif

    match format_:
        case "json":
            return findings.document(report, diff=diff)
        case "github":
            return github.commands(report)
        case "sarif":
            return sarif.document(report)
    return findings.text(report, diff=diff)
