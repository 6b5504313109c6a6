"""The command line: `run judge report self-test history counts`.

Exit codes: 0 ok, or nothing that counts against head; 1 a regression; 2 it could not be measured,
or bad input; 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Optional

from . import builds, judge, measure, plots, report, worktrees
from .builds import Selection
from .errors import BenchError
from .processes import on_termination
from .record import BASE, HEAD, Record, join, load
from .settings import Settings
from .wording import escaped

RAW, RESULT = "bench-raw.jsonl", "bench-result.json"
COULD_NOT, INTERRUPTED = 2, 130
DEFAULTS = Settings()
EVERY = 15.0
"""Seconds between two lines of progress where there is no terminal."""
EPILOG = """\
Examples:
  {prog} run                          the merge commit HEAD against HEAD^1
  {prog} run --base main --package parser --budget 5m
  {prog} judge bench-raw.jsonl        the same verdict again, from the record
  {prog} self-test                    what this machine can see
  {prog} counts --base main           instruction counts (gungraun, iai-callgrind)

Exit codes: 0 ok or inconclusive, 1 a regression, 2 not measured or bad input, 130 interrupted.
"""


def main(argv: Sequence[str], prog: str = "bench") -> int:
    """Run one command and return its exit code: the one place where errors become messages."""
    args = parser(prog, argv[:1]).parse_args(argv)
    on_termination()
    try:
        code: int = args.function(args)
    except BenchError as problem:
        _fail(problem)
        return COULD_NOT
    except KeyboardInterrupt:
        print("interrupted; worktrees are removed, the record so far is kept", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; keep the interpreter from saying so at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def parser(prog: str, wanted: Sequence[str]) -> argparse.ArgumentParser:
    """Return the grammar; the arguments of the wanted commands only, for they import modules."""
    root = argparse.ArgumentParser(
        prog=prog,
        description="Is head slower than base, beyond what this machine's noise explains?",
        epilog=EPILOG.format(prog=prog),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = root.add_subparsers(metavar="COMMAND", required=True)
    for name, add in COMMANDS.items():
        command = commands.add_parser(name, help=add.__doc__, description=add.__doc__)
        if name in wanted:
            add(command)
    return root


def _add_run(command: argparse.ArgumentParser) -> None:
    """Build base and head, measure both, and judge."""
    _add_refs(command)
    _add_selection(command)
    _add_settings(command)
    _add_output(command)
    command.add_argument(
        "--seed", type=int, help="of the random order (default: head's first 8 digits)"
    )
    command.set_defaults(function=_run)


def _add_judge(command: argparse.ArgumentParser) -> None:
    """Judge records that were measured before."""
    add = command.add_argument
    add("files", nargs="*", type=Path, metavar="FILE", help=f"a {RAW}, or shards of one run")
    for side in (BASE, HEAD):
        add(
            f"--{side}",
            nargs="+",
            default=[],
            type=Path,
            metavar="FILE",
            help=f"in place of a record: cargo-criterion's messages, one file per run of {side}",
        )
    _add_output(command)
    command.set_defaults(function=_judge)


def _add_report(command: argparse.ArgumentParser) -> None:
    """Print the verdict on records in one of its forms."""
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help=f"a {RAW}, or shards")
    command.add_argument(
        "--format", choices=sorted(FORMS), default="text", help="what to print (default: text)"
    )
    command.set_defaults(function=_report)


def _add_self_test(command: argparse.ArgumentParser) -> None:
    """Tell what this machine can see: false alarms, and the least slowdown that is found."""
    from . import self_test

    _add_selection(command)
    self_test.add_arguments(command, percent, duration)
    command.set_defaults(function=_self_test)


def _add_history(command: argparse.ArgumentParser) -> None:
    """Keep the main branch's measurements, tell its trend and draw its page."""
    from . import history

    history.add_arguments(command)
    command.set_defaults(function=history.run)


