"""Dated facts, one TOML file each, read into frozen dataclasses.

Every file starts with what it holds, the `date` on which that was true and its `source`. The files
are ours: a mistake in one is a defect of rustci, not of the user, and fails with its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

import tomli

T = TypeVar("T")


class DataError(AssertionError):
    """A data file of rustci's own does not have the form that its reader expects."""


@cache
def load(name: str) -> Mapping[str, Any]:
    """Return the tables of `name`.toml, with `date` and `source` checked. Raises DataError."""
    tables = tomli.loads(files(__name__).joinpath(f"{name}.toml").read_text("utf-8"))
    structure(date, tables.get("date"), f"{name}.toml: date")
    structure(str, tables.get("source"), f"{name}.toml: source")
    return MappingProxyType(tables)


def structure(kind: type[T], value: object, where: str) -> T:
    """Return `value` as `kind`: unknown keys, missing keys and wrong types raise DataError."""
    return cast("T", _structure(kind, value, where))


def structure_each(kind: type[T], value: object, where: str) -> Mapping[str, T]:
    """Return a table whose every value is a `kind`. Raises DataError."""
    table = _expect(dict, value, where)
    return MappingProxyType({k: structure(kind, v, f"{where}: {k}") for k, v in table.items()})


def _structure(kind: Any, value: object, where: str) -> object:
    origin, args = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return _structure(args[0], value, where)
    if is_dataclass(kind):
        return _record(cast("type[object]", kind), _expect(dict, value, where), where)
    if origin in (tuple, frozenset):
        items = _expect(list, value, where)
        return origin(_structure(args[0], item, f"{where}[{i}]") for i, item in enumerate(items))
    if origin is Mapping:
        table = _expect(dict, value, where)
        return MappingProxyType(
            {key: _structure(args[1], item, f"{where}.{key}") for key, item in table.items()}
        )
    return _scalar(kind, value, where)


def _scalar(kind: type[Any], value: object, where: str) -> object:
    try:
        if kind is date:
            return date.fromisoformat(_expect(str, value, where))
        if issubclass(kind, StrEnum):
            return kind(_expect(str, value, where))
    except ValueError as error:
        raise DataError(f"{where}: {error}") from error
    return _expect(kind, value, where)


def _record(kind: type[object], table: dict[str, object], where: str) -> object:
    known = {item.name: item for item in fields(cast("Any", kind))}
    if unknown := sorted(set(table) - set(known)):
        raise DataError(f"{where}: unknown keys {', '.join(unknown)}")
    needed = {
        name
        for name, item in known.items()
        if item.default is MISSING and item.default_factory is MISSING
    }
    if missing := sorted(needed - set(table)):
        raise DataError(f"{where}: missing keys {', '.join(missing)}")
    hints = _hints(cast("Any", kind))
    values = {
        name: _structure(hints[name], item, f"{where}.{name}") for name, item in table.items()
    }
    return kind(**values)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _expect(kind: type[T], value: object, where: str) -> T:
    if type(value) is not kind:
        raise DataError(f"{where}: expected {kind.__name__}, found {value!r}")
    return value
