"""`.github/rustci.lock`: what rustci wrote last, the base of every comparison and merge.

It is TOML that a reviewer can read: texts stand as literal strings wherever TOML allows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import tomli

from rustci.errors import ConfigError, Location, UsageError
from rustci.files import check_spelling, read_text
from rustci.paths import PROGRAMS

PATH = ".github/rustci.lock"
"""Where it is, relative to the repository root."""

SCHEMA = 1

_HEADER = """\
# Written by rustci. Do not edit it, but commit it with the files that it lists:
# their texts as rustci wrote them last are what `rustci update` compares your edits with.
"""
_RESTORE = (
    "Restore it from git, or delete it and run `rustci init`, which then asks about edited files"
)
# Markers that git leaves in a file are looked for in `loads`, so no text may hold one verbatim.
_MARKER = re.compile(r"^<<<<<<< ", re.MULTILINE)


class FileState(StrEnum):
    """Whose a file is."""

    WRITTEN = "written"
    """rustci's: its text is the base of the next merge."""
    KEPT = "kept"
    """The user's, who said to leave it as it is."""
    DELETED = "deleted"
    """Gone by the user's hand, and not to come back unasked; its text is the last one written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedFile:
    """One file as rustci wrote it last; for a kept one `text` means nothing."""

    text: str
    digest: str = ""
    """SHA-256 of the text, where that alone is kept: of programs, which are never merged."""
    state: FileState = FileState.WRITTEN
    adopted: bool = False
    """The user wrote it by hand, and rustci merged its jobs in."""
    apart: tuple[str, ...] = ()
    """Jobs that the aggregate does not wait for, as the user decided."""

    def holds(self, text: str) -> bool:
        """Whether `text` (LF, no BOM) is what rustci wrote."""
        if self.digest:
            return sha256(text.encode(errors="surrogateescape")).hexdigest() == self.digest
        return text == self.text.removeprefix("\ufeff").replace("\r\n", "\n")


def written(
    path: str, text: str, *, adopted: bool = False, apart: tuple[str, ...] = ()
) -> LockedFile:
    """Return the entry of a file just written with `text` (LF, no BOM)."""
    if path.startswith(PROGRAMS):
        return LockedFile(text="", digest=sha256(text.encode()).hexdigest())
    return LockedFile(text=text, adopted=adopted, apart=apart)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """That nothing was wrong: `rustci check` need not look again while nothing changes."""

    fingerprint: str
    """Of all that a check depends on (see `rustci.fingerprint`)."""
    until: str
    """The day (ISO 8601) from which on time alone may have changed the answer."""
    notes: tuple[str, ...] = ()
    """What `rustci check` notes nevertheless, a line each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What rustci `version` wrote."""

    version: str
    files: Mapping[str, LockedFile] = field(default_factory=dict)
    beside: Mapping[str, str] = field(default_factory=dict)
    """Paths that the user keeps, each with the path of rustci's own file beside it."""
    facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the project was like then (see `rustci.facts`)."""
    seal: Seal | None = None


def read(root: Path) -> Lock | None:
    """Return what rustci wrote last, None where it never wrote. Raises RustciError."""
    text = read_text(root, PATH)
    return loads(text) if text is not None else None


def dumps(lock: Lock) -> str:
    """Return the lock as TOML: sorted, with LF, the same bytes for the same lock."""
    return _HEADER + "".join(f"{line}\n" for line in _lines(lock))


@lru_cache(maxsize=2)
def loads(text: str, where: str = PATH) -> Lock:
    """Return the lock that `text` holds. Raises ConfigError with its line.

    Kept, for a run asks twice: what the facts say of it, and what an update makes of it.
    """
    text = text.removeprefix("\ufeff")
    if marker := _MARKER.search(text):
        line = text.count("\n", 0, marker.start()) + 1
        raise ConfigError(
            f"{where} has merge conflict markers",
            where=Location(where, line),
            hint=f"Take one side whole (`git checkout --theirs {where}`), then `rustci update`",
        )
    try:
        table = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise ConfigError(
            f"{where} is not valid TOML: {error.msg}",
            where=Location(where, error.lineno, error.colno),
            hint=_RESTORE,
        ) from error
    return _Reader(text=text, where=where).lock(table)


def _lines(lock: Lock) -> Iterator[str]:
    """Yield the lines (a text is one of several lines) below the header."""
    yield f"schema = {SCHEMA}"
    yield f"version = {_basic(lock.version)}"
    if lock.seal:
        yield from ("", "[seal]", f"fingerprint = {_basic(lock.seal.fingerprint)}")
        yield f"until = {_basic(lock.seal.until)}"
    if lock.seal and lock.seal.notes:
        yield f"notes = {_array(lock.seal.notes)}"
    if lock.facts:
        yield from ("", "[facts]")
    for name, values in sorted(lock.facts.items()):
        yield f"{_basic(name)} = {_array(values)}"
    if lock.beside:
        yield ""
        yield "[beside]"
    for path, other in sorted(lock.beside.items()):
        yield f"{_basic(path)} = {_basic(other)}"
    for path, file in sorted(lock.files.items()):
        yield from ("", *_file_lines(path, file))


def _file_lines(path: str, file: LockedFile) -> Iterator[str]:
    """Yield the table of one file."""
    yield _heading(path)
    yield f"state = {_basic(file.state)}"
    if file.adopted:
        yield "adopted = true"
    if file.apart:
        yield f"apart = {_array(file.apart)}"
    if file.digest:
        yield f"sha256 = {_basic(file.digest)}"
    if file.text:
        yield f"text = {_block(file.text)}"


def _heading(path: str) -> str:
    """Return the table heading of a file."""
    return f"[files.{_basic(path)}]"


def _block(text: str) -> str:
    """Return a multi-line string: a literal one if TOML allows it and every character shows."""
    visible = all(char in "\n\t" or char.isprintable() for char in text)
    if visible and "'''" not in text and not _MARKER.search(text):
        return f"'''\n{text}'''"
    unmarked = _MARKER.sub(r"\\u003c<<<<<< ", _escaped(text, keep="\n\t"))
    return f'"""\n{unmarked}"""'


def _basic(text: str) -> str:
    """Return a basic string on one line."""
    return f'"{_escaped(text, keep="")}"'


def _array(values: tuple[str, ...]) -> str:
    """Return an array of basic strings on one line."""
    return f"[{', '.join(map(_basic, values))}]"


def _escaped(text: str, keep: str) -> str:
    """Escape what a basic string may not hold or a reader would not see, but for `keep`.

    Source of the rules: https://toml.io/en/v1.0.0#string
    """
    if text.isprintable() and not {'"', "\\"} & set(text):
        return text
    return "".join(char if char in keep else _escape(char) for char in text)


def _escape(char: str) -> str:
    """Return one character as a basic string has it."""
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable():
        return char
    return f"\\U{ord(char):08x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Checks what TOML cannot: the schema, the keys and the types, each with its line."""

    text: str
    where: str

    def lock(self, table: dict[str, Any]) -> Lock:
        """Return the lock that `table` is."""
        self._check_schema(table.get("schema"))
        self._check_keys(table, {"schema", "version", "beside", "facts", "files", "seal"}, "")
        return Lock(
            version=self._string(table.get("version"), "version"),
            files={p: self._file(p, t) for p, t in self._table(table, "files").items()},
            beside={
                self._path(path, _basic(path)): self._path(other, _basic(path))
                for path, other in self._table(table, "beside").items()
            },
            facts={
                name: self._strings(values, _basic(name))
                for name, values in self._table(table, "facts").items()
            },
            seal=self._seal(self._table(table, "seal")),
        )

    def _seal(self, table: dict[str, Any]) -> Seal | None:
        if not table:
            return None
        self._check_keys(table, {"fingerprint", "notes", "until"}, "[seal]")
        return Seal(
            fingerprint=self._string(table.get("fingerprint"), "fingerprint"),
            until=self._string(table.get("until"), "until"),
            notes=self._strings(table.get("notes", []), "notes"),
        )

    def _file(self, path: str, table: Any) -> LockedFile:
        heading = _heading(path)
        self._path(path, heading)
        if not isinstance(table, dict):
            raise self._wrong(f"`files` has no table for {path!r}", heading)
        self._check_keys(table, {"adopted", "apart", "sha256", "state", "text"}, heading)
        state = table.get("state")
        if state not in list(FileState):
            raise self._wrong(f"{path} has the state {state!r}", heading)
        text = self._string(table.get("text", ""), heading)
        digest = self._string(table.get("sha256", ""), heading)
        adopted = table.get("adopted", False)
        if type(adopted) is not bool:
            raise self._wrong(f"`adopted` is {adopted!r}, not true or false", heading)
        apart = self._strings(table.get("apart", []), heading)
        return LockedFile(
            text=text, digest=digest, state=FileState(state), adopted=adopted, apart=apart
        )

    def _check_schema(self, schema: Any) -> None:
        if type(schema) is not int or schema < 1:
            raise self._wrong(f"`schema` is {schema!r}, not a number from 1", "schema")
        if schema > SCHEMA:
            raise ConfigError(
                f"{self.where} was written by a newer rustci: schema {schema}, not {SCHEMA}",
                where=Location(self.where, self._line("schema")),
                hint="Update rustci (`pip install --upgrade rustci`), then run the command again",
            )

    def _check_keys(self, table: dict[str, Any], known: set[str], heading: str) -> None:
        for key in table.keys() - known:
            raise self._wrong(f"unknown key {key!r}", heading or key)

    def _table(self, table: dict[str, Any], key: str) -> dict[str, Any]:
        value = table.get(key, {})
        if not isinstance(value, dict):
            raise self._wrong(f"`{key}` is not a table", key)
        return value

    def _strings(self, value: Any, place: str) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise self._wrong(f"expected a list, found {value!r}", place)
        return tuple(self._string(item, place) for item in value)

    def _string(self, value: Any, place: str) -> str:
        if not isinstance(value, str):
            raise self._wrong(f"expected a string, found {value!r}", place)
        return value

    def _path(self, path: Any, place: str) -> str:
        try:
            check_spelling(self._string(path, place))
        except UsageError as error:
            raise self._wrong(error.message, place) from error
        return str(path)

    def _line(self, place: str) -> int | None:
        lines = enumerate(self.text.split("\n"), 1)
        return next(
            (n for n, line in lines if line.lstrip("[").startswith(place.lstrip("["))), None
        )

    def _wrong(self, problem: str, place: str) -> ConfigError:
        return ConfigError(
            f"{self.where} is not as rustci wrote it: {problem}",
            where=Location(self.where, self._line(place)),
            hint=_RESTORE,
        )
