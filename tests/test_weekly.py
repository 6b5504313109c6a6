"""The scheduled jobs that run tests: what calls for them, and the script that reports them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from rustci import config as configuration
from rustci import jobs
from rustci.discover import read_project
from rustci.jobs.base import Verdict
from rustci.project import Project
from rustci.recommend import recommend
from tests.house import parse
from tests.strategies import rendered

JOBS = {"heap", "ignored", "latest", "loom", "minimal", "property", "snapshots"}
MANIFEST = """\
[package]
name = "demo"
version = "0.1.0"
edition = "2021"
"""
PUBLISHED = f'{MANIFEST}description = "Shows something"\nlicense = "MIT"\n'
OPTIONAL = '[dependencies]\nproptest = { version = "1", optional = true }\n'
LOOM = '[target."cfg(demo_loom)".dependencies]\nloom = "0.7"\n'
MODEL = {"tests/model.rs": "use loom::thread;\n#[test]\nfn model() {}\n"}


def write(folder: Path, files: Mapping[str, str]) -> Project:
    for name, text in ({"Cargo.toml": MANIFEST, "src/lib.rs": ""} | dict(files)).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return read_project(folder)


def verdicts(project: Project) -> Mapping[str, Verdict]:
    return jobs.verdicts(project, configuration.resolve((recommend(project),)))


@pytest.mark.parametrize(
    ("files", "on"),
    [
        ({}, set()),
        ({"Cargo.lock": "version = 4\n"}, set()),
        ({"Cargo.lock": "version = 4\n", "Cargo.toml": PUBLISHED}, {"latest"}),
        ({"Cargo.toml": f'{PUBLISHED}[dependencies]\nitoa = "1"\n'}, {"minimal"}),
        ({"Cargo.toml": f'{PUBLISHED}[dev-dependencies]\nitoa = "1"\n'}, set()),
        ({"Cargo.toml": f'{MANIFEST}[dependencies]\nitoa = "1"\n'}, set()),
        ({"src/lib.rs": '#[test]\n#[ignore = "slow"]\nfn slow() {}\n'}, {"ignored"}),
        ({"Cargo.toml": f'{MANIFEST}[dev-dependencies]\nquickcheck = "1"\n'}, {"property"}),
        (
            {"Cargo.toml": MANIFEST + OPTIONAL},
            set(),
        ),
        ({"Cargo.toml": f'{MANIFEST}[dev-dependencies]\ninsta = "1"\n'}, {"snapshots"}),
        ({"Cargo.toml": MANIFEST + LOOM}, set()),
        ({"Cargo.toml": MANIFEST + LOOM, **MODEL}, {"loom"}),
        ({"Cargo.toml": MANIFEST + LOOM, "src/lib.rs": "fn t() { loom::model(|| ()); }"}, {"loom"}),
        (
            {
                "Cargo.toml": MANIFEST + LOOM,
                **MODEL,
                ".cargo/config.toml": '[build]\nrustflags = ["-Ctarget-cpu=native"]\n',
            },
            set(),
        ),
        (
            {
                "Cargo.toml": f'{MANIFEST}[dev-dependencies]\ndhat = "0.3"\n',
                "tests/heap.rs": "static A: dhat::Alloc = dhat::Alloc;\n",
            },
            {"heap"},
        ),
        (
            {
                "Cargo.toml": f'{MANIFEST}[dev-dependencies]\ndhat = "0.3"\n',
                "tests/heap.rs": "// dhat::Alloc would do.\n",
            },
            set(),
        ),
    ],
)
def test_each_job_needs_its_evidence(files: dict[str, str], on: set[str], tmp_path: Path) -> None:
    found = verdicts(write(tmp_path / "demo", files))
    assert {name for name in JOBS if found[name].on} == on


def test_flags_that_loom_would_replace_are_named(tmp_path: Path) -> None:
    files = {"Cargo.toml": MANIFEST + LOOM, **MODEL}
    flags = {".cargo/config.toml": '[build]\nrustflags = ["-Ctarget-cpu=native"]\n'}
    found = verdicts(write(tmp_path / "demo", files | flags))["loom"]
    assert not found.possible
    assert "`.cargo/config.toml` has `rustflags`" in found.reason


def test_loom_runs_under_the_projects_own_cfg(tmp_path: Path) -> None:
    project = write(tmp_path / "demo", {"Cargo.toml": MANIFEST + LOOM, **MODEL})
    workflow = parse(rendered(project, {})[".github/workflows/scheduled.yml"])
    assert workflow["jobs"]["loom"]["env"]["RUSTFLAGS"] == "--cfg demo_loom"


@pytest.mark.parametrize("runner", ["nextest", "cargo"])
def test_slow_tests_are_not_stopped_as_hanging(
    runner: str, projects: Mapping[str, Project]
) -> None:
    tree = rendered(projects["deep-tests"], {"tests.runner": runner})
    job = parse(tree[".github/workflows/scheduled.yml"])["jobs"]["ignored"]
    script = job["steps"][-1]["run"]
    assert "--profile ci" not in script
    assert "ignored" in script


# The report: its script as written, with a `gh` that writes down what it is asked

RECORDER = """\
#!/bin/sh
printf '%s\\0' "$@" >> "$CALLS"
printf '\\n' >> "$CALLS"
[ "$2" = list ] && printf '%s' "$ISSUE"
exit 0
"""
TITLE = "Scheduled checks fail"


def report(
    folder: Path, projects: Mapping[str, Project], issue: str, **results: str
) -> list[list[str]]:
    """Run the script for an open issue (or none) and these results; return the calls of `gh`."""
    bash = shutil.which("bash")
    if not bash or not shutil.which("jq"):
        pytest.skip("bash or jq is missing: the script runs in them")
    tree = rendered(projects["deep-tests"], {})
    [step] = parse(tree[".github/workflows/scheduled.yml"])["jobs"]["report"]["steps"]
    (folder / "gh").write_text(RECORDER)
    (folder / "gh").chmod(0o755)
    done = subprocess.run(
        [bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "CALLS": str(folder / "calls"),
            "ISSUE": issue,
            "NEEDS": json.dumps(
                {name: {"result": r, "outputs": {}} for name, r in results.items()}
            ),
            "RUN": "https://github.com/o/r/actions/runs/1",
            "TITLE": TITLE,
        },
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    calls = (folder / "calls").read_text().split("\0\n")[:-1]
    asked, *others = (call.split("\0") for call in calls)
    assert asked[:2] == ["issue", "list"]
    return others


RUN = "https://github.com/o/r/actions/runs/1"


def test_a_first_failure_opens_an_issue(tmp_path: Path, projects: Mapping[str, Project]) -> None:
    calls = report(tmp_path, projects, "", canary="failure", loom="success", heap="cancelled")
    body = f"{RUN}\n\n- canary: failure\n- heap: cancelled"
    assert calls == [["issue", "create", "--title", TITLE, "--body", body]]


def test_a_further_failure_adds_a_comment(tmp_path: Path, projects: Mapping[str, Project]) -> None:
    calls = report(tmp_path, projects, "7", canary="failure", loom="skipped")
    assert calls == [["issue", "comment", "7", "--body", f"{RUN}\n\n- canary: failure"]]


def test_green_again_closes_it(tmp_path: Path, projects: Mapping[str, Project]) -> None:
    calls = report(tmp_path, projects, "7", canary="success", loom="skipped")
    assert calls == [["issue", "close", "7", "--comment", f"Everything passed again: {RUN}"]]


def test_green_without_an_issue_says_nothing(
    tmp_path: Path, projects: Mapping[str, Project]
) -> None:
    assert report(tmp_path, projects, "", canary="success", loom="skipped") == []