def _add_counts(command: argparse.ArgumentParser) -> None:
    """Compare instruction counts (gungraun, iai-callgrind) in place of times."""
    from . import counts

    _add_refs(command)
    _add_selection(command)
    counts.add_arguments(command, percent)
    command.set_defaults(function=_counts)


COMMANDS = {
    "run": _add_run,
    "judge": _add_judge,
    "report": _add_report,
    "self-test": _add_self_test,
    "history": _add_history,
    "counts": _add_counts,
}
FORMS = {
    "annotations": report.workflow_commands,
    "json": judge.dumps_result,
    "markdown": report.summary,
    "text": report.table,
}


def _add_refs(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--base", default="HEAD^1", metavar="REF", help="what head is compared with (HEAD^1)"
    )
    command.add_argument("--head", default="HEAD", metavar="REF", help="what is judged (HEAD)")


def _add_selection(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--package", action="append", default=[], metavar="NAME", help="this package alone")
    add("--bench", action="append", default=[], metavar="NAME", help="this bench target alone")
    add("--features", action="append", default=[], metavar="LIST", help="as cargo takes it")
    add("--all-features", action="store_true", help="as cargo takes it")
    add("--no-default-features", action="store_true", help="as cargo takes it")
    add("--work", type=Path, metavar="DIR", help="keep builds here (default: a temporary folder)")


def _add_output(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="write record, result and plots here (bench run: target/rustci-bench)",
    )


def _add_settings(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--target", type=percent, metavar="PERCENT", help="the slowdown that must be found (5%%)")
    add("--tolerance", type=percent, metavar="PERCENT", help="what is put up with (half of it)")
    add("--alpha", type=percent, metavar="PERCENT", help="false failures per run (5%%)")
    add("--budget", type=duration, metavar="TIME", help="of measuring, builds excluded (10m)")
    add("--rounds", type=_count(2), metavar="N", help="of the screening (10)")
    add("--layouts", type=_count(0), metavar="N", help="relinks to confirm a failure (5; 0: none)")
    add("--strict", action="store_true", help="let an inconclusive benchmark fail the run")
    add("--require-same", action="store_true", help="let a removed benchmark fail the run")
    add("--advisory", action="store_true", help="report a regression, but exit with 0")


def percent(text: str) -> float:
    """Read `5%` or `0.05`; raise ArgumentTypeError."""
    try:
        value = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no percentage such as 5%")
    return value


def duration(text: str) -> float:
    """Read `600`, `600s` or `10m` as seconds; raise ArgumentTypeError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([sm]?)", text)
    if not found or float(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration such as 90s or 10m")
    return float(found[1]) * (60 if found[2] == "m" else 1)


def _count(least: int) -> Callable[[str], int]:
    def count(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from {least} on")
        return int(text)

    return count


def settings_of(args: argparse.Namespace) -> Settings:
    """Return the settings that were given, defaults elsewhere; raise BenchError."""
    names = ("target", "tolerance", "alpha", "budget", "rounds", "layouts")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    settings = Settings(
        **given, strict=args.strict, require_same=args.require_same, advisory=args.advisory
    )
    if settings.tolerated >= settings.target:
        raise BenchError(
            f"a tolerance of {settings.tolerated:.1%} leaves nothing of a target of"
            f" {settings.target:.1%}",
            where="--tolerance",
            todo="Give a tolerance below the target: by default it is half of it.",
        )
    return settings


def selection_of(args: argparse.Namespace) -> Selection:
    """Return what is to be built."""
    cargo = [part for each in args.features for part in ("--features", each)]
    cargo += ["--all-features"] * args.all_features
    cargo += ["--no-default-features"] * args.no_default_features
    return Selection(tuple(args.package), tuple(args.bench), tuple(cargo))


def _run(args: argparse.Namespace) -> int:
    settings = settings_of(args)
    here = Path.cwd()
    commits = {BASE: worktrees.commit(here, args.base), HEAD: worktrees.commit(here, args.head)}
    seed = measure.seed_of(commits[HEAD]) if args.seed is None else args.seed
    output = args.output or here / "target" / "rustci-bench"
    say = Progress()
    with (
        worktrees.workplace(args.work) as work,
        builds.both(here, commits, work, selection_of(args), say) as built,
    ):
        _notify(built)
        session = measure.Session(built, settings, seed, work / "scratch", output / RAW, say)
        record = session.measure()
    say.close()
    return deliver(record, output)


def _judge(args: argparse.Namespace) -> int:
    if bool(args.files) == bool(args.base or args.head):
        raise BenchError(
            "there is nothing to judge, or two kinds of it",
            where="bench judge",
            todo=f"Name a {RAW}, or --base and --head files of cargo-criterion.",
        )
    if args.files:
        return deliver(_loaded(args.files), args.output)
    texts = ([(str(path), _read(path)) for path in files] for files in (args.base, args.head))
    return deliver(measure.from_messages(*texts), args.output)


def _report(args: argparse.Namespace) -> int:
    result = judge.judge(_loaded(args.files))
    print(FORMS[args.format](result), end="")
    return 0


def _self_test(args: argparse.Namespace) -> int:
    from . import self_test

    say = Progress()
    code = self_test.run(Path.cwd(), args, selection_of(args), say)
    say.close()
    return code


def _counts(args: argparse.Namespace) -> int:
    from . import counts

    here = Path.cwd()
    commits = {BASE: worktrees.commit(here, args.base), HEAD: worktrees.commit(here, args.head)}
    return counts.run(here, commits, args, selection_of(args), Progress())


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise BenchError(f"cannot be read: {problem}", where=str(path)) from None


def _loaded(files: Sequence[Path]) -> Record:
    return join([load(path) for path in files])


def deliver(record: Record, output: Optional[Path]) -> int:
    """Judge a record, write every form of the verdict where it belongs, return the exit code."""
    result = judge.judge(record)
    print(report.table(result, shutil.get_terminal_size((100, 24)).columns), end="")
    if output is not None:
        _write(output / RESULT, judge.dumps_result(result))
        for name, text in plots.pictures(record, result).items():
            _write(output / name, text)
        print(f"{RESULT} and plots are in {output}")
    if os.environ.get("GITHUB_ACTIONS") == "true":
        print(report.workflow_commands(result), end="")
    report.summarise(report.summary(result))
    return judge.exit_code(result)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as problem:
        raise BenchError(
            f"cannot be written: {problem.strerror}",
            where=str(path),
            todo="Name another folder with --output; the record can be judged again.",
        ) from None


def _notify(built: builds.Builds) -> None:
    """Say what people should know before anything is measured."""
    skipped = {**built.base.skipped, **built.head.skipped}
    lines = [f"{package}/{name} is not gated: {why}" for (package, name), why in skipped.items()]
    marker = "::notice::" if os.environ.get("GITHUB_ACTIONS") == "true" else "note: "
    for line in [*built.notices, *lines]:
        print(f"{marker}{escaped(line)}" if marker != "note: " else f"{marker}{line}")


def _fail(problem: BenchError) -> None:
    print(f"error: {problem}", file=sys.stderr)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        print(f"::error title=Benchmarks were not measured::{escaped(str(problem))}")
    longest = max((len(run) for run in re.findall("`+", str(problem))), default=0)
    fence = "`" * max(3, longest + 1)
    report.summarise(f"### Benchmarks were not measured\n\n{fence}text\n{problem}\n{fence}\n")


class Progress:
    """Tells what goes on: on a terminal in one line, elsewhere now and then."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._last = -EVERY

    def __call__(self, text: str) -> None:
        """Show a line; rounds are many, so most of them are left out without a terminal."""
        if self._terminal:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
            return
        now = time.monotonic()
        if not text.startswith("round ") or now - self._last >= EVERY:
            self._last = now
            print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Clear the line."""
        if self._terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
