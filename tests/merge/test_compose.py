"""A text composed in pieces is the text composed as a whole, and is refused alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustci import yamlio
from rustci.errors import Location, ProjectError
from rustci.merge import pieces
from rustci.yamlio import Kind, Node

HERE = Path(__file__).parent
TEXTS = sorted({path.read_bytes().decode() for path in HERE.glob("*/**/*.yml")})
GENERATED = (HERE / "generated" / "ci.yml").read_text()


def tree(node: Node) -> Any:
    """Return all that is known of a node and what is below it."""
    below = [
        (child.key and tree(child.key), tree(child.value), child.start, child.separator)
        for child in node.children
    ]
    place = node.kind, node.start, node.end, node.flow, node.block_scalar, node.anchor
    return (*place, repr(node.value), below)


def outcome(text: str, *, whole: bool) -> Any:
    try:
        document = yamlio.compose(text, "w.yml") if whole else pieces.compose(text, "w.yml")
    except ProjectError as error:
        return error.message, error.where
    if document.root.kind is not Kind.MAPPING:
        return "the file holds no mapping", Location("w.yml", 1)
    return tree(document.root), document.start, document.end, document.anchors


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_pieces_make_the_whole(text: str) -> None:
    assert outcome(text, whole=False) == outcome(text, whole=True)


def test_a_generated_file_comes_apart() -> None:
    assert pieces.in_pieces(GENERATED)


LINES = GENERATED.splitlines()
ODD = ["  - a", "x:", "    y: [", '      "', "\t", "a: &b c", "d: *b", "---", "   z: |", "# c", ""]


@given(st.data())
def test_broken_files_are_refused_alike(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(LINES) - 30))
    lines = LINES[start : start + 30]
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(lines) - 1))
        line = data.draw(st.sampled_from([*ODD, *LINES]))
        lines[place : place + data.draw(st.integers(0, 2))] = [line]
    text = "\n".join(lines)

    assert outcome(text, whole=False) == outcome(text, whole=True)
