"""`.cargo/config.toml`, from the workspace up to the repository's root, the nearer file first.

Source of the rules: https://doc.rust-lang.org/cargo/reference/config.html
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import PurePosixPath

from rustci.discover.toml import Table, read_toml
from rustci.discover.tree import Tree, join, upward
from rustci.project import CargoConfig

NAMES = (".cargo/config", ".cargo/config.toml")
"""In Cargo's order: the older name wins where both exist."""


def read_cargo_config(tree: Tree, directory: str) -> CargoConfig | None:
    """Return what the configuration files set for a workspace. Raises ProjectError."""
    paths = [path for folder in upward(directory) if (path := _in_folder(tree, folder))]
    if not paths:
        return None
    documents = [read_toml(tree, path) for path in paths]
    builds = [build for document in documents if (build := document.table("build"))]
    tables = [*builds, *_per_target(documents)]
    return CargoConfig(
        path=PurePosixPath(paths[0]),
        build_targets=tuple(target for build in builds for target in _several(build, "target")),
        rustflags=any("rustflags" in table for table in tables),
        rustdocflags=any("rustdocflags" in table for table in tables),
        aliases=_aliases(documents),
        target_dir=next((found for b in builds if (found := b.string("target-dir"))), None),
        registries=_registries(documents),
        offline_sources=_vendored(documents),
        unstable=any("unstable" in document for document in documents),
        env=_keys(documents, "env"),
        runners=_runners(documents),
        rustc_wrapper=next((found for b in builds if (found := _wrapper(b))), None),
    )


def _in_folder(tree: Tree, folder: str) -> str | None:
    paths = (join(folder, name) for name in NAMES)
    return next((path for path in paths if tree.is_file(path)), None)


def _per_target(documents: Iterable[Table]) -> list[Table]:
    return _nested(documents, "target")


def _nested(documents: Iterable[Table], key: str) -> list[Table]:
    """Return the tables that stand in a table of this name, over all files."""
    return [
        table.sub(name, value)
        for document in documents
        if (table := document.table(key)) is not None
        for name, value in table.values.items()
        if isinstance(value, dict)
    ]


def _registries(documents: Iterable[Table]) -> dict[str, str]:
    found: dict[str, str] = {}
    for table in _nested(documents, "registries"):
        found.setdefault(table.name.removeprefix("registries."), table.string("index") or "")
    return dict(sorted(found.items()))


def _vendored(documents: Iterable[Table]) -> bool:
    """Return whether a source is replaced by a folder; a mirror is no such thing."""
    sources = {table.name.removeprefix("source."): table for table in _nested(documents, "source")}
    named = (table.string("replace-with") for table in sources.values())
    replacements = (sources[name] for name in named if name in sources)
    return any("directory" in table or "local-registry" in table for table in replacements)


def _keys(documents: Iterable[Table], key: str) -> tuple[str, ...]:
    tables = [table for document in documents if (table := document.table(key))]
    return tuple(sorted({name for table in tables for name in table.values}))


def _several(table: Table, key: str) -> tuple[str, ...]:
    """Return a value that is written as one string or as a list of them."""
    if isinstance(table.values.get(key), str):
        return (table.string(key) or "",)
    return table.strings(key) or ()


def _aliases(documents: Iterable[Table]) -> dict[str, str]:
    aliases: dict[str, str] = {}
    for document in documents:
        table = document.table("alias")
        for name in table.values if table else ():
            if table is not None:
                words = _several(table, name)
                aliases.setdefault(name, words[0] if len(words) == 1 else shlex.join(words))
    return aliases


def _runners(documents: Iterable[Table]) -> tuple[str, ...]:
    return tuple(
        sorted(
            table.name.removeprefix("target.")
            for table in _per_target(documents)
            if "runner" in table
        )
    )


def _wrapper(build: Table) -> str | None:
    return build.string("rustc-wrapper") or build.string("rustc-workspace-wrapper")
