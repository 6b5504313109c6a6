"""Taking over workflows that were written by hand: nothing of theirs changes, what lacks is added.

A job that already does what a catalogue job does is recognised by its commands and actions, never
by its name, and not added a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rustci import yamlio
from rustci.errors import DecisionNeeded, Location, ProjectError
from rustci.existing import CiTask
from rustci.jobs import CATALOGUE
from rustci.jobs.aggregate import ID as AGGREGATE
from rustci.lock import FileState, Lock
from rustci.merge.source import Edit, Member, Source
from rustci.options import Setting
from rustci.options import Source as Origin
from rustci.paths import DEPENDABOT, WORKFLOWS
from rustci.project import Project

SATISFIES: Mapping[CiTask, str] = {
    CiTask.FORMAT: "format",
    CiTask.CLIPPY: "clippy",
    CiTask.DOC: "docs",
    CiTask.TEST: "test",
    CiTask.MSRV: "msrv",
    CiTask.FEATURES: "features",
    CiTask.BENCH: "bench",
    CiTask.COVERAGE: "coverage",
    CiTask.DENY: "deny",
    CiTask.AUDIT: "advisories",
    CiTask.SEMVER: "semver",
    CiTask.UNUSED: "unused",
    CiTask.TYPOS: "typos",
    CiTask.MANIFESTS: "manifests",
    CiTask.WORKFLOWS: "workflows",
    CiTask.REVIEW: "review",
    CiTask.MINIMAL: "minimal",
    CiTask.SNAPSHOTS: "snapshots",
    CiTask.LOOM: "loom",
}
"""Which catalogue job a task makes needless."""
_THEIRS_ALONE = frozenset({"concurrency", "defaults", "env", "permissions"})
"""Keys at the top that would change what the jobs of the user do."""
_EVERY_CHANGE = frozenset({"merge_group", "pull_request", "pull_request_target"})
_SHELL = "    defaults:\n      run:\n        shell: bash\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """A job that makes one of the catalogue needless, or impossible in its file."""

    path: str
    line: int
    job: str
    catalogue: str
    taken: bool = False
    """It does something else, and has the id that the catalogue's would need."""

    @property
    def reason(self) -> str:
        """Why the catalogue job is left out."""
        name = self.path.rpartition("/")[2]
        if self.taken:
            return f"the id is taken by another job of `{name}`"
        return f"job `{self.job}` of `{name}` does it"


def recognised(
    project: Project, texts: Mapping[str, str], lock: Lock | None
) -> tuple[Recognised, ...]:
    """Return what the workflows in `texts` already do, and which job does it (and least else).

    Raises DecisionNeeded for a job `ci` that is no aggregate: rustci's has to be called that.
    """
    found: dict[str, tuple[int, Recognised]] = {}
    for workflow in project.repository.workflows:
        path = workflow.path.as_posix()
        if workflow.problem or path not in texts:
            continue
        document = yamlio.load_workflow(texts[path], path)
        own = _written(path, lock)
        for job in workflow.jobs if _gates(document.get("on")) else ():
            for task in job.tasks:
                if task in SATISFIES and job.id not in own:
                    one = _one(texts[path], path, job.id, SATISFIES[task])
                    best = found.setdefault(one.catalogue, (len(job.tasks), one))
                    if len(job.tasks) < best[0]:
                        found[one.catalogue] = len(job.tasks), one
    chosen = {name: one for name, (_, one) in found.items()}
    for one in _taken(texts, lock):
        chosen.setdefault(one.catalogue, one)
    return tuple(chosen[job.ID] for job in CATALOGUE if job.ID in chosen)


def layer(found: Iterable[Recognised]) -> Mapping[str, Setting]:
    """Return the answers that leave out what is there: they go into rustci.toml with the reason."""
    return {
        f"jobs.{one.catalogue}": Setting(value=False, source=Origin.ADOPTED, reason=one.reason)
        for one in found
    }


def prepared(path: str, theirs: str, ours: str) -> str:
    """Return `ours` as it can be added to a hand-written file without changing what that does.

    Raises ProjectError for a file that cannot be read safely.
    """
    mine, new = Source(theirs.removeprefix("\ufeff"), path), Source(ours, path)
    if path == DEPENDABOT:
        return _missing_updates(mine, new)
    keys = {member.name: member for member in new.members(new.root)}
    edits = [Edit(keys[name].lead, keys[name].end, "") for name in _THEIRS_ALONE & keys.keys()]
    if "on" in keys:
        edits += _triggers(new, keys["on"], mine.document.root.value.get("on"))
    existing = mine.document.root.value.get("jobs")
    jobs = existing if isinstance(existing, dict) else {}
    for job in new.members(keys["jobs"]) if "jobs" in keys else ():
        edits += _job(new, job, jobs)
    return new.edited(0, len(ours), edits)


# Recognising


def _one(text: str, path: str, job: str, catalogue: str, *, taken: bool = False) -> Recognised:
    source = Source(text.removeprefix("\ufeff"), path)
    jobs = next(member for member in source.members(source.root) if member.name == "jobs")
    line = next(source.line(m.start) for m in source.members(jobs) if m.name == job)
    return Recognised(path=path, line=line, job=job, catalogue=catalogue, taken=taken)


