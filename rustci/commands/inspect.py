"""`rustci inspect`: print the facts."""

from pathlib import Path, PurePosixPath

import click

from rustci.discover import read_project
from rustci.errors import ExitCode
from rustci.output import json, text

EPILOG = """\b
Examples:
  rustci inspect                         the project in this folder
  rustci inspect ~/src/tokio             another one
  rustci inspect --format json | jq '.project.main.members[].name'
"""


@click.command(epilog=EPILOG)
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--directory", help="The workspace's folder, where the repository has several.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text")
def command(path: Path, directory: str | None, format_: str) -> ExitCode:
    """Print what rustci reads off the project in PATH. Runs nothing of it."""
    project = read_project(path, PurePosixPath(directory) if directory else None)
    if format_ == "json":
        click.echo(json.facts(project))
    else:
        text.facts(project, text.console())
    return ExitCode.OK
