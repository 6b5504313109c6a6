"""Which folder is the repository, and which workspace its main one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from rustci.discover import read_project
from rustci.errors import DecisionNeeded, ProjectError
from tests.discover.conftest import Write
from tests.rights import let_in, unprivileged

Package = Callable[..., Path]

PACKAGE = '[package]\nname = "{}"\nversion = "0.1.0"\nedition = "2021"\n'


@pytest.fixture
def package(write: Write) -> Package:
    def write_package(directory: str, more: str = "") -> Path:
        write(f"{directory}/src/lib.rs", "")
        name = directory.replace("/", "-") if directory != "." else "top"
        return write(f"{directory}/Cargo.toml", PACKAGE.format(name) + more)

    return write_package


def test_git_root_is_found_upward(crate: Path, write: Write) -> None:
    write(".git/HEAD", "ref: refs/heads/main\n")
    project = read_project(crate / "src")
    assert (project.root, project.main.directory) == (crate, PurePosixPath("."))


def test_folder_without_git_is_its_own_root(crate: Path, package: Package) -> None:
    package("inner")
    assert read_project(crate / "inner").root == crate / "inner"


def test_workspace_pointed_at_is_the_main_one(
    tmp_path: Path, write: Write, package: Package
) -> None:
    write(".git/HEAD", "ref: refs/heads/main\n")
    package(".", '[workspace]\nexclude = ["fuzz"]\n')
    package("fuzz")
    project = read_project(tmp_path / "fuzz" / "src")
    assert project.main.directory == PurePosixPath("fuzz")
    assert [workspace.directory for workspace in project.others] == [PurePosixPath(".")]


def test_only_package_in_a_sub_folder_is_the_main_one(projects: Path) -> None:
    project = read_project(projects / "sub-folder")
    assert project.main.directory == PurePosixPath("rust")
    assert project.toolchain is not None
    assert project.toolchain.path == PurePosixPath("rust/rust-toolchain.toml")


def test_fuzz_and_examples_do_not_count_as_candidates(tmp_path: Path, package: Package) -> None:
    for directory in ("core", "fuzz", "examples/one"):
        package(directory)
    assert read_project(tmp_path).main.directory == PurePosixPath("core")


def test_several_candidates_need_a_decision(tmp_path: Path, package: Package) -> None:
    package("bindings/node")
    package("engine")
    with pytest.raises(DecisionNeeded, match="bindings/node, engine") as caught:
        read_project(tmp_path)
    assert caught.value.hint == "choose one: --set workflows.directory=bindings/node"
    chosen = read_project(tmp_path, PurePosixPath("engine"))
    assert chosen.main.directory == PurePosixPath("engine")


def test_directory_of_a_member_means_its_workspace(projects: Path) -> None:
    project = read_project(projects / "virtual", PurePosixPath("apps/cli"))
    assert project.main.directory == PurePosixPath(".")


@pytest.mark.parametrize("directory", ["absent", "..", "/etc"])
def test_directory_without_a_manifest(directory: str, crate: Path) -> None:
    with pytest.raises(ProjectError, match=r"no Cargo\.toml in"):
        read_project(crate, PurePosixPath(directory))


def test_no_rust_project(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"no Cargo\.toml in") as caught:
        read_project(tmp_path)
    assert caught.value.hint is not None


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no such folder"):
        read_project(tmp_path / "absent")


def test_strays_become_notes(projects: Path) -> None:
    project = read_project(projects / "strays")
    assert [str(w.directory) for w in (project.main, *project.others)] == ["."]
    assert len(project.notes) == 3
    assert project.notes[0].startswith("2 Cargo.toml in folders of test data")
    assert project.notes[1].startswith("notes/Cargo.toml is left out: the manifest has neither")
    assert project.notes[2].startswith("syntax/Cargo.toml is left out: not valid TOML")


def test_caches_are_not_walked(tmp_path: Path, crate: Path, package: Package, write: Write) -> None:
    for directory in ("out/package", "node_modules/thing", ".hidden/thing"):
        package(directory)
    write("out/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55")
    assert read_project(crate).others == ()


def test_a_member_may_lie_in_a_hidden_folder(tmp_path: Path, package: Package) -> None:
    package(".", '[workspace]\nmembers = [".hidden/crate"]\n')
    (tmp_path / ".hidden/crate/src").mkdir(parents=True)
    (tmp_path / ".hidden/crate/src/lib.rs").touch()
    (tmp_path / ".hidden/crate/Cargo.toml").write_text(PACKAGE.format("hidden"))
    assert [p.name for p in read_project(tmp_path).packages] == ["hidden", "top"]


def test_links_to_folders_are_not_followed(crate: Path) -> None:
    (crate / "loop").symlink_to(crate)
    (crate / "outside").symlink_to("/")
    assert read_project(crate).others == ()


def test_path_dependencies_in_a_circle_end(projects: Path) -> None:
    names = [package.name for package in read_project(projects / "implicit-members").packages]
    assert names == ["deep", "gen", "middle", "only-dev", "top"]


def test_lockfile(projects: Path) -> None:
    main = read_project(projects / "single").main
    assert main.lockfile
    assert main.locked_packages == {"serde", "single-crate"}
    assert main.locked_versions["serde"] == ("1.0.200",)
    assert not read_project(projects / "virtual").main.lockfile


@pytest.mark.parametrize(
    ("patterns", "committed"),
    [
        ("Cargo.lock", False),
        ("/Cargo.lock", False),
        ("**/Cargo.lock", False),
        ("*.lock", False),
        ("Cargo.lock\n!Cargo.lock", True),
        ("!/Cargo.lock", True),
        ("target\n# Cargo.lock", True),
        ("Cargo.lock/", True),
        ("other/Cargo.lock", True),
    ],
)
def test_ignored_lockfile(patterns: str, committed: bool, crate: Path, write: Write) -> None:
    write("Cargo.lock", "version = 4\n")
    write(".git/HEAD", "ref: refs/heads/main\n")
    write(".gitignore", patterns + "\n")
    assert read_project(crate).main.lockfile is committed


def test_lockfile_ignored_by_info_exclude(crate: Path, write: Write) -> None:
    write("Cargo.lock", "version = 4\n")
    write(".git/HEAD", "ref: refs/heads/main\n")
    write(".git/info/exclude", "Cargo.lock\n")
    assert not read_project(crate).main.lockfile


def test_file_of_a_closed_folder_is_an_error(crate: Path) -> None:
    let_in(crate)
    (crate / "Cargo.toml").chmod(0)
    with (
        unprivileged(),
        pytest.raises(ProjectError, match="cannot be read: Permission denied"),
    ):
        read_project(crate)
