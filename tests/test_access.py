"""Private dependencies: what is read off the project, and that no job is left out."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rustci.config import resolve
from rustci.errors import ProjectError
from rustci.jobs import verdicts
from rustci.output.todo import todo
from rustci.project import Project
from rustci.proposal import propose
from rustci.recommend import recommend
from tests.house import parse
from tests.strategies import copied, read, rendered, resolved

OPEN = "Open the private dependencies"
CARGO = re.compile(r"\bcargo (?!fmt\b|install\b)|/rustci/bench\" (?:run|counts)\b")
"""What resolves dependencies: formatting does not, and installing does not look at the project."""
ACCESS = {
    "access.registries": ("internal",),
    "access.ssh": ("github.com",),
    "access.https": ("git.example.com", "github.com"),
}
SECRETS = {
    "CARGO_REGISTRIES_INTERNAL_TOKEN": "registry-token",
    "GIT_SSH_KEY": "the key",
    "GIT_TOKEN_GIT_EXAMPLE_COM": "one",
    "GIT_TOKEN_GITHUB_COM": "two",
}


def jobs_of(project: Project, answers: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for path, text in rendered(project, answers).items():
        if "/workflows/" in path:
            yield from parse(text)["jobs"].items()


def opening(job: Mapping[str, Any]) -> list[int]:
    return [at for at, step in enumerate(job["steps"]) if step.get("name") == OPEN]


def test_what_is_private_is_read_off_the_project(projects: Mapping[str, Project]) -> None:
    found = recommend(projects["private-sources"])
    assert found["access.registries"].value == ("internal",)
    assert found["access.ssh"].value == ("github.com",)
    assert found["access.https"].value == ("git.example.com",)
    assert found["access.registries"].reason == "dependencies come from `internal`"
    assert not {name for name in recommend(projects["single"]) if name.startswith("access.")}


@pytest.mark.parametrize("shards", [1, 2])
def test_every_job_that_resolves_dependencies_gets_the_credentials_first(
    shards: int, projects: Mapping[str, Project]
) -> None:
    base = ACCESS | {
        "tests.shards": shards,
        "platforms.targets": ("wasm32-unknown-unknown",),
        "toolchains.msrv": "1.85",
        "coverage.service": "none",
        "benchmarks.history": True,
    }
    seen = set()
    every = (
        found
        for name in ("chat-server", "features", "sqlx", "diesel")
        for found in jobs_of(projects[name], base | switched_on(projects[name], base))
    )
    for name, job in every:
        resolving = [
            at for at, step in enumerate(job["steps"]) if CARGO.search(step.get("run", ""))
        ]
        if resolving:
            seen.add(name)
            assert opening(job), name
            assert opening(job)[0] < resolving[0], name
            assert job["environment"] == "private", name
        elif "secrets." in str(job):
            pytest.fail(f"{name} gets credentials and resolves nothing")
    named = {"lockfile", "deny", "msrv", "features", "semver", "gate", "history-measure", "sqlx"}
    assert named <= seen


def switched_on(project: Project, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the switches of all jobs that the project allows."""
    found = verdicts(project, resolved(project, answers))
    return {f"jobs.{name}": True for name, verdict in found.items() if verdict.possible}


def test_the_step_hands_on_what_was_set(projects: Mapping[str, Project], tmp_path: Path) -> None:
    done, handed = run_step(projects["private-sources"], tmp_path, SECRETS)
    assert done.returncode == 0, done.stdout
    assert "CARGO_REGISTRIES_INTERNAL_TOKEN=registry-token" in handed
    assert "GIT_CONFIG_COUNT=2" in handed
    assert "GIT_CONFIG_KEY_0=http.https://git.example.com/.extraheader" in handed
    key = tmp_path / "temp" / "git-ssh" / "key"
    assert key.read_text("utf-8") == "the key\n"
    assert key.stat().st_mode & 0o077 == 0
    assert (key.parent / "hosts").read_text("utf-8").startswith("github.com ssh-ed25519 ")
    # Base64 is another text than the secret: GitHub has to be told to hide it.
    assert done.stdout.count("::add-mask::") == 2


@pytest.mark.parametrize("missing", SECRETS)
def test_a_missing_secret_is_named(
    missing: str, projects: Mapping[str, Project], tmp_path: Path
) -> None:
    done, handed = run_step(projects["private-sources"], tmp_path, SECRETS | {missing: ""})
    assert done.returncode == 1
    assert f"::error::The secret {missing} is not set" in done.stdout
    assert not handed


def run_step(
    project: Project, folder: Path, secrets: Mapping[str, str]
) -> tuple[subprocess.CompletedProcess[str], str]:
    job = dict(jobs_of(project, ACCESS))["clippy"]
    step = job["steps"][opening(job)[0]]
    (folder / "temp").mkdir()
    exported = folder / "env"
    exported.touch()
    given = {name: value for name, value in step["env"].items() if "${{" not in value}
    places = {"GITHUB_ENV": str(exported), "RUNNER_TEMP": str(folder / "temp")}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={"PATH": "/usr/bin:/bin", **given, **secrets, **places},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, exported.read_text("utf-8")


