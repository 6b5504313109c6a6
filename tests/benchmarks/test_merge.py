"""The merge by structure beside git's by lines: what each gets wrong, and how long it takes."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rustci.errors import ProjectError
from rustci.merge import merge3, pieces
from rustci.yamlio import load_workflow

MERGE = Path(__file__).parents[1] / "merge"
SCENARIOS = sorted(path for path in (MERGE / "scenarios").iterdir() if path.is_dir())
GENERATED = (MERGE / "generated" / "ci.yml").read_text()
FILES = 40
pytestmark = pytest.mark.benchmark


def test_against_git_merge_file(tmp_path: Path) -> None:
    verdicts: dict[str, Counter[str]] = {"rustci": Counter(), "git merge-file": Counter()}
    for folder in SCENARIOS:
        expected = meaning(text(folder / "expected.yml"))
        wanted = (folder / "conflicts").exists()
        verdicts["rustci"][verdict(*by_structure(folder), expected, wanted=wanted)] += 1
        verdicts["git merge-file"][
            verdict(*by_lines(folder, tmp_path), expected, wanted=wanted)
        ] += 1

    columns = f"{'right':>8} {'needless conflict':>18} {'silent damage':>14}"
    print(f"\n{len(SCENARIOS)} merges            {columns}")
    for tool, found in verdicts.items():
        counts = found["right"], found["needless"], found["damage"]
        print(f"  {tool:<20} {counts[0]:>8} {counts[1]:>18} {counts[2]:>14}")
    assert verdicts["rustci"] == Counter(right=len(SCENARIOS))


def text(path: Path) -> str:
    return path.read_bytes().decode().removeprefix("\ufeff") if path.exists() else ""


def meaning(written: str) -> Any:
    """Return what a file means; the order of `needs` and keys means nothing. None if broken."""
    try:
        return load_workflow(written, "merged.yml")
    except ProjectError:
        return None


def unordered(value: Any) -> Any:
    """Return a value in which lists of words have no order."""
    if isinstance(value, dict):
        return {key: unordered(one) for key, one in value.items()}
    if isinstance(value, list):
        found = [unordered(one) for one in value]
        words = all(isinstance(one, str) for one in found)
        return sorted(found) if words and not any(one.startswith("!") for one in found) else found
    return value


def verdict(conflict: bool, found: Any, expected: Any, *, wanted: bool) -> str:
    if conflict:
        return "right" if wanted else "needless"
    return "damage" if wanted or unordered(found) != unordered(expected) else "right"


def by_structure(folder: Path) -> tuple[bool, Any]:
    base = text(folder / "base.yml") if (folder / "base.yml").exists() else None
    found = merge3(base, text(folder / "theirs.yml"), text(folder / "ours.yml"))
    return bool(found.conflicts), meaning(found.text)


def by_lines(folder: Path, place: Path) -> tuple[bool, Any]:
    for side in ("theirs", "base", "ours"):
        (place / side).write_bytes(text(folder / f"{side}.yml").replace("\r\n", "\n").encode())
    command = ["git", "merge-file", "-p", "theirs", "base", "ours"]
    done = subprocess.run(command, cwd=place, capture_output=True, check=False)
    return done.returncode != 0, meaning(done.stdout.decode())


def files(*, alike: bool) -> list[tuple[str, str, str]]:
    """Return workflows edited on both sides: all of one template, or each with its own commands."""
    found = []
    for number in range(FILES):
        base = GENERATED.replace("name: CI", f"name: CI {number}")
        if not alike:
            base = base.replace("cargo", f"cargo +{number}").replace("name: ", f"name: {number} ")
        theirs = base.replace("timeout-minutes: 30", f"timeout-minutes: {number + 31}")
        found.append((base, theirs, base.replace("fail-fast: false", "fail-fast: true")))
    return found


def test_cpu_time_of_many_files() -> None:
    alike, unlike = files(alike=True), files(alike=False)
    works = {
        "edited by the user alone": [(base, theirs, base) for base, theirs, _ in unlike],
        "edited on both sides, generated alike": alike,
        "edited on both sides, all different": unlike,
    }
    print(f"\n{FILES} files of {len(GENERATED):,} characters, CPU time")
    for title, work in works.items():
        pieces._remembered.cache_clear()
        pieces.in_pieces.cache_clear()
        started = time.process_time()
        for base, theirs, ours in work:
            assert merge3(base, theirs, ours).conflicts == ()
        print(f"  {title:<40} {(time.process_time() - started) * 1000:6.0f} ms")
