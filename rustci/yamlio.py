"""Reading YAML of others: GitHub's workflows and actions.

YAML 1.2 core (https://yaml.org/spec/1.2.2/#103-core-schema): `on` is a string, `1:30` is one as
well. The text is taken in as a stream of events, so that its limits hold before anything is built.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)

from rustci.errors import Location, ProjectError

MAX_BYTES = 512_000
"""GitHub reads no longer workflow file."""
MAX_DEPTH = 64
MAX_ALIASES = 100
MAX_NODES = 100_000
"""After aliases are followed: a walk over the value visits no more."""
_TOO_DEEP = re.compile(rf"(?:[\[{{]\s*){{{MAX_DEPTH + 1}}}")
"""Brackets alone: the scanner would read far ahead in them before it gives the first event."""
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")
_COLON = re.compile(r"\s*:")
_DASH = re.compile(r"(?!\s*#)(?P<dash>.*-)\s*(?:[&!]\S*\s*)*(?:#.*)?$")
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
_CONSTANTS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class Kind(StrEnum):
    """What a node is."""

    SCALAR = "scalar"
    MAPPING = "mapping"
    SEQUENCE = "sequence"
    ALIAS = "alias"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """A value, and where it stands: offsets into the text, its anchor left out."""

    kind: Kind
    start: int
    end: int
    """Behind its last character; of a block scalar, behind its last line that counts."""
    value: Any
    """Dicts, lists and scalars; an alias has the value of its anchor."""
    children: tuple[Child, ...] = ()
    flow: bool = False
    """Between brackets or braces."""
    block_scalar: bool = False
    anchor: str | None = None
    """The name behind `&`, or that of an alias behind `*`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Child:
    """An entry of a mapping, or an item of a sequence, which has no key."""

    key: Node | None
    value: Node
    start: int
    """Of the key, or of the dash; without either, of the value."""
    separator: int
    """Behind the colon or dash; without either, the start of the value."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Document:
    """The one document of a text."""

    root: Node
    start: int
    """Behind `---`."""
    end: int
    """Before `...`."""
    anchors: frozenset[str]
    """The names that aliases use."""
    nodes: int
    plain: bool = True
    """Without anchors and `---`: it means the same as a part of another."""


def load_workflow(text: str, path: Path | str) -> Mapping[str, Any]:
    """Return the mapping in `text`: dicts with string keys, lists and scalars.

    Raises ProjectError with file and line for what is no YAML, has tags, duplicate keys or several
    documents, goes beyond a limit above, or is no mapping.
    """
    value: Mapping[str, Any] = _mapping(_compose(text, path), path).root.value
    return value


def compose(text: str, path: Path | str) -> Document:
    """Return the document in `text`, a mapping, with the place of every node in it.

    The values in it are shared with other documents: they are to be read only. Raises ProjectError
    as `load_workflow` does.
    """
    return _from_pieces(text) or _mapping(_compose(text, path), path)


def _mapping(document: Document, path: Path | str) -> Document:
    if document.root.kind is not Kind.MAPPING:
        _refuse("the file holds no mapping", Location(path, 1))
    return document


def _compose(text: str, path: Path | str) -> Document:
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        _refuse(f"the file is longer than {MAX_BYTES:,} bytes", Location(path))
    builder = _Builder(text, path)
    for event in _events(text, path):
        builder.take(event)
    root = builder.root
    if root is None:
        _refuse("the file holds no mapping", Location(path, 1))
    return Document(
        root=root,
        start=builder.start,
        end=builder.end,
        anchors=frozenset(builder.used),
        nodes=builder.nodes,
        plain=not builder.anchors and not builder.start,
    )


class _Part(NamedTuple):
    """A part of a document, which means the same on its own."""

    root: Node
    nodes: int


@lru_cache(maxsize=16)
def _from_pieces(text: str) -> Document | None:
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
        found = _compose(piece, "")
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


def _events(text: str, path: Path | str) -> Iterator[Event]:
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Location(path, mark.line + 1, mark.column + 1) if mark else Location(path)
        _refuse(f"the file is not YAML: {error.problem or error.context}", place)
    except (YAMLError, ValueError, RecursionError) as error:
        _refuse(f"the file is not YAML: {str(error).splitlines()[0]}", Location(path))


class _Anchor(NamedTuple):
    node: Node
    nodes: int


@dataclass(slots=True)
class _Open:
    """A collection that has begun and not ended."""

    event: CollectionStartEvent
    before: int
    """How many nodes there were when it began."""
    value: dict[str, Any] | list[Any]
    children: list[Child] = field(default_factory=list)
    key: Node | None = None


@dataclass(slots=True)
class _Builder:
    """Builds nodes from events without recursion, and counts."""

    text: str
    path: Path | str
    root: Node | None = None
    start: int = 0
    end: int = 0
    nodes: int = 0
    aliases: int = 0
    documents: int = 0
    anchors: dict[str, _Anchor] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    open: list[_Open] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """Take in the next event. Raises ProjectError."""
        if isinstance(event, AliasEvent):
            self._alias(event)
        elif isinstance(event, CollectionEndEvent):
            self._close(event)
        elif isinstance(event, NodeEvent):
            self._node(event)
        elif isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self._refuse("a second document begins", event)
            self.start = event.end_mark.index if event.explicit else 0
        elif isinstance(event, DocumentEndEvent):
            self.end = event.start_mark.index if event.explicit else len(self.text)

    def _node(self, event: NodeEvent) -> None:
        tag = getattr(event, "tag", None)
        if tag not in (None, "!"):
            self._refuse(f"the tag {tag} is not allowed", event)
        self._count(1, event)
        if isinstance(event, CollectionStartEvent):
            if len(self.open) == MAX_DEPTH:
                self._refuse(f"nested deeper than {MAX_DEPTH} levels", event)
            self._require_value_position(event)
            value: dict[str, Any] | list[Any] = {} if isinstance(event, MappingStartEvent) else []
            self.open.append(_Open(event, self.nodes, value))
        elif isinstance(event, ScalarEvent):
            self._scalar(event)

    def _scalar(self, event: ScalarEvent) -> None:
        plain = event.implicit[0] and event.style is None
        is_key = self._expects_key()
        node = Node(
            kind=Kind.SCALAR,
            start=self._inside(event),
            end=self._scalar_end(event),
            value=resolve(event.value) if plain and not is_key else event.value,
            block_scalar=event.style in ("|", ">"),
            anchor=event.anchor,
        )
        if is_key:
            self._key(node, event)
        else:
            self._add(node, 1)

    def _scalar_end(self, event: ScalarEvent) -> int:
        end: int = event.end_mark.index
        if event.style not in ("|", ">"):
            return end
        written = self.text[event.start_mark.index : end]
        header = written.split("\n", 1)[0]
        kept = written.rstrip() if "+" not in header else written.removesuffix("\n")
        return int(event.start_mark.index) + len(kept.removesuffix("\r"))

    def _inside(self, event: NodeEvent) -> int:
        """Return where the node begins, behind its anchor."""
        found = _PROPERTIES.match(self.text, event.start_mark.index)
        return found.end() if found and event.anchor else int(event.start_mark.index)

    def _alias(self, event: AliasEvent) -> None:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            self._refuse(f"more than {MAX_ALIASES} aliases", event)
        target = self.anchors.get(event.anchor)
        if target is None:
            self._refuse(f"the alias *{event.anchor} has no finished anchor", event)
        self._require_value_position(event)
        self._count(target.nodes, event)
        self.used.add(event.anchor)
        node = Node(
            kind=Kind.ALIAS,
            start=event.start_mark.index,
            end=event.end_mark.index,
            value=target.node.value,
            anchor=event.anchor,
        )
        self._add(node, target.nodes, anchors=False)

    def _close(self, event: CollectionEndEvent) -> None:
        done = self.open.pop()
        if done.key is not None:
            self._refuse("a key has no value", event)
        flow = bool(done.event.flow_style)
        start = done.children[0].start if done.children and not flow else self._inside(done.event)
        block_end = done.children[-1].value.end if done.children else start
        node = Node(
            kind=Kind.MAPPING if isinstance(done.value, dict) else Kind.SEQUENCE,
            start=start,
            end=event.end_mark.index if flow else block_end,
            value=done.value,
            children=tuple(done.children),
            flow=flow,
            anchor=done.event.anchor,
        )
        self._add(node, self.nodes - done.before + 1)

    def _key(self, key: Node, event: Event) -> None:
        holder = self.open[-1]
        if key.value in holder.value:
            self._refuse(f"the key {key.value!r} is there twice", event)
        holder.key = key

    def _add(self, node: Node, nodes: int, *, anchors: bool = True) -> None:
        if anchors and node.anchor is not None:
            self.anchors[node.anchor] = _Anchor(node, nodes)
        if not self.open:
            self.root = node
            return
        holder = self.open[-1]
        child = self._child(holder, node)
        holder.children.append(child)
        if isinstance(holder.value, list):
            holder.value.append(node.value)
        elif child.key is not None:
            holder.value[child.key.value] = node.value
        holder.key = None

    def _child(self, holder: _Open, node: Node) -> Child:
        """Return the node as a child; an empty one stands right behind its colon or dash."""
        key, start, separator = holder.key, node.start, node.start
        if key is not None:
            colon = _COLON.match(self.text, key.end)
            start, separator = key.start, colon.end() if colon else key.end
        elif not holder.event.flow_style:
            start = self._dash(node.start)
            separator = start + 1
        if node.start == node.end and node.value is None and node.anchor is None:
            node = replace(node, start=separator, end=separator)
        return Child(key=key, value=node, start=start, separator=separator)

    def _dash(self, start: int) -> int:
        """Return where the dash of the item stands that begins at `start`: before comments."""
        while True:
            line = self.text.rfind("\n", 0, start) + 1
            found = _DASH.match(self.text[line:start])
            if found:
                return line + found.end("dash") - 1
            if line == 0:
                return start
            start = line - 1

    def _expects_key(self) -> bool:
        return (
            bool(self.open) and isinstance(self.open[-1].value, dict) and self.open[-1].key is None
        )

    def _require_value_position(self, event: Event) -> None:
        if self._expects_key():
            self._refuse("a key must be a plain word", event)

    def _count(self, nodes: int, event: Event) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            self._refuse(f"more than {MAX_NODES:,} values", event)

    def _refuse(self, problem: str, event: Event) -> NoReturn:
        mark = event.start_mark
        _refuse(problem, Location(self.path, mark.line + 1, mark.column + 1))


def resolve(text: str) -> bool | int | float | str | None:
    """Return the value of a plain scalar in the core schema."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text, base) if len(text) < 100 else text
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(text.replace(".", "")) if _SPECIAL.fullmatch(text) else text


def _refuse(problem: str, where: Location) -> NoReturn:
    raise ProjectError(problem, where=where, hint="mend the file, or move it away")
