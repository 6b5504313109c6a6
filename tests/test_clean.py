"""What rustci writes is clean: for any answers, no linter and no house rule finds anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustci import transaction
from rustci.config import resolve
from rustci.errors import ProjectError
from rustci.project import Project
from rustci.proposal import propose
from rustci.recommend import recommend
from tests.linters import Finding, lint, lint_many
from tests.strategies import FOLDERS, Answers, agreed, answers, copied, read, rendered

WORKERS = 2
"""The exploration is dealt out over as many tests, for pytest-xdist."""
EXAMPLES = settings().max_examples // WORKERS

GOOD = """\
name: Good
on:
  push:
  pull_request:
  workflow_dispatch:
permissions: {}
concurrency:
  group: x-${{ github.ref }}
  cancel-in-progress: false
defaults:
  run:
    shell: bash
jobs:
  good:
    name: Good
    runs-on: ubuntu-24.04
    timeout-minutes: 1
    permissions: {}
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - run: echo "$HOME"
"""


CACHE = "Swatinem/rust-cache@6323deb102c322ba6fcbdcafc7e3dddab59af2b6 # v2.9.2"
FAULTS = [
    ("actionlint", "ubuntu-24.04", "ubuntu-20.04"),
    ("actionlint", 'run: echo "$HOME"', f"uses: {CACHE}\n        with:\n          ke: x"),
    ("zizmor", "persist-credentials: false", "persist-credentials: true"),
    ("shellcheck", '"$HOME"', "$HOME"),
    ("custom.github-workflows-require-timeout", "    timeout-minutes: 1\n", ""),
    ("vendor.github-workflows", "name: Good\non", "name: Good\nmore: 1\non"),
    ("catalogue", "persist-credentials", "persist-credential"),
    ("catalogue", "# v7.0.1", "# v7.0.0"),
    ("house", "permissions: {}\nconcurrency", "permissions: read-all\nconcurrency"),
    ("house", "run: echo", "run: cargo"),
]


@pytest.mark.parametrize("judge", [lint, lint_many])
def test_each_linter_bites(judge: Callable[[Mapping[str, str]], list[Finding]]) -> None:
    good = ".github/workflows/good.yml"
    faults = {
        f"{number}/.github/workflows/bad.yml": GOOD.replace(old, new)
        for number, (_, old, new) in enumerate(FAULTS)
    }
    found = {(finding.name, finding.linter) for finding in judge({good: GOOD} | faults)}
    assert good not in {name for name, _ in found}
    assert {(name, fault[0]) for name, fault in zip(faults, FAULTS, strict=True)} <= found


def test_the_recommendations_are_clean(projects: Mapping[str, Project]) -> None:
    trees = {name: rendered(project, {}) for name, project in projects.items()}
    again = {name: rendered(project, {}) for name, project in projects.items()}
    assert trees == again
    names = {text: f"{name}/{path}" for name, tree in trees.items() for path, text in tree.items()}
    assert not _told(lint_many({name: text for text, name in names.items()}))


@pytest.mark.parametrize("name", FOLDERS)
def test_a_second_run_changes_nothing(name: str, tmp_path: Path) -> None:
    folder = copied(name, tmp_path)
    for writes in (True, False):
        project = read(folder)
        proposal = propose(project, resolve((recommend(project),)), None)
        assert bool(proposal.writes) is writes
        transaction.apply(folder, proposal.writes)


def test_a_glob_that_would_claim_a_new_folder_is_refused(tmp_path: Path) -> None:
    folder = copied("no-std", tmp_path)
    manifest = folder / "Cargo.toml"
    manifest.write_text(manifest.read_text().replace('exclude = [".config", ".github"]', ""))
    project = read(folder)
    with pytest.raises(ProjectError, match=r"would take `\.config` for a member") as caught:
        propose(project, resolve((recommend(project),)), None)
    assert 'exclude = [".config", ".github"]' in (caught.value.hint or "")


@pytest.mark.parametrize("part", range(WORKERS))
def test_every_combination_of_answers_is_clean(part: int, projects: Mapping[str, Project]) -> None:
    seen: dict[str, str] = {}
    told: dict[str, str] = {}

    @settings(max_examples=EXAMPLES)
    @given(st.sampled_from([*projects][part::WORKERS]), answers())
    def explore(name: str, given: Answers) -> None:
        tree, agreed_on = agreed(projects[name], given)
        number = str(len(told))
        told[number] = f" for {name} with {agreed_on}"
        for path, text in tree.items():
            seen.setdefault(text, f"{number}/{path}")

    explore()
    assert len(told) >= EXAMPLES
    found = lint_many({name: text for text, name in seen.items()})
    assert not _told(found, lambda finding: told[finding.name.partition("/")[0]])


def _told(found: list[Finding], more: Callable[[Finding], str] = lambda _: "") -> str:
    """Return the findings as text, one of each kind."""
    kinds = {(finding.linter, finding.message): finding for finding in found}
    return "\n".join(f"{finding}{more(finding)}" for finding in kinds.values())
