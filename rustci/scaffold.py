"""Compares what rustci generates with what is on disk and what it wrote last. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import PurePosixPath

from rustci import lock as lockfile
from rustci.lock import FileState, Lock, LockedFile
from rustci.merge import Conflict, Merged
from rustci.paths import DEPENDABOT
from rustci.transaction import Write

_BOM = "\ufeff"
Disk = Mapping[str, bytes | None]
"""What is on disk under each path that `paths` names, None where nothing is."""
Merge = Callable[[str, str | None, str, str], Merged]
"""Merges path, base, theirs and ours. Raises ProjectError for what cannot be merged safely."""


class OnExisting(StrEnum):
    """What to do about a file that rustci did not write, or that was edited on both sides."""

    KEEP = "keep"
    REPLACE = "replace"
    BESIDE = "beside"
    """Keep it, and write rustci's under another name in the same folder."""
    MERGE = "merge"
    """Keep all that is in it, and add what it lacks."""


Decisions = OnExisting | Mapping[str, OnExisting] | None
"""One decision for all files that need one, or one by path; None where nobody decided."""


class ChangeKind(StrEnum):
    """What becomes of one file."""

    CREATE = "create"
    UPDATE = "update"
    MERGE = "merge"
    """The user's text, with what changed in the template."""
    REPLACE = "replace"
    REMOVE = "remove"
    UNCHANGED = "unchanged"
    KEEP = "keep"
    """The user's text stays."""
    FOREIGN = "foreign"
    """Not written by rustci: somebody has to decide."""
    CONFLICT = "conflict"
    """The user and the template changed the same thing: somebody has to decide."""


_WRITING = {
    ChangeKind.CREATE,
    ChangeKind.UPDATE,
    ChangeKind.MERGE,
    ChangeKind.REPLACE,
    ChangeKind.REMOVE,
}
_UNDECIDED = {ChangeKind.FOREIGN, ChangeKind.CONFLICT}
_SEEDS_WITH_ENTRIES = frozenset({DEPENDABOT})
"""Seeds of others that an entry may be added to, if somebody says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """One generated file."""

    text: str
    seed: bool = False
    """Written only where nothing is, and then the user's (codecov.yml, .config/nextest.toml)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of one file, and why."""

    path: str
    kind: ChangeKind
    old: bytes | None = None
    """What is on disk."""
    new: str | None = None
    """What rustci would have there; None where it has nothing to say."""
    reason: str = ""
    """For people; empty where there is nothing to tell."""
    conflicts: tuple[Conflict, ...] = ()
    """What both sides changed, and nobody has decided on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """What becomes of all files, sorted by path."""

    changes: tuple[Change, ...]
    beside: Mapping[str, str] = field(default_factory=dict)
    """Paths that the user keeps, each with the path of rustci's own file beside it."""

    @property
    def undecided(self) -> tuple[Change, ...]:
        """What a person has to decide before anything is written."""
        return tuple(change for change in self.changes if change.kind in _UNDECIDED)

    @property
    def writes(self) -> tuple[Write, ...]:
        """What to hand to `transaction.apply`, before the lock."""
        return writes(self.changes)

    @property
    def changed(self) -> bool:
        """Whether anything is to be written or decided."""
        return bool(self.writes or self.undecided)


def writes(changes: Iterable[Change]) -> tuple[Write, ...]:
    """Return what to hand to `transaction.apply` for the changes that write something."""
    return tuple(
        Write(path=change.path, text=change.new, expected=change.old)
        for change in changes
        if change.kind in _WRITING
    )


def paths(generated: Mapping[str, Generated], lock: Lock | None) -> tuple[str, ...]:
    """Return every path that `compare` has to find in `disk`, sorted."""
    found = set(generated) | {_beside(path) for path in generated}
    if lock:
        found |= set(lock.files) | set(lock.beside.values())
    return tuple(sorted(found))


def compare(
    generated: Mapping[str, Generated],
    disk: Disk,
    lock: Lock | None,
    decisions: Decisions,
    merge: Merge | None = None,
    restore: Collection[str] | None = None,
) -> ChangeSet:
    """Return what becomes of every file that is generated or was written last.

    `merge` settles what both sides changed. With `restore`, of the files that the user deleted only
    those in it come back. Raises ProjectError as `merge` does.
    """
    lock = lock or Lock(version="")
    beside = {path: other for path, other in lock.beside.items() if path in generated}
    changes: list[Change] = []
    for path, file in generated.items():
        place = beside.get(path, path)
        change = _change(place, file, disk.get(place), lock.files.get(place))
        decision = _decision(place, decisions)
        if change.kind in _UNDECIDED and decision is OnExisting.BESIDE and place == path:
            beside[path] = place = _beside(path)
            change = _change(place, file, disk.get(place), lock.files.get(place))
        if place != path:
            changes += _yours(path, disk.get(path), place)
        if _stays_away(change, lock.files.get(place), restore):
            reason = f"stays deleted; `rustci update --restore {place}` brings it back"
            change = replace(change, kind=ChangeKind.KEEP, reason=reason)
        decision = _decision(place, decisions)
        if merge and _mergeable(change, lock.files.get(place), decision):
            change = _merged(change, file, lock.files.get(place), merge)
        changes.append(_decided(change, decision))
    for path in lock.files.keys() - {change.path for change in changes}:
        changes += _leftover(path, disk.get(path), lock.files[path])
    return ChangeSet(changes=tuple(sorted(changes, key=lambda c: c.path)), beside=beside)


