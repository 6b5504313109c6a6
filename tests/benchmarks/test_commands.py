"""Start-up and rendering, as ratios to an empty Python and to plain Cookiecutter."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.benchmarks.side_by_side import medians, report

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.benchmark


def test_commands_against_an_empty_python_and_cookiecutter(tmp_path: Path) -> None:
    demo = tmp_path / "chat-server"
    shutil.copytree(ROOT / "tests" / "crates" / "chat-server", demo)
    empty = "python -c pass"
    rustci = [sys.executable, "-m", "rustci"]
    found = medians(
        {
            empty: [sys.executable, "-c", "pass"],
            "rustci --version": [*rustci, "--version"],
            "rustci inspect": [*rustci, "inspect", str(demo)],
            "rustci init --yes --dry-run": [*rustci, "init", "--yes", "--dry-run", str(demo)],
            "cookiecutter --no-input (same template)": [
                sys.executable,
                "-m",
                "cookiecutter",
                "--no-input",
                "--overwrite-if-exists",
                "--output-dir",
                str(tmp_path / "plain"),
                str(ROOT / "cookiecutter-templates" / "github"),
            ],
        },
        cwd=ROOT,
    )
    report("Commands", found, empty)
    assert not (demo / ".github").exists()
    assert (tmp_path / "plain" / "rust-workflows" / ".github" / "workflows" / "ci.yml").is_file()
