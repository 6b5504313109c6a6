"""Cargo.lock: whether it is committed, and what it locks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from rustci.discover.ignore import Ignore
from rustci.discover.tree import Tree, join

NAME = "Cargo.lock"
_PACKAGE = re.compile(
    r'^\[\[package\]\]\r?\nname = "([^"\n]+)"\r?\nversion = "([^"\n]+)"', re.MULTILINE
)
_SOURCE = re.compile(r'^source = "([^"\n]+)"', re.MULTILINE)
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
"""How Cargo.lock writes crates.io, whichever protocol is used."""


@dataclass(frozen=True, slots=True)
class Lockfile:
    """The Cargo.lock of the workspace in `directory`; `committed` is false where it is missing."""

    directory: PurePosixPath
    committed: bool = False
    versions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sources: frozenset[str] = frozenset()
    """Where packages come from, crates.io aside."""


def read_lockfile(tree: Tree, directory: str, ignore: Ignore) -> Lockfile:
    """Return what the Cargo.lock in a folder says: by pattern, for Cargo alone writes it."""
    place = PurePosixPath(directory)
    path = join(directory, NAME)
    if not tree.is_file(path) or ignore.ignores(path):
        return Lockfile(place)
    versions: dict[str, list[str]] = {}
    text = tree.read_text(path)
    for name, version in _PACKAGE.findall(text):
        versions.setdefault(name, []).append(version)
    locked = {name: tuple(found) for name, found in versions.items()}
    sources = frozenset(_SOURCE.findall(text)) - {CRATES_IO}
    return Lockfile(place, committed=True, versions=locked, sources=sources)
