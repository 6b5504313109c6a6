"""Frozen dataclasses to JSON and back, with errors that name the field."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Callable, Union, get_args, get_origin, get_type_hints

Read = Callable[[Any, str], Any]
"""Turns plain data into a value; the text is the field's name, for errors."""


class WrongShape(ValueError):
    """Plain data that is not what a field holds."""


def dumps(value: Any) -> str:
    """Return plain data as one line of JSON."""
    return json.dumps(value, sort_keys=True, allow_nan=False) + "\n"


def loads(text: Union[str, bytes]) -> Any:
    """Return plain data; raise ValueError for what is not JSON, NaN and Infinity included."""
    return json.loads(text, parse_constant=_refuse)


def plain(value: Any) -> Any:
    """Return a value as JSON has it: objects, lists, six digits, null for NaN and infinity."""
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return significant(value) if math.isfinite(value) else None
    return value


def significant(value: float) -> float:
    """Return a number as it is written: rounded to six significant digits."""
    return float(f"{value:.6g}")


@cache
def reader(kind: Any) -> Read:
    """Return what reads plain data as a type; it raises WrongShape."""
    if is_dataclass(kind):
        return _dataclass(kind)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Union:
        return _optional(reader(inner[0]))
    if origin is tuple:
        return _pair(inner) if inner[-1] is not Ellipsis else _sequence(reader(inner[0]))
    if origin is Mapping:
        return _mapping(reader(inner[1]))
    return _SCALARS[kind]


def _dataclass(kind: Any) -> Read:
    hints = get_type_hints(kind)
    known = {each.name: reader(hints[each.name]) for each in fields(kind)}
    needed = [
        each.name
        for each in fields(kind)
        if each.default is MISSING and each.default_factory is MISSING
    ]

    def read(data: Any, name: str) -> Any:
        if not isinstance(data, dict):
            raise WrongShape(f"`{name}` is not an object" if name else "the line is not an object")
        for each in needed:
            if each not in data:
                raise WrongShape(f"`{_inside(name, each)}` is missing")
        found = {key: known[key](data[key], _inside(name, key)) for key in known if key in data}
        return kind(**found)

    return read


def _inside(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key


def _optional(inner: Read) -> Read:
    return lambda data, name: None if data is None else inner(data, name)


def _sequence(inner: Read) -> Read:
    def read(data: Any, name: str) -> Any:
        if not isinstance(data, list):
            raise WrongShape(f"`{name}` is not a list")
        return tuple(inner(each, f"{name}[{number}]") for number, each in enumerate(data))

    return read


def _pair(inner: Any) -> Read:
    readers = [reader(each) for each in inner]

    def read(data: Any, name: str) -> Any:
        if not isinstance(data, list) or len(data) != len(readers):
            raise WrongShape(f"`{name}` is not a list of {len(readers)}")
        return tuple(each(value, name) for each, value in zip(readers, data))

    return read


def _mapping(inner: Read) -> Read:
    def read(data: Any, name: str) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise WrongShape(f"`{name}` is not an object")
        return {key: inner(each, _inside(name, key)) for key, each in data.items()}

    return read


def _scalar(what: str, kind: Any) -> Read:
    def read(data: Any, name: str) -> Any:
        if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
            raise WrongShape(f"`{name}` is not {what}")
        return data

    return read


_SCALARS: dict[Any, Read] = {
    str: _scalar("a text", str),
    int: _scalar("a whole number", int),
    float: _scalar("a number", (int, float)),
    bool: _scalar("true or false", bool),
}


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a number that JSON knows")
