"""From refs to executables: worktrees that always go away, flags that are kept, what is equal."""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath

import pytest

from rustci.bench import builds, worktrees
from rustci.bench.builds import ALIGN, Selection, Target
from rustci.bench.errors import BenchError
from rustci.bench.record import BASE, HEAD
from tests.bench.crates import FILES, MANIFEST, git, repository

ROOT = Path(__file__).parents[2]
needs_cargo = pytest.mark.skipif(shutil.which("cargo") is None, reason="cargo is missing")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a repository with one text in it."""
    repository(tmp_path / "project", {"a.txt": "a\n"})
    return tmp_path / "project"


def test_worktrees_are_detached_equally_long_and_removed(project: Path, tmp_path: Path) -> None:
    sha = git(project, "rev-parse", "HEAD")

    with worktrees.checked_out(project, {BASE: sha, HEAD: sha}, tmp_path / "work") as trees:
        assert len(str(trees[BASE])) == len(str(trees[HEAD]))
        assert (trees[BASE] / "a.txt").read_text("utf-8") == "a\n"
        assert git(trees[HEAD], "branch", "--show-current") == ""

    assert not any((tmp_path / "work").iterdir())
    assert git(project, "worktree", "list").count("\n") == 0
    assert git(project, "for-each-ref").count("\n") == 0


def test_worktrees_are_removed_when_something_fails(project: Path, tmp_path: Path) -> None:
    sha = git(project, "rev-parse", "HEAD")

    with (
        pytest.raises(KeyboardInterrupt),
        worktrees.checked_out(project, {BASE: sha}, tmp_path / "w"),
    ):
        raise KeyboardInterrupt

    assert git(project, "worktree", "list").count("\n") == 0


def test_what_a_killed_run_left_behind_does_not_matter(project: Path, tmp_path: Path) -> None:
    sha = git(project, "rev-parse", "HEAD")
    git(project, "worktree", "add", "--quiet", "--detach", str(tmp_path / "w" / BASE), sha)

    with worktrees.checked_out(project, {BASE: sha}, tmp_path / "w") as trees:
        assert (trees[BASE] / "a.txt").exists()

    assert git(project, "worktree", "list").count("\n") == 0


@pytest.mark.skipif(os.name == "nt", reason="hooks are shell scripts")
def test_hooks_of_the_repository_do_not_run(project: Path, tmp_path: Path) -> None:
    hook = project / ".git" / "hooks" / "post-checkout"
    hook.write_text("#!/bin/sh\nexit 9\n", "utf-8")
    hook.chmod(0o755)
    sha = git(project, "rev-parse", "HEAD")

    with worktrees.checked_out(project, {BASE: sha}, tmp_path / "w") as trees:
        assert (trees[BASE] / "a.txt").exists()


@pytest.mark.parametrize("ref", ["no-such-branch", "HEAD^1", "a" * 40, "HEAD:a.txt", "", "-x"])
def test_a_ref_that_is_not_here_is_told_with_the_way_to_fetch_it(project: Path, ref: str) -> None:
    with pytest.raises(BenchError, match="names no commit") as caught:
        worktrees.commit(project, ref)
    assert "git fetch" in caught.value.todo


def test_refs_are_peeled_to_commits(project: Path) -> None:
    git(project, "tag", "--annotate", "--message", "one", "v1")

    assert worktrees.commit(project, "v1") == git(project, "rev-parse", "HEAD")


def test_outside_of_git_it_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="not in a git repository"):
        worktrees.commit(tmp_path, "HEAD")


def target(tmp_path: Path, source: str = "benches/speed.rs", content: bytes = b"") -> Target:
    executable = tmp_path / "exe"
    executable.write_bytes(content)
    return Target("pkg", "speed", executable=executable, folder=tmp_path, source=source)


@pytest.mark.parametrize(
    ("file", "source", "belongs"),
    [
        ("benches/speed.rs", "benches/speed.rs", True),
        ("benches/common/mod.rs", "benches/speed.rs", True),
        ("benches/other.rs", "benches/speed.rs", False),
        ("benches/dir/main.rs", "benches/speed.rs", False),
        ("benches/dir/deep.rs", "benches/speed.rs", False),
        ("benches/dir/deep.rs", "benches/dir/main.rs", True),
        ("src/lib.rs", "benches/speed.rs", False),
        ("README.md", "speed.rs", False),
        ("src/lib.rs", "src/speed.rs", False),
    ],
)
def test_the_sources_of_a_benchmark_are_its_own_and_what_it_shares(
    tmp_path: Path, file: str, source: str, *, belongs: bool
) -> None:
    sources = {"benches/speed.rs", "benches/other.rs", "benches/dir/main.rs"}

    found = builds._is_source(PurePosixPath(file), target(tmp_path, source), sources)

    assert found is belongs


@pytest.mark.parametrize(
    ("file", "read"),
    [
        ("fixtures/input.bin", True),
        ("input.json", True),
        ("src/parser.rs", False),
        ("Cargo.lock", False),
        ("README.md", False),
        ("docs/a.b", False),
    ],
)
def test_files_that_a_benchmark_may_read_are_recognised(file: str, *, read: bool) -> None:
    executable = b"\0src/parser.rs input.json a.b\0"

    found = builds._is_fixture(PurePosixPath(file), PurePosixPath(), executable)

    assert found is read


def test_a_worktrees_name_and_the_linkers_hash_of_it_are_no_difference(tmp_path: Path) -> None:
    note = b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0"
    for side, last in ((BASE, b"1"), (HEAD, b"2")):
        folder = tmp_path / side
        folder.mkdir()
        content = b"code " + os.fsencode(folder) + b"/src " + note + last * 20
        (folder / "exe").write_bytes(content)

    first, second = (
        builds._digest(tmp_path / side / "exe", tmp_path / side) for side in (BASE, HEAD)
    )
    (tmp_path / HEAD / "exe").write_bytes(b"other code")

    assert first == second
    assert builds._digest(tmp_path / HEAD / "exe", tmp_path / HEAD) != second


@needs_cargo
@pytest.mark.parametrize(
    ("variables", "config", "told"),
    [
        ({"RUSTFLAGS": "--cfg from_env"}, "", ("--cfg", "from_env")),
        ({}, '[build]\nrustflags = ["--cfg", "from_build"]\n', ("--cfg", "from_build")),
        (
            {},
            """
            [target."cfg(not(windows))"]
            rustflags = "--cfg from_target"
            [build]
            rustflags = ["--cfg", "ignored"]
            """,
            ("--cfg", "from_target"),
        ),
        ({"RUSTFLAGS": " ".join(ALIGN)}, "", ()),
    ],
)
def test_the_flags_in_force_are_extended_and_never_dropped(
    tmp_path: Path, variables: dict[str, str], config: str, told: tuple[str, ...]
) -> None:
    folder = tmp_path / "project"
    (folder / ".cargo").mkdir(parents=True)
    (folder / ".cargo" / "config.toml").write_text(config, "utf-8")
    clean = {k: v for k, v in os.environ.items() if "RUSTFLAGS" not in k}

    flags = builds.aligned_flags(tmp_path / "probe", folder, {**clean, **variables})

    assert flags == (*told, *ALIGN)


@needs_cargo
def test_where_cargo_fails_no_flag_is_touched(tmp_path: Path) -> None:
    (tmp_path / ".cargo").mkdir()
    (tmp_path / ".cargo" / "config.toml").write_text("[build\n", "utf-8")

    assert builds.aligned_flags(tmp_path / "probe", tmp_path, os.environ) is None


def tree(folder: Path, files: dict[str, str]) -> builds.Tree:
    repository(folder, files)
    return builds.Tree(HEAD, "a" * 40, folder, folder, dict(os.environ))


@needs_cargo
@pytest.mark.parametrize("harness", ["divan", "gungraun", "iai-callgrind", "tango-bench"])
def test_a_harness_that_cannot_be_gated_is_told_with_the_reason(
    tmp_path: Path, harness: str
) -> None:
    manifest = MANIFEST.replace("criterion = {", f"{harness} = {{")
    files = {
        **FILES,
        "Cargo.toml": manifest,
        "criterion/Cargo.toml": FILES["criterion/Cargo.toml"].replace("criterion", harness),
    }

    with pytest.raises(BenchError, match=harness.partition("-")[0]) as caught:
        builds.chosen_benches(tree(tmp_path / "p", files), Selection(), builds.CRITERION)

    assert "no bench target can be gated" in caught.value.what
    assert "tiny/speed: " in caught.value.what


@needs_cargo
@pytest.mark.parametrize(
    ("selection", "message", "todo"),
    [
        (Selection(packages=("tini",)), "no package `tini`", "Did you mean `tiny`?"),
        (Selection(benches=("zzz",)), "no bench target `zzz`", "There are: speed."),
    ],
)
def test_a_selection_of_what_is_not_there_names_the_nearest(
    tmp_path: Path, selection: Selection, message: str, todo: str
) -> None:
    with pytest.raises(BenchError, match=message) as caught:
        builds.chosen_benches(tree(tmp_path / "p", dict(FILES)), selection, builds.CRITERION)
    assert caught.value.todo == todo


@needs_cargo
def test_no_bench_target_at_all_is_told(tmp_path: Path) -> None:
    files = {"Cargo.toml": MANIFEST.partition("[dev")[0] + "[workspace]\n", "src/lib.rs": ""}

    with pytest.raises(BenchError, match="there is no bench target"):
        builds.chosen_benches(tree(tmp_path / "p", files), Selection(), builds.CRITERION)


@needs_cargo
def test_each_bench_target_of_a_mixed_package_is_told_apart_by_its_source(tmp_path: Path) -> None:
    manifest = MANIFEST.replace(
        "[workspace]", '[[bench]]\nname = "tree"\nharness = false\n[workspace]'
    ).replace("[[bench]]", 'divan = { path = "divan" }\n[[bench]]', 1)
    divan = FILES["criterion/Cargo.toml"].replace("criterion", "divan")
    files = {
        **FILES,
        "Cargo.toml": manifest,
        "divan/Cargo.toml": divan,
        "divan/src/lib.rs": "",
        "benches/tree.rs": "fn main() { divan::main(); }",
    }

    chosen, skipped = builds.chosen_benches(
        tree(tmp_path / "p", files), Selection(), builds.CRITERION
    )

    assert list(chosen) == [("tiny", "speed")]
    assert chosen["tiny", "speed"].version == (0, 7, 0)
    assert "divan" in skipped["tiny", "tree"]
