"""A generated workflow as blocks of lines by indentation, to edit as a person would in an editor.

It knows nothing of the merge, and little of YAML: generated files have one entry a line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Block:
    """A line, the comments and blank lines above it, and the blocks indented below it."""

    head: str = ""
    lead: list[str] = field(default_factory=list)
    children: list[Block] = field(default_factory=list)

    @property
    def indent(self) -> int:
        return len(self.head) - len(self.head.lstrip())

    @property
    def key(self) -> str:
        return self.head.strip().removeprefix("- ").split(":")[0]

    @property
    def value(self) -> str:
        return self.head.split(": ", 1)[1]

    def __getitem__(self, key: str) -> Block:
        return next(child for child in self.children if child.key == key)

    def get(self, key: str) -> Block | None:
        return next((child for child in self.children if child.key == key), None)

    def set(self, value: str) -> None:
        self.head = f"{self.head.split(':', 1)[0]}: {value}"

    def insert(self, index: int, text: str) -> None:
        """Put a new block among the children, indented as they are."""
        column = self.children[0].indent if self.children else self.indent + 2
        lines = [" " * column + line if line else "" for line in text.splitlines()]
        self.children[index:index] = parse("\n".join(lines)).children

    def lines(self) -> Iterator[str]:
        yield from self.lead
        if self.head:
            yield self.head
        for child in self.children:
            yield from child.lines()


def parse(text: str) -> Block:
    """Return the blocks of a text, below a root without a line."""
    root = Block()
    path = [(-1, root)]
    lead: list[str] = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            lead.append(line)
            continue
        block = Block(line, lead)
        lead = []
        while path[-1][0] >= block.indent:
            path.pop()
        path[-1][1].children.append(block)
        path.append((block.indent, block))
    return root


def render(root: Block) -> str:
    """Return the text again."""
    return "".join(f"{line}\n" for line in root.lines())
