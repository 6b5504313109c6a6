"""Which workspaces a repository has, and which of them the workflows are for."""

from __future__ import annotations

import posixpath
from pathlib import PurePosixPath
from typing import NamedTuple

from rustci.discover.manifest import MANIFEST, Manifests
from rustci.discover.tree import join
from rustci.discover.workspace import Workspaces
from rustci.errors import DecisionNeeded, Location, ProjectError

TEST_DATA = frozenset(
    [
        "compile-fail",
        "fixture",
        "fixtures",
        "resources",
        "snapshots",
        "template",
        "templates",
        "test-data",
        "test_data",
        "testdata",
        "tests",
        "testsuite",
        "third-party",
        "third_party",
        "ui",
        "vendor",
    ]
)
"""Folders whose manifests are data of tests, or code of others, unless a workspace lists them."""
AUXILIARY = frozenset(
    [
        "bench",
        "benches",
        "benchmark",
        "benchmarks",
        "ci",
        "demo",
        "demos",
        "docs",
        "doc",
        "example",
        "examples",
        "fuzz",
        "fuzzing",
        "playground",
        "sample",
        "samples",
        "test",
        "tools",
        "xtask",
    ]
)
"""Folders whose packages are never what a repository is about."""
_NOTES_SHOWN = 20


class Candidates(NamedTuple):
    """The root folders of all workspaces and loose packages, sorted, with what was left out."""

    roots: tuple[str, ...]
    notes: tuple[str, ...]


def find_candidates(workspaces: Workspaces) -> Candidates:
    """Return where the workspaces are. Files that only look like manifests become notes."""
    roots: set[str] = set()
    left_out: list[str] = []
    data = 0
    for directory, listing in workspaces.tree.walk():
        if MANIFEST not in listing.files:
            continue
        if _is_data(directory):
            data += 1
            continue
        try:
            roots.add(workspaces.root_of(directory))
        except ProjectError as error:
            left_out.append(f"{join(directory, MANIFEST)} is left out: {error.message}")
    if data:
        left_out.append(f"{data} Cargo.toml in folders of test data or vendored code are left out")
    return Candidates(tuple(sorted(roots)), tuple(sorted(left_out)[:_NOTES_SHOWN]))


def choose_main(
    workspaces: Workspaces, found: Candidates, pointed_at: str, directory: PurePosixPath | None
) -> str:
    """Return the main workspace's root folder.

    The one asked for; else that of the nearest manifest from the folder pointed at upward; else the
    only one that is not for fuzzing, examples, benchmarks or test data.
    """
    if directory is not None:
        return _asked_for(workspaces, join(".", directory.as_posix()))
    nearest = _nearest(workspaces.manifests, pointed_at)
    if nearest is not None:
        return workspaces.root_of(nearest)
    below = [root for root in found.roots if pointed_at == "." or _below(root, pointed_at)]
    roots = below or list(found.roots)
    main = [root for root in roots if not AUXILIARY & set(root.split("/"))] or roots
    if len(main) == 1:
        return main[0]
    if main:
        raise DecisionNeeded(
            f"several Rust workspaces, none at the root: {_named(main)}",
            hint=f"choose one: --set workflows.directory={main[0]}",
        )
    raise ProjectError(
        f"no {MANIFEST} in {workspaces.tree.path(pointed_at)}",
        hint="name the folder of a Rust project, or start one with `cargo init`",
    )


def _asked_for(workspaces: Workspaces, directory: str) -> str:
    if directory.startswith(("..", "/")) or not workspaces.manifests.exists(directory):
        raise ProjectError(
            f"no {MANIFEST} in {directory}",
            where=Location(workspaces.tree.path(directory)),
            hint="workflows.directory is the folder of a Cargo.toml, relative to the repository",
        )
    return workspaces.root_of(directory)


def _nearest(manifests: Manifests, directory: str) -> str | None:
    while not manifests.exists(directory):
        if directory == ".":
            return None
        directory = posixpath.dirname(directory) or "."
    return directory


def _is_data(directory: str) -> bool:
    return not TEST_DATA.isdisjoint(directory.split("/"))


def _below(directory: str, above: str) -> bool:
    return directory == above or directory.startswith(f"{above}/")


def _named(roots: list[str]) -> str:
    shown = ", ".join(roots[:_NOTES_SHOWN])
    more = len(roots) - _NOTES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
