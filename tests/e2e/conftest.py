"""One machine and one report for all runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import tools
from tests.e2e.machine import ROOT, Machine, machine
from tests.e2e.report import Report
from tests.e2e.rust import private_rustup

FULL = bool(os.environ.get("E2E_FULL"))


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The machine that the jobs run on, with every tool that they install."""
    folder = ROOT / ".nox" / "tools"
    folder.mkdir(parents=True, exist_ok=True)
    tools.build(folder, *tools.BUILT)
    scratch = tmp_path_factory.mktemp("e2e")
    with private_rustup(scratch) as rustup:
        stable = rustup.toolchains["stable"]
        if not stable.has("llvm-tools", rustup.host):
            pytest.fail(f"coverage needs LLVM {stable.llvm}: install llvm-{stable.llvm}")
        yield machine(scratch / "machine", folder, rustup)


@pytest.fixture(scope="session")
def _found() -> Report:
    return Report()


@pytest.fixture
def report(_found: Report) -> Iterator[Report]:
    """What becomes docs/explanation/proof.md, written after each test."""
    yield _found
    if path := os.environ.get("E2E_REPORT"):
        Path(path).write_text(_found.page(), "utf-8")
