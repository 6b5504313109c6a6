"""Whether git keeps a file out of the repository.

Source of the rules: https://git-scm.com/docs/gitignore and https://git-scm.com/docs/index-format.
A file in the index is committed, whatever the patterns say. The user's own global patterns are not
read: they say nothing of the repository.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rustci.discover.tree import Tree

_PATH_LENGTH = 0x0FFF
"""The bits of an index entry's flags that hold the length of its path."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """What git ignores below a repository's root."""

    tree: Tree
    git_directory: Path | None = None
    """The folder with the index: of a worktree its own."""
    common_directory: Path | None = None
    """The folder with `info/exclude`."""

    def ignores(self, path: str) -> bool:
        """Whether git would leave the file out: not in the index, and its last match says so."""
        if self.git_directory is None or self._in_index(path):
            return False
        folders = [*_parents(path), path]
        return any(self._matches(folder, is_file=folder == path) for folder in folders)

    def _matches(self, path: str, *, is_file: bool) -> bool:
        verdict = False
        for base, line in self._lines(path):
            pattern = _compile(line)
            if pattern is None or (pattern.folders_only and is_file):
                continue
            relative = path if base == "." else path[len(base) + 1 :]
            if pattern.regex.fullmatch(relative):
                verdict = not pattern.negated
        return verdict

    def _lines(self, path: str) -> Iterator[tuple[str, str]]:
        """Yield each pattern with the folder that it counts from; later ones win."""
        if self.common_directory is not None:
            for line in _read(self.common_directory / "info" / "exclude").splitlines():
                yield ".", line
        for folder in (".", *_parents(path)):
            if ".gitignore" in self.tree.listing(folder).files:
                for line in _read(self.tree.path(f"{folder}/.gitignore")).splitlines():
                    yield folder, line

    def _in_index(self, path: str) -> bool:
        """Whether the index (versions 2 and 3) has an entry of this path.

        Version 4 shortens paths; there the patterns alone decide.
        """
        if self.git_directory is None:
            return False
        try:
            index = (self.git_directory / "index").read_bytes()
        except OSError:
            return False
        name = path.encode()
        at = index.find(name + b"\0")
        while at > 0:
            flags = int.from_bytes(index[at - 2 : at], "big")
            extended = int.from_bytes(index[at - 4 : at - 2], "big")
            if len(name) in (flags & _PATH_LENGTH, extended & _PATH_LENGTH):
                return True
            at = index.find(name + b"\0", at + 1)
        return False


@dataclass(frozen=True, slots=True)
class _Pattern:
    regex: re.Pattern[str]
    negated: bool
    folders_only: bool


def _compile(line: str) -> _Pattern | None:
    text = line.rstrip()
    if not text or text.startswith("#"):
        return None
    negated = text.startswith("!")
    text = text.removeprefix("!").removeprefix("\\")
    folders_only = text.endswith("/")
    text = text.rstrip("/")
    anchored = "/" in text
    body = _regex(text.removeprefix("/"))
    return _Pattern(re.compile(body if anchored else f"(?:.*/)?{body}"), negated, folders_only)


def _regex(pattern: str) -> str:
    replaced = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    words = re.findall(r"\*\*/|/\*\*$|\*\*|\*|\?|[^*?]", pattern)
    return "".join(replaced.get(word, re.escape(word)) for word in words)


def _parents(path: str) -> list[str]:
    """Return the folders above a path, outermost first, the root left out."""
    parents = []
    while path := posixpath.dirname(path):
        parents.append(path)
    return parents[::-1]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
