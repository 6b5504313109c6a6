"""A check of the chat server where nothing changed, and the work that its seal saves."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rustci.fingerprint import CLEAN
from tests.benchmarks.side_by_side import cpu_seconds, medians, report
from tests.upkeep import Repository

ROOT = Path(__file__).parents[2]
EMPTY = "python -c pass"
LIMIT = 8.0
"""Times the CPU of an empty Python."""
pytestmark = pytest.mark.benchmark


def test_check_against_an_empty_python(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    rustci = [sys.executable, "-m", "rustci"]
    found = medians(
        {
            EMPTY: [sys.executable, "-c", "pass"],
            "rustci check (sealed)": [*rustci, "check"],
            "rustci check --format text (sealed)": [*rustci, "check", "--format", "text"],
            "rustci check --format json (rendered)": [*rustci, "check", "--format", "json"],
            "rustci update": [*rustci, "update"],
        },
        cwd=repository.root,
    )
    report("Checking the chat server", found, EMPTY)
    assert repository.run("check").out == f"{CLEAN}\n"
    assert found["rustci check (sealed)"] <= LIMIT * found[EMPTY]


def test_update_among_forty_workflows(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    text = repository.read(".github/workflows/coverage.yml")
    for number in range(40):
        repository.write(text, f".github/workflows/other{number}.yml")
    command = [sys.executable, "-m", "rustci", "update"]
    seconds = min(cpu_seconds(command, repository.root) for _ in range(3))
    print(f"\nUpdate of a repository with 43 workflow files: {seconds:.2f} s CPU")
    assert repository.run("check").code == 0
