"""Composing a text in pieces that are remembered: ruamel.yaml takes most of the time of a merge.

The three sides of a merge, its result, and the files of one repository have most lines in common.
A key or item that stands for itself means the same on its own as in its file.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from rustci import yamlio
from rustci.errors import Location, ProjectError
from rustci.yamlio import MAX_BYTES, MAX_NODES, Child, Document, Kind, Node

_MARKER = re.compile(r"^(?:---|\.\.\.|%)", re.MULTILINE)
_DASH_START = r"-(?=\s)"
_KEY_START = r"[A-Za-z_][\w-]*:(?=\s)"
_START = rf"(?:{_DASH_START}|{_KEY_START})"
_HEAD = re.compile(
    r"(?:[ \t]*(?:#.*)?\r?\n)*(?P<own> *)[A-Za-z_][\w-]*:[ \t]*(?:#.*)?\r?\n"
    rf"(?:[ \t]*(?:#.*)?\r?\n)*(?=(?P<indent> *){_START})"
)
_PIECE_DEPTH = 8
"""Levels that are taken apart; what is below stays whole."""


def compose(text: str, path: Path | str) -> Document:
    """Return the document in `text`, a mapping. Its values are shared with others: read them only.

    Raises ProjectError as `yamlio.load_workflow` does.
    """
    found = in_pieces(text) or yamlio.compose(text, path)
    if found.root.kind is not Kind.MAPPING:
        raise ProjectError(
            "the file holds no mapping",
            where=Location(path, 1),
            hint="mend the file, or move it away",
        )
    return found


class _Part(NamedTuple):
    """A part of a document, which means the same on its own."""

    root: Node
    nodes: int


@lru_cache(maxsize=16)
def in_pieces(text: str) -> Document | None:
    """Return the document by composing its keys and items each on its own.

    The pieces are remembered: the three sides of a merge, and its result, have most in common. None
    for what does not come apart so: it is composed as a whole, or refused there.
    """
    if len(text) > MAX_BYTES // 4 or _MARKER.search(text):
        return None
    found = _joined(_split(text, 0, "", _PIECE_DEPTH))
    if found is None or found.root.kind is not Kind.MAPPING or found.nodes > MAX_NODES:
        return None
    root, nodes = found
    return Document(root=root, start=0, end=len(text), anchors=frozenset(), nodes=nodes)


def _split(text: str, start: int, indent: str, depth: int) -> Iterator[_Part | None]:
    """Yield the part of each key or item that begins at one indentation."""
    first = _starts(indent).search(text)
    starts = _starts(indent, first["what"][:1]) if first else _starts(indent)
    places = [match.start() for match in starts.finditer(text)]
    for begin, end in itertools.pairwise([0, *places[1:], len(text)]):
        piece = text[begin:end]
        head = _head(piece) if depth else None
        yield _below(start + begin, piece, head, depth) if head else _piece(start + begin, piece)


def _head(piece: str) -> re.Match[str] | None:
    """Return the line of a key with nothing behind it, and all down to the block below it."""
    found = _HEAD.match(piece)
    if not found:
        return None
    own, indent = len(found["own"]), len(found["indent"])
    return found if indent > own or (indent == own and piece[found.end() + own] == "-") else None


@lru_cache
def _starts(indent: str, what: str = "") -> re.Pattern[str]:
    """Return where keys or items begin; of keys alone, or items alone, like `what`."""
    start = {"": _START, "-": _DASH_START}.get(what, _KEY_START)
    return re.compile(rf"^{indent}(?P<what>{start})", re.MULTILINE)


def _below(start: int, piece: str, head: re.Match[str], depth: int) -> _Part | None:
    """Return a piece that is a key over a block, by the pieces of that."""
    holder = _piece(start, head[0])
    inner = _joined(_split(piece[head.end() :], start + head.end(), head["indent"], depth - 1))
    if holder is None or inner is None or len(holder.root.children) != 1:
        return None
    root = _collection([replace(holder.root.children[0], value=inner.root)])
    return _Part(root, holder.nodes + inner.nodes) if root else None


def _joined(pieces: Iterable[_Part | None]) -> _Part | None:
    """Return all the entries or items of the pieces in one."""
    children: list[Child] = []
    nodes = 1
    for piece in pieces:
        if piece is None:
            return None
        children += piece.root.children
        nodes += piece.nodes
    root = _collection(children)
    return _Part(root, nodes) if root else None


def _collection(children: Sequence[Child]) -> Node | None:
    """Return a block of these, None where it is no one collection or a key is there twice."""
    entries = {child.key.value: child.value.value for child in children if child.key}
    if not children or len(entries) not in (0, len(children)):
        return None
    return Node(
        kind=Kind.MAPPING if entries else Kind.SEQUENCE,
        start=children[0].start,
        end=children[-1].value.end,
        value=entries or [child.value.value for child in children],
        children=tuple(children),
    )


def _piece(start: int, piece: str) -> _Part | None:
    found = _remembered(piece)
    return _Part(_moved(found.root, start), found.nodes) if found else None


@lru_cache(maxsize=4096)
def _remembered(piece: str) -> _Part | None:
    """Return the part in a piece that stands for itself, None of any other."""
    try:
        found = yamlio.compose(piece, "")
    except ProjectError:
        return None
    block = found.root.kind in (Kind.MAPPING, Kind.SEQUENCE) and not found.root.flow
    return _Part(found.root, found.nodes) if found.plain and block else None


def _moved(node: Node, by: int) -> Node:
    return Node(
        kind=node.kind,
        start=node.start + by,
        end=node.end + by,
        value=node.value,
        children=tuple(
            Child(
                key=child.key and _moved(child.key, by),
                value=_moved(child.value, by),
                start=child.start + by,
                separator=child.separator + by,
            )
            for child in node.children
        ),
        flow=node.flow,
        block_scalar=node.block_scalar,
    )
