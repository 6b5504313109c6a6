"""The output for telling project shapes, byte for byte. How to accept it: golden/README.md."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from rustci import config as configuration
from rustci import lock
from rustci.paths import PROGRAMS
from rustci.proposal import propose
from rustci.recommend import recommend
from tests.linters import lint
from tests.strategies import copied, read

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/args"))


def written(case: str, folder: Path) -> dict[str, str]:
    """Return what `rustci init` writes for a case, without the lock, which repeats the files.

    Programs that it brings along are rustci's own source: tests/bench/ tests them.
    """
    project_line, *assignments = (GOLDEN / case / "args").read_text("utf-8").splitlines()
    project = read(copied(project_line.removeprefix("project="), folder))
    layers = (recommend(project), configuration.flag_layer({}, assignments))
    writes = propose(project, configuration.resolve(layers), None).writes
    return {
        write.path: write.text or ""
        for write in writes
        if write.path != lock.PATH and not write.path.startswith(PROGRAMS)
    }


def accepted(case: str) -> dict[str, str]:
    """Return the tree of a case as it was accepted."""
    files = (path for path in (GOLDEN / case).rglob("*") if path.is_file() and path.name != "args")
    return {
        path.relative_to(GOLDEN / case).as_posix(): path.read_bytes().decode() for path in files
    }


def difference(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """Return what changed between two trees, as `git diff` would show it."""
    return "".join(
        line
        for path in sorted(old.keys() | new.keys())
        for line in difflib.unified_diff(
            old.get(path, "").splitlines(keepends=True),
            new.get(path, "").splitlines(keepends=True),
            f"golden/{path}",
            f"now/{path}",
        )
    )


def accept(case: str, tree: Mapping[str, str]) -> None:
    """Replace a golden tree."""
    for path in accepted(case).keys() - tree.keys():
        (GOLDEN / case / path).unlink()
    for path, text in tree.items():
        target = GOLDEN / case / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())


@pytest.mark.parametrize("case", CASES)
def test_the_output_is_as_accepted(case: str, tmp_path: Path) -> None:
    tree = written(case, tmp_path)
    if os.environ.get("ACCEPT_GOLDENS"):
        accept(case, tree)
    changed = difference(accepted(case), tree)
    assert not changed, f"look at this, then ACCEPT_GOLDENS=1 pytest {__file__}\n\n{changed}"
    assert tree.keys() == accepted(case).keys()


def test_the_accepted_trees_are_clean() -> None:
    files = {f"{case}/{path}": text for case in CASES for path, text in accepted(case).items()}
    assert not "\n".join(map(str, lint(files)))
