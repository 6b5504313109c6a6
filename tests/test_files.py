"""The door to the file system: what it refuses to touch, and what it leaves as it was."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from rustci.errors import OutsideError, ProjectError, UsageError
from rustci.files import check_destination, check_spelling, read_bytes, read_text
from rustci.transaction import Write, apply

CI = ".github/workflows/ci.yml"


def create(path: str, text: str = "new\n") -> Write:
    return Write(path=path, text=text, expected=None)


def snapshot(root: Path) -> dict[str, str | bytes | None]:
    """Everything below `root`: the bytes of a file, the target of a link, None for a folder."""
    return {
        str(path.relative_to(root)): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else None
        for path in sorted(root.rglob("*"))
    }


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    return root


BAD_PATHS = [
    "",
    "/etc/passwd",
    "//server/share",
    "../escaped.yml",
    "a/../../escaped.yml",
    ".github/..",
    "./ci.yml",
    "a//ci.yml",
    "folder/",
    "C:/ci.yml",
    "C:ci.yml",
    "ci.yml:stream",
    "..\\escaped.yml",
    "a\\b.yml",
    ".git/hooks/pre-commit",
    "sub/.GIT/config",
    "con",
    "AUX.yml",
    "nul .txt",
    "a/Com1.tar.gz/b",
    "lpt¹",
    "CONIN$",
    "ci.yml.",
    "ci.yml ",
    "folder./ci.yml",
    "what?.yml",
    "a*b",
    "a|b",
    '"a"',
    "nul\0byte",
    "line\nbreak",
    "\x1b[31mred",
    "\u202etxt.yml",
    "zero\u200bwidth",
]


@pytest.mark.parametrize("path", BAD_PATHS, ids=ascii)
def test_a_path_that_is_not_plainly_inside_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_spelling(path)
    assert repr(path) in caught.value.message
    assert caught.value.hint

    root = tmp_path / "repo"
    root.mkdir()
    with pytest.raises(UsageError):
        apply(root, [create(CI), create(path)])
    assert snapshot(tmp_path) == {"repo": None}


@pytest.mark.parametrize(
    "path", [CI, "codecov.yml", ".config/nextest.toml", "console.yml", "a b/c..d", "é/crates.yml"]
)
def test_an_ordinary_path_is_accepted(repo: Path, path: str) -> None:
    assert check_destination(repo, path) == repo.resolve() / path


def test_create_update_and_delete(repo: Path) -> None:
    apply(repo, [create(CI), create("codecov.yml", "a\n"), create("old.yml")])
    apply(
        repo,
        [
            Write(path=CI, text="newer é\r\n", expected=b"new\n"),
            Write(path="old.yml", text=None, expected=b"new\n"),
        ],
    )
    assert snapshot(repo) == {
        ".github": None,
        ".github/workflows": None,
        CI: "newer é\r\n".encode(),
        "codecov.yml": b"a\n",
    }


def test_nothing_to_write_writes_nothing(repo: Path) -> None:
    apply(repo, [])
    assert snapshot(repo) == {}


def test_files_of_the_user_survive(repo: Path) -> None:
    (repo / ".github/workflows").mkdir(parents=True)
    (repo / ".github/workflows/mine.yml").write_text("mine\n")
    (repo / ".github/CODEOWNERS").write_text("* @me\n")
    apply(repo, [create(CI)])
    after = snapshot(repo)
    assert (after[".github/workflows/mine.yml"], after[".github/CODEOWNERS"]) == (
        b"mine\n",
        b"* @me\n",
    )


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_modes_are_kept_and_new_files_follow_the_umask(repo: Path) -> None:
    (repo / "run.sh").write_bytes(b"old\n")
    (repo / "run.sh").chmod(0o751)
    before = os.umask(0o027)
    try:
        apply(repo, [create(CI), Write(path="run.sh", text="new\n", expected=b"old\n")])
    finally:
        os.umask(before)
    modes = {name: stat.S_IMODE((repo / name).stat().st_mode) for name in [CI, "run.sh", ".github"]}
    assert modes == {CI: 0o640, "run.sh": 0o751, ".github": 0o750}


def test_the_repository_itself_may_be_reached_through_a_link(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(repo)
    apply(tmp_path / "link", [create(CI)])
    assert read_text(repo, CI) == "new\n"


def test_the_repository_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a folder"):
        apply(tmp_path / "absent", [create(CI)])


LINKS = {
    "file to outside": (CI, "../../../outside/x", "never replaces"),
    "file to a sibling": (CI, "mine.yml", "never replaces"),
    "file dangling": (CI, "absent", "never replaces"),
    "file to itself": (CI, "ci.yml", "never replaces"),
    "workflows to outside": (".github/workflows", "../../outside", "leaves the repository"),
    "workflows absolute": (".github/workflows", "/tmp", "leaves the repository"),
    "workflows to the root": (".github/workflows", "/", "leaves the repository"),
    "workflows dangling": (".github/workflows", "absent", "leads nowhere"),
    "workflows to itself": (".github/workflows", "workflows", "leads nowhere"),
    ".github to outside": (".github", "../outside", "leaves the repository"),
    ".github to the parent": (".github", "..", "leaves the repository"),
    ".github dangling": (".github", "../absent", "leads nowhere"),
    ".github into git": (".github", ".git/hooks", "git's own folder"),
    ".github to a file": (".github", "Cargo.toml", "a file where a folder must be"),
}


@pytest.mark.parametrize(("place", "to", "problem"), LINKS.values(), ids=LINKS)
def test_a_link_is_never_written_through(
    tmp_path: Path, repo: Path, place: str, to: str, problem: str
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/x").write_text("theirs\n")
    (repo / ".git/hooks").mkdir(parents=True)
    (repo / "Cargo.toml").write_text("[package]\n")
    (repo / place).parent.mkdir(parents=True, exist_ok=True)
    (repo / place).symlink_to(to)
    before = snapshot(tmp_path)

    with pytest.raises(UsageError, match=problem) as caught:
        apply(repo, [create("a.yml"), create(CI)])
    assert str(caught.value.where) == CI
    assert caught.value.hint
    with pytest.raises(UsageError, match=problem):
        read_text(repo, CI)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("absolute", [False, True])
def test_a_folder_may_be_a_link_inside_the_repository(repo: Path, absolute: bool) -> None:
    (repo / "ci/workflows").mkdir(parents=True)
    (repo / ".github").symlink_to(repo / "ci" if absolute else "ci")
    apply(repo, [create(CI)])
    assert (repo / "ci/workflows/ci.yml").read_text() == "new\n"
    assert (repo / ".github").is_symlink()


def test_two_names_of_one_file_are_refused(repo: Path) -> None:
    (repo / "ci").mkdir()
    (repo / ".github").symlink_to("ci")
    for one, other in [
        (".github/a.yml", ".github/a.yml"),
        (".github/a.yml", "ci/a.yml"),
        ("a.yml", "A.yml"),
        ("docs/a.yml", "Docs/a.yml"),
    ]:
        with pytest.raises(UsageError, match="same file"):
            apply(repo, [create(one), create(other)])
    assert snapshot(repo) == {".github": "ci", "ci": None}


def test_what_stands_in_the_way_is_named(repo: Path) -> None:
    (repo / ".github").write_text("a file\n")
    (repo / "codecov.yml").mkdir()
    os.mkfifo(repo / "pipe")
    for path, problem in [
        (CI, "a file where a folder must be"),
        ("codecov.yml", "a folder where a file must be"),
        ("pipe", "not a regular file"),
    ]:
        with pytest.raises(UsageError, match=problem):
            read_bytes(repo, path)
        with pytest.raises(UsageError, match=problem):
            apply(repo, [create("a.yml"), create(path)])
    assert not (repo / "a.yml").exists()


def test_a_name_too_long_for_the_system_is_an_error_of_the_outside(repo: Path) -> None:
    with pytest.raises(OutsideError, match="too long"):
        apply(repo, [create("a.yml"), create("x" * 300)])
    assert snapshot(repo) == {}


@pytest.mark.parametrize(
    ("expected", "found"),
    [(b"old\n", b"edited\n"), (b"old\n", None), (None, b"appeared\n"), (b"a\n", b"a\r\n")],
    ids=["edited", "deleted", "created", "line ends"],
)
def test_a_file_that_changed_meanwhile_is_left_alone(
    repo: Path, expected: bytes | None, found: bytes | None
) -> None:
    if found is not None:
        (repo / "ci.yml").write_bytes(found)
    before = snapshot(repo), repo.stat().st_mtime_ns
    with pytest.raises(OutsideError, match="changed while rustci was running"):
        apply(repo, [create("a.yml"), Write(path="ci.yml", text="new\n", expected=expected)])
    assert (snapshot(repo), repo.stat().st_mtime_ns) == before, "not even a temporary file"


def test_reading(repo: Path) -> None:
    (repo / "ci.yml").write_bytes(b"\xef\xbb\xbfa\r\nb")
    assert read_bytes(repo, "absent/ci.yml") is None
    assert read_text(repo, "absent.yml") is None
    assert read_text(repo, "ci.yml") == "\ufeffa\r\nb"


@pytest.mark.parametrize(
    ("data", "line"), [("a\nb\né".encode("latin-1"), 3), ("name: CI\n".encode("utf-16"), 1)]
)
def test_what_is_no_utf8_has_its_line_named(repo: Path, data: bytes, line: int) -> None:
    (repo / "ci.yml").write_bytes(data)
    with pytest.raises(ProjectError, match="not valid UTF-8") as caught:
        read_text(repo, "ci.yml")
    assert str(caught.value.where) == f"ci.yml:{line}"
