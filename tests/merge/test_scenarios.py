"""Every scenario folder: base, theirs and ours come to expected, with these conflicts only."""

from __future__ import annotations

from pathlib import Path

import pytest

from rustci.merge import Merged, merge3
from rustci.yamlio import load_workflow

SCENARIOS = sorted(
    path for path in Path(__file__).with_name("scenarios").iterdir() if path.is_dir()
)


def read(folder: Path, side: str) -> str:
    """Return a side's text as it is, its line ends and BOM included."""
    return (folder / f"{side}.yml").read_bytes().decode()


def merged(folder: Path) -> Merged:
    base = read(folder, "base") if (folder / "base.yml").exists() else None
    return merge3(base, read(folder, "theirs"), read(folder, "ours"))


def wanted_conflicts(folder: Path) -> list[str]:
    path = folder / "conflicts"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda folder: folder.name)
def test_scenario(folder: Path) -> None:
    found = merged(folder)

    assert found.text == read(folder, "expected")
    assert [".".join(one.path) for one in found.conflicts] == wanted_conflicts(folder)
    assert load_workflow(found.text.removeprefix("\ufeff"), folder.name)


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda folder: folder.name)
def test_merging_twice_is_merging_once(folder: Path) -> None:
    once = merged(folder).text
    ours = read(folder, "ours")

    assert merge3(ours, once, ours).text == once


def test_there_are_enough_scenarios_and_each_conflict_is_named_by_its_folder() -> None:
    assert len(SCENARIOS) >= 60
    for folder in SCENARIOS:
        assert bool(wanted_conflicts(folder)) == folder.name.endswith("_conflict")