def test_the_guide_says_that_forks_cannot_pass(projects: Mapping[str, Project]) -> None:
    guide = rendered(projects["private-sources"], ACCESS)[".github/CI.md"]
    assert "Environments → `private`" in guide
    assert "No secret is needed" not in guide


def test_one_environment_holds_the_secrets_of_sccache_too(projects: Mapping[str, Project]) -> None:
    answers = ACCESS | {"cache.sccache": "s3"}
    found = {job.get("environment") for _, job in jobs_of(projects["private-sources"], answers)}
    assert found == {"private", None}


def test_vendored_sources_need_no_network(tmp_path: Path) -> None:
    folder = copied("private-sources", tmp_path)
    config = folder / ".cargo" / "config.toml"
    config.write_text(
        config.read_text() + '\n[source.crates-io]\nreplace-with = "vendored"\n'
        '[source.vendored]\ndirectory = "vendor"\n'
    )
    tree = rendered(read(folder), {})
    ci = tree[".github/workflows/ci.yml"]
    assert "--offline" in ci
    assert "secrets." not in ci


@pytest.mark.parametrize("name", ["a b", "$(id)", "x\\ny", "ü"])
def test_a_hostile_registry_is_refused(name: str, tmp_path: Path) -> None:
    folder = copied("private-sources", tmp_path)
    manifest = folder / "Cargo.toml"
    manifest.write_text(manifest.read_text().replace('"internal" }', f'"{name}" }}'))
    with pytest.raises(ProjectError, match="no name of a registry"):
        recommend(read(folder))


def test_a_registry_on_disk_needs_no_token(tmp_path: Path) -> None:
    folder = copied("private-sources", tmp_path)
    config = folder / ".cargo" / "config.toml"
    config.write_text(config.read_text().replace("sparse+https://registry", "file:///registry"))
    assert "access.registries" not in recommend(read(folder))


def test_every_job_but_one_compiles_without_the_database(
    projects: Mapping[str, Project],
) -> None:
    for name, job in jobs_of(projects["sqlx"], {}):
        if any(CARGO.search(step.get("run", "")) for step in job["steps"]):
            offline = "false" if name == "sqlx" else "true"
            assert job["env"]["SQLX_OFFLINE"] == offline, name
            assert ("DATABASE_URL" in job["env"]) == bool(job.get("services")), name


def test_every_job_with_the_database_has_its_tables(projects: Mapping[str, Project]) -> None:
    answers = {
        "tests.shards": 2,
        "coverage.service": "none",
        "jobs.sanitizers": True,
        "jobs.careful": True,
        "jobs.mutants": True,
    }
    found = dict(jobs_of(projects["sqlx"], answers))
    assert {"canary", "sanitizers", "mutants-deep", "coverage-shard"} <= found.keys()
    for name, job in found.items():
        steps = {step.get("name"): step for step in job["steps"]}
        assert ("Create the tables" in steps) == ("DATABASE_URL" in job.get("env", {})), name
        if "RUSTFLAGS" in job.get("env", {}) and "Install sqlx" in steps:
            # A program that the job only uses is not sanitized.
            assert steps["Install sqlx"]["env"] == {"RUSTFLAGS": ""}


def test_tables_are_made_unless_the_tests_make_them(
    projects: Mapping[str, Project], tmp_path: Path
) -> None:
    def names(project: Project) -> list[str]:
        return [step.get("name", "") for step in dict(jobs_of(project, {}))["test"]["steps"]]

    assert "Create the tables" in names(projects["sqlx"])
    folder = copied("sqlx", tmp_path)
    test = folder / "tests" / "keep.rs"
    test.write_text(test.read_text().replace("tokio::test", "sqlx::test"))
    assert "Create the tables" not in names(read(folder))


def test_testcontainers_keep_the_tests_on_linux(tmp_path: Path) -> None:
    folder = copied("private-sources", tmp_path)
    manifest = folder / "Cargo.toml"
    manifest.write_text(manifest.read_text() + '\n[dev-dependencies]\ntestcontainers = "0.25"\n')
    assert recommend(read(folder))["platforms.runners"].value == ("ubuntu-24.04",)


def test_a_server_of_ones_own_asks_for_runners_and_actions(
    projects: Mapping[str, Project],
) -> None:
    project = projects["single"]
    repository = replace(project.repository, host="github.corp.example", github="team/product")
    project = replace(project, repository=repository)
    told = [task.what for task in todo(propose(project, resolve((recommend(project),)), None))]
    assert any("labels `ubuntu-24.04`" in what for what in told)
    assert any("GitHub Connect" in what for what in told)
