"""What the tools of sqlx and diesel left in the repository, by the places they keep it in."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import PurePosixPath

from rustci.discover.toml import read_toml
from rustci.discover.tree import Tree, join
from rustci.project import Database, Workspace

DIESEL = "diesel.toml"


def read_database(tree: Tree, workspace: Workspace) -> Database:
    """Return what the workspace's folder or, failing that, its first member has."""
    base = str(workspace.directory)
    folders = list(_folders(base, workspace))
    queries = next((f for f in folders if _saved(tree, join(f, ".sqlx"))), None)
    diesel = next((f for f in folders if tree.is_file(join(f, DIESEL))), None)
    migrations = next((f for f in folders if _scripts(tree, join(f, "migrations"))), None)
    printed = read_toml(tree, join(diesel, DIESEL)).table("print_schema") if diesel else None
    return Database(
        queries=_relative(queries, base),
        migrations=None
        if diesel or not migrations
        else _relative(join(migrations, "migrations"), base),
        diesel=_relative(diesel, base),
        schema=printed.string("file") if printed else None,
    )


def _folders(base: str, workspace: Workspace) -> Iterator[str]:
    yield base
    for member in workspace.members:
        if member.directory != workspace.directory:
            yield str(member.directory)


def _saved(tree: Tree, folder: str) -> bool:
    names = tree.listing(folder).files
    return any(name.startswith("query-") and name.endswith(".json") for name in names)


def _scripts(tree: Tree, folder: str) -> bool:
    return any(name.endswith(".sql") for name in tree.listing(folder).files)


def _relative(path: str | None, base: str) -> PurePosixPath | None:
    return None if path is None else PurePosixPath(posixpath.relpath(path, base))
