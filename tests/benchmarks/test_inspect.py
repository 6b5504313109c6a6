"""How long inspecting a workspace of 1,000 members takes, beside `cargo metadata` on the same."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

MEMBERS = 1_000
READ = """
import json, pathlib, sys
from rustci.discover import read_project
project = read_project(pathlib.Path(sys.argv[1]))
print(json.dumps({p.name: sorted(t.name for t in p.targets) for p in project.packages}))
"""

pytestmark = pytest.mark.benchmark


class Run(NamedTuple):
    """The output of a process and its cost in seconds."""

    output: str
    wall: float
    cpu: float


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("thousand")
    (root / "Cargo.toml").write_text(
        '[workspace]\nresolver = "2"\nmembers = ["crates/*"]\n'
        '[workspace.package]\nedition = "2021"\nversion = "1.0.0"\n'
        '[workspace.dependencies]\nserde = "1"\n'
    )
    for number in range(MEMBERS):
        folder = root / f"crates/member-{number}"
        (folder / "src").mkdir(parents=True)
        before = f'member-{number - 1} = {{ path = "../member-{number - 1}" }}\n' if number else ""
        (folder / "Cargo.toml").write_text(
            f'[package]\nname = "member-{number}"\nversion.workspace = true\n'
            f"edition.workspace = true\n[dependencies]\nserde.workspace = true\n{before}"
        )
        (folder / "src/lib.rs").write_text("/// One.\npub fn one() -> u8 {\n    1\n}\n" * 20)
        (folder / "tests").mkdir()
        (folder / "tests/it.rs").write_text("#[test]\nfn it() {}\n")
    return root


def run(command: list[str], folder: Path) -> Run:
    source = str(Path(__file__).parents[2])
    variables = {**os.environ, "RUSTUP_TOOLCHAIN": "stable", "PYTHONPATH": source}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # users have their bytecode cached
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, check=True
    )
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(done.stdout, wall, cpu)


def test_a_thousand_members(workspace: Path, tmp_path: Path) -> None:
    manifest = str(workspace / "Cargo.toml")
    words = ["--no-deps", "--offline", "--format-version", "1", "--manifest-path", manifest]
    metadata = ["cargo", "metadata", *words]
    reading = [sys.executable, "-c", READ, str(workspace)]
    theirs = min((run(metadata, tmp_path) for _ in range(3)), key=lambda r: r.wall)
    ours = min((run(reading, tmp_path) for _ in range(3)), key=lambda r: r.wall)
    print(f"\n{MEMBERS} members, with every source read:")
    print(f"  cargo metadata  {theirs.wall:.2f} s wall  {theirs.cpu:.2f} s CPU")
    print(f"  read_project    {ours.wall:.2f} s wall  {ours.cpu:.2f} s CPU")
    print(f"  ratio           {ours.wall / theirs.wall:.2f}        {ours.cpu / theirs.cpu:.2f}")
    assert json.loads(ours.output) == {
        package["name"]: sorted(target["name"] for target in package["targets"])
        for package in json.loads(theirs.output)["packages"]
    }
