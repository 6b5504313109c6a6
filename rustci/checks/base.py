"""What the rules share: what they look at, what they find, and places in a workflow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from rustci import files, yamlio
from rustci.errors import ProjectError
from rustci.lock import FileState, Lock
from rustci.paths import WORKFLOWS
from rustci.proposal import Proposal
from rustci.scaffold import Change, ChangeKind
from rustci.yamlio import Child, Kind, Node

SETTLED = frozenset({ChangeKind.KEEP, ChangeKind.UNCHANGED})


class Level(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    """The answer of `check` is no."""
    NOTE = "note"
    """Listed, and nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a rule found."""

    rule: str
    path: str
    line: int = 1
    message: str
    fix: str
    """The command that mends it, or the edit where no command can."""
    level: Level = Level.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class JobNode:
    """One job in a text."""

    id: str
    line: int
    value: Mapping[str, Any]
    node: Node
    own: bool
    """The user's, in a file that was theirs before rustci came: only noted."""

    @property
    def level(self) -> Level:
        """How much a broken rule weighs."""
        return Level.NOTE if self.own else Level.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowFile:
    """A workflow that rustci wrote, as it is on disk."""

    path: str
    text: str
    root: Node
    adopted: bool
    base: Mapping[str, Any]
    """As rustci wrote it last."""
    apart: tuple[str, ...] = ()
    """Jobs that the aggregate does not wait for, as the user decided."""

    def line(self, node: Node | Child) -> int:
        """Return where a node begins, from 1."""
        return self.text.count("\n", 0, node.start) + 1

    def jobs(self) -> Iterator[JobNode]:
        """Yield the jobs in their order."""
        written = self.base.get("jobs", {})
        for name, child in entries(entries(self.root)["jobs"].value).items():
            if isinstance(child.value.value, dict):
                yield JobNode(
                    id=name,
                    line=self.line(child),
                    value=child.value.value,
                    node=child.value,
                    own=self.adopted and name not in written,
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the rules look at."""

    root: Path
    lock: Lock
    today: date
    workflows: tuple[WorkflowFile, ...] = ()
    unreadable: tuple[ProjectError, ...] = ()
    proposal: Proposal | None = None
    """What an update would do; None where it could not tell, or nobody asks."""

    @property
    def drift(self) -> tuple[Change, ...]:
        """The files that an update would write, or has to ask about."""
        changes = self.proposal.files if self.proposal else ()
        return tuple(change for change in changes if change.kind not in SETTLED)


class Rule(Protocol):
    """A module under `rustci/checks/`. Its docstring is its docs page: What, Why, Fix, Example."""

    __name__: str
    ID: str
    TITLE: str

    def check(self, context: Context) -> Iterable[Finding]:
        """Yield what is wrong."""


def entries(node: Node) -> dict[str, Child]:
    """Return the entries of a mapping by key; none of what is no mapping."""
    if node.kind is not Kind.MAPPING:
        return {}
    return {child.key.value: child for child in node.children if child.key}


def read_workflows(
    root: Path, lock: Lock
) -> tuple[tuple[WorkflowFile, ...], tuple[ProjectError, ...]]:
    """Return the workflows that rustci wrote and are on disk, and what could not be read."""
    found, broken = [], []
    for path, locked in sorted(lock.files.items()):
        if locked.state is not FileState.WRITTEN or not path.startswith(f"{WORKFLOWS}/"):
            continue
        try:
            if (text := files.read_text(root, path)) is not None:
                if "jobs" not in yamlio.load_workflow(text, path):
                    continue
                document = yamlio.compose(text, path)
                base = yamlio.load_workflow(locked.text, path)
                found.append(
                    WorkflowFile(
                        path=path,
                        text=text,
                        root=document.root,
                        adopted=locked.adopted,
                        base=base,
                        apart=locked.apart,
                    )
                )
        except ProjectError as problem:
            broken.append(problem)
    return tuple(found), tuple(broken)


def first_line(text: str, words: Iterable[str]) -> int:
    """Return the first line (from 1) that holds one of the words, 1 where none does."""
    for number, line in enumerate(text.splitlines(), 1):
        if any(word in line for word in words):
            return number
    return 1
