"""Asks the questions on a terminal, shows what would be written, and asks whether to write it.

`rustci.questions` says what is asked and what an answer means, a `Prompter` how it looks. Every
prompt can be left backwards; leaving the wizard (Ctrl-C, Ctrl-D) writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from rustci import adopt, jobs
from rustci import config as configuration
from rustci.adopt import Recognised
from rustci.config import Layer
from rustci.errors import ConfigError, RustciError, UsageError
from rustci.kinds import Choice, Kind, Switch, Value, Words
from rustci.output import text
from rustci.project import Project
from rustci.proposal import Proposal, propose, recognised
from rustci.questions import JOBS, Interview, Question
from rustci.scaffold import Change, ChangeKind, ChangeSet, OnExisting
from rustci.starter import Starter
from rustci.update import is_yaml
from rustci.wizard.prompts import AnyOf, Item, Line, OneOf, Prompt, Prompter, YesNo, words
from rustci.wizard.terminal import QuestionaryPrompter

if TYPE_CHECKING:
    from rich.console import Console

KEYS = "Enter takes the default, Esc goes back, Ctrl-C leaves and writes nothing."


def run(
    project: Project,
    layers: tuple[Layer, ...],
    on_existing: OnExisting | None,
    prompter: Prompter | None = None,
    starter: Starter | None = None,
) -> Proposal | None:
    """Ask everything, and return what to write; None if the user decides against it.

    Raises KeyboardInterrupt when the user leaves, and ConfigError before the first question where
    the settings to start from cannot be used.
    """
    jobs.plan(project, configuration.resolve(layers))
    prompter = prompter or _terminal()
    wizard = Wizard(Interview(project=project, layers=layers), on_existing, prompter, starter)
    try:
        return wizard.run()
    except (KeyboardInterrupt, EOFError):
        prompter.show(lambda out: out.print("Nothing was written."))
        raise KeyboardInterrupt from None


class Wizard:
    """One run through the questions, the files that are in the way, and the review."""

    def __init__(
        self,
        interview: Interview,
        on_existing: OnExisting | None,
        prompter: Prompter,
        starter: Starter | None = None,
    ) -> None:
        self.interview = interview
        self.starter = starter
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
            found = self.propose(self.decisions)
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

    def propose(self, decisions: Mapping[str, OnExisting]) -> Proposal:
        """Return what the answers come to. Raises RustciError where a file cannot be merged."""
        interview = self.interview
        if OnExisting.MERGE in decisions.values():
            interview = interview.beneath(adopt.layer(self.recognised(decisions)))
        decided = self.on_existing or decisions
        return propose(interview.project, interview.config, decided, starter=self.starter)

    def recognised(self, decisions: Mapping[str, OnExisting]) -> tuple[Recognised, ...]:
        """Return what the workflows that stay already do. Raises RustciError."""
        replaced = [path for path, what in decisions.items() if what is OnExisting.REPLACE]
        return recognised(self.interview.project, replaced)

    def merging(self, path: str) -> Item | str:
        """Return the choice to merge a file, with what is recognised in it, or why it is none."""
        decisions = {**self.decisions, path: OnExisting.MERGE}
        try:
            self.propose(decisions)
            found = [one for one in self.recognised(decisions) if one.path == path]
        except RustciError as problem:
            return f"It cannot be merged: {problem}."
        done = ", ".join(f"`{one.job}` is its `{one.catalogue}`" for one in found if not one.taken)
        hint = f"all of it stays, and what lacks is added{f' ({done})' if done else ''}"
        return Item(value="merge", title="merge", hint=hint)

    def decide(self, change: Change, changes: ChangeSet) -> None:
        """Ask what to do about a file that is in the way."""
        foreign = change.kind is ChangeKind.FOREIGN and is_yaml(change.path)
        prompt = _in_the_way(change, changes, self.merging(change.path) if foreign else "")
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


def _in_the_way(change: Change, changes: ChangeSet, merging: Item | str) -> OneOf:
    """Return the question about a file that only a person can decide on."""
    items = [
        Item(value="keep", title="keep", hint="it stays yours; rustci leaves it alone"),
        *([merging] if isinstance(merging, Item) else []),
        Item(value="replace", title="replace", hint="rustci's text takes its place"),
    ]
    if change.path not in changes.beside.values():
        name = f"rustci-{change.path.rpartition('/')[2]}"
        items.append(Item(value="beside", title="beside", hint=f"keep it, and add {name}"))
    hint = "show what replacing it would change"
    return OneOf(
        text=f"What about {change.path}?",
        notes=(
            f"It {change.reason}.",
            *([merging] if merging and isinstance(merging, str) else []),
        ),
        items=(*items, Item(value="diff", title="diff", hint=hint)),
        default="keep",
    )


def prompt_of(interview: Interview, question: Question) -> Prompt:
    """Return how `question` is put: the kind of its option decides."""
    default = interview.default(question)
    notes = tuple(_notes(interview, question))
    if question is JOBS:
        items = tuple(_job_items(interview))
        return AnyOf(text=question.text, notes=notes, items=items, default=words(default))
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
            text=question.text, notes=notes, items=items, default=words(default), other=other
        )
    return Line(text=question.text, notes=notes, default=text.shown(default))


def _kind(question: Question) -> Kind:
    return configuration.grammar()[question.name].kind


def _more(question: Question, default: Value) -> tuple[str, ...]:
    """Return the words of the default that are no well-known ones."""
    return tuple(word for word in words(default) if word not in question.hints)


def _items(question: Question, values: Iterable[Value]) -> Iterable[Item]:
    for value in values:
        title = "no" if value is False else str(value)
        yield Item(value=value, title=title, hint=question.hints.get(value, ""))


def _job_items(interview: Interview) -> Iterable[Item]:
    verdicts = interview.verdicts()
    for group, members in jobs.GROUPS.items():
        for job in members:
            verdict = verdicts[job.ID]
            if verdict.possible:
                yield Item(value=job.ID, title=job.TITLE, hint=verdict.reason, group=group)


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
        kept = [word for word in words(default) if word in reply]
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
        ticked = tuple(word for word in words(reply) if word in known)
        return replace(prompt, default=ticked)
    return prompt


def _told(interview: Interview, question: Question, value: Value) -> str:
    """Return an answer for the list of answers."""
    if question is not JOBS:
        return text.shown(value)
    switched = interview.answers[-1].layer
    if not switched:
        return f"{len(words(value))}, as recommended"
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
