"""The three-way merge of workflow files, by structure. Pure: texts in, a text and a report out.

Three texts take part, named as in the field: `base` is what rustci wrote last, `theirs` is what the
user has on disk, `ours` is what rustci would write now. What only one side changed is taken over;
what both changed differently is a conflict, and the text keeps the user's. Edits are spans of the
user's text: all else stays as it is, byte for byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from rustci.errors import ProjectError
from rustci.merge import jobs, match, pins, triggers
from rustci.merge.layout import Indentation
from rustci.merge.match import fingerprint
from rustci.merge.source import BOM, Source, plain
from rustci.merge.three_way import Change, Conflict, Merge, Result, Side, What

__all__ = [
    "Change",
    "Conflict",
    "Merged",
    "Side",
    "What",
    "adopt_newer_pins",
    "merge3",
    "same_but_pins",
]
_UNNAMED = "the workflow"
_EMPTY = re.compile(r"\bneeds: *\[ *\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What a merge came to."""

    text: str
    """With the BOM and the line ends of theirs."""
    conflicts: tuple[Conflict, ...] = ()
    """What nobody has decided yet; there the text is the user's."""
    applied: tuple[Change, ...] = ()
    """What the template changed."""
    kept: tuple[Change, ...] = ()
    """What the user changed and the template would have otherwise."""


def merge3(
    base: str | None,
    theirs: str,
    ours: str,
    *,
    prefer: Side | None = None,
    path: Path | str = _UNNAMED,
) -> Merged:
    """Return `theirs` (the user's file) with what changed from `base` to `ours` (the template).

    Without a base everything in theirs is the user's, and what only ours has is added. `prefer`
    decides every conflict that can be decided. Raises ProjectError, with the line in `path`, for
    what cannot be merged safely: no YAML, tabs as indentation, tags, duplicate keys, more than one
    document.
    """
    if base is not None and plain(theirs) == plain(base):
        return Merged(text=_styled(ours, theirs))
    if plain(theirs) == plain(ours) or (base is not None and plain(ours) == plain(base)):
        return Merged(text=theirs)
    sources = _prepared(base, theirs, ours, path)
    old, mine, new = sources
    merge = Merge(
        base=old,
        theirs=mine,
        ours=new,
        prefer=prefer,
        wanted=_wanted(old, mine, new, prefer),
        known=pins.newest(mine),
        indentation=Indentation.of(mine),
    )
    result = merge.run()
    text = mine.edited(0, len(mine.text), result.edits)
    if not _holds(text, result, path):
        return _undecided(base, theirs, ours, prefer)
    if _EMPTY.search(text) and not _EMPTY.search(theirs):
        text = jobs.without_empty(Source(text, path)).text
    return Merged(
        text=_finished(text, theirs),
        conflicts=tuple(merge.conflicts),
        applied=tuple(merge.applied),
        kept=tuple(merge.kept),
    )


def same_but_pins(a: str, b: str, *, path: Path | str = _UNNAMED) -> bool:
    """Whether two texts differ in refs of actions, and the comments behind them, at most.

    Raises ProjectError as `merge3` does.
    """
    one, other = plain(a), plain(b)
    if one == other:
        return True
    return pins.without_refs(Source(one, path)) == pins.without_refs(Source(other, path))


def adopt_newer_pins(text: str, other: str, *, path: Path | str = _UNNAMED) -> str:
    """Return `text` with the pins of `other` that are newer, or as new and in the same step.

    Raises ProjectError as `merge3` does.
    """
    mark = BOM if text.startswith(BOM) else ""
    return mark + pins.adopted(Source(text.removeprefix(BOM), path), Source(plain(other), path))


def _prepared(
    base: str | None, theirs: str, ours: str, path: Path | str
) -> tuple[Source | None, Source, Source]:
    """Return the sources, with the jobs that either side renamed under one id in all."""
    mine = Source(_ended(theirs.removeprefix(BOM)), path)
    new = Source(_ended(plain(ours)), f"{path} (as rustci would write it)")
    old = Source(_ended(plain(base)), f"{path} (as rustci wrote it)") if base is not None else None
    if old:
        names = match.renamed(jobs.jobs(old), jobs.jobs(mine))
        # In theirs as well: whoever renames a job may forget the `needs` that name it.
        old, mine, new = (jobs.with_renamed(source, names) for source in (old, mine, new))
        names = match.renamed(jobs.jobs(old), jobs.jobs(new))
        old, mine = jobs.with_renamed(old, names), jobs.with_renamed(mine, names)
        gone = frozenset(jobs.jobs(old).keys() - jobs.jobs(mine).keys())
        old, mine, new = (jobs.without(source, gone) for source in (old, mine, new))
    return triggers.aligned(old, mine, new)


def _wanted(
    base: Source | None, theirs: Source, ours: Source, prefer: Side | None
) -> frozenset[str]:
    """Return the jobs that the template no longer has and a job of the user's waits for."""
    if base is None or prefer is Side.OURS:
        return frozenset()
    before = jobs.jobs(base)
    removed = before.keys() - jobs.jobs(ours).keys()
    return frozenset(
        need
        for identifier, job in jobs.jobs(theirs).items()
        for need in jobs.needs(job) - jobs.needs(before.get(identifier))
        if need in removed
    )


def _holds(text: str, result: Result, path: Path | str) -> bool:
    """Whether a text means what the merge intended."""
    try:
        found = Source(text, path).document.root.value
    except ProjectError:
        return False
    return fingerprint(found) == fingerprint(result.value)


def _undecided(base: str | None, theirs: str, ours: str, prefer: Side | None) -> Merged:
    """Return the user's text with one conflict: the whole file."""
    if prefer is Side.OURS:
        return Merged(text=_styled(ours, theirs))
    whole = Conflict(path=(), line=1, base=base, theirs=theirs, ours=ours)
    return Merged(text=theirs, conflicts=() if prefer else (whole,))


def _ended(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"


def _finished(text: str, theirs: str) -> str:
    """Return a merged text with the BOM and the end that theirs has."""
    if not theirs.endswith("\n"):
        text = text.removesuffix("\n").removesuffix("\r")
    return BOM + text if theirs.startswith(BOM) else text


def _styled(text: str, like: str) -> str:
    """Return `text` with the BOM and, if it has no others, the CRLF line ends of `like`."""
    text = plain(text)
    if (ends := like.count("\r\n")) and ends == like.count("\n"):
        text = text.replace("\n", "\r\n")
    return BOM + text if like.startswith(BOM) else text
