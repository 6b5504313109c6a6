"""How text of one file is written into another: at its columns, in its indentation."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Self

from rustci.merge.source import Member, Source
from rustci.yamlio import Kind, Node

_FLOW_UNSAFE = re.compile(r"[\[\]{},]|^[&*!|>%@`#'\"?:-]|: | #")
_DASH = 2
"""Columns of a dash and its blank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indentation:
    """How far a block stands to the right of its key."""

    mapping: int = 2
    sequence: int = 2

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return what most blocks of the file have."""
        seen: dict[Kind, Counter[int]] = {Kind.MAPPING: Counter(), Kind.SEQUENCE: Counter()}
        todo = list(source.members(source.root))
        while todo:
            member = todo.pop()
            inner = source.members(member)
            todo += inner
            if member.key and inner and not inner[0].flow:
                step = source.column(inner[0].start) - source.column(member.start)
                seen[member.value.kind][step] += 1
        mapping = _most(seen[Kind.MAPPING], cls.mapping_default())
        return cls(mapping=mapping, sequence=_most(seen[Kind.SEQUENCE], mapping))

    @staticmethod
    def mapping_default() -> int:
        """Return the indentation of a file that shows none."""
        return 2

    def below(self, member: Member) -> int:
        """Return how far the value of a member stands to the right of it."""
        if member.key is None:
            return _DASH
        return self.sequence if member.value.kind is Kind.SEQUENCE else self.mapping


def _most(steps: Counter[int], default: int) -> int:
    return max(steps, key=lambda step: (steps[step], -step)) if steps else default


def block_text(source: Source, member: Member, column: int, indentation: Indentation) -> str:
    """Return the lines of a member, its comments included, as they look at `column`."""
    if member.flow:
        value = flow_text(source, member.value)
        head = f"{flow_key(source, member)}:" if member.key else "-"
        return f"{' ' * column}{head} {value}".rstrip() + "\n"
    shifts: dict[int, int] = {}
    _shift(source, member, column, indentation, shifts)
    if source.is_inline(member.start):
        return " " * column + _shifted(source, member.start, member.end, shifts)
    return _shifted(source, member.lead, member.end, shifts)


def value_text(source: Source, member: Member, column: int, indentation: Indentation) -> str:
    """Return what stands behind a member's key or dash, as it looks with that at `column`."""
    if member.flow:
        return f" {flow_text(source, member.value)}".rstrip()
    shifts: dict[int, int] = {}
    _shift(source, member, column, indentation, shifts)
    return _shifted(source, member.separator, source.body_end(member), shifts)


def _shift(
    source: Source, member: Member, column: int, indentation: Indentation, shifts: dict[int, int]
) -> None:
    """Note by how much each line of a member moves, by where the line begins."""
    shift = column - source.column(member.start)
    _note(source, source.line_start(member.lead), member.end, shift, shifts)
    inner = source.members(member)
    if inner and not inner[0].flow:
        first = source.column(inner[0].start)
        inline = source.is_inline(inner[0].start)
        move = shift if inline else column + indentation.below(member) - first
        if not inline:
            _note(source, inner[0].lead, member.end, move, shifts)
        for one in inner:
            _shift(source, one, source.column(one.start) + move, indentation, shifts)
    elif member.value.block_scalar:
        _shift_block_scalar(source, member, column + indentation.below(member), shifts)


def _shift_block_scalar(
    source: Source, member: Member, column: int, shifts: dict[int, int]
) -> None:
    start, end = source.line_end(member.value.start), member.value.end
    columns = [_width(line) for _, line in source.lines(start, end) if line.strip()]
    explicit = re.match(r"[|>][-+]?[0-9]", source.text[member.value.start :])
    if columns and not explicit:
        _note(source, start, source.line_end(end), column - min(columns), shifts)


def _note(source: Source, start: int, end: int, shift: int, shifts: dict[int, int]) -> None:
    for place, _ in source.lines(start, end):
        shifts[place] = shift


def _shifted(source: Source, start: int, end: int, shifts: dict[int, int]) -> str:
    parts = []
    for place, line in source.lines(start, end):
        blank = not line.strip()
        if place not in shifts:
            parts.append(line)
        elif blank:
            parts.append("\n")
        else:
            parts.append(" " * max(0, _width(line) + shifts[place]) + line.lstrip(" "))
    return "".join(parts)


def _width(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def flow_text(source: Source, node: Node) -> str:
    """Return a value in one line, as it may stand between brackets."""
    written = source.text[node.start : node.end]
    if node.kind is Kind.ALIAS:
        return written
    if node.kind is Kind.SCALAR:
        return _flow_scalar(node, written)
    if node.flow:
        return re.sub(r"\s*\n\s*", " ", written)
    if node.kind is Kind.SEQUENCE:
        return f"[{', '.join(flow_text(source, child.value) for child in node.children)}]"
    pairs = (
        f"{source.text[child.key.start : child.key.end]}: {flow_text(source, child.value)}"
        for child in node.children
        if child.key
    )
    return f"{{{', '.join(pairs)}}}"


def _flow_scalar(node: Node, written: str) -> str:
    quoted = written[:1] in {'"', "'"}
    if not isinstance(node.value, str) or (quoted and "\n" not in written):
        return written
    if "\n" in node.value or node.block_scalar:
        return json.dumps(node.value, ensure_ascii=False)
    if quoted or "\n" in written or _FLOW_UNSAFE.search(written):
        return "'" + node.value.replace("'", "''") + "'"
    return written


def flow_key(source: Source, member: Member) -> str:
    """Return a key as it is written."""
    return source.text[member.key.start : member.key.end] if member.key else ""
