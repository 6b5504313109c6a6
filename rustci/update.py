"""What keeping a repository up to date adds to the plan: merges, pins, parts of a whole. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from rustci import adopt
from rustci.errors import UsageError
from rustci.jobs.aggregate import ID as AGGREGATE
from rustci.lock import FileState, Lock
from rustci.merge import Conflict, Merged, Side, adopt_newer_pins, merge3
from rustci.merge.source import Edit, Member, Source, plain
from rustci.paths import PROGRAMS, WORKFLOWS
from rustci.scaffold import Change, ChangeKind, ChangeSet, Disk, Generated, Merge


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On which terms files that exist are brought up to date."""

    prefer: Side | None = None
    """Who wins every conflict; None: nobody, and nothing is written."""
    restore: frozenset[str] | None = None
    """Deleted files that come back; None: all that the user did not delete before an update."""
    only: tuple[str, ...] = ()
    """Paths of files and ids of jobs; empty: everything."""
    join: tuple[str, ...] = ()
    """Jobs of the user's that the aggregate is to wait for."""
    apart: tuple[str, ...] = ()
    """Those that it is not to wait for, from now on."""


def is_yaml(path: str) -> bool:
    """Whether a file is merged by its structure."""
    return path.endswith((".yml", ".yaml"))


def merge(prefer: Side | None) -> Merge:
    """Return how two texts become one: YAML by structure, all else by lines."""

    def merged(path: str, base: str | None, theirs: str, ours: str) -> Merged:
        if path.startswith(PROGRAMS):
            return whole(theirs, ours, prefer)
        if not is_yaml(path):
            return by_lines(base, theirs, ours, prefer)
        if base is None:
            ours = adopt.prepared(path, theirs, ours)
        return merge3(base, theirs, ours, prefer=prefer, path=path)

    return merged


def with_newer_pins(
    generated: Mapping[str, Generated], disk: Disk, lock: Lock | None
) -> Mapping[str, Generated]:
    """Return the files with the pins that a bot or `rustci pins` moved beyond rustci's own.

    Raises ProjectError for a workflow on disk that cannot be read safely.
    """
    lock = lock or Lock(version="")
    found = {}
    for path, file in generated.items():
        place = lock.beside.get(path, path)
        base, theirs, text = lock.files.get(place), disk.get(place), file.text
        if base and base.state is not FileState.KEPT and is_yaml(path) and not file.seed:
            if base.text != text:
                text = adopt_newer_pins(text, base.text, path=place)
            if theirs is not None and theirs != text.encode():
                text = adopt_newer_pins(text, theirs.decode(errors="surrogateescape"), path=place)
        found[path] = replace(file, text=text)
    return found


# The user's jobs, and the one check to require


def unjoined(changes: ChangeSet, lock: Lock) -> tuple[str, ...]:
    """Return the jobs that every run starts and nobody waits for, and nobody decided about."""
    change = _aggregates_file(changes)
    locked = lock.files.get(change.path) if change else None
    if change is None or locked is None or locked.state is not FileState.WRITTEN:
        return ()
    jobs = Source(plain(_final(change)), change.path).document.root.value.get("jobs")
    if not isinstance(jobs, dict) or AGGREGATE not in jobs:
        return ()
    certain = adopt.sure(jobs)
    return tuple(n for n in adopt.unawaited(jobs) if n in certain and n not in locked.apart)


def joined(changes: ChangeSet, lock: Lock, terms: Terms) -> tuple[ChangeSet, Lock]:
    """Return the changes, and the lock, with the decisions about such jobs."""
    change = _aggregates_file(changes)
    if change is None or not (terms.join or terms.apart):
        return changes, lock
    if terms.join:
        added = f"jobs:\n  {AGGREGATE}:\n    needs: [{', '.join(terms.join)}]\n"
        text = merge3(None, _final(change), added, path=change.path).text
        settled = change.kind in {ChangeKind.KEEP, ChangeKind.UNCHANGED}
        kind = ChangeKind.MERGE if settled else change.kind
        names = ", ".join(f"`{name}`" for name in terms.join)
        new = replace(change, kind=kind, new=text, reason=f"`{AGGREGATE}` now waits for {names}")
        every = tuple(new if one is change else one for one in changes.changes)
        changes = replace(changes, changes=every)
    locked = lock.files[change.path]
    apart = tuple(sorted({*locked.apart, *terms.apart} - {*terms.join}))
    return changes, replace(lock, files={**lock.files, change.path: replace(locked, apart=apart)})


def _aggregates_file(changes: ChangeSet) -> Change | None:
    """Return what becomes of the file with the aggregate; None where it goes or is not there."""
    path = f"{WORKFLOWS}/{AGGREGATE}.yml"
    place = changes.beside.get(path, path)
    found = (change for change in changes.changes if change.path == place)
    return next((one for one in found if _final(one) and one.kind is not ChangeKind.REMOVE), None)


def _final(change: Change) -> str:
    """Return the text that a file will have."""
    if change.kind in {ChangeKind.KEEP, ChangeKind.UNCHANGED}:
        return (change.old or b"").decode(errors="surrogateescape")
    return change.new or ""


# Part of the whole


def chosen(
    generated: Mapping[str, Generated], lock: Lock, only: Sequence[str]
) -> Mapping[str, Generated]:
    """Return the files that `only` names; of a job's file everything else stays as it was.

    Raises UsageError for what is neither a file nor a job of rustci's.
    """
    found: dict[str, Generated] = {}
    paths = {place: path for path, place in lock.beside.items()}
    for name in only:
        path = paths.get(name, name)
        if path in generated or name in lock.files:
            found |= {path: generated[path]} if path in generated else {}
            continue
        path = _file_of(name, generated, lock)
        base = found[path].text if path in found else lock.files[lock.beside.get(path, path)].text
        found[path] = Generated(text=with_job(base, generated[path].text, name))
    return found


