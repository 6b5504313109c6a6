"""Commits checked out beside one another, and nothing left of them, however the run ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Optional

from . import processes
from .errors import BenchError
from .processes import Ended, Limits

OUTPUT = Limits(kept=256 << 20)
"""A diff names every file of a large repository."""


@contextlib.contextmanager
def workplace(kept: Optional[Path] = None) -> Iterator[Path]:
    """Yield a folder for worktrees and builds; a temporary one unless one is to be kept."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    made = Path(tempfile.mkdtemp(prefix="rustci-bench-")).resolve()
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextlib.contextmanager
def checked_out(folder: Path, commits: Mapping[str, str], work: Path) -> Iterator[dict[str, Path]]:
    """Check each commit out in a folder of its side's name; remove them in any case.

    The sides' names are equally long, so that paths inside the executables are, too.
    """
    trees = {side: work / side for side in commits}
    _discard(folder, trees.values())
    try:
        for side, sha in commits.items():
            git(folder, "worktree", "add", "--force", "--detach", str(trees[side]), sha)
            if (trees[side] / ".gitmodules").is_file():
                git(trees[side], "submodule", "update", "--init", "--recursive", "--quiet")
        yield trees
    finally:
        _discard(folder, trees.values())


def _discard(folder: Path, trees: Iterable[Path]) -> None:
    for tree in trees:
        # git locks a worktree while it makes it; one that was interrupted stays locked.
        run_git(folder, "worktree", "unlock", str(tree))
        shutil.rmtree(tree, ignore_errors=True)
    git(folder, "worktree", "prune")


def commit(folder: Path, ref: str) -> str:
    """Return the commit that a ref names; raise BenchError with how to fetch it."""
    top(folder)
    ended = run_git(
        folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"
    )
    if ended.code:
        raise BenchError(
            f"{ref!r} names no commit that is here",
            where=str(folder),
            todo="A shallow clone may lack it: set `fetch-depth: 2` with actions/checkout, or run"
            " `git fetch --deepen=1`; for a branch, `git fetch origin <branch>`.",
        )
    return ended.out.strip()


def top(folder: Path) -> Path:
    """Return the repository that a folder is in; raise BenchError where it is in none."""
    ended = run_git(folder, "rev-parse", "--show-toplevel")
    if ended.code:
        raise BenchError(
            "not in a git repository", where=str(folder), todo="Run this inside the project."
        )
    return Path(ended.out.strip()).resolve()


def run_git(folder: Path, *arguments: str) -> Ended:
    """Run git, whatever becomes of it."""
    # Hooks have no business in our worktrees, nor has the repository of a hook that we run in.
    foreign = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"}
    environment = {name: value for name, value in os.environ.items() if name not in foreign}
    argv = ["git", "-c", f"core.hooksPath={os.devnull}", *arguments]
    return processes.run(argv, folder, environment, OUTPUT)


def git(folder: Path, *arguments: str) -> str:
    """Return what git says; raise BenchError where it fails."""
    ended = run_git(folder, *arguments)
    if ended.code:
        raise BenchError(f"git {arguments[0]} failed:\n{ended.tail}", where=str(folder))
    return ended.out.strip()
