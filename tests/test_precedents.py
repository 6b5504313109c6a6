"""What existing workflows say of the code decides how strict the first push may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from rustci.discover import read_project
from rustci.kinds import Value
from rustci.options import Source
from rustci.precedents import precedents
from tests.upkeep import Repository

STRICT = [
    "cargo fmt --check",
    "cargo clippy --all-targets -- -D warnings",
    "cargo test --all-features",
]
DOCS = "RUSTDOCFLAGS=-Dwarnings cargo doc"
ALL = [*STRICT, "cargo doc"]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A library with two features."""
    found = Repository(tmp_path / "small")
    manifest = '[package]\nname = "small"\nversion = "0.1.0"\nedition = "2021"\n'
    found.write(f"{manifest}[features]\none = []\ntwo = []\n", "Cargo.toml")
    found.write("pub fn one() {}\n", "src/lib.rs")
    return found


def workflow(commands: list[str], env: str = "") -> str:
    steps = "".join(f"      - run: {command}\n" for command in commands)
    return f"on: push\n{env}jobs:\n  all:\n    runs-on: ubuntu-latest\n    steps:\n{steps}"


def answers(repository: Repository) -> dict[str, Value]:
    layer = precedents(read_project(repository.root))
    assert all(setting.source is Source.ADOPTED and setting.reason for setting in layer.values())
    return {name: setting.value for name, setting in layer.items()}


@pytest.mark.parametrize(
    ("commands", "env", "expected"),
    [
        (ALL, "env: {RUSTDOCFLAGS: -D warnings}\n", {}),
        (ALL, "env: {RUSTFLAGS: -D warnings}\n", {"warnings.docs": "show"}),
        (STRICT, "", {"warnings.docs": "show"}),
        (
            ["cargo clippy", *ALL],
            "env: {RUSTDOCFLAGS: --deny warnings}\n",
            {},
        ),
        (
            ["cargo fmt --check", "cargo clippy", "cargo test --all-features", "cargo doc"],
            "env: {RUSTDOCFLAGS: -Dwarnings}\n",
            {"warnings.clippy": "show"},
        ),
        (
            [*STRICT[1:], "cargo doc"],
            "env: {RUSTDOCFLAGS: -Dwarnings}\n",
            {"warnings.format": "show"},
        ),
        (
            [*STRICT[:2], "cargo test", "cargo doc"],
            "env: {RUSTDOCFLAGS: -Dwarnings}\n",
            {"tests.features": "default", "jobs.features": True},
        ),
        (
            ["cargo fmt --check", "cargo clippy -- -D warnings", STRICT[2], "cargo doc"],
            "env: {RUSTDOCFLAGS: -Dwarnings}\n",
            {"warnings.clippy": "shipped"},
        ),
        # What cannot be followed may do what is not seen.
        (["just ci", *STRICT], "", {}),
    ],
)
def test_what_was_not_denied_before_is_shown(
    repository: Repository, commands: list[str], env: str, expected: dict[str, Value]
) -> None:
    repository.write(workflow(commands, env), ".github/workflows/test.yml")
    assert answers(repository) == expected


def test_nothing_is_concluded_where_there_is_no_ci(repository: Repository) -> None:
    assert answers(repository) == {}
    repository.write(workflow(["gh issue list"]), ".github/workflows/stale.yml")
    assert answers(repository) == {}


def test_it_stays_in_the_file_when_the_evidence_is_gone(repository: Repository) -> None:
    repository.write(workflow(["cargo test"]))
    assert repository.run("init", "--yes", "--on-existing", "replace").code == 0
    written = repository.read(".github/rustci.toml")
    assert 'clippy = "show" # no workflow ran Clippy before\n' in written
    assert "-D warnings" not in repository.read()
    assert "cargo clippy --all-targets -- --cap-lints warn\n" in repository.read()
    assert repository.run("check").code == 0
    assert repository.run("init", "--yes").code == 0
    assert repository.read(".github/rustci.toml") == written


def test_an_answer_outranks_it(repository: Repository) -> None:
    repository.write(workflow(["cargo test"]))
    flags = ("--clippy-warnings", "deny", "--on-existing", "replace")
    assert repository.run("init", "--yes", *flags).code == 0
    assert "cargo clippy --all-targets -- -D warnings" in repository.read()


SLICE = "cargo nextest run --all-features --partition hash:${{ matrix.shard }}/4"


def test_as_many_shards_as_today(repository: Repository) -> None:
    repository.write(workflow([*ALL, SLICE], "env: {RUSTDOCFLAGS: -D warnings}\n"))
    assert answers(repository) == {"tests.shards": 4}


def test_no_shards_where_nextest_cannot_list_the_tests(repository: Repository) -> None:
    repository.write(workflow([*ALL, SLICE], "env: {RUSTDOCFLAGS: -D warnings}\n"))
    manifest = repository.read("Cargo.toml") + '[[test]]\nname = "own"\nharness = false\n'
    repository.write(manifest, "Cargo.toml")
    repository.write("fn main() {}\n", "tests/own.rs")
    assert answers(repository) == {}
