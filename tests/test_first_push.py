"""What would be red on the first push although nothing is wrong, and is planned otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.upkeep import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    found = Repository(tmp_path / "small")
    (found.root / ".git").mkdir(parents=True)
    found.write("ref: refs/heads/main\n", ".git/HEAD")
    found.write('[package]\nname = "small"\nversion = "0.1.0"\nedition = "2021"\n', "Cargo.toml")
    found.write("#[test]\nfn one() {}\n", "src/lib.rs")
    return found


def initialised(repository: Repository, more: str = "") -> str:
    repository.write(repository.read("Cargo.toml") + more, "Cargo.toml")
    done = repository.run("init", "--yes")
    assert done.code == 0, done.err
    return repository.read()


def test_a_profile_that_git_would_ignore_is_not_relied_upon(repository: Repository) -> None:
    repository.write(".*\n!.github\n", ".gitignore")
    assert "cargo nextest run --no-fail-fast\n" in initialised(repository)
    assert ".config/nextest.toml" not in repository.tree()


def test_elsewhere_the_profile_comes_along(repository: Repository) -> None:
    assert "cargo nextest run --profile ci\n" in initialised(repository)
    assert ".config/nextest.toml" in repository.tree()


@pytest.mark.parametrize(
    ("metadata", "command"),
    [
        ("all-features = true", "cargo doc --no-deps --all-features\n"),
        ('features = ["one"]', 'cargo doc --no-deps --features "$FEATURES"\n'),
        ("rustdoc-args = []", "cargo doc --no-deps\n"),
        ("features = 1", "cargo doc --no-deps\n"),
    ],
)
def test_a_package_is_documented_as_docs_rs_shows_it(
    repository: Repository, metadata: str, command: str
) -> None:
    repository.write(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{run: cargo test}]\n",
        ".github/workflows/theirs.yml",
    )
    features = "[features]\none = []\ntwo = []\n"
    text = initialised(repository, f"{features}[package.metadata.docs.rs]\n{metadata}\n")
    assert command in text
    assert ("FEATURES: one\n" in text) == ("$FEATURES" in command)


@pytest.mark.parametrize(
    ("attribute", "capped"),
    [
        ("#![deny(warnings)]", True),
        ("#![cfg_attr(test, deny(missing_docs, warnings))]", True),
        ("#![deny(missing_docs)]", False),
        ("// #![deny(warnings)]", False),
        ("#![doc(test(attr(deny(warnings))))]", False),
    ],
)
def test_denied_warnings_fail_no_test(repository: Repository, attribute: str, capped: bool) -> None:
    repository.write(f"{attribute}\n#[test]\nfn one() {{}}\n", "src/lib.rs")
    text = initialised(repository)
    tests, clippy = text.index("  test:\n"), text.index("  clippy:\n")
    assert ('RUSTFLAGS: "--cap-lints=warn"' in text[tests:]) == capped
    assert "      RUSTFLAGS: " not in text[clippy : text.index("  docs:\n")]


@pytest.mark.parametrize(
    ("condition", "skipped"),
    [
        ('feature = "one"', True),
        ('any(docsrs, feature = "one")', True),
        ('all(docsrs, feature = "one")', False),
        ("docsrs", False),
    ],
)
def test_features_that_need_nightly_are_left_out(
    repository: Repository, condition: str, skipped: bool
) -> None:
    repository.write(f"#![cfg_attr({condition}, feature(test))]\n", "src/lib.rs")
    text = initialised(repository, "[features]\none = []\ntwo = []\n")
    assert ("--all-features" not in text) == skipped
    assert ('--skip "$SKIP"' in text) == skipped


def test_no_lane_is_older_than_cargo_check(repository: Repository) -> None:
    assert "  msrv:\n" not in initialised(repository, 'rust-version = "1.0"\n')


def test_what_no_workflow_proves_is_told_before_it_is_written(repository: Repository) -> None:
    told = "Not known: whether format, clippy, docs and the tests are green today"
    assert told in repository.run("init", "--dry-run").out
    answers = [f"--{name}-warnings=show" for name in ("format", "clippy", "docs")]
    assert "Not known" not in repository.run("init", "--dry-run", *answers).out


def test_the_only_package_is_not_named(repository: Repository) -> None:
    more = '[[bench]]\nname = "b"\nharness = false\n'
    repository.write("fn main() {}\n", "benches/b.rs")
    text = initialised(repository, more)
    assert 'cargo test "${benches[@]/#/--bench=}"\n' in text
    assert "PACKAGES" not in text
