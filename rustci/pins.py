"""The `uses:` of workflows and composite actions: finding them and moving their pins. Pure.

A pin is data: moving it touches its ref and the version in its comment and no other byte.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from packaging.version import InvalidVersion, Version

from rustci import yamlio
from rustci.errors import RustciError
from rustci.paths import WORKFLOWS
from rustci.yamlio import Node

ACTIONS_LOCK = f"{WORKFLOWS}/actions.lock"
"""Written by `gh actions-lock`; a run fails where a locked workflow uses what it does not list."""
ACTIONS_LOCK_VERSION = "v0.0.2"

_ACTION = re.compile(
    r"(?P<action>[A-Za-z0-9][A-Za-z0-9_-]*/(?!\.{1,2}[/@])[A-Za-z0-9_.-]+(?:/[^\s@]+)?)"
    r"@(?P<ref>[^\s@]+)"
)
_REST = re.compile(r"(?P<blank>[ \t]*)(?:(?<=[ \t])#(?P<comment>[^\r\n]*))?(?=\r|\n|\Z)")
_VERSION_COMMENT = re.compile(r"[ \t]*(?:tag=|pin@|@)?(?P<version>v?\d[\w.+-]*)[ \t]*(?=#|\Z)")
_HELD_COMMENT = re.compile(r"[ \t]*(?:frozen|ratchet):")
_SHA = re.compile(r"[0-9a-fA-F]{40}")
_TAG = re.compile(r"v?\d[\w.+-]*")
_OTHER_KEYS = frozenset({"defaults", "env", "inputs", "outputs", "strategy", "with"})
"""Below them a key `uses` is data of somebody's."""


class Kind(StrEnum):
    """What a `uses:` names."""

    SHA = "sha"
    TAG = "tag"
    BRANCH = "branch"
    LOCAL = "local"
    DOCKER = "docker"


class Comment(StrEnum):
    """What stands behind a `uses:` on its line."""

    NONE = "none"
    VERSION = "version"
    OWN = "own"
    """Somebody's words: they stay."""
    HELD = "held"
    """`frozen:` or `ratchet:`: another tool keeps this line."""
    CODE = "code"
    """More YAML (`{uses: a/b@v1, with: …}`): a comment has no place."""


class Span(NamedTuple):
    """Offsets in a text."""

    start: int
    end: int


class Edit(NamedTuple):
    """What takes the place of a span."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One `uses:` in a text."""

    path: str
    line: int
    column: int
    action: str
    """`owner/repo` or `owner/repo/path`; the whole value for a local action or an image."""
    ref: str
    kind: Kind
    comment: Comment
    version: str | None
    """The version that the comment names."""
    ref_span: Span
    version_span: Span | None
    end: int
    """Where a comment would be appended."""

    @property
    def repo(self) -> str:
        """`owner/repo`."""
        return "/".join(self.action.split("/")[:2])


class Unseen(NamedTuple):
    """A `uses:` in a form that is not followed (a block scalar, an escape): never rewritten."""

    line: int
    value: str


class Found(NamedTuple):
    """What `find` found."""

    uses: tuple[Use, ...]
    unseen: tuple[Unseen, ...]


def find(text: str, path: str) -> Found:
    """Return every `uses:` of a workflow or composite action, in order.

    Raises ProjectError where the file is not YAML that `yamlio` takes.
    """
    if "uses" not in text:
        return Found((), ())
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
    uses, unseen = [], []
    for node in _values(yamlio.compose(text, path).root):
        use = _use(text, path, starts, node)
        if use:
            uses.append(use)
        else:
            unseen.append(Unseen(bisect_right(starts, node.start), str(node.value)))
    return Found(tuple(uses), tuple(unseen))


def edits(use: Use, ref: str, version: str | None) -> Iterator[Edit]:
    """Yield what moves `use` to `ref`, with `version` in its comment; `splice` makes it.

    A comment that names no version stays as it is; the line then tells no version.
    """
    yield Edit(use.ref_span, ref)
    if version and use.version_span:
        yield Edit(use.version_span, version)
    elif version and use.comment is Comment.NONE:
        yield Edit(Span(use.end, use.end), f" # {version}")


