"""What is read off a project where no golden tree shows it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest

from rustci.bench import builds, counts
from rustci.jobs import measuring, msrv
from rustci.project import Project, RustVersion
from rustci.recommend import recommend
from tests.strategies import resolved


def measured_with(project: Project, crate: str) -> Project:
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
    found = recommend(measured_with(projects["chat-server"], crate))
    assert found["benchmarks.gate"].value is gate
    assert (found["benchmarks.mode"].value if "benchmarks.mode" in found else None) == mode


def test_a_version_with_and_without_its_patch_is_one_msrv(projects: Mapping[str, Project]) -> None:
    project = projects["virtual"]
    versions = ("1.88", "1.88.0", "1.85.1")
    members = tuple(
        dataclasses.replace(package, rust_version=RustVersion.parse(version))
        for package, version in zip(project.packages, versions, strict=False)
    )
    project = dataclasses.replace(project, main=dataclasses.replace(project.main, members=members))
    setting = recommend(project)["toolchains.msrv"]
    assert setting.value is True
    assert setting.reason == "`rust-version` of each package: 1.85.1, 1.88"
    assert list(msrv.lanes(project, resolved(project, {}))) == ["1.85.1", "1.88"]


def test_what_is_recommended_is_what_the_gate_can_read() -> None:
    assert set(builds.CRITERION) == measuring.CRITERION
    assert set(counts.HARNESSES) == measuring.COUNTING