def with_moved(changes: ChangeSet, moved: Sequence[Change], *, others: bool) -> ChangeSet:
    """Return the changes, which rest on pins that moved, together with the moves.

    Without `others` no file is touched that is not among the changes.
    """
    first = {change.path: change for change in moved}
    found = {change.path: _with_moved(change, first.get(change.path)) for change in changes.changes}
    found = {path: one for path, one in (first | found).items() if others or path in found}
    return replace(changes, changes=tuple(found[path] for path in sorted(found)))


def _with_moved(change: Change, moved: Change | None) -> Change:
    if moved is None:
        return change
    if change.kind in {ChangeKind.KEEP, ChangeKind.UNCHANGED}:
        return moved
    return replace(change, old=moved.old)


def next_lock(
    changes: ChangeSet, generated: Mapping[str, Generated], previous: Lock | None, version: str
) -> Lock:
    """Return the lock to write with `changes`, once all are applied."""
    before = previous.files if previous else {}
    sources = {changes.beside.get(path, path): file for path, file in generated.items()}
    files = {}
    for change in changes.changes:
        source = sources.get(change.path)
        entry = source and _entry(change, source, before.get(change.path))
        if entry:
            files[change.path] = entry
    return Lock(version=version, files=files, beside=changes.beside)


def lock_write(lock: Lock, disk: bytes | None) -> Write | None:
    """Return the write of the lock, to come last; None if `disk` already holds it."""
    text = lockfile.dumps(lock)
    if disk is not None and _same(disk, text):
        return None
    return Write(path=lockfile.PATH, text=text, expected=disk)


