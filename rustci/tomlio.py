"""Reading and editing TOML: tomli reads (Cargo accepts TOML 1.1), tomlkit edits in place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli

from rustci.errors import Location, RustciError

if TYPE_CHECKING:
    from rustci.kinds import Value


def loads(text: str, path: Path | str, *, error: type[RustciError]) -> dict[str, Any]:
    """Return the document. Raises `error` with file, line and column where it is no TOML."""
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as broken:
        raise error(
            f"not valid TOML: {broken.msg}",
            where=Location(path, broken.lineno, broken.colno),
            hint="mend the file and run the command again",
        ) from None


def line_of(text: str, section: str, key: str) -> int | None:
    """Return the line (from 1) on which `key` of `[section]` stands; None if it cannot be found."""
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([^\]]*?)\s*\]", line):
            table = header[1]
        elif match := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            name = match[1].replace('"', "").replace("'", "").replace(" ", "")
            if ".".join(filter(None, [table, name])) == f"{section}.{key}":
                return number
    return None


def updated(
    text: str, values: Mapping[str, Value], comments: Mapping[str, str] | None = None
) -> str:
    """Return `text` with each `section.key` set; what already holds its value is not touched.

    `comments` stand behind the keys that are set now.
    """
    import tomlkit  # 35 ms that only writing commands pay

    document = tomlkit.parse(text)
    before = document.unwrap()
    for name, value in values.items():
        section, _, key = name.partition(".")
        plain = list(value) if isinstance(value, tuple) else value
        if section not in document:
            document[section] = tomlkit.table()
        table: Any = document[section]
        current = before.get(section, {}).get(key)
        if (type(current), current) != (type(plain), plain):
            item = tomlkit.item(plain)
            if comments and name in comments:
                item.comment(comments[name])
            table[key] = item
    return tomlkit.dumps(document)
