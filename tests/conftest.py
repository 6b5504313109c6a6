"""What all tests share: hypothesis profiles, a clean environment, the fixture projects."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from jinja2 import Environment
from jinja2.bccache import Bucket, BytecodeCache

from rustci.project import Project
from tests.strategies import FOLDERS, copied, read
from tests.upkeep import Repository

settings.register_profile(
    "quick",
    max_examples=300,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "nightly", parent=settings.get_profile("quick"), max_examples=10_000, derandomize=False
)
settings.load_profile("quick")


def pytest_configure() -> None:
    """Take out of the environment what rustci and git would obey; look for garbage less often."""
    gc.set_threshold(100_000, 50, 50)
    for name in [*os.environ]:
        if name.startswith(("RUSTCI_", "GIT_")):
            del os.environ[name]


class _Compiled(BytecodeCache):
    """Keeps compiled templates for the whole run: rendering hundreds of trees takes a third."""

    def __init__(self) -> None:
        self.code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.code:
            bucket.bytecode_from_string(self.code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.code[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(scope="session", autouse=True)
def _compiled_templates() -> Iterator[None]:
    plain, compiled = Environment.__init__, _Compiled()

    def init(self: Environment, *arguments: Any, **options: Any) -> None:
        plain(self, *arguments, **{"bytecode_cache": compiled} | options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Environment, "__init__", init)
        yield


@pytest.fixture(scope="session")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Project]:
    """The facts of every fixture project, by name."""
    folder = tmp_path_factory.mktemp("projects")
    return {name: read(copied(name, folder)) for name in FOLDERS}


@pytest.fixture
def project_folder(tmp_path: Path) -> Callable[[str], Path]:
    """Return a fresh copy of a fixture project by its name."""
    return lambda name: copied(name, tmp_path)


@pytest.fixture(scope="session")
def _initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = copied("chat-server", tmp_path_factory.mktemp("initialised"))
    assert Repository(root).run("init", "--yes", "--branch", "main").code == 0
    return root


@pytest.fixture
def repository(_initialised: Path, tmp_path: Path) -> Repository:
    """The chat server, right after `rustci init`."""
    return Repository(Path(shutil.copytree(_initialised, tmp_path / "chat-server")))
