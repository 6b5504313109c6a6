"""Further targets: which job serves them, and what is told of those that nothing is known of."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from rustci import jobs
from rustci.output.cost import crowd
from rustci.project import Project
from rustci.proposal import CONCURRENT, propose
from rustci.targets import Way, targets
from tests.strategies import resolved


def serving(project: Project, triple: str, **switches: bool) -> set[str]:
    """Return the ids of the jobs that run for a target."""
    given = {f"jobs.{name}": on for name, on in switches.items()}
    config = resolved(project, {"platforms.targets": (triple,), **given})
    workflows = jobs.plan(project, config)
    return {job.id for w in workflows for job in w.jobs} & {"cross", "targets", "wasm"}


@pytest.mark.parametrize("triple", sorted(targets()))
def test_each_target_has_one_job(triple: str, projects: Mapping[str, Project]) -> None:
    hosts = {"x86_64-unknown-linux-gnu", "x86_64-pc-windows-msvc", "aarch64-apple-darwin"}
    job = "targets" if targets()[triple].way is Way.CHECK else "cross"
    # The test lanes compile for the hosts.
    assert serving(projects["chat-server"], triple) == ({job} if triple not in hosts else set())


def test_without_its_job_a_target_is_still_checked(projects: Mapping[str, Project]) -> None:
    project = projects["chat-server"]
    assert serving(project, "s390x-unknown-linux-gnu") == {"cross"}
    assert serving(project, "s390x-unknown-linux-gnu", cross=False) == {"targets"}


def test_an_unknown_target_is_named_with_what_becomes_of_it(
    projects: Mapping[str, Project],
) -> None:
    project = projects["chat-server"]
    config = resolved(project, {"platforms.targets": ("x86_64-unknown-hurd-gnu",)})
    reason = jobs.verdicts(project, config)["targets"].reason
    assert "nothing is known of `x86_64-unknown-hurd-gnu`, so no tests are tried there" in reason


@pytest.mark.parametrize("many", [False, True])
def test_more_jobs_than_run_at_once_are_told_with_their_price(
    many: bool, projects: Mapping[str, Project]
) -> None:
    project = projects["chat-server"]
    chosen = sorted(targets())[:CONCURRENT] if many else ()
    found = propose(project, resolved(project, {"platforms.targets": tuple(chosen)}), None)
    warning = crowd(found)
    assert (found.jobs > CONCURRENT) is many
    assert bool(warning) is many
    if warning:
        assert warning.startswith(f"a pull request starts {found.jobs} jobs, of which")
        assert "in a private one that limit is $" in warning
