"""`.github/CI.md` tells of exactly what was generated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rustci import config, jobs, templates
from rustci.discover import read_project
from rustci.recommend import recommend

ROOT = Path(__file__).parent
CHAT_SERVER = ROOT / "crates" / "chat-server"
ANSWERS = [
    pytest.param((), id="recommended"),
    pytest.param(("coverage.minimum=70", "tests.shards=2"), id="gate and shards"),
    pytest.param(("cache.sccache=gcs", "tests.packages=libudev-dev"), id="storage and packages"),
    pytest.param(("cache.sccache=github", "platforms.targets=wasm32-wasip1"), id="targets"),
    pytest.param(
        ("tests.services=postgres,redis", "platforms.runners=ubuntu-24.04"), id="services"
    ),
]


def rendered(answers: tuple[str, ...]) -> dict[str, str]:
    project = read_project(CHAT_SERVER)
    resolved = config.resolve((recommend(project), config.flag_layer({}, answers)))
    workflows = jobs.plan(project, resolved)
    return {p: g.text for p, g in templates.render(workflows, project, resolved).items()}


@pytest.mark.parametrize("answers", ANSWERS)
def test_every_variable_of_the_workflows_is_explained(answers: tuple[str, ...]) -> None:
    files = rendered(answers)
    workflows = "\n".join(text for path, text in files.items() if "/workflows/" in path)
    services = re.findall(r"\n {8}env:\n((?: {10}\S.*\n)+) {8}ports:", workflows)
    inside = {name for block in services for name in re.findall(r"(\w+):", block)}
    used = set(re.findall(r"^\s+([A-Z][A-Z0-9_]+): ", workflows, re.MULTILINE)) - inside
    told = set(re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \|", files[".github/CI.md"], re.MULTILINE))
    assert used
    assert used <= told


@pytest.mark.parametrize("answers", ANSWERS)
def test_every_secret_and_setting_is_named(answers: tuple[str, ...]) -> None:
    files = rendered(answers)
    workflows = "\n".join(text for path, text in files.items() if "/workflows/" in path)
    used = set(re.findall(r"\b(?:secrets|vars)\.([A-Z0-9_]+)", workflows))
    section = files[".github/CI.md"].split("## Secrets and settings")[1].split("## When")[0]
    assert used == set(re.findall(r"^\| `([A-Z0-9_]+)` \|", section, re.MULTILINE))


def test_troubles_are_those_of_the_jobs_that_are_there() -> None:
    with_msrv = rendered(())[".github/CI.md"]
    without = rendered(("jobs.msrv=false",))[".github/CI.md"]
    assert "requires rustc 1.x or newer" in with_msrv
    assert "requires rustc 1.x or newer" not in without


def test_a_project_without_jobs_gets_no_guide() -> None:
    files = rendered(tuple(f"jobs.{job.ID}=false" for job in jobs.CATALOGUE))
    assert ".github/CI.md" not in files
    assert not [path for path in files if "/workflows/" in path]


def test_a_guide_without_ci_does_not_ask_to_require_it() -> None:
    others = [job.ID for job in jobs.CATALOGUE if job.WORKFLOW != "scheduled"]
    guide = rendered(tuple(f"jobs.{name}=false" for name in others))[".github/CI.md"]
    assert "Coming Rust" in guide
    assert "Require the check" not in guide
