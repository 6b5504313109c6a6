"""The command line as people and scripts meet it: real processes, exit codes, and both streams."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from rustci import __version__
from rustci.cli import COMMANDS, main
from rustci.config import grammar
from tests.rights import let_in, unprivileged
from tests.upkeep import Repository

SOURCE = Path(__file__).parent.parent
CRATE = {
    "Cargo.toml": '[package]\nname = "demo"\nversion = "0.1.0"\nedition = "2021"\n',
    "src/lib.rs": "#[test]\nfn works() {}\n",
}
Rustci = Callable[..., "subprocess.CompletedProcess[str]"]


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    return write(tmp_path / "demo", CRATE)


@pytest.fixture
def rustci(tmp_path: Path) -> Rustci:
    """Return a function that runs rustci with an empty HOME, which it has to leave empty."""
    home = tmp_path / "home"
    home.mkdir()

    def run(*arguments: object, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "rustci", *map(str, arguments)],
            cwd=cwd,
            env=os.environ
            | {"PYTHONPATH": str(SOURCE), "HOME": str(home), "COLUMNS": "100"}
            | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Traceback" not in done.stderr
        assert not list(home.iterdir())
        return done

    return run


def test_help_names_every_command(rustci: Rustci, demo: Path) -> None:
    done = rustci("--help", cwd=demo)
    assert done.returncode == 0
    assert set(COMMANDS) <= set(done.stdout.split())
    assert "Exit codes" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_examples(command: str, rustci: Rustci, demo: Path) -> None:
    done = rustci(command, "--help", cwd=demo)
    assert done.returncode == 0
    assert re.search(rf"Examples?:\n +rustci {command}", done.stdout)


def test_help_names_every_flag(rustci: Rustci, demo: Path) -> None:
    text = rustci("init", "--help", cwd=demo).stdout
    assert not [option.flag for option in grammar().values() if f"--{option.flag}" not in text]


def test_the_version(rustci: Rustci, demo: Path) -> None:
    assert rustci("--version", cwd=demo).stdout == f"rustci {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["innit"], "Did you mean `init`?"),
        (["init", "--covrage", "x"], "--coverage"),
        (["init", "--yes", "--coverage", "x"], "codecov"),
        (["init", "--yes", "--shards", "99"], "from 1 to 16"),
        (["init", "--yes", "--set", "x"], "section.key=value"),
        (["init", "--yes", "--set", "tests.shard=2"], "tests.shards"),
        (["init", "--yes", "--shards", "2", "--test-runner", "cargo"], "hint:"),
        (["init", "--yes", "--job-bench"], "harness = false"),
        (["init", "--yes", "--service", "nosuch", "--runner", "ubuntu-24.04"], "nosuch"),
        (["init", "--yes", "missing"], "missing"),
        (["init", "--yes", "Cargo.toml"], "Cargo.toml"),
        (["init", "--yes", "--config", "missing.toml"], "missing.toml"),
        (["init", "--yes", "--directory", "nowhere"], "nowhere"),
        (["inspect", "--format", "yaml"], "json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_says_what_would_be_right(
    arguments: list[str], said: str, rustci: Rustci, demo: Path
) -> None:
    before = contents(demo)
    done = rustci(*arguments, cwd=demo)
    assert done.returncode in (2, 4)
    assert said in done.stderr
    assert done.stdout == ""
    assert contents(demo) == before


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"Cargo.toml": "[package\n"}, "Cargo.toml:1"),
        ({"Cargo.toml": "[workspace]\nmembers = ['gone']\n"}, "gone"),
        ({"Cargo.toml": "name = 1\n"}, "Cargo.toml"),
        ({"Cargo.toml": ""}, "Cargo.toml"),
        ({".github/rustci.toml": "[tests]\nshard = 2\n"}, ".github/rustci.toml:2"),
        ({".github/rustci.toml": "[tests\n"}, ".github/rustci.toml:1"),
        ({".github/rustci.lock": "what?\n"}, ".github/rustci.lock"),
        ({"rust-toolchain.toml": "[toolchain]\nchannel = 7\n"}, "rust-toolchain.toml:2"),
    ],
    ids=lambda value: next(iter(value.items()))[0] if isinstance(value, dict) else "",
)
def test_bad_files_are_named_with_their_line(
    files: Mapping[str, str], said: str, rustci: Rustci, demo: Path
) -> None:
    before = contents(write(demo, files))
    done = rustci("init", "--yes", cwd=demo)
    assert done.returncode == 2
    assert said in done.stderr
    assert "hint: " in done.stderr
    assert contents(demo) == before


def test_not_a_rust_project(rustci: Rustci, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    done = rustci("init", "--yes", cwd=empty)
    assert done.returncode == 2
    assert "Cargo.toml" in done.stderr
    assert not list(empty.iterdir())


def test_no_input_names_the_missing_answer(rustci: Rustci, demo: Path) -> None:
    for arguments in (["init"], ["init", "--no-input"]):
        done = rustci(*arguments, cwd=demo)
        assert done.returncode == 2
        assert "--channel" in done.stderr
        assert "--yes" in done.stderr
    done = rustci("init", "--no-input", "--channel", "stable", cwd=demo)
    assert "toolchains.msrv" in done.stderr
    assert contents(demo) == contents(write(demo, CRATE))


def test_a_dry_run_writes_nothing(rustci: Rustci, demo: Path) -> None:
    before = contents(demo)
    done = rustci("init", "--dry-run", "--diff", cwd=demo)
    assert done.returncode == 0
    assert "+++ b/.github/workflows/ci.yml" in done.stdout
    assert contents(demo) == before
    assert [path.name for path in sorted(demo.iterdir())] == ["Cargo.toml", "src"]


def test_a_second_init_changes_nothing(rustci: Rustci, demo: Path) -> None:
    assert rustci("init", "--yes", "--shards", "2", cwd=demo).returncode == 0
    before = contents(demo)
    times = {path: path.stat().st_mtime_ns for path in demo.rglob("*")}
    done = rustci("init", "--yes", cwd=demo)
    assert done.returncode == 0
    assert contents(demo) == before
    assert {path: path.stat().st_mtime_ns for path in demo.rglob("*")} == times
    assert b"shards = 2" in before[".github/rustci.toml"]


def test_changing_ones_mind(rustci: Rustci, demo: Path) -> None:
    rustci("init", "--yes", cwd=demo)
    assert rustci("init", "--yes", "--no-cache", cwd=demo).returncode == 0
    assert b"rust-cache" not in contents(demo)[".github/workflows/ci.yml"]


def test_a_foreign_workflow_needs_a_decision(rustci: Rustci, demo: Path) -> None:
    write(demo, {".github/workflows/ci.yml": "on: push\n"})
    before = contents(demo)
    done = rustci("init", "--yes", cwd=demo)
    assert done.returncode == 3
    assert "--on-existing" in done.stderr
    assert contents(demo) == before
    for choice in ("keep", "beside", "replace"):
        assert rustci("init", "--yes", "--on-existing", choice, cwd=demo).returncode == 0


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["schema"] == 1
    return found


def test_json_of_init(rustci: Rustci, demo: Path) -> None:
    found = document(rustci("init", "--dry-run", "--format", "json", "--diff", cwd=demo))
    assert found["config"]["tests.runner"]["source"] == "detected"
    assert found["jobs"]["test"]["on"] is True
    states = {file["path"]: file["state"] for file in found["files"]}
    assert states[".github/workflows/ci.yml"] == "create"
    assert all(file["diff"].startswith("--- /dev/null") for file in found["files"])
    assert {task["what"] for task in found["todo"]}


def test_json_of_inspect(rustci: Rustci, demo: Path) -> None:
    found = document(rustci("inspect", "--format=json", cwd=demo))
    assert [member["name"] for member in found["project"]["main"]["members"]] == ["demo"]


def test_json_of_an_error(rustci: Rustci, demo: Path) -> None:
    write(demo, {"Cargo.toml": "[package\n"})
    for arguments in (["--format", "json"], ["--format=json"]):
        done = rustci("inspect", *arguments, cwd=demo)
        error = document(done)["error"]
        assert (done.returncode, error["exit_code"], error["code"]) == (2, 2, "project")
        assert (error["line"], done.stderr) == (1, "")
        assert error["path"].endswith("Cargo.toml")
        assert error["hint"]


def test_the_schema_is_json(rustci: Rustci, demo: Path) -> None:
    assert json.loads(rustci("schema", cwd=demo).stdout)["title"] == "rustci.toml"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, rustci: Rustci, demo: Path) -> None:
    done = rustci("completion", shell, cwd=demo)
    assert done.returncode == 0
    assert "_RUSTCI_COMPLETE" in done.stdout


def test_no_colours_without_a_terminal(rustci: Rustci, demo: Path) -> None:
    for more in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"}):
        for arguments in (["inspect"], ["init", "--dry-run", "--diff"], ["init", "--help"]):
            assert "\x1b" not in rustci(*arguments, cwd=demo, **more).stdout


def test_a_closed_pipe_is_no_failure(demo: Path) -> None:
    script = f"{sys.executable} -m rustci init --dry-run --diff --format json | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script],
        cwd=demo,
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "{\n", "")


def test_a_linked_github_folder_is_refused(rustci: Rustci, demo: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (demo / ".github").symlink_to(tmp_path / "outside")
    done = rustci("init", "--yes", cwd=demo)
    assert done.returncode == 2
    assert "link" in done.stderr
    assert not list((tmp_path / "outside").iterdir())


def test_a_closed_tree(demo: Path) -> None:
    assert main(["init", "--yes", "--dry-run", str(demo)]) == 0  # nobody may not import it later
    let_in(demo)
    demo.chmod(0o555)
    try:
        with unprivileged():
            code = main(["init", "--yes", str(demo)])
    finally:
        demo.chmod(stat.S_IRWXU)
    assert code == 4
    assert not (demo / ".github").exists()


def test_a_file_in_place_of_a_folder(rustci: Rustci, demo: Path) -> None:
    write(demo, {".github": "not a folder\n"})
    done = rustci("init", "--yes", cwd=demo)
    assert done.returncode == 2
    assert ".github" in done.stderr


def test_flags_variables_and_file_agree(rustci: Rustci, tmp_path: Path) -> None:
    ways: list[tuple[list[str], dict[str, str], dict[str, str]]] = [
        (["--shards", "3", "--runner", "macos-15", "--runner", "ubuntu-24.04"], {}, {}),
        (["--set", "tests.shards=3", "--set", "platforms.runners=macos-15,ubuntu-24.04"], {}, {}),
        ([], {"RUSTCI_TESTS_SHARDS": "3", "RUSTCI_PLATFORMS_RUNNERS": "macos-15,ubuntu-24.04"}, {}),
        (
            [],
            {},
            {
                ".github/rustci.toml": '[tests]\nshards = 3\n[platforms]\nrunners = ["macos-15", '
                '"ubuntu-24.04"]\n'
            },
        ),
    ]
    texts = set()
    for number, (arguments, variables, files) in enumerate(ways):
        folder = write(tmp_path / str(number) / "demo", CRATE | files)
        assert rustci("init", "--yes", *arguments, cwd=folder, **variables).returncode == 0
        texts.add((folder / ".github/workflows/ci.yml").read_text("utf-8"))
    assert len(texts) == 1
    assert "shard: [1, 2, 3]" in texts.pop()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("arguments", [["pins"], ["init", "--yes", "--dry-run"], ["inspect"]])
def test_a_pipe_that_cannot_take_every_character(
    arguments: list[str], encoding: str, repository: Repository
) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-m", "rustci", *arguments]
    done = subprocess.run(
        command, cwd=repository.root, env=environment, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode(encoding)


def test_json_is_the_same_in_every_encoding(repository: Repository) -> None:
    repository.write("on: push\nname: \u00e9\njobs: {}\n", ".github/workflows/o.yml")
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-m", "rustci", "inspect", "--format", "json"]
    done = subprocess.run(
        command, cwd=repository.root, env=environment, capture_output=True, check=False
    )
    assert done.stdout.isascii()
    names = {w["name"] for w in json.loads(done.stdout)["project"]["repository"]["workflows"]}
    assert "\u00e9" in names
