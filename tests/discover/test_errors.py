"""A broken project is an error with file, line and a way out; never a traceback."""

from __future__ import annotations

import ast
import os
import stat
from pathlib import Path

import pytest

import rustci.discover
from rustci.discover import read_project
from rustci.errors import ProjectError
from tests.discover.conftest import Write

HEAD = '[package]\nname = "demo"\nversion = "0.1.0"\nedition = "2021"\n'


@pytest.mark.parametrize(
    ("manifest", "line", "message"),
    [
        ("[package\nname = 1\n", ":1:9", "not valid TOML"),
        ("[package]\nversion = '1.0.0'\n", ":1", "has no `name`"),
        ("[package]\nname = 'a b'\n", ":2", "'a b' is no package name"),
        ("[package]\nname = 3\n", ":2", "`package.name` must be a string, not `3`"),
        ("[package]\nname = 'x'\nedition = 2021\n", ":3", "`package.edition` must be a string"),
        ("package = 'x'\n", ":1", "`package` must be a table, not a string"),
        (HEAD + "rust-version = 'new'\n", ":5", "'new' is no Rust version"),
        (HEAD + "version.workspace = true\n", None, "not valid TOML"),
        (HEAD + "publish = { workspace = true }\n", ":5", "does not set it"),
        (HEAD + "[dependencies]\na = { workspace = true }\n", ":6", "no such dependency"),
        (HEAD + "[dependencies]\na = {}\n", ":6", "names no version, path or git"),
        (HEAD + "[dependencies]\na = 1\n", ":6", "must be a version or a table"),
        (
            HEAD + "[dependencies]\na = { path = 'gone' }\n[workspace]\n",
            None,
            "`gone` has no Cargo",
        ),
        (HEAD + "[features]\na = 'b'\n", ":6", "`features.a` must be a list"),
        (HEAD + "[features]\n'a b' = []\n", None, "'a b' is no feature name"),
        (HEAD + "[[bin]]\npath = 'x.rs'\n", ":5", "has no `name`"),
        (HEAD + "[[bin]]\nname = 'gone'\n", None, "bin `gone` has no file"),
        (HEAD + "[bin]\nname = 'x'\n", ":5", "`bin` must be a list"),
        (HEAD + "workspace = 'gone'\n", ":5", "is no workspace root"),
        ("[workspace]\nmembers = ['gone']\n", ":2", "workspace member `gone` has no Cargo.toml"),
        ("[workspace]\nmembers = ['src']\n", ":2", "workspace member `src` has no Cargo.toml"),
        ("[workspace]\nmembers = [1]\n", ":2", "must hold strings only"),
        ("[other]\n", None, "neither \\[package\\] nor \\[workspace\\]"),
        ("x = " + "[" * 100_000, None, "nested too deeply"),
    ],
)
def test_broken_manifest(
    manifest: str, line: str | None, message: str, crate: Path, write: Write
) -> None:
    path = write("Cargo.toml", manifest)
    with pytest.raises(ProjectError, match=message) as caught:
        read_project(crate)
    assert caught.value.hint
    assert str(caught.value.where).startswith(str(path))
    if line is not None:
        assert str(caught.value.where) == f"{path}{line}"


def test_member_without_package(crate: Path, write: Write) -> None:
    write("Cargo.toml", "[workspace]\nmembers = ['a']\n")
    path = write("a/Cargo.toml", "[workspace]\n")
    with pytest.raises(ProjectError, match="two workspace roots") as caught:
        read_project(crate)
    assert str(caught.value.where) == f"{path}:1"


def test_two_members_of_one_name(crate: Path, write: Write) -> None:
    write("Cargo.toml", HEAD + "[workspace]\nmembers = ['a']\n")
    write("a/Cargo.toml", HEAD)
    write("a/src/lib.rs", "")
    with pytest.raises(ProjectError, match="two members are named `demo`"):
        read_project(crate)


def test_package_without_target(crate: Path) -> None:
    (crate / "src/lib.rs").unlink()
    with pytest.raises(ProjectError, match="package `demo` has no target"):
        read_project(crate)


def test_manifest_in_another_encoding(crate: Path) -> None:
    (crate / "Cargo.toml").write_bytes((HEAD + "# caf\xe9\n").encode("latin-1"))
    with pytest.raises(ProjectError, match="not UTF-8: byte 0xe9") as caught:
        read_project(crate)
    assert str(caught.value.where) == f"{crate / 'Cargo.toml'}:5"


def test_manifest_with_a_byte_order_mark(crate: Path) -> None:
    (crate / "Cargo.toml").write_bytes(b"\xef\xbb\xbf" + HEAD.encode())
    assert read_project(crate).packages[0].name == "demo"


def test_source_in_another_encoding_is_read_all_the_same(crate: Path) -> None:
    (crate / "src/lib.rs").write_bytes("// caf\xe9\nunsafe fn f() {}\n".encode("latin-1"))
    assert read_project(crate).packages[0].source.uses_unsafe


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that exists once any of the canary programs has run."""
    folder = tmp_path / "canaries"
    folder.mkdir()
    trace = tmp_path / "ran"
    for name in ("cargo", "rustc", "rustup", "rustfmt", "git", "just", "make", "sh", "wrapper"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho {name} >> '{trace}'\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return trace


def test_nothing_of_the_repository_runs(
    crate: Path, write: Write, canary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapper = canary.parent / "canaries" / "wrapper"
    write(
        ".cargo/config.toml",
        f'[build]\nrustc = "{wrapper}"\nrustc-wrapper = "{wrapper}"\n'
        f'rustc-workspace-wrapper = "{wrapper}"\n[alias]\nmetadata = "run"\n',
    )
    write("build.rs", f'fn main() {{ std::fs::write("{canary}", "").unwrap() }}\n')
    write("justfile", f"x := `touch {canary}`\n\nall:\n    cargo test\n")
    write(".github/workflows/ci.yml", "jobs: {a: {steps: [{run: just all}]}}\n")
    monkeypatch.chdir(crate)
    assert read_project(Path()).packages[0].name == "demo"
    assert not canary.exists()
    write("rust-toolchain.toml", f'[toolchain]\npath = "{canary.parent / "canaries"}"\n')
    with pytest.raises(ProjectError):
        read_project(crate)
    assert not canary.exists()


def test_no_module_can_start_a_process() -> None:
    """Nor any that it imports from rustci."""
    package = Path(rustci.discover.__file__).parent
    for path in (*package.glob("*.py"), package.parent / "yamlio.py", package.parent / "tomlio.py"):
        names = {
            name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for name in [getattr(node, "module", None), *(alias.name for alias in node.names)]
        }
        assert names.isdisjoint({"subprocess", "pty", "multiprocessing", "system", "popen"}), path


@pytest.mark.parametrize("name", ["$(id)", "${{ github.token }}", "a b", "-Z"])
def test_hostile_target_names_are_plain_data(name: str, crate: Path, write: Write) -> None:
    write(f"examples/{name}.rs", "fn main() {}\n")
    assert name in {target.name for target in read_project(crate).packages[0].targets}
