"""What is read off a project where no golden tree shows it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import PurePosixPath

import pytest

from rustci.config import flag_layer, resolve
from rustci.project import ExistingWorkflow, Project
from rustci.recommend import recommend


def sharded(project: Project, shards: int) -> Project:
    """Return the project as if a workflow of its own dealt out its tests."""
    path = PurePosixPath(".github/workflows/tests.yml")
    workflow = ExistingWorkflow(path=path, name="Tests", tasks=(), shards=shards)
    repository = dataclasses.replace(project.repository, workflows=(workflow,))
    return dataclasses.replace(project, repository=repository)


def test_as_many_shards_as_existing_ci_has(projects: Mapping[str, Project]) -> None:
    chat = projects["chat-server"]
    found = recommend(sharded(chat, 4))["tests.shards"]
    assert found.value == 4
    assert found.reason == "`.github/workflows/tests.yml` deals them out to 4 jobs"
    assert "tests.shards" not in recommend(sharded(chat, 1))


def test_detected_shards_give_way_to_plain_cargo(projects: Mapping[str, Project]) -> None:
    detected = recommend(sharded(projects["chat-server"], 4))
    config = resolve([detected, flag_layer({"tests.runner": "cargo"}, [])])
    assert config.tests.runner == "cargo"


def measuring(project: Project, crate: str) -> Project:
    """Return the project as if its benchmarks used another crate than criterion."""
    members = tuple(
        dataclasses.replace(
            package,
            dependencies=tuple(
                dataclasses.replace(found, name=crate) if found.name == "criterion" else found
                for found in package.dependencies
            ),
        )
        for package in project.packages
    )
    main = dataclasses.replace(project.main, members=members)
    return dataclasses.replace(project, main=main)


@pytest.mark.parametrize(
    ("crate", "gate", "mode"),
    [
        ("criterion", True, None),
        ("gungraun", True, "counts"),
        ("divan", False, None),
    ],
)
def test_the_gate_is_for_benchmarks_that_write_figures(
    crate: str, gate: bool, mode: str | None, projects: Mapping[str, Project]
) -> None:
    found = recommend(measuring(projects["chat-server"], crate))
    assert found["benchmarks.gate"].value is gate
    assert (found["benchmarks.mode"].value if "benchmarks.mode" in found else None) == mode
