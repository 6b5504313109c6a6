"""The three forms of `on` (a word, a list, a mapping), brought into one where a merge needs it."""

from __future__ import annotations

from typing import Any

from rustci.merge.source import Edit, Member, Source
from rustci.yamlio import Kind


def aligned(
    base: Source | None, theirs: Source, ours: Source
) -> tuple[Source | None, Source, Source]:
    """Return the sources with `on` in one form.

    Where the user has a list, ours becomes one as well, unless a new trigger has settings: then
    the user's becomes a mapping.
    """
    mine, new = _on(theirs), _on(ours)
    if mine is None or new is None or mine.value.kind is Kind.MAPPING:
        return base, theirs, ours
    if new.value.kind is not Kind.MAPPING or theirs.is_shared(mine.value):
        return base, theirs, ours
    old = _on(base) if base else None
    known = {*_names(mine.value.value), *(_names(old.value.value) if old else ())}
    settings: dict[str, Any] = new.value.value
    if any(settings[name] is not None for name in settings.keys() - known):
        return base, _as_mapping(theirs, mine), ours
    if base and old and old.value.kind is Kind.MAPPING:
        base = _as_list(base, old)
    return base, theirs, _as_list(ours, new)


def _on(source: Source) -> Member | None:
    return next((one for one in source.members(source.root) if one.name == "on"), None)


def _names(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(name) for name in value or ()]


def _as_mapping(source: Source, on: Member) -> Source:
    lines = "".join(f"\n  {name}:" for name in _names(on.value.value))
    return _edited(source, Edit(on.separator, on.value.end, lines))


def _as_list(source: Source, on: Member) -> Source:
    edit = Edit(on.separator, source.body_end(on), f" [{', '.join(_names(on.value.value))}]")
    return _edited(source, edit)


def _edited(source: Source, edit: Edit) -> Source:
    return Source(source.edited(0, len(source.text), [edit]), source.path)
