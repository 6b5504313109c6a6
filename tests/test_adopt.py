"""Taking over hand-written workflows: recognised by what they do, and nothing of theirs lost."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustci import adopt
from rustci.lock import PATH, loads
from tests.house import parse
from tests.linters import find
from tests.strategies import copied
from tests.upkeep import CI, Repository

HAND_WRITTEN = """\
# Ours since 2016.
name: Rust
on: [push, pull_request]
env:
  RUSTFLAGS: -Dwarnings
jobs:
  build-and-test:   # not called `test`
    runs-on: ubuntu-latest
    steps:
    - uses: actions/checkout@v4
    - run: cargo build --verbose
    - run: cargo test --verbose
  style:
    runs-on: ubuntu-latest
    steps:
    - uses: actions/checkout@v4
    - uses: actions-rust-lang/rustfmt@v1
  deploy:
    if: github.ref == 'refs/heads/main'
    needs: build-and-test
    runs-on: ubuntu-latest
    steps:
    - run: ./deploy.sh
"""


@pytest.fixture
def fresh(tmp_path: Path) -> Repository:
    return Repository(copied("single", tmp_path))


def adopted(repository: Repository, *arguments: str) -> Any:
    done = repository.run("init", "--yes", "--on-existing", "merge", "--format", "json", *arguments)
    assert done.code == 0, done.out
    return done.json


@pytest.fixture
def taken(fresh: Repository) -> Repository:
    fresh.write(HAND_WRITTEN)
    adopted(fresh)
    return fresh


def test_what_is_there_is_recognised_by_what_it_does(fresh: Repository) -> None:
    fresh.write(HAND_WRITTEN)
    found = adopted(fresh)["recognised"]
    assert [(one["line"], one["job"], one["catalogue"]) for one in found] == [
        (13, "style", "format"),
        (7, "build-and-test", "test"),
    ]
    told = fresh.run("init", "--yes", "--on-existing", "merge", "--dry-run").out
    assert f"{CI}:13: job `style` already does `format`" in told


def test_every_line_of_theirs_is_still_there(taken: Repository) -> None:
    lines = iter(taken.read().splitlines())
    assert all(line in lines for line in HAND_WRITTEN.splitlines() if not line.startswith("on:"))


def test_what_is_missing_is_added_and_nothing_twice(taken: Repository) -> None:
    jobs = parse(taken.read())["jobs"]
    assert not {"format", "test"} & jobs.keys()
    assert {"clippy", "docs", "ci"} <= jobs.keys()
    assert all(
        job["defaults"] == {"run": {"shell": "bash"}} for job in (jobs["clippy"], jobs["ci"])
    )


def test_the_top_of_their_file_means_what_it_meant(taken: Repository) -> None:
    workflow = parse(taken.read())
    assert workflow["on"] == ["push", "pull_request", "merge_group"]
    assert workflow["env"] == {"RUSTFLAGS": "-Dwarnings"}
    assert not {"permissions", "concurrency", "defaults"} & workflow.keys()


def test_the_aggregate_needs_all_that_always_runs(taken: Repository) -> None:
    jobs = parse(taken.read())["jobs"]
    assert set(jobs["ci"]["needs"]) == jobs.keys() - {"ci", "deploy"}


def test_the_answers_say_why(taken: Repository) -> None:
    config = taken.read(".github/rustci.toml")
    assert "format = false # job `style` of `ci.yml` does it" in config
    assert "test = false # job `build-and-test` of `ci.yml` does it" in config


def test_it_is_clean_and_stays_so(taken: Repository) -> None:
    once = taken.tree()
    done = taken.run("check")
    assert done.code == 0
    assert "`ci` does not need the job `deploy`" in done.out
    assert taken.run("update").code == 0
    adopted(taken)
    assert taken.run("init", "--yes").code == 0
    assert taken.tree() == once
    assert loads(taken.read(PATH)).files[CI].adopted


def test_it_lints_as_it_did(taken: Repository) -> None:
    after = problems(taken.root / CI)
    taken.write(HAND_WRITTEN)
    assert after == problems(taken.root / CI)


def problems(path: Path) -> list[str]:
    """Return what actionlint says of a workflow, without places."""
    done = subprocess.run(
        [find("actionlint"), "-shellcheck=", "-pyflakes=", "-format", "{{json .}}", path],
        capture_output=True,
        text=True,
        check=False,
    )
    return [found["message"] for found in json.loads(done.stdout)]


def test_an_update_reaches_rustcis_jobs_in_it(taken: Repository) -> None:
    taken.wrote_last("timeout-minutes: 20", "timeout-minutes: 19")
    taken.edit("timeout-minutes: 20", "timeout-minutes: 19", count=0)
    theirs = taken.read()
    assert taken.run("update").code == 0
    assert taken.read() == theirs.replace("timeout-minutes: 19", "timeout-minutes: 20")


def test_a_job_in_another_file_counts(fresh: Repository) -> None:
    fresh.write(HAND_WRITTEN, ".github/workflows/rust.yml")
    found = adopted(fresh)["recognised"]
    assert {one["path"] for one in found} == {".github/workflows/rust.yml"}
    assert fresh.read(".github/workflows/rust.yml") == HAND_WRITTEN
    assert not {"format", "test"} & parse(fresh.read())["jobs"].keys()


@pytest.mark.parametrize("on", ["schedule: [cron: 1 1 * * 1]", "push: {tags: [v*]}"])
def test_a_release_or_nightly_run_does_not_count(on: str, fresh: Repository) -> None:
    text = HAND_WRITTEN.replace("on: [push, pull_request]", f"on:\n  {on}")
    fresh.write(text, ".github/workflows/release.yml")
    assert adopted(fresh)["recognised"] == []


def test_an_id_that_is_taken_is_left_to_them(fresh: Repository) -> None:
    fresh.write(HAND_WRITTEN.replace("deploy:\n", "docs:\n"))
    found = [one for one in adopted(fresh)["recognised"] if one["taken"]]
    assert [one["job"] for one in found] == ["docs"]
    assert parse(fresh.read())["jobs"]["docs"]["steps"] == [{"run": "./deploy.sh"}]
    assert fresh.run("check").code == 0


def test_a_job_ci_of_theirs_has_to_be_renamed_first(fresh: Repository) -> None:
    fresh.write(HAND_WRITTEN.replace("deploy:\n", "ci:\n"))
    before = fresh.tree()
    done = fresh.run("init", "--yes", "--on-existing", "merge")
    assert (done.code, fresh.tree()) == (3, before)
    assert f"{CI}:18: job `ci` does something of its own" in done.err


def test_an_aggregate_of_theirs_gets_the_new_jobs(fresh: Repository) -> None:
    last = "  ci:\n    if: always()\n    needs: [style, build-and-test]\n"
    fresh.write(HAND_WRITTEN + last + "    runs-on: x\n    steps:\n    - run: ./judge.sh\n")
    adopted(fresh)
    job = parse(fresh.read())["jobs"]["ci"]
    assert {"style", "build-and-test", "clippy", "docs"} <= set(job["needs"])
    assert job["steps"][0] == {"run": "./judge.sh"}


def test_names_that_differ_in_case_alone_are_asked_about(fresh: Repository) -> None:
    fresh.write(HAND_WRITTEN, ".github/workflows/CI.yml")
    done = fresh.run("init", "--yes", "--on-existing", "merge")
    assert done.code == 3
    assert "git mv .github/workflows/CI.yml .github/workflows/ci.yml" in done.err


def test_without_being_asked_nothing_is_taken_over(fresh: Repository) -> None:
    fresh.write(HAND_WRITTEN)
    before = fresh.tree()
    done = fresh.run("init", "--yes")
    assert (done.code, fresh.tree()) == (3, before)
    assert "`merge`" in done.err


class TestDependabot:
    PATH = ".github/dependabot.yml"
    ACTIONS = """\