def unified_diff(change: Change) -> str:
    """Return the change as `git diff` shows it; line ends and BOM do not count. "" for none."""
    if change.kind in {ChangeKind.KEEP, ChangeKind.UNCHANGED}:
        return ""
    old = None if change.old is None else _plain(change.old.decode(errors="replace"))
    new = None if change.new is None else _plain(change.new)
    lines = difflib.unified_diff(
        _lines(old or ""),
        _lines(new or ""),
        "/dev/null" if old is None else f"a/{change.path}",
        "/dev/null" if new is None else f"b/{change.path}",
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _change(path: str, file: Generated, old: bytes | None, locked: LockedFile | None) -> Change:
    """Return what becomes of one generated file, before anybody decides."""
    kind, reason = _verdict(file, old, locked)
    return Change(path=path, kind=kind, old=old, new=styled(file.text, old), reason=reason)


def _verdict(
    file: Generated, old: bytes | None, locked: LockedFile | None
) -> tuple[ChangeKind, str]:
    """Return what becomes of one generated file, and why."""
    if old is None:
        return ChangeKind.CREATE, "is missing" if locked else "is new"
    if locked and locked.state is FileState.KEPT:
        return ChangeKind.KEEP, "is yours, as you decided"
    if _same(old, file.text):
        return ChangeKind.UNCHANGED, ""
    if locked:
        return _verdict_on_written(file, old, locked)
    if file.seed:
        return ChangeKind.KEEP, ""
    return ChangeKind.FOREIGN, "was not written by rustci"


def _verdict_on_written(file: Generated, old: bytes, locked: LockedFile) -> tuple[ChangeKind, str]:
    """Return what becomes of a file that rustci wrote and would write differently now."""
    if locked.holds(_text(old)):
        return ChangeKind.UPDATE, "is as rustci wrote it, and the template changed"
    if file.seed or locked.holds(_plain(file.text)):
        return ChangeKind.KEEP, "has your edits"
    return ChangeKind.CONFLICT, "has your edits, and the template changed"


def _stays_away(change: Change, locked: LockedFile | None, restore: Collection[str] | None) -> bool:
    """Whether a file that the user deleted stays so."""
    if change.kind is not ChangeKind.CREATE or locked is None or locked.state is FileState.KEPT:
        return False
    if restore is None:
        return locked.state is FileState.DELETED
    return change.path not in restore


def _mergeable(change: Change, locked: LockedFile | None, decision: OnExisting | None) -> bool:
    """Whether both texts are to become one: of a file of the user's only if somebody says so."""
    if change.kind is ChangeKind.CONFLICT:
        return decision in {None, OnExisting.MERGE}
    if decision is not OnExisting.MERGE or change.old is None:
        return False
    if change.kind is ChangeKind.KEEP and locked is None:
        return change.path in _SEEDS_WITH_ENTRIES
    kept = change.kind is ChangeKind.KEEP and locked and locked.state is FileState.KEPT
    return change.kind is ChangeKind.FOREIGN or bool(kept)


def _merged(change: Change, file: Generated, locked: LockedFile | None, merge: Merge) -> Change:
    """Return what becomes of a file that has changes of both sides."""
    theirs = (change.old or b"").decode(errors="surrogateescape")
    base = locked.text if locked and locked.state is not FileState.KEPT else None
    found = merge(change.path, base, theirs, file.text)
    if found.conflicts:
        reason = "has edits where the template changed as well"
        return replace(change, kind=ChangeKind.CONFLICT, conflicts=found.conflicts, reason=reason)
    if found.text != theirs:
        reason = "keeps your edits" if base is not None else "keeps all that is yours"
        return replace(change, kind=ChangeKind.MERGE, new=found.text, reason=reason)
    if file.seed:
        return change
    return replace(change, kind=ChangeKind.UNCHANGED, reason="has your edits")


def _decision(path: str, decisions: Decisions) -> OnExisting | None:
    return decisions.get(path) if isinstance(decisions, Mapping) else decisions


def _decided(change: Change, on_existing: OnExisting | None) -> Change:
    """Return the change with the user's decision, where it takes one and there is one."""
    if change.kind not in _UNDECIDED:
        return change
    if on_existing is OnExisting.KEEP:
        return replace(change, kind=ChangeKind.KEEP, reason="is yours, as you decided")
    if on_existing is OnExisting.REPLACE:
        return replace(change, kind=ChangeKind.REPLACE, reason="is replaced, as you decided")
    return change


def _yours(path: str, old: bytes | None, place: str) -> Iterable[Change]:
    """Yield the change of a file that stays the user's while rustci's stands beside it."""
    if old is not None:
        name = PurePosixPath(place).name
        reason = f"is yours; rustci's stands beside it in {name}"
        yield Change(path=path, kind=ChangeKind.KEEP, old=old, reason=reason)


def _leftover(path: str, old: bytes | None, locked: LockedFile) -> Iterable[Change]:
    """Yield the change of a file that rustci wrote and generates no longer."""
    if old is None or locked.state is FileState.KEPT:
        return
    if locked.holds(_text(old)):
        reason = "is as rustci wrote it, and no longer generated"
        yield Change(path=path, kind=ChangeKind.REMOVE, old=old, reason=reason)
    else:
        reason = "has your edits; rustci no longer manages it"
        yield Change(path=path, kind=ChangeKind.KEEP, old=old, reason=reason)


def _entry(change: Change, source: Generated, before: LockedFile | None) -> LockedFile | None:
    """Return what the next lock says of a generated file."""
    if change.kind in _UNDECIDED:
        return before
    if change.kind is not ChangeKind.KEEP:
        adopted = _adopted(change, source, before)
        apart = before.apart if before else ()
        return lockfile.written(change.path, source.text, adopted=adopted, apart=apart)
    if change.old is None and before:
        return replace(before, state=FileState.DELETED)
    undecided = _verdict(source, change.old, before)[0] in _UNDECIDED
    return LockedFile(text="", state=FileState.KEPT) if undecided else before


def _adopted(change: Change, source: Generated, before: LockedFile | None) -> bool:
    """Whether the file was the user's before rustci came."""
    if before and before.state is not FileState.KEPT:
        return before.adopted
    kept = change.kind in {ChangeKind.MERGE, ChangeKind.UNCHANGED}
    return kept and change.old is not None and not _same(change.old, source.text)


def _beside(path: str) -> str:
    """Return where rustci's file goes if the one at `path` stays."""
    where = PurePosixPath(path)
    return str(where.with_name(f"rustci-{where.name}"))


def _plain(text: str) -> str:
    """Return the text without BOM and with LF: git and editors change both unasked."""
    return text.removeprefix(_BOM).replace("\r\n", "\n")


def _same(data: bytes, text: str) -> bool:
    """Whether a file holds `text`, line ends and BOM apart."""
    return _text(data) == _plain(text)


def _text(data: bytes) -> str:
    """Return what a file holds, line ends and BOM apart."""
    return _plain(data.decode(errors="surrogateescape"))


def styled(text: str, old: bytes | None) -> str:
    """Return `text` with the BOM and, if it has no others, the CRLF line ends of `old`."""
    if old is None:
        return text
    if (ends := old.count(b"\r\n")) and ends == old.count(b"\n"):
        text = text.replace("\n", "\r\n")
    return _BOM + text if old.startswith(_BOM.encode()) else text


def _lines(text: str) -> list[str]:
    """Return the lines with their ends; unlike `splitlines`, LF alone ends one."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)
