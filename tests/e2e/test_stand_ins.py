"""The stand-ins refuse what the real actions would, and do what those do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from rustci.actions import pin
from tests.e2e.actions import STAND_INS
from tests.e2e.actions.base import FACTS
from tests.e2e.lanes import lanes
from tests.e2e.machine import ROOT

TEMPLATES = ROOT / "cookiecutter-templates" / "github"
Use = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def use(tmp_path: Path) -> Use:
    """Run a stand-in as the runner does: inputs and files through the environment."""
    for name in ("workspace", "state", "tools", "temp"):
        (tmp_path / name).mkdir()

    def run(name: str, /, **inputs: str) -> CompletedProcess[str]:
        # A keyword has no hyphen: two underscores stand for one.
        given = {f"INPUT_{key.upper().replace('__', '-')}": v for key, v in inputs.items()}
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "GITHUB_JOB": "test",
            "GITHUB_REPOSITORY": "octocat/project",
            "GITHUB_SHA": "HEAD",
            "GITHUB_WORKSPACE": str(tmp_path / "workspace"),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_PATH": str(tmp_path / "path"),
            "RUNNER_TEMP": str(tmp_path / "temp"),
            "E2E_STATE": str(tmp_path / "state"),
            "E2E_TOOLS": str(tmp_path / "tools"),
            "E2E_REPOSITORY": str(tmp_path / "origin"),
            **given,
        }
        command = [sys.executable, "-m", "tests.e2e.actions", name, "main"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


ON_GITHUB_ALONE = {
    "actions/attest",
    "actions/configure-pages",
    "actions/dependency-review-action",
    "actions/deploy-pages",
    "actions/upload-pages-artifact",
    "github/codeql-action/analyze",
    "github/codeql-action/init",
    "github/codeql-action/upload-sarif",
    "ossf/scorecard-action",
    "release-plz/action",
    "rust-lang/crates-io-auth-action",
    "step-security/harden-runner",
}
"""They ask the services of GitHub or crates.io. No job that is on by itself uses them."""


def test_every_action_of_the_templates_has_a_stand_in() -> None:
    text = "".join(path.read_text("utf-8") for path in TEMPLATES.rglob("*.yml"))
    used = set(re.findall(r'plan\.pins\["([^"]+)"\]', text))
    assert used
    assert used - ON_GITHUB_ALONE <= STAND_INS.keys()
    assert STAND_INS.keys() == FACTS.keys()


@pytest.mark.parametrize("name", STAND_INS)
def test_the_inputs_are_those_of_the_catalogue(name: str) -> None:
    known = pin(name)
    assert known.inputs <= FACTS[name]["inputs"].keys()
    assert known.required == set(FACTS[name]["required"])


def test_an_unknown_input_is_red(use: Use) -> None:
    done = use("Swatinem/rust-cache", save__when="true")
    assert done.returncode == 1
    assert "unknown inputs: save-when" in done.stderr


def test_a_missing_input_is_red(use: Use) -> None:
    assert "must be given: tool" in use("taiki-e/install-action").stderr


def test_a_truth_value_is_true_or_false(use: Use) -> None:
    done = use("actions/checkout", persist__credentials="no")
    assert "persist-credentials is true or false, not 'no'" in done.stderr


def test_a_tool_without_a_version_is_red(use: Use) -> None:
    assert "cargo-hack has no version" in use("taiki-e/install-action", tool="cargo-hack").stderr


def test_only_the_pinned_version_of_a_tool_is_installed(use: Use, tmp_path: Path) -> None:
    binary = tmp_path / "tools" / "cargo-nextest" / "0.9.1" / "bin" / "cargo-nextest"
    binary.parent.mkdir(parents=True)
    binary.touch()
    assert "not to be had" in use("taiki-e/install-action", tool="nextest@0.9.2").stderr
    done = use("taiki-e/install-action", tool="nextest@0.9.1", fallback="none")
    assert done.returncode == 0, done.stderr
    folder = Path((tmp_path / "path").read_text().strip())
    assert (folder / "cargo-nextest").resolve() == binary


def test_artifacts_move_files_and_have_one_name_each(use: Use, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    (workspace / "out").mkdir()
    (workspace / "out" / "a.txt").write_text("a")
    (workspace / "out" / ".hidden").write_text("h")
    assert use("actions/upload-artifact", path="out", name="one").returncode == 0
    assert "exists already" in use("actions/upload-artifact", path="out", name="one").stderr
    assert use("actions/upload-artifact", path="*/a.txt", name="two").returncode == 0
    assert use("actions/download-artifact", path="both").returncode == 0
    found = {p.relative_to(workspace / "both").as_posix() for p in workspace.glob("both/**/*.*")}
    assert found == {"one/a.txt", "two/out/a.txt"}
    assert "no artifact named three" in use("actions/download-artifact", name="three").stderr


def test_an_artifact_leaves_out_what_is_excluded(use: Use, tmp_path: Path) -> None:
    for folder in ("tests", "target/tests"):
        (tmp_path / "workspace" / folder).mkdir(parents=True)
        (tmp_path / "workspace" / folder / "case.txt").write_text(folder)
    done = use("actions/upload-artifact", path="**/*.txt\n!**/target/**", name="one")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "state" / "artifacts" / "one" / "tests" / "case.txt").is_file()
    assert not (tmp_path / "state" / "artifacts" / "one" / "target").exists()


def test_nothing_to_upload_is_an_error_where_asked(use: Use) -> None:
    nothing = {"path": "lcov.info", "name": "coverage"}
    assert use("actions/upload-artifact", **nothing).returncode == 0
    done = use("actions/upload-artifact", **nothing, if__no__files__found="error")
    assert "no files were found" in done.stderr


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("SF:a.rs\nDA:1,1\nDA:2,0\nend_of_record\n", ""),
        ("SF:a.rs\nend_of_record\n", "tells of no line"),
        ("DA:1\n", "is no LCOV report"),
    ],
)
def test_coverage_services_read_the_report(
    text: str, problem: str, use: Use, tmp_path: Path
) -> None:
    (tmp_path / "workspace" / "lcov.info").write_text(text)
    codecov = {"files": "lcov.info", "disable_search": "true", "use_oidc": "false"}
    strict = use("codecov/codecov-action", **codecov, fail_ci_if_error="true")
    coveralls = use("coverallsapp/github-action", file="lcov.info", format="lcov")
    for done in (strict, coveralls):
        assert (done.returncode == 1) == bool(problem), done.stderr
        assert problem in done.stderr
    assert use("codecov/codecov-action", **codecov).returncode == 0


def test_the_checkout_has_the_commit_as_deep_as_asked(use: Use, tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    user = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    for command in (
        ["init", "--quiet", str(origin)],
        *(["-C", str(origin), *user, "commit", "--allow-empty", "-qm", n] for n in "abc"),
    ):
        subprocess.run(["git", *command], check=True)
    for path, depth, commits in (("one", "1", 1), ("all", "0", 3)):
        done = use("actions/checkout", path=path, fetch__depth=depth)
        assert done.returncode == 0, done.stderr
        log = ["git", "-C", str(tmp_path / "workspace" / path), "rev-list", "HEAD"]
        output = subprocess.run(log, capture_output=True, text=True, check=True).stdout
        assert len(output.split()) == commits
    calls = (tmp_path / "state" / "calls.jsonl").read_text().splitlines()
    assert [json.loads(call)["inputs"]["path"] for call in calls] == ["one", "all"]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ({}, [{}]),
        ({"a": [1, 2]}, [{"a": "1"}, {"a": "2"}]),
        ({"include": [{"a": 1}, {"b": 2}]}, [{"a": "1"}, {"b": "2"}]),
        (
            {"a": [1, 2], "include": [{"a": 1, "b": 3}, {"a": 4}]},
            [{"a": "1", "b": "3"}, {"a": "2"}, {"a": "4"}],
        ),
    ],
)
def test_lanes_are_combined_as_github_does(
    matrix: dict[str, list[object]], expected: list[dict[str, str]]
) -> None:
    assert list(lanes({"strategy": {"matrix": matrix}})) == expected
