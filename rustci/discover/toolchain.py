"""`rust-toolchain.toml` and the older `rust-toolchain`.

Source of the rules: https://rust-lang.github.io/rustup/overrides.html#the-toolchain-file
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from rustci.discover.toml import Table, parse_toml
from rustci.discover.tree import Tree, join, upward
from rustci.errors import Location, ProjectError
from rustci.project import ToolchainFile

NAMES = ("rust-toolchain", "rust-toolchain.toml")
"""In rustup's order: the older name wins."""
_CHANNEL = re.compile(
    r"(?:stable|beta|nightly(?:-\d{4}-\d\d-\d\d)?|\d+\.\d+(?:\.\d+)?)(?:-[a-z0-9_-]+)?"
)


def read_toolchain(tree: Tree, directory: str) -> ToolchainFile | None:
    """Return the toolchain file that rustup takes in a folder. Raises ProjectError."""
    for folder in upward(directory):
        for name in NAMES:
            path = join(folder, name)
            if tree.is_file(path):
                return _read(tree, path)
    return None


def _read(tree: Tree, path: str) -> ToolchainFile:
    text = tree.read_text(path)
    if path.endswith(".toml") or len(text.strip().splitlines()) > 1:
        return _from_table(tree, path, parse_toml(text, tree.path(path)))
    return ToolchainFile(path=PurePosixPath(path), channel=_channel(text.strip(), tree, path))


def _from_table(tree: Tree, path: str, document: Table) -> ToolchainFile:
    table = document.table("toolchain")
    if table is None:
        document.fail("the file has no [toolchain]", hint="add it, or remove the file")
    channel = table.string("channel")
    if "path" in table:
        table.fail(
            "the toolchain is a `path` on one machine",
            "path",
            "name a channel instead: no runner has that folder",
        )
    return ToolchainFile(
        path=PurePosixPath(path),
        channel=None if channel is None else _channel(channel, tree, path),
        components=table.strings("components") or (),
        targets=table.strings("targets") or (),
        profile=table.string("profile"),
    )


def _channel(text: str, tree: Tree, path: str) -> str:
    if not _CHANNEL.fullmatch(text):
        raise ProjectError(
            f"{text!r} is no toolchain channel",
            where=Location(tree.path(path)),
            hint="write `stable`, `beta`, `nightly-2026-01-31` or a version such as `1.85.0`",
        )
    return text
