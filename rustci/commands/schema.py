"""`rustci schema`: print the JSON Schema of `.github/rustci.toml`."""

import json

import click

from rustci.config import grammar
from rustci.errors import ExitCode
from rustci.reference import json_schema

EPILOG = """\b
Example:
  rustci schema > rustci.schema.json     then point an editor's TOML plugin at it
"""


@click.command(epilog=EPILOG)
def command() -> ExitCode:
    """Print the JSON Schema of .github/rustci.toml."""
    click.echo(json.dumps(json_schema(grammar()), indent=2))
    return ExitCode.OK
