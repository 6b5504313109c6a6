"""The documentation does what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rustci.cli import COMMANDS

ROOT = Path(__file__).parents[1]
CHAT_SERVER = ROOT / "tests" / "crates" / "chat-server"


def block(page: str, language: str) -> str:
    """Return the first block of code of a page."""
    found = re.search(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert found, f"{page} has no block of {language}"
    return found[1]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which `rustci` is this checkout's."""
    program = tmp_path / "bin" / "rustci"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rustci "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}


def test_the_bootstrap_script_runs(tmp_path: Path, environment: dict[str, str]) -> None:
    script = tmp_path / "bootstrap.sh"
    script.write_text(block("docs/how-to/bootstrap-scripts.md", "sh"))
    for name in ("plain", "taken"):
        shutil.copytree(CHAT_SERVER, tmp_path / name)
    taken = tmp_path / "taken" / ".github" / "workflows" / "ci.yml"
    taken.parent.mkdir(parents=True)
    taken.write_text("name: Mine\non: push\njobs: {}\n")

    done = subprocess.run(
        ["bash", script, "plain", "taken"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "plain: done" in done.stdout
    assert "taken: has workflows of its own" in done.stdout
    answers = (tmp_path / "plain" / ".github" / "rustci.toml").read_text()
    assert "minimum = 70" in answers
    assert taken.read_text().startswith("name: Mine")
    assert not (tmp_path / "taken" / ".github" / "rustci.toml").exists()


def test_ci_runs_the_readmes_two_commands() -> None:
    commands = re.findall(r"```sh\n(python3 .*?)\n```", (ROOT / "README.md").read_text())
    assert len(commands) == 2
    script = (ROOT / ".ci" / "run").read_text().splitlines()
    assert all(command in script for command in commands)


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    assert pages
    for page in pages:
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help_in_the_reference(command: str) -> None:
    assert f"## rustci {command}\n" in (ROOT / "docs" / "reference" / "cli.md").read_text()