def _written(path: str, lock: Lock | None) -> frozenset[str]:
    """Return the jobs of a file that are rustci's own."""
    locked = lock.files.get(path) if lock else None
    if locked is None or locked.state is not FileState.WRITTEN:
        return frozenset()
    return frozenset(_jobs(yamlio.load_workflow(locked.text, path)))


def _gates(on: Any) -> bool:
    """Whether a workflow judges changes: a release or a nightly run does not."""
    names = {on} if isinstance(on, str) else set(on or ())
    if isinstance(on, dict) and isinstance(on.get("push"), dict) and "tags" in on["push"]:
        names -= {"push"} if "branches" not in on["push"] else set()
    return bool(names & {*_EVERY_CHANGE, "push"})


def _taken(texts: Mapping[str, str], lock: Lock | None) -> Iterator[Recognised]:
    """Yield the jobs of rustci's files whose ids the user has for something else."""
    for catalogue in CATALOGUE:
        path = f"{WORKFLOWS}/{catalogue.WORKFLOW}.yml"
        if path in texts and catalogue.ID not in _written(path, lock):
            jobs = _jobs(yamlio.load_workflow(texts[path], path))
            if catalogue.ID in jobs:
                yield _one(texts[path], path, catalogue.ID, catalogue.ID, taken=True)
    path = f"{WORKFLOWS}/{AGGREGATE}.yml"
    document = yamlio.load_workflow(texts[path], path) if path in texts else {}
    job = _jobs(document).get(AGGREGATE)
    if isinstance(job, dict) and AGGREGATE not in _written(path, lock) and not _aggregates(job):
        raise DecisionNeeded(
            f"job `{AGGREGATE}` does something of its own, and the one check to require has to be "
            "called that",
            where=Location(path, _one(texts[path], path, AGGREGATE, AGGREGATE).line),
            hint="rename it (the file stays yours), or `--on-existing beside`",
        )


def _aggregates(job: Mapping[str, Any]) -> bool:
    return "needs" in job and "always()" in str(job.get("if"))


def _jobs(document: Mapping[str, Any]) -> Mapping[str, Any]:
    jobs = document.get("jobs")
    return jobs if isinstance(jobs, dict) else {}


# Preparing


def _triggers(source: Source, on: Member, theirs: Any) -> Iterator[Edit]:
    """Yield the edits that leave of `on` what runs nothing new: the merge queue."""
    names = {theirs} if isinstance(theirs, str) else set(theirs or ())
    for member in source.members(on):
        if member.name not in names and not (
            member.name == "merge_group" and "pull_request" in names
        ):
            yield Edit(member.lead, member.end, "")
        elif member.value.children or member.value.value:
            yield Edit(member.separator, member.value.end, "")


def _job(source: Source, job: Member, theirs: Mapping[str, Any]) -> Iterator[Edit]:
    """Yield the edits that give a job what the top of its file no longer says."""
    if job.name in theirs and job.name != AGGREGATE:
        raise ProjectError(
            f"both have a job `{job.name}`",
            where=Location(source.path),
            hint=f"rename yours, or set `jobs.{job.name} = false`",
        )
    for member in source.members(job):
        if member.name == "steps" and job.name not in theirs:
            yield Edit(member.lead, member.lead, _SHELL)
        elif member.name == "needs" and job.name == AGGREGATE:
            names = [*sure(theirs), *member.value.value]
            yield Edit(member.value.start, member.value.end, f"[{', '.join(names)}]")


def sure(jobs: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the jobs that every run starts: a skipped one would count as not passed."""
    unsure = {AGGREGATE} | {
        name for name, job in jobs.items() if not isinstance(job, dict) or "if" in job
    }
    while more := {name for name in jobs if name not in unsure and unsure & _needs(jobs[name])}:
        unsure |= more
    return tuple(name for name in jobs if name not in unsure)


def unawaited(jobs: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the jobs that the aggregate does not wait for, nor anything that it waits for.

    A job fails with what it needs, unless its own `if` lets it run all the same.
    """
    reached, todo = {AGGREGATE}, [AGGREGATE]
    while todo:
        job = jobs.get(todo.pop())
        new = _needs(job) & jobs.keys() - reached if isinstance(job, dict) else set()
        reached |= new
        todo += [name for name in new if isinstance(jobs[name], dict) and "if" not in jobs[name]]
    return tuple(name for name in jobs if name not in reached)


def _needs(job: Mapping[str, Any]) -> set[Any]:
    needs = job.get("needs")
    return set(needs) if isinstance(needs, list) else {needs}


def _missing_updates(mine: Source, new: Source) -> str:
    """Return dependabot.yml with only the ecosystems that the user's lacks."""
    updates = mine.document.root.value.get("updates")
    known = {
        entry.get("package-ecosystem")
        for entry in (updates if isinstance(updates, list) else ())
        if isinstance(entry, dict)
    }
    listed = next(member for member in new.members(new.root) if member.name == "updates")
    items = new.members(listed)
    there = [item for item in items if item.value.value["package-ecosystem"] in known]
    if len(there) == len(items):
        return new.edited(0, len(new.text), [Edit(listed.lead, listed.end, "")])
    return new.edited(0, len(new.text), [Edit(item.lead, item.end, "") for item in there])
