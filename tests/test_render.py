"""What the templates print for particular answers: the steps that a reader would look for."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cookiecutter.main import cookiecutter

from rustci import environment
from rustci.errors import ProjectError
from rustci.jobs import CATALOGUE
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.templates import render, template_root
from rustci.workflow import FILE_LIMIT, Job, Matrix, Triggers, Workflow
from tests.house import parse
from tests.strategies import rendered, resolved

CI, COVERAGE, SCHEDULED = (f".github/workflows/{n}.yml" for n in ("ci", "coverage", "scheduled"))


@pytest.fixture
def chat(projects: Mapping[str, Project]) -> Project:
    return projects["chat-server"]


def job(project: Project, job_id: str, answers: Mapping[str, Any], path: str = CI) -> Any:
    return parse(rendered(project, answers)[path])["jobs"][job_id]


def scripts(found: Any) -> str:
    return "\n".join(step.get("run", "") for step in found["steps"])


def used(found: Any) -> dict[str, Any]:
    """Return the inputs of each action that a job uses, by name."""
    return {s["uses"].partition("@")[0]: s.get("with", {}) for s in found["steps"] if "uses" in s}


def test_toolchain_before_cache_before_everything_else(chat: Project) -> None:
    names = [step["name"] for step in job(chat, "test", {})["steps"]]
    first = ["Check out", "Install Rust", "Check the compiler", "Restore the cargo cache"]
    assert names[:4] == first


def test_the_cache_is_saved_on_pushes_only_and_can_be_left_out(chat: Project) -> None:
    cache = used(job(chat, "clippy", {}))["Swatinem/rust-cache"]
    assert cache["save-if"] == "${{ github.event_name == 'push' }}"
    tree = rendered(chat, {"cache.cargo": False})
    assert not [path for path, text in tree.items() if "rust-cache" in text]


def test_a_self_hosted_runner_keeps_its_folders(chat: Project) -> None:
    steps = job(chat, "test", {"platforms.runners": ("big-linux",)})["steps"]
    guarded = [step for step in steps if "rust-cache" in step.get("uses", "")]
    assert guarded[0]["if"] == "runner.environment == 'github-hosted'"


@pytest.mark.parametrize("queue", [True, False])
def test_the_merge_queue(queue: bool, chat: Project) -> None:
    for path in (CI, COVERAGE):
        triggers = parse(rendered(chat, {"workflows.merge_queue": queue})[path])["on"]
        assert ("merge_group" in triggers) is queue


def test_the_branch(chat: Project) -> None:
    triggers = parse(rendered(chat, {"workflows.branch": "1.x"})[CI])["on"]
    assert triggers["push"] == {"branches": ["1.x"]}


def test_shards_compile_the_tests_once_and_deal_them_out(chat: Project) -> None:
    jobs = parse(rendered(chat, {"tests.shards": 3})[CI])["jobs"]
    archive, shard, doctest = jobs["test-archive"], jobs["test"], jobs["doctest"]
    assert "cargo nextest archive --all-features --locked" in scripts(archive)
    assert shard["strategy"]["matrix"]["shard"] == [1, 2, 3]
    assert shard["needs"] == ["test-archive"]
    assert '--archive-file "$RUNNER_TEMP/tests.tar.zst"' in scripts(shard)
    assert "--all-features" not in scripts(shard)
    assert '--partition "$PARTITION"' in scripts(shard)
    assert "cargo test --doc" in scripts(doctest)
    assert "needs" not in doctest
    assert {"test-archive", "test", "doctest"} <= set(jobs["ci"]["needs"])


def test_shards_fetch_what_their_lane_uploaded(chat: Project) -> None:
    jobs = parse(rendered(chat, {"tests.shards": 2})[CI])["jobs"]
    up, down = used(jobs["test-archive"]), used(jobs["test"])
    assert up["actions/upload-artifact"]["name"] == down["actions/download-artifact"]["name"]
    assert "Swatinem/rust-cache" not in down


def test_coverage_of_shards_is_reported_once(chat: Project) -> None:
    answers: dict[str, Any] = {
        "tests.shards": 2,
        "coverage.service": "codecov",
        "coverage.minimum": 80,
    }
    jobs = parse(rendered(chat, answers)[COVERAGE])["jobs"]
    assert list(jobs) == ["coverage-archive", "coverage-shard", "coverage"]
    assert jobs["coverage"]["needs"] == ["coverage-archive", "coverage-shard"]
    assert scripts(jobs["coverage"]).count("--nextest-archive-file") == 3
    tokens = [name for name, found in jobs.items() if "id-token" in found["permissions"]]
    assert tokens == ["coverage"]


def test_tarpaulin_measures_whole(chat: Project) -> None:
    answers: dict[str, Any] = {
        "tests.shards": 2,
        "coverage.service": "none",
        "coverage.tool": "tarpaulin",
    }
    assert list(parse(rendered(chat, answers)[COVERAGE])["jobs"]) == ["coverage"]


def test_the_compiler_is_compared_with_the_lane(chat: Project) -> None:
    answers = {"toolchains.channels": ("1.90", "stable", "beta", "nightly-2026-01-02")}
    rows = job(chat, "test", answers)["strategy"]["matrix"]["include"]
    accepted = {row["toolchain"]: _accepted(row["rustc"]) for row in rows}
    assert accepted == {
        "1.90": {"1.90.0"},
        "stable": {"1.9.0", "1.90.0", "1.95.0"},
        "beta": {"1.96.0-beta.3"},
        "nightly-2026-01-02": {"1.97.0-nightly"},
    }
    assert [row["experimental"] for row in rows] == [False, False, True, True]


def _accepted(pattern: str) -> set[str]:
    """Return the compilers that the job's own check lets pass."""
    versions = ("1.9.0", "1.90.0", "1.95.0", "1.96.0-beta.3", "1.97.0-nightly")
    said = "\n".join(f"rustc {version} (1159e78c4 2025-09-14)" for version in versions)
    command = ["grep", "--extended-regexp", "-e", pattern]
    done = subprocess.run(command, input=said, text=True, capture_output=True, check=True)
    return {line.split()[1] for line in done.stdout.splitlines()}


