"""`rustci explain`: say why a job or a line is there."""

import os
from pathlib import Path

import click

from rustci import lock as lockfile
from rustci.discover.git_files import find_root
from rustci.errors import ExitCode
from rustci.explanation import explain
from rustci.lock import Lock
from rustci.output import explanation
from rustci.proposal import propose, settled

EPILOG = """\b
Examples:
  rustci explain                        every job: on or off, and why
  rustci explain msrv                   what it is for, which answers made it, what it costs
  rustci explain ci.yml:42              the same of a line, and whose it is
  rustci explain semver --format json
"""


@click.command(epilog=EPILOG)
@click.argument("what", default="", metavar="[JOB | FILE:LINE]")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text")
def command(what: str, path: Path, format_: str) -> ExitCode:
    """Say which fact or answer made a job or a line, what it costs and how to change it."""
    root = find_root(path.resolve()) or path.resolve()
    lock = lockfile.read(root) or Lock(version="")
    project, config = settled(path, root, lock, os.environ)
    proposal = propose(project, config, None)
    as_json = format_ == "json"
    if not what:
        show = explanation.overview_document if as_json else explanation.overview
        click.echo(show(config, proposal.verdicts), nl=False)
        return ExitCode.OK
    found = explain(proposal, lock, what)
    click.echo(explanation.document(found) if as_json else explanation.text(found), nl=False)
    return ExitCode.OK
