"""A project with rustci's workflows in a git repository of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.e2e.machine import ROOT


def prepare(source: Path, folder: Path, *arguments: str) -> Path:
    """Copy a project, run `rustci init --yes` with the arguments, and commit all of it."""
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("target"), symlinks=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    # What crates.io does not have cannot be compared with it.
    answers = ("--yes", "--no-job-semver", *arguments)
    command = [sys.executable, "-m", "rustci", "init", str(folder), *answers]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    commit(folder, "Add the project")
    return folder


def commit(folder: Path, message: str) -> None:
    """Commit everything in a folder."""
    git(folder, "add", "--all")
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    git(folder, *identity, "commit", "--quiet", "--allow-empty", "--message", message)


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder and return what it says."""
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