def _file_of(job: str, generated: Mapping[str, Generated], lock: Lock) -> str:
    known: dict[str, str] = {}
    for path, file in generated.items():
        place = lock.beside.get(path, path)
        if path.startswith(f"{WORKFLOWS}/") and place in lock.files:
            sources = Source(file.text, path), Source(lock.files[place].text, path)
            known |= {name: path for source in sources for name in _jobs(source)}
    if job in known:
        return known[job]
    near = difflib.get_close_matches(job, [*generated, *known], n=1, cutoff=0.5)
    raise UsageError(
        f"`--only {job}` names no file and no job that rustci wrote",
        hint=f"did you mean `{near[0]}`?" if near else f"jobs are {', '.join(sorted(known))}",
    )


def with_job(base: str, ours: str, job: str) -> str:
    """Return `base` with one job as it is in `ours`, which may add it or leave it out."""
    old, new = Source(base, "base"), Source(ours, "ours")
    before, after = _jobs(old), _jobs(new)
    edits = []
    if job in before:
        span = before[job].lead, before[job].end
        edits.append(Edit(*span, _text(new, after[job]) if job in after else ""))
    elif job in after:
        place = (
            before[AGGREGATE].lead if AGGREGATE in before else max(m.end for m in before.values())
        )
        edits.append(Edit(place, place, _text(new, after[job])))
    if job != AGGREGATE and (job in before) != (job in after):
        edits += _needs(old, before, job, wanted=job in after)
    return old.edited(0, len(base), edits)


def _jobs(source: Source) -> dict[str, Member]:
    root = {member.name: member for member in source.members(source.root)}
    return (
        {member.name: member for member in source.members(root["jobs"])} if "jobs" in root else {}
    )


def _text(source: Source, member: Member) -> str:
    return source.text[member.lead : member.end]


def _needs(source: Source, jobs: Mapping[str, Member], job: str, *, wanted: bool) -> Iterator[Edit]:
    for member in source.members(jobs[AGGREGATE]) if AGGREGATE in jobs else ():
        if member.name == "needs":
            names = [*member.value.value, job] if wanted else member.value.value
            kept = [name for name in names if wanted or name != job]
            yield Edit(member.value.start, member.value.end, f"[{', '.join(kept)}]")


# Text without a structure


def whole(theirs: str, ours: str, prefer: Side | None) -> Merged:
    """Take one side as it is: half of one program and half of another is none."""
    if prefer is None:
        conflict = Conflict(path=(), line=1, base="", theirs="your edits", ours="another version")
        return Merged(text=theirs, conflicts=(conflict,))
    return Merged(text=ours if prefer is Side.OURS else theirs)


class _Hunk(NamedTuple):
    start: int
    end: int
    lines: list[str]


def by_lines(base: str | None, theirs: str, ours: str, prefer: Side | None) -> Merged:
    """Merge as `diff3` does; without a base everything stays the user's."""
    if base is None:
        return Merged(text=theirs)
    ends = "\r\n" if "\r\n" in theirs else "\n"
    old, mine, new = (
        text.replace("\r\n", "\n").splitlines(keepends=True) for text in (base, theirs, ours)
    )
    merged, conflicts, done = [], [], 0
    for group in _groups(_hunks(old, mine), _hunks(old, new)):
        start = min(hunk.start for side in group for hunk in side)
        end = max(hunk.end for side in group for hunk in side)
        left, right = (_applied(old, start, end, side) for side in group)
        merged += old[done:start]
        line = len(merged) + 1
        done = end
        both = bool(group[0] and group[1]) and left != right
        if both and prefer is None:
            texts = ("".join(part) for part in (old[start:end], left, right))
            conflicts.append(_conflict(line, *texts))
        merged += right if (both and prefer is Side.OURS) or not group[0] else left
    text = "".join([*merged, *old[done:]]).replace("\n", ends)
    return Merged(text=theirs if conflicts else text, conflicts=tuple(conflicts))


def _conflict(line: int, base: str, theirs: str, ours: str) -> Conflict:
    return Conflict(path=(), line=line, base=base, theirs=theirs, ours=ours)


def _hunks(old: list[str], new: list[str]) -> list[_Hunk]:
    codes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [_Hunk(a, b, new[c:d]) for tag, a, b, c, d in codes if tag != "equal"]


def _groups(left: list[_Hunk], right: list[_Hunk]) -> Iterator[tuple[list[_Hunk], list[_Hunk]]]:
    """Yield hunks of both sides that touch one another, in the order of the base."""
    waiting = sorted(
        [(h.start, h.end, 0, h) for h in left] + [(h.start, h.end, 1, h) for h in right],
        key=lambda item: item[:3],
    )
    group: tuple[list[_Hunk], list[_Hunk]] = ([], [])
    reach = -1
    for start, end, side, hunk in waiting:
        if start > reach and any(group):
            yield group
            group = ([], [])
        group[side].append(hunk)
        reach = max(reach, end)
    if any(group):
        yield group


def _applied(old: list[str], start: int, end: int, hunks: list[_Hunk]) -> list[str]:
    found, done = [], start
    for hunk in hunks:
        found += [*old[done : hunk.start], *hunk.lines]
        done = hunk.end
    return [*found, *old[done:end]]
