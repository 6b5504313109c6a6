"""Asks the questions on a terminal, shows what would be written, and asks whether to write it.

`rustci.questions` says what is asked and what an answer means, a `Prompter` how it looks. Every
prompt can be left backwards; leaving the wizard (Ctrl-C, Ctrl-D) writes nothing.
"""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeAlias

import click

from rustci import config as configuration
from rustci import jobs
from rustci.config import Layer
from rustci.errors import ConfigError, UsageError
from rustci.kinds import Choice, Kind, Switch, Value, Words
from rustci.output import text
from rustci.project import Project
from rustci.proposal import Proposal, propose
from rustci.questions import JOBS, Interview, Question
from rustci.scaffold import Change, ChangeSet, OnExisting

if TYPE_CHECKING:
    import questionary
    from rich.console import Console

KEYS = "Enter takes the default, Esc goes back, Ctrl-C leaves and writes nothing."
WIDTH = 80
"""Columns beyond which lines are hard to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to choose."""

    value: Value
    title: str
    hint: str = ""
    possible: bool = True


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


def run(
    project: Project,
    layers: tuple[Layer, ...],
    on_existing: OnExisting | None,
    prompter: Prompter | None = None,
) -> Proposal | None:
    """Ask everything, and return what to write; None if the user decides against it.

    Raises KeyboardInterrupt when the user leaves, and ConfigError before the first question where
    the settings to start from cannot be used.
    """
    jobs.plan(project, configuration.resolve(layers))
    prompter = prompter or _terminal()
    wizard = Wizard(Interview(project=project, layers=layers), on_existing, prompter)
    try:
        return wizard.run()
    except (KeyboardInterrupt, EOFError):
        prompter.show(lambda out: out.print("Nothing was written."))
        raise KeyboardInterrupt from None


class Wizard:
    """One run through the questions, the files that are in the way, and the review."""

    def __init__(
        self, interview: Interview, on_existing: OnExisting | None, prompter: Prompter
    ) -> None:
        self.interview = interview
        self.on_existing = on_existing
        self.prompter = prompter
        self.decisions: dict[str, OnExisting] = {}
        """What to do about each file that is in the way, in the order of the answers."""

    def run(self) -> Proposal | None:
        """Ask until there is something to write, or nothing."""
        self.prompter.show(self.welcome)
        while True:
            if question := self.interview.question:
                self.ask(question)
                continue
            found = self.propose()
            undecided = found.changes.undecided
            if undecided and self.on_existing is None:
                self.decide(undecided[0], found.changes)
            elif undecided or not found.writes:
                self.prompter.show(partial(text.review, found))
                return found
            elif (written := self.review(found)) is not None:
                return found if written else None

    def welcome(self, out: Console) -> None:
        """Print what was found, and the keys."""
        text.summary(self.interview.project, out)
        out.print()
        out.print(KEYS, style="dim", soft_wrap=True)
        out.print()

    def ask(self, question: Question) -> None:
        """Ask until the answer can be used, or the user goes back."""
        prompt = prompt_of(self.interview, question)
        while True:
            reply = self.prompter.ask(prompt)
            if reply is None:
                self.back()
                return
            try:
                value = value_of(self.interview, question, reply)
                self.interview = self.interview.answer(value)
            except (ValueError, ConfigError) as problem:
                prompt = refused(prompt, reply, problem)
                continue
            self.prompter.answered(question.label, _told(self.interview, question, value))
            return

    def propose(self) -> Proposal:
        """Return what the answers come to."""
        decisions = self.on_existing or self.decisions
        return propose(self.interview.project, self.interview.config, decisions)

    def decide(self, change: Change, changes: ChangeSet) -> None:
        """Ask what to do about a file that is in the way."""
        prompt = _in_the_way(change, changes)
        while True:
            reply = self.prompter.ask(prompt)
            if reply is None:
                self.back()
                return
            if reply == "diff":
                self.prompter.show(partial(text.changes, [change]), long=True)
                continue
            self.decisions[change.path] = OnExisting(str(reply))
            self.prompter.answered(change.path.rpartition("/")[2], str(reply))
            return

    def review(self, found: Proposal) -> bool | None:
        """Show everything and ask whether to write it; None if the user goes back."""
        self.prompter.show(partial(text.review, found))
        while True:
            reply = self.prompter.ask(REVIEW)
            if reply is None:
                self.back()
                return None
            if reply != "diff":
                return bool(reply)
            self.prompter.show(partial(text.diff, found), long=True)

    def back(self) -> None:
        """Take back the last answer, if there is one."""
        if self.decisions:
            self.decisions.popitem()
        elif self.interview.answers:
            self.interview = self.interview.back()
        else:
            return
        self.prompter.taken_back()


REVIEW = OneOf(
    text="Write these files?",
    items=(
        Item(value=True, title="yes"),
        Item(value=False, title="no", hint="leave and write nothing"),
        Item(value="diff", title="diff", hint="show every line first"),
    ),
    default=True,
)


def _in_the_way(change: Change, changes: ChangeSet) -> OneOf:
    """Return the question about a file that only a person can decide on."""
    items = [
        Item(value="keep", title="keep", hint="it stays yours; rustci leaves it alone"),
        Item(value="replace", title="replace", hint="rustci's text takes its place"),
    ]
    if change.path not in changes.beside.values():
        name = f"rustci-{change.path.rpartition('/')[2]}"
        items.append(Item(value="beside", title="beside", hint=f"keep it, and add {name}"))
    hint = "show what replacing it would change"
    return OneOf(
        text=f"What about {change.path}?",
        notes=(f"It {change.reason}.",),
        items=(*items, Item(value="diff", title="diff", hint=hint)),
        default="keep",
    )


