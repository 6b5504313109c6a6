"""What is put to the user, as values; a `Prompter` shows it and returns the reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from rustci.kinds import Value

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to choose."""

    value: Value
    title: str
    hint: str = ""
    group: str = ""
    """What it is shown under, where items are many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What all prompts have."""

    text: str
    notes: tuple[str, ...] = ()
    problem: str = ""
    """Why the last answer was refused; shown instead of the notes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YesNo(Shape):
    """Answered with true or false."""

    default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(Shape):
    """Answered with a line of text; an empty one takes the default."""

    default: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf(Shape):
    """Answered with the value of one item."""

    items: tuple[Item, ...]
    default: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf(Shape):
    """Answered with the values of the ticked items, in their order."""

    items: tuple[Item, ...]
    default: tuple[str, ...]
    other: str = ""
    """Asks for words that are no items; "" where there are none."""


Prompt: TypeAlias = YesNo | OneOf | AnyOf | Line
Reply: TypeAlias = Value | None
"""None: go back."""


class Prompter(Protocol):
    """Whoever puts the prompts to the user."""

    def ask(self, prompt: Prompt) -> Reply:
        """Return the reply. Raises KeyboardInterrupt or EOFError when the user leaves."""

    def answered(self, label: str, value: str) -> None:
        """Show an answer that was taken."""

    def taken_back(self) -> None:
        """Show that the last answer does not hold any more."""

    def show(self, printer: Callable[[Console], None], *, long: bool = False) -> None:
        """Show what `printer` prints; if it is long and does not fit, page by page."""


def words(reply: Reply) -> tuple[str, ...]:
    """Return the words of a reply to `AnyOf`; none of what is something else."""
    return reply if isinstance(reply, tuple) else ()
