"""Why a job or a line is there: which facts and answers made it, what it costs, how to change it.

Nothing is written down for it a second time. The rule and the builder of a job are run with a
configuration that notes which answers they ask for; the rest is the job's own docstring and model.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, TypeVar, cast

from rustci import actions, files, templates
from rustci.errors import Location, UsageError
from rustci.jobs import CATALOGUE, aggregate
from rustci.jobs.base import CatalogueJob, Verdict
from rustci.kinds import Value
from rustci.lock import FileState, Lock
from rustci.merge.source import Member
from rustci.merge.source import Source as Text
from rustci.options import SECTIONS, Config, Setting, Source
from rustci.paths import WORKFLOWS
from rustci.project import Project
from rustci.proposal import Proposal
from rustci.runners import runner
from rustci.workflow import Job, Matrix, Permission, Trouble

T = TypeVar("T")
_PLACE = re.compile(r"(?P<path>.+\.ya?ml):(?P<line>\d+)")
_USES = re.compile(r"\buses: *(?P<name>[^@\s]+)@")
_VARIABLE = re.compile(r"^ *(?P<name>[A-Z][A-Z0-9_]+):")
_COMMENT = re.compile(r"^ *# ?")


class Owner(StrEnum):
    """Who wrote a line."""

    RUSTCI = "rustci"
    USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a job may cost at most: its time limit on every lane, those of its parts included."""

    lanes: int
    minutes: int
    """Of all lanes together."""
    dollars: float | None
    """In a private repository, at GitHub's prices; None where a runner's price is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a job needs and may cost where it runs."""

    cost: Cost
    permissions: tuple[Permission, ...]
    environment: Mapping[str, str]
    """What each variable that it sets means."""
    secrets: tuple[str, ...]
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a workflow on disk."""

    path: str
    number: int
    text: str
    step: str | None
    """The name of its step; None outside every step."""
    owner: Owner
    notes: tuple[str, ...]
    """What is known of the line beyond its job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All there is to say of a job, and of one line in it if that was asked."""

    id: str
    title: str
    path: str
    on: bool
    reason: str
    about: str
    """What it is for, when it is recommended and why."""
    answers: Mapping[str, Setting]
    """The options that its rule and its steps ask for."""
    run: Run | None = None
    """None where the job is off."""
    line: Line | None = None


def explain(proposal: Proposal, lock: Lock, what: str) -> Explanation:
    """Return what there is to say of `what`: a job, or `FILE:LINE`. Raises RustciError."""
    if place := _PLACE.fullmatch(what):
        return _line(proposal, lock, place["path"], int(place["line"]))
    known = {job.ID: job for job in (*CATALOGUE, aggregate)}
    if what not in known:
        raise UsageError(
            f"there is no job `{what}`",
            hint=f"jobs are {', '.join(known)}; a line is `.github/workflows/ci.yml:12`",
        )
    return _job(proposal, known[what])


# Jobs


def _job(proposal: Proposal, job: CatalogueJob) -> Explanation:
    planned = next((j for w in proposal.workflows for j in w.jobs if j.id == job.ID), None)
    verdict = proposal.verdicts.get(job.ID) or job.wanted(proposal.project, proposal.config)
    return Explanation(
        id=job.ID,
        title=job.TITLE,
        path=f"{WORKFLOWS}/{job.WORKFLOW}.yml",
        on=planned is not None,
        reason=reason(proposal.config, job.ID, verdict),
        about=inspect.cleandoc(job.__doc__ or ""),
        answers=answers(job, proposal.project, proposal.config, verdict),
        run=run(planned) if planned else None,
    )


def reason(config: Config, job: str, verdict: Verdict) -> str:
    """Return why a job is on or off."""
    return f"set by {verdict.reason}" if job in config.jobs else verdict.reason


def why(setting: Setting) -> str:
    """Return where an answer comes from, in words."""
    return setting.reason if setting.source <= Source.DETECTED else f"set by {setting.reason}"


def run(job: Job) -> Run:
    """Return what a planned job and its parts need and may cost."""
    jobs, meanings = (*job.parts, job), templates.meanings()
    variables = set().union(*map(templates.variables, jobs))
    settings = (setting for each in jobs for setting in each.setup.settings)
    return Run(
        cost=cost(jobs),
        permissions=_once(permission for each in jobs for permission in each.permissions),
        environment={name: meanings[name.rstrip("_0123456789")] for name in sorted(variables)},
        secrets=_once(setting.name for setting in settings if setting.secret),
        troubles=_once(trouble for each in jobs for trouble in each.troubles),
    )


def _once(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))


def answers(
    job: CatalogueJob, project: Project, config: Config, verdict: Verdict
) -> Mapping[str, Setting]:
    """Return the options that the job asks for, those that somebody decided first."""
    asked: set[str] = set()
    noted = cast("Config", _Noted(config, "", asked))
    job.wanted(project, noted)
    if verdict.possible:
        job.build(project, noted)
    switch = f"jobs.{job.ID}"
    found = {name: config.settings[name] for name in asked | {switch} if name in config.settings}
    return dict(sorted(found.items(), key=lambda item: (-item[1].source, item[0])))


class _Noted:
    """A configuration, or one section of it, that notes which options are asked for."""

    def __init__(self, value: Any, section: str, asked: set[str]) -> None:
        self._value, self._section, self._asked = value, section, asked

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._value, name)
        if not self._section and name in SECTIONS:
            return _Noted(found, name, self._asked)
        if self._section:
            self._asked.add(f"{self._section}.{name}")
        return found


def cost(jobs: Iterable[Job]) -> Cost:
    """Return what the jobs may cost at most, all lanes together."""
    chosen = tuple(jobs)
    prices = [_dollars(job) for job in chosen]
    known = [price for price in prices if price is not None]
    return Cost(
        lanes=sum(job.size for job in chosen),
        minutes=sum(job.size * job.timeout for job in chosen),
        dollars=round(sum(known), 2) if len(known) == len(prices) else None,
    )


def _dollars(job: Job) -> float | None:
    """Return the price of the time limit on every lane; None where one is not known."""
    labels = _labels(job)
    prices = [known.dollars_per_minute if (known := runner(label)) else None for label in labels]
    known_prices = [price for price in prices if price is not None]
    if len(known_prices) < len(prices):
        return None
    return sum(known_prices) / len(labels) * job.timeout * job.size


def _labels(job: Job) -> tuple[str, ...]:
    """Return the runners that the lanes are dealt out over evenly."""
    matrix = job.matrix or Matrix()
    if "runner" in matrix.axes:
        return tuple(map(str, matrix.axes["runner"]))
    lanes = tuple(str(row["runner"]) for row in matrix.include if "runner" in row)
    return lanes or (str(job.runner),)


# Lines


def _line(proposal: Proposal, lock: Lock, name: str, number: int) -> Explanation:
    path, text = _read(proposal, lock, name)
    lines = text.splitlines()
    if not 1 <= number <= len(lines):
        raise UsageError(f"`{path}` has {len(lines)} lines", where=Location(path, number))
    source = Text(text, path)
    member = _at(source, _below(source, source.root, "jobs"), number)
    steps = _below(source, member, "steps") if member else ()
    step = _at(source, steps, number)
    found = _holder(proposal, path, number, member.name if member else None)
    own = lock.files[path].text.splitlines()
    line = Line(
        path=path,
        number=number,
        text=lines[number - 1].strip(),
        step=str(step.value.value.get("name", "")) if step else None,
        owner=Owner.RUSTCI if lines[number - 1].rstrip() in own else Owner.USER,
        notes=tuple(_notes(lines, number, found.answers)),
    )
    return replace(found, line=line)


def _holder(proposal: Proposal, path: str, number: int, job: str | None) -> Explanation:
    """Return the explanation of the job that a line is in, or of its workflow."""
    known = {job.ID: job for job in (*CATALOGUE, aggregate)}
    planned = (each for workflow in proposal.workflows for each in workflow.jobs)
    wholes = {part.id: each.id for each in planned for part in each.parts}
    if job is not None and (whole := wholes.get(job, job)) in known:
        return _job(proposal, known[whole])
    found = next((w for w in proposal.workflows if w.path == path), None)
    if job is not None or found is None:
        raise UsageError(
            "rustci has nothing to say of this line: "
            + (f"job `{job}` is yours" if job else "no answer calls for this workflow any more"),
            where=Location(path, number),
        )
    settings = proposal.config.settings
    return Explanation(
        id=found.id,
        title=found.name,
        path=path,
        on=True,
        reason=f"runs {found.when}",
        about=str(found.why),
        answers={name: settings[name] for name in settings if name.startswith("workflows.")},
    )


def _read(proposal: Proposal, lock: Lock, name: str) -> tuple[str, str]:
    """Return path and text of a workflow that rustci wrote. Raises RustciError."""
    for path in (str(PurePosixPath(name)), f"{WORKFLOWS}/{name}"):
        entry = lock.files.get(path)
        text = files.read_text(proposal.project.root, path) if entry else None
        if entry and text is not None and entry.state is FileState.WRITTEN:
            return path, text.removeprefix("\ufeff")
    raise UsageError(
        f"`{name}` is no workflow that rustci wrote",
        hint="`rustci init` writes them; name one as in `ci.yml:12`",
    )


def _below(source: Text, member: Member, key: str) -> tuple[Member, ...]:
    """Return the entries of the member's `key`, none where it has no such key."""
    for inner in source.members(member):
        if inner.name == key:
            return tuple(source.members(inner))
    return ()