def prompt_of(interview: Interview, question: Question) -> Prompt:
    """Return how `question` is put: the kind of its option decides."""
    default = interview.default(question)
    notes = tuple(_notes(interview, question))
    if question is JOBS:
        items = tuple(_job_items(interview))
        return AnyOf(text=question.text, notes=notes, items=items, default=_words(default))
    kind = _kind(question)
    if isinstance(kind, Switch):
        return YesNo(text=question.text, notes=notes, default=bool(default))
    if isinstance(kind, Choice):
        items = tuple(_items(question, question.hints))
        return OneOf(text=question.text, notes=notes, items=items, default=default)
    if isinstance(kind, Words):
        items = tuple(_items(question, [*question.hints, *_more(question, default)]))
        other = f"Which other {kind.noun}? (commas between them)"
        return AnyOf(
            text=question.text, notes=notes, items=items, default=_words(default), other=other
        )
    return Line(text=question.text, notes=notes, default=text.shown(default))


def _kind(question: Question) -> Kind:
    return configuration.grammar()[question.name].kind


def _words(value: Reply) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _more(question: Question, default: Value) -> tuple[str, ...]:
    """Return the words of the default that are no well-known ones."""
    return tuple(word for word in _words(default) if word not in question.hints)


def _items(question: Question, values: Iterable[Value]) -> Iterable[Item]:
    for value in values:
        title = "no" if value is False else str(value)
        yield Item(value=value, title=title, hint=question.hints.get(value, ""))


def _job_items(interview: Interview) -> Iterable[Item]:
    verdicts = interview.verdicts()
    for job in jobs.CATALOGUE:
        verdict = verdicts[job.ID]
        yield Item(value=job.ID, title=job.TITLE, hint=verdict.reason, possible=verdict.possible)


def _notes(interview: Interview, question: Question) -> Iterable[str]:
    """Yield why the default is what it is, what is recommended instead, and what helps."""
    if reason := interview.reason(question):
        yield f"Why: {reason}"
    if advice := interview.recommended(question):
        value, reason = advice
        yield f"Recommended: {text.shown(value)}" + (f" ({reason})" if reason else "")
    if question.note:
        yield question.note


def value_of(interview: Interview, question: Question, reply: Value) -> Value:
    """Return the value that a reply stands for. Raises ValueError with the reason."""
    default = interview.default(question)
    if isinstance(reply, tuple):
        # The order has a meaning (the first is the main one), so the one that holds is kept.
        kept = [word for word in _words(default) if word in reply]
        return tuple(dict.fromkeys((*kept, *reply)))
    if not isinstance(reply, str) or isinstance(_kind(question), Choice):
        return reply
    if not reply.strip():
        return default
    try:
        return _kind(question).parse(reply.strip())
    except ValueError as problem:
        raise ValueError(f"`{reply.strip()}` cannot be used: it {problem}") from None


def refused(prompt: Prompt, reply: Value, problem: ValueError | ConfigError) -> Prompt:
    """Return the prompt that asks again, with the reason and the reply to mend."""
    hint = f" ({problem.hint})" if isinstance(problem, ConfigError) and problem.hint else ""
    prompt = replace(prompt, problem=f"{problem}{hint}")
    if isinstance(prompt, AnyOf):
        known = [item.value for item in prompt.items]
        ticked = tuple(word for word in _words(reply) if word in known)
        return replace(prompt, default=ticked)
    return prompt


def _told(interview: Interview, question: Question, value: Value) -> str:
    """Return an answer for the list of answers."""
    if question is not JOBS:
        return text.shown(value)
    switched = interview.answers[-1].layer
    if not switched:
        return f"{len(_words(value))}, as recommended"
    return ", ".join(
        f"{'with' if setting.value else 'without'} {name.removeprefix('jobs.')}"
        for name, setting in switched.items()
    )


def _terminal() -> Prompter:
    """Return the prompter for the terminal. Raises UsageError for one that cannot show it."""
    from prompt_toolkit.utils import is_dumb_terminal

    if is_dumb_terminal():
        raise UsageError(
            "this terminal cannot show the questions (`TERM` says that it is dumb)",
            hint="`rustci init --yes` takes every recommendation, and `rustci init --help` lists "
            "the flag of each answer",
        )
    return QuestionaryPrompter()


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
        ticked = tuple(value for value in _words(reply) if value != OTHER)
        if reply is None or OTHER not in _words(reply):
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
            ("disabled", "dim"),
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
    return [
        questionary.Choice(
            [
                ("class:text", f"{item.title:<{width}}"),
                *([("class:hint", _cut(item.hint, room))] if item.possible else []),
            ],
            value=item.value,
            checked=item.value in ticked,
            # questionary shows it in brackets, and cannot do without.
            disabled=None if item.possible else _cut(item.hint, room - 3) or "-",
        )
        for item in items
    ]


def _cut(line: str, room: int) -> str:
    line = text.visible(line)
    return line if len(line) <= room else line[: max(room - 1, 0)] + "…"
