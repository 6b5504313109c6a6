"""The command line: finds the command, runs it, and turns errors into messages and exit codes."""

from __future__ import annotations

import importlib
import itertools
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from rustci import __version__
from rustci.errors import ExitCode, RustciError

COMMANDS = {
    "init": "Read the project, ask, and write the workflows.",
    "inspect": "Print what rustci reads off the project.",
    "check": "Say whether an update would change anything, and which rules are broken.",
    "update": "Bring the workflows up to date, your edits kept.",
    "explain": "Say why a job or a line is there, what it costs, how to change it.",
    "bench": "Say whether head is slower than base, beyond the noise.",
    "pins": "List, verify and move the pins of actions.",
    "schema": "Print the JSON Schema of .github/rustci.toml.",
    "completion": "Print the completion script for a shell.",
}
"""Each command's one line of help. Its module is imported only when it runs."""


class LazyGroup(click.Group):
    """A group whose commands are modules under `rustci.commands`, imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in reading order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"rustci.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list without importing the commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; name the nearest one for a typing error."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            ctx.fail(f"No such command `{args[0]}`.{hint}")
        return super().resolve_command(ctx, args)


EPILOG = """\b
Examples:
  rustci init                                   ask, show, write
  rustci init --yes --coverage codecov          take the recommendations
  rustci init --dry-run --diff                  write nothing, show everything
  rustci inspect --format json                  the facts, for scripts

Exit codes: 0 done, 1 the answer is no, 2 wrong usage or bad input, 3 a decision is needed,
4 the outside failed, 130 interrupted.
"""


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message="rustci %(version)s")
def cli() -> None:
    """Read a Rust project and write the GitHub Actions workflows it deserves."""


def main(args: Sequence[str]) -> int:
    """Run `args` and return the exit code. The one place where errors become messages."""
    try:
        result: Any = cli.main(args=list(args), prog_name="rustci", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        return ExitCode.INTERRUPTED
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except click.ClickException as problem:
        problem.show()
        return ExitCode.USAGE
    except RustciError as problem:
        return _report(problem, args)
    except BrokenPipeError:
        # Whoever read our output has seen enough; keep the interpreter from saying so at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    return int(result or ExitCode.OK)


def _report(problem: RustciError, args: Sequence[str]) -> int:
    if _wants_json(args):
        from rustci.output import json

        click.echo(json.error(problem))
    else:
        from rustci.output import text

        click.echo(text.error(problem), err=True)
    return int(problem.exit_code)


def _wants_json(args: Sequence[str]) -> bool:
    return "--format=json" in args or ("--format", "json") in itertools.pairwise(args)
