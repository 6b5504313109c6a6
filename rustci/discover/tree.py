"""The files of a repository: every folder listed once, every file read on demand.

Paths are POSIX strings relative to the repository root, which is `.` itself.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rustci.errors import Location, ProjectError

HIDDEN_WALKED = frozenset({".cargo", ".config", ".github"})
"""The hidden folders that hold settings; the others are caches and editors' own."""
SKIPPED = frozenset({"node_modules"})
CACHE_MARK = "CACHEDIR.TAG"
"""Marks a folder as a cache; Cargo puts it in every target folder (https://bford.info/cachedir/)."""


class Listing(NamedTuple):
    """What stands in one folder. A link to a folder is in neither set: it is never followed."""

    files: frozenset[str]
    directories: frozenset[str]


NOTHING = Listing(frozenset(), frozenset())


def join(base: str, path: str = ".") -> str:
    """Return the normal form of a path below `base`: no `./`, no `x/..`, no final slash."""
    return posixpath.normpath(path if path.startswith("/") else f"{base}/{path}")


class Tree:
    """The files below `root`. It only reads, and lists each folder at most once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._root = str(root)
        self._listings: dict[str, Listing] = {}

    def path(self, relative: str) -> Path:
        """Return where a file is on disk."""
        return self.root / relative

    def listing(self, directory: str) -> Listing:
        """Return what stands in a folder: nothing where it is missing, closed or a link."""
        found = self._listings.get(directory)
        if found is None:
            found = self._listings[directory] = self._list(directory)
        return found

    def is_file(self, path: str) -> bool:
        """Whether a regular file (or a link to one) is there."""
        directory, name = posixpath.split(path)
        return name in self.listing(directory or ".").files

    def is_directory(self, path: str) -> bool:
        """Whether a real folder is there."""
        directory, name = posixpath.split(path)
        return name in ("", ".", "..") or name in self.listing(directory or ".").directories

    def walk(self, top: str = ".") -> Iterator[tuple[str, Listing]]:
        """Yield every folder below `top` with its listing; caches and hidden folders left out."""
        todo = [top]
        while todo:
            directory = todo.pop()
            listing = self.listing(directory)
            if CACHE_MARK in listing.files:
                continue
            yield directory, listing
            prefix = "" if directory == "." else f"{directory}/"
            todo += [prefix + name for name in sorted(listing.directories) if _walked(name)]

    def _list(self, directory: str) -> Listing:
        parent, _, name = directory.rpartition("/")
        above = self._listings.get(parent or ".")
        if above is not None and name not in above.directories and name not in (".", ".."):
            return NOTHING
        return _list(os.path.join(self._root, directory))  # noqa: PTH118 hot

    def read_bytes(self, path: str) -> bytes:
        """Return a file's bytes. Raises ProjectError where it cannot be read."""
        try:
            with open(os.path.join(self._root, path), "rb") as file:  # noqa: PTH118, PTH123 hot
                return file.read()
        except OSError as error:
            reason = error.strerror or str(error)
            raise ProjectError(
                f"the file cannot be read: {reason}",
                where=Location(self.path(path)),
                hint="check that it exists and its permissions",
            ) from error

    def read_text(self, path: str) -> str:
        """Return a file's text without byte-order mark. Raises ProjectError if it is not UTF-8."""
        data = self.read_bytes(path)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise ProjectError(
                f"the file is not UTF-8: byte 0x{data[error.start]:02x}",
                where=Location(self.path(path), line),
                hint="save it as UTF-8",
            ) from error


def _walked(name: str) -> bool:
    return name not in SKIPPED and (not name.startswith(".") or name in HIDDEN_WALKED)


def _list(path: str) -> Listing:
    files, directories = [], []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    directories.append(entry.name)
                elif entry.is_file():
                    files.append(entry.name)
    except OSError:
        return NOTHING
    return Listing(frozenset(files), frozenset(directories))


def upward(directory: str) -> Iterator[str]:
    """Yield a folder of the repository and those above it, up to the root."""
    yield directory
    while directory not in (".", "") and not directory.startswith(".."):
        directory = posixpath.dirname(directory) or "."
        yield directory
