"""Starts rustci: `python -m rustci` and the `rustci` command."""

import gc
import io
import sys

from rustci import __version__

MOST = 3
"""Words of `rustci check PATH`, the program's name included."""


def run() -> None:
    """Run the command line and exit with its code."""
    gc.disable()  # a run is short: looking for cycles would be a tenth of it
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A pipe on Windows, or the locale C, cannot take every character of a report.
            stream.reconfigure(errors="backslashreplace")
    if sys.argv[1:] in (["--version"], ["-V"]):
        # Asked by scripts in loops: answered before anything is imported.
        print(f"rustci {__version__}")  # noqa: T201
        return
    if sys.argv[1:2] == ["check"] and len(sys.argv) <= MOST and _sealed(*sys.argv[2:]):
        return
    from rustci.cli import main

    sys.exit(main(sys.argv[1:]))


def _sealed(path: str = ".") -> bool:
    """Answer a `check` in a repository where nothing changed: click alone would double its time."""
    from pathlib import Path

    from rustci.errors import RustciError
    from rustci.fingerprint import answer

    try:
        lines = None if path.startswith("-") else answer(Path(path))
    except RustciError:
        return False
    for line in lines or ():
        print(line)  # noqa: T201
    return lines is not None


if __name__ == "__main__":
    run()
