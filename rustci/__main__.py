"""Starts rustci: `python -m rustci` and the `rustci` command."""

import sys

from rustci import __version__


def run() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        # Asked by scripts in loops: answered before anything is imported.
        print(f"rustci {__version__}")  # noqa: T201
        return
    if sys.argv[1:] == ["check"] and _sealed():
        return
    from rustci.cli import main

    sys.exit(main(sys.argv[1:]))


def _sealed() -> bool:
    """Answer a `check` in a repository where nothing changed: click alone would double its time."""
    from rustci.errors import RustciError
    from rustci.fingerprint import answer

    try:
        lines = answer()
    except RustciError:
        return False
    for line in lines or ():
        print(line)  # noqa: T201
    return lines is not None


if __name__ == "__main__":
    run()
