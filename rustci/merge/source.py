"""A text, the tree in it, and which lines belong to what. Edits are spans of the text.

A comment belongs to the member below it, one on a line of its own that is indented deeper to what
stands above, and one behind a value to that value.
"""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from rustci.errors import Location, ProjectError
from rustci.merge.pieces import compose
from rustci.yamlio import Document, Kind, Node

BOM = "\ufeff"
_TRAILING = re.compile(r"[ \t]+#[^\r\n]*")
_HEADER = re.compile(r"[|>][-+0-9]*")
_ANCHOR = re.compile(r"[ \t]+&[^\s]+")


class Edit(NamedTuple):
    """Replace the text between two offsets."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Member:
    """An entry of a mapping or an item of a sequence, with the lines that it owns.

    In a flow collection, and for the first in a compact `- key: value`, no line is its own.
    """

    key: Node | None
    value: Node
    lead: int
    """Where the blank lines and comments above it begin."""
    start: int
    """Of its key or dash."""
    separator: int
    """Behind its colon or dash."""
    end: int
    """Behind its last line; in a flow collection, behind its value."""
    flow: bool = False
    """Inside a flow collection."""

    @property
    def name(self) -> str:
        """The key; "" of an item."""
        return str(self.key.value) if self.key else ""


@dataclass(frozen=True, eq=False)
class Source:
    """A text without BOM, its document, and the layout of its lines."""

    text: str
    path: Path | str
    document: Document = field(init=False)

    def __post_init__(self) -> None:
        """Compose the text. Raises ProjectError."""
        found = re.search(r"\r(?!\n)", self.text)
        if found:
            line = self.text.count("\n", 0, found.start()) + 1
            raise ProjectError(
                "a line ends with a carriage return alone",
                where=Location(self.path, line),
                hint="save the file with LF or CRLF line ends",
            )
        object.__setattr__(self, "document", compose(self.text, self.path))

    @cached_property
    def newline(self) -> str:
        """The line end that most lines have."""
        crlf = self.text.count("\r\n")
        return "\r\n" if crlf * 2 > self.text.count("\n") else "\n"

    @cached_property
    def root(self) -> Member:
        """The whole document, as if it were a member."""
        document = self.document
        begin = self.line_end(document.start) if document.start else 0
        return Member(
            key=None,
            value=document.root,
            lead=begin,
            start=begin,
            separator=begin,
            end=document.end,
        )

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    @cached_property
    def _shared(self) -> list[tuple[int, int]]:
        """The spans of the nodes that aliases stand for."""
        return [
            (node.start, node.end)
            for node in _nodes(self.document.root)
            if node.kind is not Kind.ALIAS and node.anchor in self.document.anchors
        ]

    def line(self, offset: int) -> int:
        """Return the number of the line at `offset`, from 1."""
        return bisect.bisect_right(self._lines, offset)

    def line_start(self, offset: int) -> int:
        """Return where the line at `offset` begins."""
        return self._lines[self.line(offset) - 1]

    def line_end(self, offset: int) -> int:
        """Return where the line after `offset` begins, or the end of the text."""
        line = self.line(offset)
        return self._lines[line] if line < len(self._lines) else len(self.text)

    def column(self, offset: int) -> int:
        """Return the column of `offset`, from 0."""
        return offset - self.line_start(offset)

    def lines(self, start: int, end: int) -> Iterator[tuple[int, str]]:
        """Yield the lines between two offsets, each with where it begins."""
        while start < end:
            stop = min(self.line_end(start), end)
            yield start, self.text[start:stop]
            start = stop

    def is_inline(self, offset: int) -> bool:
        """Whether something else stands before `offset` on its line."""
        return bool(self.text[self.line_start(offset) : offset].strip())

    def is_shared(self, node: Node) -> bool:
        """Whether the node is an alias or what an alias stands for."""
        return node.kind is Kind.ALIAS or node.anchor in self.document.anchors

    def holds_shared(self, start: int, end: int) -> bool:
        """Whether what an alias stands for begins between two offsets."""
        return any(start <= first < end for first, _ in self._shared)

    def members(self, of: Member) -> tuple[Member, ...]:
        """Return the entries or items of a collection."""
        node = of.value
        if node.flow or not node.children:
            return tuple(
                Member(
                    key=child.key,
                    value=child.value,
                    lead=child.start,
                    start=child.start,
                    separator=child.separator,
                    end=max(child.value.end, child.separator),
                    flow=True,
                )
                for child in node.children
            )
        return self._block_members(of)

    def _block_members(self, of: Member) -> tuple[Member, ...]:
        children = of.value.children
        column = self.column(children[0].start)
        first = children[0].start
        leads = [first if self.is_inline(first) else self._first_lead(of, first)]
        leads += [
            self._lead(self.line_end(above.value.end), self.line_start(below.start), column)
            for above, below in itertools.pairwise(children)
        ]
        last = self._lead(self.line_end(children[-1].value.end), of.end, column)
        return tuple(
            Member(
                key=child.key,
                value=child.value,
                lead=lead,
                start=child.start,
                separator=child.separator,
                end=end,
            )
            for child, lead, end in zip(children, leads, [*leads[1:], last], strict=True)
        )

    def _first_lead(self, of: Member, first: int) -> int:
        """Return where the lines between a key or dash and its first member begin."""
        if of.start == of.separator:
            return of.lead
        return min(self.line_end(of.separator), self.line_start(first))

    def _lead(self, start: int, end: int, column: int) -> int:
        """Return where the lines begin that belong to what comes next at `column` or above it."""
        lead = start
        for place, line in self.lines(start, end):
            text = line.lstrip(" ")
            if text.startswith("#"):
                if len(line) - len(text) <= column:
                    break
                lead = place + len(line)
        return lead

    def trailing(self, member: Member) -> tuple[int, int]:
        """Return the span of the comment behind a value or, where that is a block, its key."""
        value = member.value
        place = value.end
        if value.block_scalar:
            header = _HEADER.match(self.text, value.start)
            place = header.end() if header else value.end
        elif value.children and not value.flow:
            anchor = _ANCHOR.match(self.text, member.separator)
            place = anchor.end() if anchor else member.separator
        found = None if member.flow else _TRAILING.match(self.text, place)
        return place, found.end() if found else place

    def comment_above(self, member: Member) -> tuple[int, int]:
        """Return the span of the comment lines above a member, without blank lines around them."""
        stop = member.lead if member.flow else max(member.lead, self.line_start(member.start))
        written = self.text[member.lead : stop]
        begin = member.lead + len(written) - len(written.lstrip("\r\n"))
        kept = written.rstrip(" \r\n")
        return (begin, stop if written.strip() else begin) if kept else (stop, stop)

    def tail(self, of: Member) -> tuple[int, int]:
        """Return the span of the comment lines behind the last member of a block collection."""
        members = self.members(of)
        if not members or members[0].flow:
            return of.end, of.end
        return members[-1].end, of.end

    def comments(self, member: Member) -> list[str]:
        """Return every comment in a member, its members included; those of pins are data."""
        spans = [self.comment_above(member)]
        if member.name != "uses":
            spans.append(self.trailing(member))
        found: list[str] = []
        if member.value.kind in (Kind.MAPPING, Kind.SEQUENCE):
            spans.append(self.tail(member))
            for inner in self.members(member):
                found += self.comments(inner)
        return [line for start, end in spans for line in self.comment_lines(start, end)] + found

    def comment_lines(self, start: int, end: int) -> list[str]:
        """Return the comments between two offsets, without indentation."""
        lines = (line.strip() for line in self.text[start:end].splitlines())
        return [line for line in lines if line]

    def body_end(self, member: Member) -> int:
        """Return the end of a member's last line that is not blank, its line end left out."""
        if member.flow:
            return member.end
        return max(
            member.value.end, member.start + len(self.text[member.start : member.end].rstrip())
        )

    def edited(self, start: int, end: int, edits: Iterable[Edit]) -> str:
        """Return the text between two offsets with the edits made."""
        parts: list[str] = []
        place = start
        for edit in sorted(edits, key=lambda edit: edit[:2]):
            parts += [self.text[place : edit.start], re.sub("\r?\n", self.newline, edit.text)]
            place = edit.end
        return "".join([*parts, self.text[place:end]])


def plain(text: str) -> str:
    """Return the text without BOM and with LF: git and editors change both unasked."""
    return text.removeprefix(BOM).replace("\r\n", "\n")


def _nodes(node: Node) -> Iterator[Node]:
    todo = [node]
    while todo:
        node = todo.pop()
        yield node
        for child in node.children:
            todo += [child.value] if child.key is None else [child.key, child.value]