def splice(text: str, changes: Iterable[Edit]) -> str:
    """Return `text` with every edit made; they must not overlap."""
    parts, done = [], 0
    for (start, end), new in sorted(changes):
        parts += [text[done:start], new]
        done = end
    return "".join([*parts, text[done:]])


def parse_version(text: str) -> Version | None:
    """Return the version that a tag names, compared by number: v1.10 is newer than v1.9."""
    try:
        return Version(text) if _TAG.fullmatch(text) else None
    except InvalidVersion:
        return None


def compatible(current: Version, new: Version) -> bool:
    """Whether `new` is no major jump: below 1.0 the second number counts as the first."""
    line = current.release[:1] if current.release[0] else current.release[:2]
    return new.release[: len(line)] == line


def locked_by_gh(text: str | None, paths: Iterable[str]) -> frozenset[str]:
    """Return which of `paths` the actions.lock in `text` governs: all, if it is not understood.

    Composite actions are always among them: the lock lists what workflows use through them.
    """
    if text is None:
        return frozenset()
    try:
        lock = yamlio.load_workflow(text, ACTIONS_LOCK)
    except RustciError:
        lock = {}
    workflows = lock.get("workflows")
    if lock.get("version") != ACTIONS_LOCK_VERSION or not isinstance(workflows, dict):
        return frozenset(paths)
    return frozenset(
        path for path in paths if path in workflows or not path.startswith(f"{WORKFLOWS}/")
    )


def _values(node: Node) -> Iterator[Node]:
    """Yield the value of every `uses` that GitHub reads; what an alias repeats stands elsewhere."""
    for child in node.children:
        key = child.key.value if child.key else None
        if key == "uses" and child.value.kind is yamlio.Kind.SCALAR:
            yield child.value
        elif key not in _OTHER_KEYS:
            yield from _values(child.value)


def _use(text: str, path: str, starts: list[int], node: Node) -> Use | None:
    """Return the use that a scalar is, None if it is nothing that GitHub takes on one line."""
    span = _bare(text, node)
    value = text[span.start : span.end]
    match = _ACTION.fullmatch(value)
    kind = _kind(value, match)
    if kind is None or value != node.value:
        return None
    if match is None or kind in {Kind.LOCAL, Kind.DOCKER}:
        action, ref, ref_span = value, "", span
    else:
        action, ref = match["action"], match["ref"]
        ref_span = Span(span.start + match.start("ref"), span.end)
    line = bisect_right(starts, node.start)
    comment, version = _comment(text, node.end)
    return Use(
        path=path,
        line=line,
        column=node.start - starts[line - 1] + 1,
        action=action,
        ref=ref,
        kind=kind,
        comment=comment,
        version=text[version.start : version.end] if version else None,
        ref_span=ref_span,
        version_span=version,
        end=node.end,
    )


def _bare(text: str, node: Node) -> Span:
    """Return where a scalar stands, without its quotes."""
    quoted = text[node.start : node.start + 1] in {"'", '"'}
    return Span(node.start + quoted, node.end - quoted)


def _kind(value: str, match: re.Match[str] | None) -> Kind | None:
    if value.startswith(("./", "$/")):
        return Kind.LOCAL
    if value.startswith("docker://"):
        return Kind.DOCKER
    if match is None:
        return None
    if _SHA.fullmatch(match["ref"]):
        return Kind.SHA
    return Kind.TAG if parse_version(match["ref"]) else Kind.BRANCH


def _comment(text: str, end: int) -> tuple[Comment, Span | None]:
    """Return what stands behind a value that ends at `end`, and where the version in it is."""
    rest = _REST.match(text, end)
    if rest is None:
        return Comment.CODE, None
    if rest["comment"] is None:
        return Comment.NONE, None
    if _HELD_COMMENT.match(rest["comment"]):
        return Comment.HELD, None
    named = _VERSION_COMMENT.match(rest["comment"])
    if named is None or parse_version(named["version"]) is None:
        return Comment.OWN, None
    start = rest.start("comment")
    return Comment.VERSION, Span(start + named.start("version"), start + named.end("version"))
