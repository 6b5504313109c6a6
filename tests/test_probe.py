"""`rustci init --probe` on a project with faults, run with real cargo."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.upkeep import Repository

pytestmark = pytest.mark.skipif(
    os.name == "nt" or not shutil.which("cargo"), reason="runs bash and cargo"
)
MANIFEST = """\
[package]
name = "faulty"
version = "0.1.0"
edition = "2021"
rust-version = "1.56"

[features]
broken = []
"""
FAULTS = """\
//! See [`Nowhere`].

pub fn   one() -> i32 {
    return 1;
}

#[cfg(feature = "broken")]
compile_error!("never mind");

#[test]
fn one_is_one() { assert_eq!(one(), 1) }
"""
FEW = ("--coverage", "false", "--test-runner", "cargo", "--msrv", "false", "--branch", "main")


@pytest.fixture
def faulty(tmp_path: Path) -> Repository:
    found = Repository(tmp_path / "faulty")
    found.write(MANIFEST, "Cargo.toml")
    found.write(FAULTS, "src/lib.rs")
    return found


def test_what_is_red_today_is_softened_or_dropped_with_the_reason(faulty: Repository) -> None:
    before = faulty.tree()
    done = faulty.run("init", "--yes", "--probe", "--features", "all", *FEW)
    assert done.code == 0
    assert "Runs the planned checks in a copy of the project" in done.err
    # The answer was given: the tests stay as they are, and that they are red is told.
    assert "test: it stays, and will be red until it is mended" in done.err

    done = faulty.run("init", "--yes", "--probe", "--dry-run", "--format", "json", *FEW)
    assert done.json["probes"][0]["outcomes"][0]["result"] == "red"

    for path in faulty.tree().keys() - before.keys():
        (faulty.root / path).unlink()
    done = faulty.run("init", "--yes", "--probe", *FEW)
    answers = faulty.read(".github/rustci.toml")
    assert 'features = "default" # red today: `Run the tests`: error: never mind' in answers
    assert 'format = "show" # red today: `Check formatting`: Diff in' in answers
    assert 'clippy = "show" # red today: `Run Clippy`: error: unneeded `return`' in answers
    assert 'docs = "show" # red today: `Build the documentation`: error: unresolved' in answers
    assert "-D warnings" not in faulty.read()
    assert "rustci.toml says why it fails nothing" in faulty.read()
    made = {path for path in faulty.tree() if not path.startswith((".github/", ".config/"))}
    assert made == before.keys()
    assert faulty.run("check").code == 0


def test_what_is_green_stays_strict_whatever_was_done_before(faulty: Repository) -> None:
    faulty.write("//! Nothing.\n", "src/lib.rs")
    faulty.write(MANIFEST.partition("[features]")[0], "Cargo.toml")
    steps = "[{run: cargo test}]"
    faulty.write(f"on: push\njobs: {{a: {{runs-on: ubuntu-latest, steps: {steps}}}}}\n")
    done = faulty.run("init", "--yes", "--probe", "--on-existing", "replace", *FEW)
    assert done.code == 0
    assert '"show"' not in faulty.read(".github/rustci.toml")
    assert "-D warnings" in faulty.read()


def test_nothing_runs_unless_it_is_asked_for(faulty: Repository) -> None:
    faulty.write(f"{MANIFEST}\n[package.metadata]\nprobe = true\n", "Cargo.toml")
    faulty.write('fn main() { std::fs::write("ran", "").unwrap() }\n', "build.rs")
    assert faulty.run("init", "--yes").code == 0
    assert not (faulty.root / "ran").exists()
    assert faulty.run("init", "--yes", "--set", "probe=true").code == 2
