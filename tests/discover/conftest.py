from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECTS = Path(__file__).parent.parent / "projects"

Write = Callable[[str, str], Path]


@pytest.fixture(scope="session")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All fixture projects, outside of this repository: each is a root of its own."""
    return Path(shutil.copytree(PROJECTS, tmp_path_factory.mktemp("projects") / "all"))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of the project in `tmp_path`."""

    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


@pytest.fixture
def crate(tmp_path: Path, write: Write) -> Path:
    """A crate with one library, in a folder without git."""
    write("Cargo.toml", '[package]\nname = "demo"\nversion = "0.1.0"\nedition = "2021"\n')
    write("src/lib.rs", "pub fn one() -> u8 {\n    1\n}\n")
    return tmp_path


@pytest.fixture(scope="session")
def cargo() -> None:
    """Cargo is there. On CI a missing Cargo is a failure, elsewhere a reason to skip."""
    if shutil.which("cargo") is None:
        if os.environ.get("CI"):
            pytest.fail("cargo is not installed: no fact is compared with Cargo's")
        pytest.skip("cargo is not installed")
