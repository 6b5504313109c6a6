"""Reading YAML of others: GitHub's workflows and actions.

YAML 1.2 core (https://yaml.org/spec/1.2.2/#103-core-schema): `on` is a string, `1:30` is one as
well. The text is taken in as a stream of events, so that its limits hold before anything is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
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
_UNDECODED = re.compile("[\udc80-\udcff]")
"""What `errors="surrogateescape"` makes of bytes that are no UTF-8."""
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")
_COLON = re.compile(r"\s*:")
_DASH = re.compile(r"(?!\s*#)(?P<dash>.*-)\s*(?:[&!]\S*\s*)*(?:#.*)?$")
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
    document = compose(text, path)
    value: Mapping[str, Any] = document.root.value
    if document.root.kind is not Kind.MAPPING:
        _refuse("the file holds no mapping", Location(path, 1))
    return value


@lru_cache(maxsize=128)
def compose(text: str, path: Path | str) -> Document:
    """Return the document in `text`, with the place of every node in it.

    One command reads the same file for several reasons: nobody may change what comes back.
    Raises ProjectError as `load_workflow` does, except that any value will do.
    """
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        _refuse(f"the file is longer than {MAX_BYTES:,} bytes", Location(path))
    if found := _UNDECODED.search(text):
        line = text.count("\n", 0, found.start()) + 1
        _refuse("the file is not UTF-8", Location(path, line))
    builder = _Builder(text, path)
    for event in _events(text, path):
        builder.take(event)
    if builder.root is None:
        _refuse("the file holds no mapping", Location(path, 1))
    return Document(
        root=builder.root,
        start=builder.start,
        end=builder.end,
        anchors=frozenset(builder.used),
        nodes=builder.nodes,
        plain=not builder.anchors and not builder.start,
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
