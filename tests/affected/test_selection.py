"""What affects everything, what one package, and what the jobs are told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from rustci.affected.selection import Change, Package, Workspace, select
from tests.affected.repository import commit, git, merged, outputs
from tests.strategies import copied

CORE = Package("core", "core/", build_script="core/build.rs")
USER = Package("user", "user/", needs=frozenset({"core/"}), build_script="user/build.rs")
TESTER = Package("tester", "tester/", tested_with=frozenset({"user/"}))
CLIENT = Package("client", "client/", needs=frozenset({"tester/"}), reads=frozenset({"schemas/a"}))
WORKSPACE = Workspace((CORE, USER, TESTER, CLIENT), foreign=frozenset({"examples/one/"}))
EXTRAS = (("docs/", ()), ("schemas/", ("core",)), ("user/api", ("client",)))


@pytest.mark.parametrize(
    ("path", "affected"),
    [
        ("core/src/lib.rs", {"core", "user", "tester"}),
        ("user/src/lib.rs", {"user", "tester"}),
        ("user/build.rs", None),  # the tests of `tester` are built with it
        ("tester/src/lib.rs", {"tester", "client"}),
        ("client/data.json", {"client"}),
        ("docs/index.md", set()),
        ("schemas/b", {"core", "user", "tester"}),
        ("schemas/a", {"core", "user", "tester", "client"}),
        ("user/api/x", {"user", "tester", "client"}),
        ("README.md", set()),
        ("LICENSE-MIT", set()),
        ("schemas/a/notes.md", {"core", "user", "tester", "client"}),
        ("core/README.md", {"core", "user", "tester"}),
        ("deny.toml", set()),
        (".github/ISSUE_TEMPLATE/bug.yml", set()),
        ("examples/one/src/main.rs", set()),
        ("examples/one/README.md", set()),
        ("examples/two/src/main.rs", None),
        ("justfile", None),
        ("clippy.toml", None),
        ("Cargo.toml", None),
        ("Cargo.lock", None),
        ("core/Cargo.toml", None),
        ("core/tests/fixture/Cargo.toml", {"core", "user", "tester"}),
        (".cargo/config.toml", None),
        (".github/workflows/ci.yml", None),
        ("rust-toolchain.toml", None),
        ("core/build.rs", None),
    ],
)
def test_a_path_affects(path: str, affected: set[str] | None) -> None:
    selection = select([Change(path)], WORKSPACE, EXTRAS)
    assert bool(selection.everything) == (affected is None)
    assert set(selection.reasons) == (affected or set())


def test_a_manifest_that_is_gone_affects_everything() -> None:
    assert select([Change("core/old/Cargo.toml", deleted=True)], WORKSPACE).everything


def test_a_package_that_patches_the_registry_affects_everything() -> None:
    patched = Workspace(WORKSPACE.packages, shared=frozenset({"client/"}))
    assert select([Change("client/src/lib.rs")], patched).everything


@pytest.mark.parametrize("path", ["README.md", "examples/one/data.json"])
def test_what_a_package_at_the_root_can_name_without_leaving_it_is_its_own(path: str) -> None:
    root = Package("root", "", owned=("src/",))
    client = Package("client", "client/", needs=frozenset({""}))
    workspace = Workspace((root, client, CORE), foreign=frozenset({"examples/one/"}))
    assert set(select([Change(path)], workspace).reasons) == {"root", "client"}


def test_what_the_tests_start_is_built_beside_them() -> None:
    starts = frozenset({"core/"})
    starter = Package("starter", "starter/", tested_with=starts, starts=starts)
    workspace = Workspace((CORE, starter))
    assert set(select([Change("starter/src/main.rs")], workspace).reasons) == {"core", "starter"}
    assert set(select([Change("core/src/main.rs")], workspace).reasons) == {"core", "starter"}


@pytest.fixture
def family(tmp_path: Path) -> Path:
    root = copied("family", tmp_path)
    git(root, "init", "--quiet", "--initial-branch=main")
    base = commit(root)
    (root / "report/src/lib.rs").write_text("//! Changed.\n", "utf-8")
    commit(root)
    merged(root, base)
    return root


def told(family: Path, **environment: str) -> tuple[Mapping[str, str], str]:
    return outputs(family, family.parent, environment)


def test_the_jobs_are_told_what_to_take(family: Path) -> None:
    flags, text = told(family)
    assert flags == {"packages": "--package=report", "doctests": "--package=report"}
    assert "| `report` | `report/src/lib.rs` changed |" in text


PATCHED = '[patch.crates-io]\nleft = { path = "vendor/left" }\n'
SOURCES = '[source.vendored]\ndirectory = "vendor"\n'


@pytest.mark.parametrize(
    ("manifest", "config", "all_of_it"),
    [("", "", False), (PATCHED, "", True), ("", SOURCES, True)],
)
def test_a_package_outside_of_the_workspace_is_nobodys_unless_it_replaces_one(
    manifest: str, config: str, *, all_of_it: bool, family: Path
) -> None:
    git(family, "reset", "--quiet", "--hard", "HEAD^1")
    left = family / "vendor" / "left"
    (left / "src").mkdir(parents=True)
    (left / "Cargo.toml").write_text('[package]\nname = "left"\n[workspace]\n', "utf-8")
    (family / ".cargo").mkdir()
    (family / ".cargo" / "config.toml").write_text(config, "utf-8")
    with (family / "Cargo.toml").open("a", encoding="utf-8") as file:
        file.write(manifest)
    base = commit(family)
    (left / "src" / "lib.rs").write_text("//! Changed.\n", "utf-8")
    commit(family)
    merged(family, base)
    expected = "--workspace" if all_of_it else "none"
    assert told(family)[0]["packages"] == expected


def test_a_link_that_no_package_owns_is_followed(family: Path) -> None:
    git(family, "reset", "--quiet", "--hard", "HEAD^1")
    (family / "README.md").unlink(missing_ok=True)
    (family / "README.md").symlink_to("report/README.md")
    (family / "report/README.md").write_text("Report.\n", "utf-8")
    library = family / "count/src/lib.rs"
    named = '#![doc = include_str!("../../README.md")]\n'
    library.write_text(named + library.read_text("utf-8"), "utf-8")
    base = commit(family)
    (family / "report/README.md").write_text("Changed.\n", "utf-8")
    commit(family)
    merged(family, base)
    assert "--package=count" in told(family)[0]["packages"].split()


@pytest.mark.parametrize("event", ["push", "merge_group", "schedule", "workflow_dispatch"])
def test_only_pull_requests_take_less(event: str, family: Path) -> None:
    assert told(family, GITHUB_EVENT_NAME=event)[0]["packages"] == "--workspace"


def test_a_label_takes_everything(family: Path) -> None:
    event = family.parent / "event.json"
    event.write_text(json.dumps({"pull_request": {"labels": [{"name": "ci:full"}]}}), "utf-8")
    assert told(family, GITHUB_EVENT_PATH=str(event))[0]["packages"] == "--workspace"


@pytest.mark.parametrize(
    "broken",
    ["no merge", "no base", "no cargo", "bad manifest", "bad event", "bad paths"],
)
def test_whatever_goes_wrong_takes_everything(broken: str, family: Path) -> None:
    environment = {}
    if broken == "no merge":
        commit(family)
    elif broken == "no base":
        shallow = family.parent / "shallow"
        git(family, "clone", "--quiet", "--depth=1", family.as_uri(), str(shallow))
        family = shallow
    elif broken == "no cargo":
        (family.parent / "bin").mkdir()
        (family.parent / "bin" / "cargo").write_text("#!/bin/sh\nexit 1\n", "utf-8")
        (family.parent / "bin" / "cargo").chmod(0o755)
        environment = {"PATH": f"{family.parent / 'bin'}:/usr/bin:/bin"}
    elif broken == "bad manifest":
        (family / "count/Cargo.toml").write_text("[package", "utf-8")
    elif broken == "bad event":
        (family.parent / "event.json").write_text("{", "utf-8")
        environment = {"GITHUB_EVENT_PATH": str(family.parent / "event.json")}
    else:
        environment = {"AFFECTED_PATHS": "docs"}
    flags, text = told(family, **environment)
    assert flags == {"packages": "--workspace", "doctests": "--workspace"}
    assert "::warning::" in text
