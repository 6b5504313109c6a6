"""Reading TOML 1.1 with errors that name file and line.

Cargo accepts TOML 1.1 (https://toml.io/en/v1.1.0), the standard library of Python 3.11 does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from rustci.discover.tree import Tree
from rustci.errors import Location, ProjectError
from rustci.tomlio import loads

_HINT = "mend the file and run the command again"
_NAMES = {str: "a string", bool: "true or false", dict: "a table", list: "a list"}


@dataclass(frozen=True, slots=True)
class Table:
    """One TOML table, with typed access: a value of another type is a ProjectError."""

    values: Mapping[str, Any]
    path: Path
    text: str = field(repr=False)
    name: str = ""
    """The dotted name of the table; empty for the document."""

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def string(self, *keys: str) -> str | None:
        """Return the string under the first of these keys that is there."""
        found: str | None = self._get(keys, str)
        return found

    def boolean(self, *keys: str) -> bool | None:
        """Return the boolean under the first of these keys that is there."""
        found: bool | None = self._get(keys, bool)
        return found

    def strings(self, *keys: str) -> tuple[str, ...] | None:
        """Return the list of strings under the first of these keys that is there."""
        found = self._get(keys, list)
        if found is None:
            return None
        if not all(isinstance(item, str) for item in found):
            self.fail(f"`{self._dotted(keys[0])}` must hold strings only", keys[0])
        return tuple(found)

    def table(self, *keys: str) -> Table | None:
        """Return the table under the first of these keys that is there."""
        for key in keys:
            if key in self.values:
                return self.sub(key, self._typed(key, dict))
        return None

    def tables(self, key: str) -> tuple[Table, ...]:
        """Return the tables of an array of tables; none where the key is missing."""
        items = self._get((key,), list) or []
        if not all(isinstance(item, dict) for item in items):
            self.fail(f"`{self._dotted(key)}` must be written as [[{key}]]", key)
        return tuple(self.sub(key, item) for item in items)

    def sub(self, key: str, values: Mapping[str, Any]) -> Table:
        """Return a table that stands in this one."""
        return Table(values, self.path, self.text, self._dotted(key))

    def fail(self, message: str, key: str | None = None, hint: str | None = None) -> NoReturn:
        """Raise a ProjectError at the line where `key` (or the table) is most likely written."""
        line = _line(self.text, key) if key else None
        line = line or (_line(self.text, self.name) if self.name else None)
        raise ProjectError(message, where=Location(self.path, line), hint=hint or _HINT)

    def _get(self, keys: tuple[str, ...], kind: type) -> Any:
        for key in keys:
            if key in self.values:
                return self._typed(key, kind)
        return None

    def _typed(self, key: str, kind: type) -> Any:
        value = self.values[key]
        if not isinstance(value, kind):
            found = _NAMES.get(type(value), f"`{value}`")
            self.fail(f"`{self._dotted(key)}` must be {_NAMES[kind]}, not {found}", key)
        return value

    def _dotted(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key


def read_toml(tree: Tree, path: str) -> Table:
    """Return a file's document. Raises ProjectError with file, line and column."""
    return parse_toml(tree.read_text(path), tree.path(path))


def parse_toml(text: str, path: Path) -> Table:
    """Return the document in `text`. Raises ProjectError with file, line and column."""
    try:
        return Table(loads(text, path, error=ProjectError), path, text)
    except RecursionError as error:
        message = "the file is not read: its values are nested too deeply"
        raise ProjectError(message, where=Location(path), hint="flatten the value") from error


def _line(text: str, key: str) -> int | None:
    last = re.escape(key.rsplit(".", 1)[-1])
    found = re.search(
        rf'^[ \t]*(?:[\w.-]+\.)?"?{last}"?[ \t]*(?:\.[\w.-]+[ \t]*)?=', text, re.MULTILINE
    )
    found = found or re.search(rf"^[ \t]*\[+[ \t]*{re.escape(key)}[ \t]*\]", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else None