def test_locked_where_the_lock_file_is_committed(projects: Mapping[str, Project]) -> None:
    assert "--locked" in rendered(projects["chat-server"], {})[CI]
    assert "--locked" not in rendered(projects["features"], {})[CI]


@pytest.mark.parametrize("service", ["codecov", "coveralls", "none"])
@pytest.mark.parametrize("tool", ["llvm-cov", "tarpaulin"])
def test_coverage(service: str, tool: str, chat: Project) -> None:
    answers = {"coverage.service": service, "coverage.tool": tool, "coverage.minimum": 80}
    found = job(chat, "coverage", answers, COVERAGE)
    actions = used(found)
    assert ("codecov/codecov-action" in actions) is (service == "codecov")
    assert ("coverallsapp/github-action" in actions) is (service == "coveralls")
    assert found["permissions"].get("id-token") == ("write" if service == "codecov" else None)
    assert found["steps"][-1]["env"] == {"MINIMUM": "80"}
    assert tool.replace("llvm-cov", "cargo llvm-cov") in scripts(found)


@pytest.mark.parametrize(("covered", "verdict"), [(8, 0), (7, 1)])
def test_the_minimum_is_judged(covered: int, verdict: int, chat: Project, tmp_path: Path) -> None:
    answers = {"coverage.service": "none", "coverage.tool": "tarpaulin", "coverage.minimum": 80}
    step = job(chat, "coverage", answers, COVERAGE)["steps"][-1]
    lines = [f"DA:{n},{int(n <= covered)}" for n in range(1, 11)]
    (tmp_path / "lcov.info").write_text("\n".join(["TN:", *lines, "end_of_record\n"]), "utf-8")
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step["run"]],
        cwd=tmp_path,
        env=os.environ | step["env"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == verdict, done.stderr
    assert f"{covered} of 10 lines" in done.stdout


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        (["success", "success"], 0),
        (["success", "skipped"], 1),
        (["success", "cancelled"], 1),
        (["failure", "success"], 1),
    ],
)
def test_skipped_does_not_count_as_passed(results: list[str], verdict: int, chat: Project) -> None:
    needs = ", ".join(f'"{n}": {{"result": "{result}"}}' for n, result in enumerate(results))
    script = job(chat, "ci", {})["steps"][0]["run"]
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        env=os.environ | {"NEEDS": f"{{{needs}}}"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == verdict


@pytest.mark.parametrize("storage", environment.backends())
def test_sccache_hands_its_credentials_to_the_server_alone(storage: str, chat: Project) -> None:
    for name, found in parse(rendered(chat, {"cache.sccache": storage})[CI])["jobs"].items():
        text = str(found)
        if "RUSTC_WRAPPER" not in text:
            continue
        holders = [step for step in found["steps"] if "secrets." in str(step)]
        assert len(holders) <= 1, name
        assert all("sccache --start-server" in step["run"] for step in holders)
        assert bool(holders) == (found.get("environment") == "sccache")


def test_services_run_beside_the_tests(chat: Project) -> None:
    answers = {"tests.services": ("postgres",), "platforms.runners": ("ubuntu-24.04",)}
    found = job(chat, "test", answers)
    assert re.search(r"@sha256:[0-9a-f]{64}$", found["services"]["postgres"]["image"])
    assert "127.0.0.1" in found["env"]["DATABASE_URL"]


def test_a_workspace_in_a_sub_folder(projects: Mapping[str, Project]) -> None:
    tree = rendered(projects["sub-folder"], {"coverage.service": "none"})
    assert "rust/.config/nextest.toml" in tree
    workflow = parse(tree[CI])
    assert workflow["defaults"]["run"]["working-directory"] == "rust"
    assert used(workflow["jobs"]["clippy"])["Swatinem/rust-cache"]["workspaces"] == "rust"
    assert workflow["jobs"]["ci"]["steps"][0]["working-directory"] == "."
    found = parse(tree[COVERAGE])["jobs"]["coverage"]
    assert used(found)["actions/upload-artifact"]["path"] == "rust/lcov.info"
    assert parse(tree[".github/dependabot.yml"])["updates"][1]["directory"] == "/rust"


def test_a_weekly_time_of_its_own(projects: Mapping[str, Project]) -> None:
    trees = (rendered(projects[name], {}) for name in ("chat-server", "features", "versions"))
    times = {parse(tree[SCHEDULED])["on"]["schedule"][0]["cron"] for tree in trees}
    assert len(times) == 3
    assert all(re.fullmatch(r"[1-9]\d? \d+ \* \* [0-6]", time) for time in times)


def test_the_guide_tells_every_job_variable_and_secret(projects: Mapping[str, Project]) -> None:
    for project in projects.values():
        tree = rendered(project, {"cache.sccache": "s3"})
        guide = tree[".github/CI.md"]
        for path, text in tree.items():
            if "/workflows/" not in path:
                continue
            assert f"(workflows/{Path(path).name})" in guide
            for name in re.findall(r"(?:secrets|vars)\.(\w+)", text):
                assert f"| `{name}` |" in guide
            for found in parse(text)["jobs"].values():
                assert f"| {found['name'].partition(' (')[0]} |" in guide
                assert all(f"| `{name}` |" in guide for name in found.get("env", {}))


def test_each_job_can_be_switched_off(chat: Project) -> None:
    for entry in CATALOGUE:
        tree = rendered(chat, {f"jobs.{entry.ID}": False})
        jobs = [
            name for path in tree if "/workflows/" in path for name in parse(tree[path])["jobs"]
        ]
        assert entry.ID not in jobs


def test_files_that_are_too_large_are_refused(chat: Project) -> None:
    rows = tuple({"toolchain": f"1.{n}", "x": "y" * 3_000} for n in range(200))
    big = Job(
        id="ci",
        name="Big",
        why=Verbatim("Big."),
        runner="x",
        timeout=1,
        matrix=Matrix(include=rows),
    )
    text = Verbatim("x")
    workflow = Workflow(id="ci", name="CI", why=text, when=text, triggers=Triggers(), jobs=(big,))
    with pytest.raises(ProjectError, match=f"{FILE_LIMIT:,}") as refusal:
        render((workflow,), chat, resolved(chat, {}))
    assert refusal.value.hint


def test_plain_cookiecutter_takes_the_template_too(tmp_path: Path) -> None:
    made = Path(
        cookiecutter(
            str(template_root()),
            no_input=True,
            output_dir=str(tmp_path),
            default_config=True,
        )
    )
    assert made.is_dir()
    for path in made.rglob("*.yml"):
        text = path.read_text("utf-8")
        assert "[=" not in text
        assert "[%" not in text