version: 2
updates:
  - package-ecosystem: "github-actions" # monthly is enough
    directory: /
    schedule:
      interval: monthly
"""

    def test_a_missing_entry_is_added(self, fresh: Repository) -> None:
        fresh.write(self.ACTIONS, self.PATH)
        adopted(fresh)
        text = fresh.read(self.PATH)
        assert text.startswith(self.ACTIONS)
        names = [entry["package-ecosystem"] for entry in parse(text)["updates"]]
        assert names == ["github-actions", "cargo"]
        assert fresh.run("check").code == 0

    def test_only_if_somebody_says_so(self, fresh: Repository) -> None:
        fresh.write(self.ACTIONS, self.PATH)
        assert fresh.run("init", "--yes").code == 0
        assert fresh.run("update").code == 0
        assert fresh.read(self.PATH) == self.ACTIONS
        assert fresh.run("update", "--only", self.PATH).code == 0
        assert "cargo" in fresh.read(self.PATH)

    def test_one_that_has_both_is_left_alone(self, fresh: Repository) -> None:
        both = self.ACTIONS + self.ACTIONS.partition("updates:\n")[2].replace(
            "github-actions", "cargo"
        )
        fresh.write(both, self.PATH)
        adopted(fresh)
        assert fresh.read(self.PATH) == both
        assert self.PATH not in loads(fresh.read(PATH)).files


JOBS = st.dictionaries(
    st.sampled_from("abcd"),
    st.tuples(st.booleans(), st.sets(st.sampled_from("abcd"))),
)


@given(drawn=JOBS)
@settings(max_examples=200)
def test_what_always_runs_waits_for_nothing_that_may_be_skipped(
    drawn: dict[str, tuple[bool, set[str]]],
) -> None:
    jobs = {
        name: {"needs": sorted(needs & drawn.keys())} | ({"if": "x"} if maybe else {})
        for name, (maybe, needs) in drawn.items()
    }
    sure = set(adopt.sure(jobs))
    assert all("if" not in jobs[name] and {*jobs[name]["needs"]} <= sure for name in sure)
    rest = jobs.keys() - sure
    assert all("if" in jobs[name] or {*jobs[name]["needs"]} & rest for name in rest)


def test_a_name_that_differs_by_case_alone_is_asked_about(repository: Repository) -> None:
    shutil.rmtree(repository.root / ".github")
    repository.write("name: Mine\non: push\njobs: {}\n", ".github/workflows/CI.yml")
    before = repository.tree()
    for how in ([], ["--on-existing", "merge"]):
        done = repository.run("init", "--yes", *how)
        assert (done.code, repository.tree()) == (3, before)
        assert "git mv .github/workflows/CI.yml .github/workflows/ci.yml" in done.err
