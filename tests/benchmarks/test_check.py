"""A check of the chat server where nothing changed, and the work that its seal saves."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from rustci.fingerprint import CLEAN
from tests.benchmarks.side_by_side import cpu_seconds, medians, report
from tests.upkeep import Repository

ROOT = Path(__file__).parents[2]
EMPTY = "python -c pass"
LIMIT = 8.0
"""Times the CPU of an empty Python."""
UPDATE_LIMIT = 60.0
"""The same for an update, which imports Cookiecutter and renders: about 0.8 s."""
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
        own = text.replace("cargo", f"cargo +{number}").replace("name: ", f"name: {number} ")
        repository.write(own, f".github/workflows/other{number}.yml")
    command = [sys.executable, "-m", "rustci", "update"]
    found = medians(
        {EMPTY: [sys.executable, "-c", "pass"], "nothing to do": command},
        cwd=repository.root,
        rounds=5,
    )
    found["the template changed"] = min(merging(repository, command) for _ in range(3))
    report("Update of a repository with 43 workflow files", found, EMPTY)
    assert repository.run("check").code == 0
    assert max(found.values()) <= UPDATE_LIMIT * found[EMPTY]


def merging(repository: Repository, command: Sequence[str]) -> float:
    """Return the CPU seconds of an update that merges what the user and the template changed."""
    repository.wrote_last("timeout-minutes: 20", "timeout-minutes: 19")
    repository.edit("timeout-minutes: 20", "timeout-minutes: 19", count=0)
    repository.edit("timeout-minutes: 10$", "timeout-minutes: 17")
    seconds = cpu_seconds(command, repository.root)
    assert "timeout-minutes: 19" not in repository.read()
    repository.edit("timeout-minutes: 17$", "timeout-minutes: 10")
    return seconds
