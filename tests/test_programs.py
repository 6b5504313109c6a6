"""rustci's programs in a repository: written whole, known by their hash, never merged."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

import rustci
from rustci import lock
from rustci.paths import PROGRAMS
from tests.upkeep import Repository

FOLDER = f"{PROGRAMS}bench"
MAIN = f"{FOLDER}/__main__.py"
OLD = "# what an older rustci wrote\n"


@pytest.fixture
def gated(repository: Repository) -> Repository:
    assert repository.run("init", "--yes", "--bench-gate").code == 0
    return repository


def as_if_older(repository: Repository, text: str) -> None:
    """Make the lock say that an older rustci wrote another program."""
    found = lock.read(repository.root)
    assert found
    before = repository.read(lock.PATH)
    now = found.files[MAIN].digest
    repository.write(before.replace(now, sha256(text.encode()).hexdigest()), lock.PATH)


def test_the_program_is_the_package_and_runs_on_its_own(gated: Repository) -> None:
    package = Path(rustci.__file__).parent / "bench"
    written = {path.name: path.read_bytes() for path in (gated.root / FOLDER).rglob("*.py")}
    assert written == {path.name: path.read_bytes() for path in package.rglob("*.py")}
    command = [sys.executable, "-I", str(gated.root / FOLDER), "--help"]
    assert "run" in subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_lock_keeps_no_copy_of_it(gated: Repository) -> None:
    found = lock.read(gated.root)
    assert found
    texts = {path: file.text for path, file in found.files.items() if path.startswith(PROGRAMS)}
    assert MAIN in texts
    assert not any(texts.values())
    assert gated.run("check").code == 0


def test_a_newer_program_replaces_an_untouched_one(gated: Repository) -> None:
    new = gated.read(MAIN)
    as_if_older(gated, OLD)
    gated.write(OLD, MAIN)
    assert gated.run("update").code == 0
    assert gated.read(MAIN) == new


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_an_edited_program_is_a_conflict_that_somebody_decides(
    side: str, gated: Repository
) -> None:
    new, mine = gated.read(MAIN), "# mine\n"
    as_if_older(gated, OLD)
    gated.write(mine, MAIN)
    assert gated.run("update").code == 3
    assert gated.read(MAIN) == mine
    assert gated.run("update", "--conflict", side).code == 0
    assert gated.read(MAIN) == (new if side == "ours" else mine)


def test_it_goes_when_the_gate_goes(gated: Repository) -> None:
    assert gated.run("init", "--yes", "--no-bench-gate").code == 0
    assert not (gated.root / MAIN).exists()
