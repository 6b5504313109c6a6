"""What starting costs: scripts ask for the version in loops."""

from __future__ import annotations

import subprocess
import sys

import pytest

COUNT = """
import sys
before = set(sys.modules)
sys.argv = ["rustci", *{arguments!r}]
from rustci.__main__ import run
try:
    run()
except SystemExit as stop:
    assert not stop.code
print(*sorted({{name.partition(".")[0] for name in set(sys.modules) - before}}), file=sys.stderr)
"""
HEAVY = {"cookiecutter", "jinja2", "questionary", "requests", "rich", "ruamel", "tomlkit"}


def loaded(*arguments: str) -> set[str]:
    """Return the top-level modules that a run imports."""
    done = subprocess.run(
        [sys.executable, "-c", COUNT.format(arguments=arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_the_version_imports_nothing(flag: str) -> None:
    assert loaded(flag) - {*sys.builtin_module_names} == {"rustci"}


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--help"], set()),
        (["schema"], set()),
        (["init", "--help"], {"questionary", "ruamel", "tomlkit"}),
        (["inspect", "--help"], {"ruamel"}),
    ],
    ids=["help", "schema", "init", "inspect"],
)
def test_commands_import_what_they_need(arguments: list[str], allowed: set[str]) -> None:
    assert loaded(*arguments) & HEAVY <= allowed
