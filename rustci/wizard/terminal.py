"""The prompts in a real terminal, with questionary."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from rustci.output import text
from rustci.wizard.prompts import AnyOf, Item, Line, OneOf, Prompt, Reply, YesNo, words

if TYPE_CHECKING:
    import questionary
    from rich.console import Console

WIDTH = 80
"""Columns beyond which lines are hard to read."""
OTHER = "other …"


class QuestionaryPrompter:
    """Asks with questionary. An answered prompt goes; one line with the answer stays."""

    def __init__(self) -> None:
        self.out = text.console()
        self.lines = 0
        """How many lines of answers stand right above the cursor."""

    def ask(self, prompt: Prompt) -> Reply:
        """Ask in the way that the type of the prompt calls for."""
        if isinstance(prompt, YesNo):
            return self._yes_no(prompt)
        if isinstance(prompt, OneOf):
            return self._one_of(prompt)
        if isinstance(prompt, AnyOf):
            return self._any_of(prompt)
        return self._line(prompt)

    def answered(self, label: str, value: str) -> None:
        """Print one line."""
        from rich.text import Text

        line = Text.assemble((f"  {label:<14}", "dim"), text.visible(value))
        self.out.print(line, no_wrap=True, overflow="ellipsis")
        self.lines += 1

    def taken_back(self) -> None:
        """Remove the line of the last answer, if nothing was printed after it."""
        from rich.control import Control
        from rich.segment import ControlType

        if self.lines:
            self.lines -= 1
            self.out.control(Control((ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2)))

    def show(self, printer: Callable[[Console], None], *, long: bool = False) -> None:
        """Print, or hand to the pager what is longer than the screen."""
        self.lines = 0
        if not long:
            printer(self.out)
            return
        with self.out.capture() as captured:
            printer(self.out)
        if captured.get().count("\n") < self.out.height:
            click.echo(captured.get(), nl=False)
        else:
            click.echo_via_pager(captured.get())

    def _yes_no(self, prompt: YesNo) -> Reply:
        import questionary

        keys = "(Y/n) " if prompt.default else "(y/N) "
        return _run(
            questionary.confirm(
                prompt.text,
                default=prompt.default,
                instruction=f"{_below(prompt)}\n    {keys}",
                style=_style(prompt),
            )
        )

    def _line(self, prompt: Line) -> Reply:
        import questionary

        return _run(
            questionary.text(
                prompt.text,
                instruction=f"{_below(prompt)}\n   ",
                placeholder=[("class:placeholder", prompt.default)],
                style=_style(prompt),
            )
        )

    def _one_of(self, prompt: OneOf) -> Reply:
        import questionary

        choices = _choices(prompt.items)
        return _run(
            questionary.select(
                prompt.text,
                choices=choices,
                default=next(c for c in choices if c.value == prompt.default),
                instruction=_below(prompt) or " ",
                style=_style(prompt),
            )
        )

    def _any_of(self, prompt: AnyOf) -> Reply:
        """Ask for ticks, and for other words where that is ticked."""
        import questionary

        choices = _choices(prompt.items, prompt.default)
        if prompt.other:
            choices.append(questionary.Choice(OTHER))
        note = "Space ticks, Enter goes on."
        reply = _run(
            questionary.checkbox(
                prompt.text,
                choices=choices,
                instruction=_below(replace(prompt, notes=(*prompt.notes, note))),
                style=_style(prompt),
            )
        )
        ticked = tuple(value for value in words(reply) if value != OTHER)
        if reply is None or OTHER not in words(reply):
            return reply
        other = self._line(Line(text=prompt.other))
        if other is None:
            return self._any_of(replace(prompt, default=ticked))
        return (*ticked, *(word.strip() for word in str(other).split(",") if word.strip()))


def _run(question: questionary.Question) -> Reply:
    """Run a prompt with our keys: Esc returns None, Ctrl-D leaves like Ctrl-C."""
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent, merge_key_bindings

    keys = KeyBindings()

    @keys.add("escape", eager=True)
    def back(event: KeyPressEvent) -> None:
        event.app.exit(result=None)

    @keys.add("c-d", eager=True)
    @keys.add("<sigint>", eager=True)
    def leave(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt)

    application = question.application
    present = [application.key_bindings] if application.key_bindings else []
    application.key_bindings = merge_key_bindings([*present, keys])
    application.erase_when_done = True
    # Seconds until an Esc is no longer taken for the start of an arrow key.
    application.ttimeoutlen = 0.1
    reply: Reply = question.unsafe_ask()
    return tuple(reply) if isinstance(reply, list) else reply


def _style(prompt: Prompt) -> questionary.Style:
    import questionary

    return questionary.Style(
        [
            ("qmark", "fg:ansicyan bold"),
            ("question", "bold"),
            ("instruction", "fg:ansired" if prompt.problem else "dim"),
            ("pointer", "fg:ansicyan bold"),
            ("selected", "noreverse"),
            ("separator", "bold"),
            ("hint", "dim"),
            ("placeholder", "dim"),
            ("answer", ""),
        ]
    )


def _columns() -> int:
    return min(WIDTH, shutil.get_terminal_size().columns)


def _below(prompt: Prompt) -> str:
    """Return what stands below the question: the notes, or why the last answer was refused."""
    lines = [prompt.problem] if prompt.problem else prompt.notes
    width = max(_columns() - 5, 20)
    wrapped = (part for line in lines for part in textwrap.wrap(text.visible(line), width))
    return "".join(f"\n    {line}" for line in wrapped)


def _choices(items: Iterable[Item], ticked: tuple[str, ...] = ()) -> list[questionary.Choice]:
    """Return the items as questionary has them, hints aligned, cut at the edge of the screen."""
    import questionary

    items = tuple(items)
    width = max(len(item.title) for item in items) + 2
    room = max(_columns() - width - 8, 0)
    choices: list[questionary.Choice] = []
    group = ""
    for item in items:
        if item.group != group:
            group = item.group
            choices.append(questionary.Separator(group))
        choices.append(
            questionary.Choice(
                [("class:text", f"{item.title:<{width}}"), ("class:hint", _cut(item.hint, room))],
                value=item.value,
                checked=item.value in ticked,
            )
        )
    return choices


def _cut(line: str, room: int) -> str:
    line = text.visible(line)
    return line if len(line) <= room else line[: max(room - 1, 0)] + "…"
