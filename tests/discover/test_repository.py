"""What is read from `.git`, compared with git itself where it has an answer."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rustci.discover import read_project
from rustci.discover.git_files import parse_remote
from tests.discover.conftest import Write


def git(folder: Path, *words: str) -> None:
    settings = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *settings, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(crate: Path) -> Path:
    git(crate, "init", "-q", "-b", "trunk")
    git(crate, "remote", "add", "origin", "git@github.com:octo/demo.git")
    git(crate, "add", ".")
    git(crate, "commit", "-qm", "first")
    return crate


def test_checked_out_branch_and_remote(repository: Path) -> None:
    found = read_project(repository).repository
    assert (found.git, found.default_branch) == (True, "trunk")
    assert (found.github, found.host) == ("octo/demo", "github.com")


def test_head_of_origin_wins(repository: Path) -> None:
    git(repository, "update-ref", "refs/remotes/origin/develop", "HEAD")
    git(repository, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/develop")
    git(repository, "checkout", "-qb", "feature")
    assert read_project(repository).repository.default_branch == "develop"


def test_packed_refs(repository: Path) -> None:
    git(repository, "branch", "main")
    git(repository, "pack-refs", "--all")
    assert not (repository / ".git/refs/heads/main").exists()
    assert read_project(repository).repository.default_branch == "main"


def test_worktree(repository: Path, tmp_path: Path) -> None:
    git(repository, "branch", "master")
    other = tmp_path / "elsewhere"
    git(repository, "worktree", "add", "-q", str(other), "-b", "topic")
    project = read_project(other / "src")
    assert project.root == other
    assert project.repository.default_branch == "master"
    assert project.repository.github == "octo/demo"


def test_submodule(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outer = tmp_path_factory.mktemp("outer")
    git(outer, "init", "-q", "-b", "main")
    git(outer, "submodule", "add", "-q", str(repository), "inner")
    project = read_project(outer / "inner")
    assert project.root == outer / "inner"
    assert (project.repository.git, project.repository.default_branch) == (True, "trunk")


def test_ignored_lockfile_in_the_index_is_committed(repository: Path, write: Write) -> None:
    write(".gitignore", "Cargo.lock\n")
    write("Cargo.lock", "version = 4\n")
    write("sub/Cargo.lock", "version = 4\n")
    git(repository, "add", "-f", "sub/Cargo.lock")
    assert not read_project(repository).main.lockfile
    git(repository, "add", "-f", "Cargo.lock")
    assert read_project(repository).main.lockfile


def test_without_git(crate: Path) -> None:
    found = read_project(crate).repository
    assert (found.git, found.default_branch, found.github) == (False, None, None)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/octo/demo", ("github.com", "octo/demo")),
        ("https://github.com/octo/demo.git/", ("github.com", "octo/demo")),
        ("https://token@github.com/octo/de.mo.git", ("github.com", "octo/de.mo")),
        ("ssh://git@github.com:22/octo/demo", ("github.com", "octo/demo")),
        ("ssh://git@ssh.github.com:443/octo/demo.git", ("github.com", "octo/demo")),
        ("git@github.example.com:team/demo.git", ("github.example.com", "team/demo")),
        ("git://github.com/octo/demo", ("github.com", "octo/demo")),
        ("git@gitlab.com:octo/demo.git", None),
        ("https://codeberg.org/octo/demo", None),
        ("/srv/git/demo.git", None),
        ("../demo", None),
        ("https://github.com/octo/${{ github.token }}", None),
        ("https://github.com/octo/demo/../../x", None),
    ],
)
def test_remotes(url: str, expected: tuple[str, str] | None) -> None:
    assert parse_remote(url) == expected


def test_upstream_when_origin_is_elsewhere(repository: Path) -> None:
    git(repository, "remote", "set-url", "origin", "git@gitlab.com:octo/demo.git")
    git(repository, "remote", "add", "upstream", "gh:octo/upstream")
    git(repository, "config", "url.https://github.com/.insteadOf", "gh:")
    assert read_project(repository).repository.github == "octo/upstream"


def test_configuration_files(projects: Path) -> None:
    found = read_project(projects / "ci").repository
    expected = {".config/nextest.toml", ".github/dependabot.yml", "codecov.yml", "justfile"}
    assert expected <= found.files
    assert found.nextest_profiles == ("ci", "default")
    assert found.rustfmt_unstable == ("imports_granularity",)
    assert (found.dependabot, found.renovate) == (True, False)
