"""Every fact that Cargo can print as well is the same as Cargo's, on every fixture project.

Needs a Cargo that reads TOML 1.1 (1.94 and later); stable 1.95 refuses none of the fixtures.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from rustci.discover import read_project
from rustci.project import Project, Workspace
from tests.discover.conftest import PROJECTS
from tests.discover.oracle import comparable, facts, metadata

NAMES = sorted(path.name for path in PROJECTS.iterdir() if path.is_dir())
DIRECTORIES = {"pointer": "main"}
"""Projects without a root manifest that hold more than one workspace."""


@pytest.fixture(scope="session")
def neutral(tmp_path_factory: pytest.TempPathFactory, cargo: None) -> Path:
    del cargo
    return tmp_path_factory.mktemp("neutral")


@cache
def read(root: Path) -> Project:
    directory = DIRECTORIES.get(root.name)
    return read_project(root, PurePosixPath(directory) if directory else None)


def workspaces(project: Project) -> tuple[Workspace, ...]:
    return (project.main, *project.others)


@pytest.mark.parametrize("name", NAMES)
def test_facts_equal_cargos(name: str, projects: Path, neutral: Path) -> None:
    root = projects / name
    found = workspaces(read(root))
    for workspace in found:
        manifest = root / workspace.directory / "Cargo.toml"
        assert comparable(workspace) == facts(metadata(manifest, neutral), root)


def test_every_kind_of_fact_is_compared(projects: Path) -> None:
    """The fixtures together hold each field in a value that is not its default."""
    packages = [
        package
        for name in NAMES
        for workspace in workspaces(read(projects / name))
        for package in comparable(workspace).packages.values()
    ]
    targets = [target for package in packages for target in package.targets]
    dependencies = [found for package in packages for found in package.dependencies]
    for values in (packages, targets, dependencies):
        for field in set(type(values[0]).__dataclass_fields__) - UNPRINTED:
            assert len({repr(getattr(value, field)) for value in values}) > 1, field


UNPRINTED = frozenset({"source", "lints_workspace", "harness", "bench"})
"""What `cargo metadata` does not print; their own tests are in test_packages.py."""
