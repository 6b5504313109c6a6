"""A first benchmark: what is written, for which package, and what stays as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import tomli

from rustci import starter, transaction
from rustci.config import resolve
from rustci.discover import read_project
from rustci.errors import ProjectError
from rustci.proposal import Proposal, propose
from rustci.recommend import recommend
from rustci.scaffold import unified_diff

PACKAGE = '[package]\nname = "{}"\nversion = "0.1.0"\nedition = "2021"\n'
MANIFEST = PACKAGE.format("my-lib")
LIBRARY = {"Cargo.toml": MANIFEST, "src/lib.rs": ""}
WORKSPACE = {
    "Cargo.toml": '[workspace]\nmembers = ["one", "two"]\nresolver = "2"\n'
    '[workspace.dependencies]\ncriterion = "0.7"\n',
    "one/Cargo.toml": PACKAGE.format("one"),
    "one/src/lib.rs": "",
    "two/Cargo.toml": PACKAGE.format("two"),
    "two/src/lib.rs": "",
}


def project(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return root


def started(root: Path, *named: str) -> Proposal:
    """Return what `init --yes --starter-bench` would write."""
    found = read_project(root)
    plan = starter.plan(found, named)
    assert plan
    found = starter.project_with(found, plan)
    return propose(found, resolve((recommend(found),)), None, starter=plan)


@pytest.mark.parametrize(("files", "named"), [(LIBRARY, ()), (WORKSPACE, ("two",))])
def test_what_is_planned_is_what_is_read_afterwards(
    tmp_path: Path, files: Mapping[str, str], named: tuple[str, ...]
) -> None:
    root = project(tmp_path, files)
    found = started(root, *named)

    transaction.apply(root, found.writes)
    read = read_project(root)

    assert [(p.name, p.targets) for p in read.packages] == [
        (p.name, p.targets) for p in found.project.packages
    ]
    assert recommend(read)["benchmarks.gate"].value is True
    assert "gate" in {job.id for workflow in found.workflows for job in workflow.jobs}
    assert starter.plan(read, ()) is None
    assert propose(read, resolve((recommend(read),)), None).writes == ()


@pytest.mark.parametrize(
    "before",
    [
        MANIFEST,
        f"# top\n{MANIFEST.rstrip()}  # kept",
        f'{MANIFEST}\n[dev-dependencies]\n# why\nserde = "1"  # here\n\n[features]\na = []\n',
        f'{MANIFEST}\n[dev-dependencies.serde]\nversion = "1"\n',
        f'{MANIFEST}\n[[bench]]\nname = "nightly"\npath = "b.rs"\n',
        f"{MANIFEST}\n[dependencies]\n".replace("\n", "\r\n"),
    ],
)
def test_the_manifest_only_grows(tmp_path: Path, before: str) -> None:
    root = project(tmp_path, {**LIBRARY, "Cargo.toml": before, "b.rs": ""})

    _, change = started(root).starter

    after = tomli.loads(change.new or "")
    assert after["dev-dependencies"]["criterion"] == "0.8"
    assert after["bench"][-1] == {"name": "speed", "harness": False}
    lines = unified_diff(change).splitlines()[2:]
    assert not [line for line in lines if line.startswith("-") and "kept" not in line]
    assert (change.new or "").count("\r\n") == (
        (change.new or "").count("\n") if "\r" in before else 0
    )


def test_a_manifest_that_cannot_be_added_to_is_refused_with_what_to_write(tmp_path: Path) -> None:
    root = project(tmp_path, {**LIBRARY, "Cargo.toml": f"bench = []\n{MANIFEST}"})

    with pytest.raises(ProjectError) as refused:
        started(root)

    assert str(refused.value.where) == "Cargo.toml"
    assert "harness = false" in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("rust", "release"), [("1.60", "0.5"), ("1.80", "0.7"), ("1.85", "0.7"), ("1.90", "0.8")]
)
def test_criterion_is_one_that_the_oldest_rust_compiles(
    tmp_path: Path, rust: str, release: str
) -> None:
    root = project(tmp_path, {**LIBRARY, "Cargo.toml": f'{MANIFEST}rust-version = "{rust}"\n'})

    assert starter.plan(read_project(root), ()).release == release  # type: ignore[union-attr]


def test_a_member_takes_the_criterion_of_its_workspace(tmp_path: Path) -> None:
    source, manifest = started(project(tmp_path, WORKSPACE), "two").starter

    assert source.path == "two/benches/speed.rs"
    assert "use criterion::" in (source.new or "")
    after = tomli.loads(manifest.new or "")
    assert after["dev-dependencies"]["criterion"] == {"workspace": True}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"Cargo.toml": MANIFEST, "src/main.rs": "fn main() {}"}, "there is no library"),
        (
            {"Cargo.toml": f"{MANIFEST}[lib]\nproc-macro = true\n", "src/lib.rs": ""},
            "there is no library",
        ),
        (WORKSPACE, "There are `one`, `two`"),
        ({**LIBRARY, "benches/speed.rs": "fn main() {}"}, "is there already"),
    ],
)
def test_what_cannot_be_started_is_refused(
    tmp_path: Path, files: Mapping[str, str], message: str
) -> None:
    with pytest.raises(ProjectError, match=message):
        starter.plan(read_project(project(tmp_path, files)), ())


@pytest.mark.e2e
@pytest.mark.parametrize(("files", "named"), [(LIBRARY, ()), (WORKSPACE, ("two",))])
def test_the_benchmark_runs_and_is_formatted(
    tmp_path: Path, files: Mapping[str, str], named: tuple[str, ...]
) -> None:
    root = project(tmp_path, files)
    found = started(root, *named)
    transaction.apply(root, found.writes)
    environment = {**os.environ, "CARGO_TARGET_DIR": str(tmp_path / "target")}
    cargo = shutil.which("cargo") or "cargo"
    argv = [cargo, "bench", "--bench", "speed", "--", "--quick", "--noplot"]

    done = subprocess.run(
        argv, cwd=root, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "stand_in/1000" in done.stdout
    source = root / found.starter[0].path
    for edition in ("2021", "2024"):
        subprocess.run(["rustfmt", "--check", "--edition", edition, source], check=True)