def _at(source: Text, members: tuple[Member, ...], number: int) -> Member | None:
    """Return the member that owns the line, its comments above included."""
    for member in members:
        if source.line(member.lead) <= number <= source.line(member.end - 1):
            return member
    return None


def _notes(lines: list[str], number: int, given: Mapping[str, Setting]) -> Iterator[str]:
    text = lines[number - 1]
    if above := tuple(_comment(lines, number)):
        yield " ".join(above)
    if (uses := _USES.search(text)) and uses["name"] in actions.catalogue():
        pin = actions.pin(uses["name"])
        yield f"rustci knows {pin.name} {pin.version}; `rustci pins update` moves it on"
    meanings = templates.meanings()
    if (variable := _VARIABLE.match(text)) and variable["name"] in meanings:
        yield f"{variable['name']}: {meanings[variable['name']]}"
    for name, setting in given.items():
        if any(
            re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])", text)
            for word in _words(setting.value)
        ):
            yield f"from the answer `{name}`: {why(setting)}"


def _comment(lines: list[str], number: int) -> Iterator[str]:
    """Yield the comment right above a line, without its marks."""
    first = number - 1
    while first > 0 and _COMMENT.match(lines[first - 1]):
        first -= 1
    return (_COMMENT.sub("", line) for line in lines[first : number - 1])


def _words(value: Value) -> tuple[str, ...]:
    """Return the words of an answer that are telling where they stand in a line."""
    words = value if isinstance(value, tuple) else (str(value),)
    return () if isinstance(value, bool) else tuple(word for word in words if len(word) > 1)
