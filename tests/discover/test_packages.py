"""The facts of packages that Cargo does not print, and what their sources say."""

from __future__ import annotations

from pathlib import Path

import pytest

from rustci.discover import read_project, source
from rustci.project import Package, Project, Source, TargetKind
from tests.discover.conftest import Write


def package(project: Project, name: str) -> Package:
    workspaces = (project.main, *project.others)
    return next(p for workspace in workspaces for p in workspace.members if p.name == name)


def scanned(crate: Path, text: str, write: Write) -> Source:
    write("src/lib.rs", text)
    return read_project(crate).packages[0].source


def test_benchmarks_know_their_harness(projects: Path) -> None:
    project = read_project(projects / "benchmarks")
    harness = {target.name: target.harness for _, target in project.targets(TargetKind.BENCH)}
    assert harness == {"sum": False, "vector": False, "unstable": True, "all": False}
    assert not package(project, "bench-suite").targets[0].bench
    assert "codspeed-criterion-compat" in project.dependency_names()


def test_tests_know_their_harness(projects: Path) -> None:
    targets = read_project(projects / "declared-targets").packages[0].of_kind(TargetKind.TEST)
    assert [(target.name, target.harness) for target in targets] == [("off", True), ("ui", False)]


def test_lints_come_from_the_workspace(projects: Path) -> None:
    project = read_project(projects / "inheritance")
    assert package(project, "a").lints_workspace
    assert not package(project, "b").lints_workspace


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("virtual", "1"),
        ("single", "2"),
        ("edition-2015", "1"),
        ("toml-1-1", "3"),
        ("inheritance", "3"),
    ],
)
def test_resolver(name: str, expected: str, projects: Path) -> None:
    assert read_project(projects / name).main.resolver == expected


def test_workspaces_of_one_repository(projects: Path) -> None:
    project = read_project(projects / "several")
    shapes = [(str(w.directory), w.virtual, w.explicit) for w in (project.main, *project.others)]
    assert shapes == [
        (".", False, True),
        ("ci/check", False, False),
        ("examples", True, True),
        ("fuzz", False, True),
        ("product_bench", False, False),
    ]


def test_single_crate_source(projects: Path) -> None:
    assert read_project(projects / "single").packages[0].source == Source(
        has_tests=True, has_doctests=True, ignored_tests=2
    )


def test_no_std(projects: Path) -> None:
    found = {p.name: p.source.no_std for p in read_project(projects / "no-std").packages}
    assert found == {
        "always": "always",
        "by-feature": "conditional",
        "extern-std": "conditional",
        "only-tests": "always",
        "needs-std": None,
    }


def test_operating_systems(projects: Path) -> None:
    project = read_project(projects / "systems")
    portable, tool = package(project, "portable").source, package(project, "unix-tool").source
    assert portable.os_specific == ("linux", "macos", "unix", "windows")
    assert (portable.unix_only, tool.unix_only, tool.os_specific) == (False, True, ())


def test_servers_are_binaries_that_bind(projects: Path) -> None:
    project = read_project(projects / "systems")
    assert [p.name for p in project.packages if p.source.server] == ["server"]


def test_exclusive_features(projects: Path) -> None:
    found = read_project(projects / "features").packages[0]
    assert found.source.exclusive_features == (("async-std", "tokio"),)
    assert not found.source.needs_nightly


def test_nightly(projects: Path) -> None:
    assert read_project(projects / "toolchain-nightly").packages[0].source.needs_nightly


@pytest.mark.parametrize(
    "text",
    [
        "pub fn f() { unsafe { g() } }",
        "unsafe impl Send for X {}",
        "pub unsafe fn f() {}",
        'unsafe extern "C" { fn f(); }',
        "fn f<'a>(x: &'a u8) -> char { '\"' } pub unsafe fn g() {}",
    ],
)
def test_unsafe_code(text: str, crate: Path, write: Write) -> None:
    assert scanned(crate, text, write).uses_unsafe


@pytest.mark.parametrize(
    "text",
    [
        "// unsafe { }",
        "/* unsafe { }\n */",
        'const T: &str = "unsafe { }";',
        'const T: &str = r##"" unsafe { } "# "##;',
        "#![forbid(unsafe_code)]",
        "fn my_unsafe() {}",
    ],
)
def test_no_unsafe_code(text: str, crate: Path, write: Write) -> None:
    assert not scanned(crate, text, write).uses_unsafe


@pytest.mark.parametrize(
    ("fence", "expected"),
    [
        ("", True),
        ("rust", True),
        ("no_run", True),
        ("should_panic,edition2021", True),
        ("ignore", False),
        ("text", False),
        ("toml", False),
        ("console", False),
    ],
)
def test_doctests(fence: str, expected: bool, crate: Path, write: Write) -> None:
    text = f"/// ```{fence}\n/// let x = 1;\n/// ```\npub fn f() {{}}\n"
    assert scanned(crate, text, write).has_doctests is expected


def test_a_closing_fence_opens_nothing(crate: Path, write: Write) -> None:
    text = "/// ```text\n/// words\n/// ```\npub fn f() {}\n"
    assert not scanned(crate, text, write).has_doctests


def test_doctests_of_an_included_readme(crate: Path, write: Write) -> None:
    write("README.md", "# Demo\n\n```rust\ndemo::one();\n```\n")
    assert scanned(crate, '#![doc = include_str!("../README.md")]\n', write).has_doctests


def test_a_nested_package_is_not_scanned_with_its_parent(crate: Path, write: Write) -> None:
    write("src/vendored/Cargo.toml", "[package]\nname = 'vendored'\n")
    write("src/vendored/lib.rs", "pub unsafe fn f() {}")
    assert not read_project(crate).packages[0].source.uses_unsafe


def test_source_beyond_the_limit_is_left_unread(
    crate: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "MAX_BYTES", 10)
    write("src/more.rs", "unsafe fn f() {}")
    project = read_project(crate)
    assert not project.packages[0].source.uses_unsafe
    assert any("1 Rust files were not read" in note for note in project.notes)
