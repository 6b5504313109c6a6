"""Git repositories that the program runs in as it does in CI."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import rustci

PROGRAM = Path(rustci.__file__).parent / "affected"
WHO = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "core.symlinks=true")


def git(root: Path, *arguments: str) -> str:
    """Run git and return what it says."""
    command = ["git", "-C", str(root), *WHO, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(root: Path) -> str:
    """Commit everything and return the commit."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "Change something")
    return git(root, "rev-parse", "HEAD")


def merged(root: Path, base: str) -> None:
    """Make HEAD what GitHub tests of a pull request: its merge into the base."""
    tree, head = git(root, "rev-parse", "HEAD^{tree}"), git(root, "rev-parse", "HEAD")
    merge = git(root, "commit-tree", tree, "-p", base, "-p", head, "-m", "Merge")
    git(root, "reset", "--quiet", "--hard", merge)


def outputs(root: Path, folder: Path, environment: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Run the program in a folder of the repository; return its outputs, and what it says."""
    file = folder / "outputs"
    file.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, str(PROGRAM)],
        cwd=root,
        env={"PATH": os.environ["PATH"], "HOME": str(Path.home()), "GITHUB_OUTPUT": str(file)}
        | {"GITHUB_EVENT_NAME": "pull_request"}
        | {name: value for name, value in os.environ.items() if name.startswith("RUSTUP")}
        | dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = file.read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines), done.stdout


def selected(packages: str) -> set[str] | None:
    """Return the names of what is selected, None for everything."""
    if packages == "--workspace":
        return None
    return set(re.findall(r"--package=([\w-]+)", packages))
