"""`rustci explain`: the fact or answer behind a job or a line, its cost, and how to change it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from rustci.cli import main
from rustci.errors import ExitCode
from rustci.jobs import CATALOGUE
from tests.upkeep import CI, Repository


@pytest.fixture
def explained(repository: Repository, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command on the chat server; return what it says, as JSON where it is."""

    def run(*arguments: str, code: int = 0) -> Any:
        what = arguments or ("",)
        assert main(["explain", what[0], str(repository.root), *what[1:]]) == code
        said = capsys.readouterr()
        return json.loads(said.out) if "json" in arguments else said.out + said.err

    return run


def line_of(repository: Repository, pattern: str) -> int:
    """Return the number of the first line that matches."""
    lines = repository.read().splitlines()
    return next(n for n, line in enumerate(lines, 1) if re.search(pattern, line))


def test_without_a_name_every_job_is_listed_with_its_reason(explained: Any) -> None:
    said = explained()
    assert re.search(r"^  msrv +on +`rust-version` in Cargo.toml$", said, re.MULTILINE)
    assert re.search(r"^  semver +off +no library is published$", said, re.MULTILINE)
    found = explained("", "--format", "json")
    assert list(found["jobs"]) == [job.ID for job in CATALOGUE]


@pytest.mark.parametrize("job", [*[job.ID for job in CATALOGUE], "ci"])
def test_every_job_is_explained(job: str, explained: Any) -> None:
    said = explained(job)
    assert f"(`{job}`) in .github/workflows/" in said
    assert "Change it" in said
    assert ("Cost" in said) == (" on: " in said)


def test_a_job_names_the_answers_that_it_asks_for(explained: Any) -> None:
    found = explained("msrv", "--format", "json")
    assert found["on"] is True
    assert found["answers"]["toolchains.msrv"] == {
        "value": "1.85",
        "source": "detected",
        "reason": "`rust-version` in Cargo.toml",
    }
    assert "coverage.service" not in found["answers"]
    assert found["run"]["environment"]["RUSTUP_TOOLCHAIN"].startswith("The toolchain to use")


def test_what_somebody_decided_stands_first(repository: Repository, explained: Any) -> None:
    repository.write("[tests]\nshards = 2\n\n[jobs]\nreview = true\n", ".github/rustci.toml")
    assert next(iter(explained("test", "--format", "json")["answers"])) == "tests.shards"
    said = explained("review")
    assert "on: set by `.github/rustci.toml`" in said
    assert "rustci init --no-job-review" in said


def test_the_cost_is_the_limit_on_every_lane(repository: Repository, explained: Any) -> None:
    cost = explained("test", "--format", "json")["run"]["cost"]
    # Linux, macOS and Windows at GitHub's prices per minute, 30 minutes each.
    assert (cost["lanes"], cost["minutes"]) == (3, 90)
    assert cost["dollars"] == pytest.approx(30 * (0.006 + 0.062 + 0.010), abs=0.01)
    repository.write('[platforms]\nrunners = ["big-linux"]\n', ".github/rustci.toml")
    assert explained("test", "--format", "json")["run"]["cost"]["dollars"] is None


def test_a_line_tells_its_step_its_owner_and_its_answer(
    repository: Repository, explained: Any
) -> None:
    number = line_of(repository, r"runner: \[")
    line = explained(f"ci.yml:{number}", "--format", "json")["line"]
    assert line["owner"] == "rustci"
    assert any("`platforms.runners`" in note for note in line["notes"])
    number = line_of(repository, r"cargo clippy")
    said = explained(f"{CI}:{number}")
    assert "in the step `Run Clippy`" in said
    assert "Clippy (`clippy`)" in said


def test_a_pin_and_a_variable_say_what_they_are(repository: Repository, explained: Any) -> None:
    pin = explained(f"{CI}:{line_of(repository, 'uses: actions/checkout')}")
    assert "rustci knows actions/checkout v7.0.1" in pin
    variable = explained(f"{CI}:{line_of(repository, 'RUSTUP_TOOLCHAIN: ')}")
    assert "RUSTUP_TOOLCHAIN: The toolchain to use" in variable


def test_an_edited_line_is_the_users(repository: Repository, explained: Any) -> None:
    repository.edit(r"timeout-minutes: 10$", "timeout-minutes: 11")
    number = line_of(repository, "timeout-minutes: 11")
    assert "yours: rustci wrote it otherwise" in explained(f"{CI}:{number}")


def test_a_part_of_a_job_is_explained_as_the_job(repository: Repository, explained: Any) -> None:
    assert repository.run("init", "--yes", "--shards", "2").code == 0
    said = explained(f"{CI}:{line_of(repository, '  test-archive:')}")
    assert "Tests (`test`)" in said
    found = explained("test", "--format", "json")["run"]["cost"]
    assert found["lanes"] > 6


def test_a_line_outside_the_jobs_is_the_workflows(repository: Repository, explained: Any) -> None:
    said = explained(f"{CI}:{line_of(repository, 'branches:')}")
    assert "CI (`ci`) in .github/workflows/ci.yml" in said
    assert "from the answer `workflows.branch`: set by `.github/rustci.toml`" in said


@pytest.mark.parametrize(
    ("what", "problem"),
    [
        ("clipy", "there is no job `clipy`"),
        ("ci.yml:100000", "lines"),
        ("ci.yml:0", "lines"),
        ("missing.yml:1", "no workflow that rustci wrote"),
        ("../../outside.yml:1", "no workflow that rustci wrote"),
    ],
)
def test_what_cannot_be_explained_is_told(what: str, problem: str, explained: Any) -> None:
    assert problem in explained(what, code=ExitCode.USAGE)


def test_a_job_of_the_users_own_is_told(repository: Repository, explained: Any) -> None:
    repository.edit(r"^jobs:\n", "jobs:\n  mine:\n    runs-on: ubuntu-24.04\n    steps: []\n")
    number = line_of(repository, "  mine:")
    assert "job `mine` is yours" in explained(f"{CI}:{number}", code=ExitCode.USAGE)


def test_it_works_before_anything_is_written(
    project_folder: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    folder: Path = project_folder("single")
    assert main(["explain", "docsrs", str(folder)]) == 0
    assert "`single-crate` has `[package.metadata.docs.rs]`" in capsys.readouterr().out
    assert not (folder / ".github").exists()
