"""`rustci bench`: the benchmark gate, which has a command line of its own."""

from __future__ import annotations

import click

EPILOG = """\b
Examples:
  rustci bench run --base main             is HEAD slower than main?
  rustci bench judge bench-raw.jsonl       the same verdict again, from the record
  rustci bench self-test                   what this machine can see
  rustci bench counts --base main          instruction counts (gungraun, iai-callgrind)
  rustci bench run --help                  the options of one of them

Exit codes: 0 ok or inconclusive, 1 a regression, 2 not measured or bad input, 130 interrupted.
"""


@click.command(
    epilog=EPILOG,
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("args", nargs=-1, type=click.UNPROCESSED, metavar="COMMAND [ARGS]...")
def command(args: tuple[str, ...]) -> int:
    """Say whether head is slower than base, beyond what the machine's noise explains.

    COMMAND is one of run, judge, report, self-test, history, counts. The same program is written
    into repositories with a benchmark gate, where it needs Python alone:
    `python3 .github/rustci/bench run`.
    """
    from rustci.bench.cli import main

    try:
        return main(args or ("--help",), "rustci bench")
    except SystemExit as stop:  # how argparse ends after --help, or a wrong argument
        return int(stop.code or 0)
