"""What becomes of each pin: judged by the built-in catalogue, or by GitHub. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from packaging.version import Version

from rustci import actions
from rustci.actions import ActionPin, Evidence
from rustci.data import load, structure_each
from rustci.errors import RustciError
from rustci.pins import ACTIONS_LOCK, Comment, Kind, Use, compatible, parse_version
from rustci.yamlio import load_workflow

if TYPE_CHECKING:
    from rustci.github import Client, Tag

T = TypeVar("T")

MAX_RELEASES = 100
"""How far back a newer release is looked for."""
MAX_CANDIDATES = 5
"""How many of them are asked for their commit before the cool-down counts as not over."""
FULL = 3
"""The numbers of a version that names one release."""


class State(StrEnum):
    """How a pin stands."""

    CURRENT = "current"
    VERIFIED = "verified"
    BEHIND = "behind"
    MAJOR_BEHIND = "major behind"
    COOLING = "cooling down"
    UNPINNED = "unpinned"
    UNNAMED = "no version"
    HELD = "left alone"
    UNKNOWN_ACTION = "unknown action"
    LOCAL = "local"
    DOCKER = "docker"
    MISMATCH = "mismatch"
    UNKNOWN_COMMIT = "unknown commit"
    MOVED = "moved tag"
    RENAMED = "renamed"
    MISSING = "missing"


BAD = frozenset({State.MISMATCH, State.UNKNOWN_COMMIT, State.MOVED, State.RENAMED, State.MISSING})
"""A person has to look: such an action is never moved."""


class Target(NamedTuple):
    """Where a pin goes."""

    sha: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How one use stands, and where it goes."""

    use: Use
    state: State
    newest: str | None = None
    """The newest version known that it may go to, or could with another setting."""
    since: date | None = None
    """That version is at least as old."""
    target: Target | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What `update` may do."""

    now: datetime
    cooldown: timedelta
    major: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """The numbers of a repository and its owner, which a name taken over does not have."""

    repo_id: int
    owner_id: int


def offline(use: Use, *, major: bool = False) -> Verdict:
    """Return how a use stands by the catalogue; the target is what it may go to."""
    if settled := _settled(use):
        return settled
    pin = _catalogue().get(use.repo.casefold())
    if pin is None:
        state = State.UNKNOWN_ACTION if use.kind is Kind.SHA else State.UNPINNED
        return Verdict(use=use, state=state, reason="not in the catalogue")
    verdict = Verdict(use=use, state=State.CURRENT, newest=pin.version, since=_since(pin))
    if use.kind is Kind.SHA:
        return _offline_sha(verdict, pin, major=major)
    current = parse_version(use.ref)
    return replace(verdict, state=State.UNPINNED, target=_offline_target(pin, current, major=major))


def untouchable(use: Use) -> str:
    """Return why `update` leaves a line alone, "" if it does not."""
    if use.comment is Comment.HELD:
        return "another tool keeps this line"
    if use.comment is Comment.CODE:
        return "more stands behind it on its line, so that its version has no place"
    if use.comment is Comment.OWN and use.kind is not Kind.SHA:
        return "its comment is not a version, so that its version has no place"
    return ""


def known_ids(actions_lock: str | None) -> Mapping[str, Ids]:
    """Return the numbers that rustci and an actions.lock know, by `owner/repo` in lower case."""
    ours = structure_each(Ids, load("repositories")["repositories"], "repositories.toml")
    return {**ours, **dict(_locked_ids(actions_lock or ""))}


def _locked_ids(actions_lock: str) -> Iterator[tuple[str, Ids]]:
    """Yield what an actions.lock recorded; nothing from one that is not understood."""
    try:
        entries = load_workflow(actions_lock, ACTIONS_LOCK).get("dependencies")
    except RustciError:
        return
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        repo_id, owner_id = (
            entry.get(key) if isinstance(entry, dict) else None for key in ("repo_id", "owner_id")
        )
        if type(repo_id) is int and type(owner_id) is int:
            repo = "/".join(name.split("@")[0].split("/")[:2])
            yield repo.casefold(), Ids(repo_id=repo_id, owner_id=owner_id)


class Upstream:
    """What GitHub says of each action. Asks everything once."""

    def __init__(self, client: Client, ids: Mapping[str, Ids] | None = None) -> None:
        self._client = client
        self._ids = ids or {}
        self._answers: dict[tuple[Any, ...], Any] = {}

    def check(self, use: Use) -> Verdict:
        """Return whether the commit is the one that its version names. Raises OutsideError."""
        return _settled(use) or self._guarded(use, self._check)

    def update(self, use: Use, rules: Rules) -> Verdict:
        """Return where the pin goes. Raises OutsideError."""
        if settled := _settled(use):
            return settled
        if reason := untouchable(use):
            return Verdict(use=use, state=State.HELD, reason=reason)
        if use.kind is Kind.BRANCH:
            reason = f"`{use.ref}` is no version: it may mean something to the action"
            return Verdict(use=use, state=State.UNPINNED, reason=reason)
        return self._guarded(use, lambda use: self._update(use, rules))

    def _guarded(self, use: Use, judge: Callable[[Use], Verdict]) -> Verdict:
        """Return the verdict of `judge`, or that the repository is not who it was."""
        from rustci.github import Missing, Renamed

        try:
            if problem := self._stranger(use.repo):
                return Verdict(use=use, state=State.RENAMED, reason=problem)
            return judge(use)
        except Renamed as error:
            return Verdict(use=use, state=State.RENAMED, reason=error.message)
        except Missing:
            reason = f"GitHub does not show {use.repo}"
            return Verdict(use=use, state=State.MISSING, reason=reason)

    def _stranger(self, repo: str) -> str:
        """Return in what a repository is not the one that was pinned, "" if it is."""
        found = self._once(self._client.identity, repo)
        if found.full_name.casefold() != repo.casefold():
            return f"it is called {found.full_name} now"
        known = self._ids.get(repo.casefold())
        if known and known != Ids(repo_id=found.repo_id, owner_id=found.owner_id):
            return (
                f"another repository has its name: its id is {found.repo_id}, not {known.repo_id}"
            )
        return ""

    def _check(self, use: Use) -> Verdict:
        if use.kind is not Kind.SHA:
            return Verdict(use=use, state=State.UNPINNED)
        bad, name = self._named(use)
        return bad or Verdict(use=use, state=State.VERIFIED, newest=None, reason=f"is {name}")

    def _update(self, use: Use, rules: Rules) -> Verdict:
        """Return where a pin, or a tag that should be one, goes."""
        if use.kind is Kind.TAG:
            return self._pin(use, rules)
        bad, name = self._named(use)
        if bad:
            return bad
        verdict = self._choose(use, name, rules)
        if use.comment is Comment.OWN and verdict.target:
            note = f"its comment stays: nothing says that it is {verdict.target.version}"
            return replace(verdict, reason=note)
        return verdict

    def _pin(self, use: Use, rules: Rules) -> Verdict:
        """Return the commit for a tag: of the newest release, else of the tag itself."""
        tag = self._once(self._client.peel, use.repo, use.ref)
        if tag is None:
            return Verdict(use=use, state=State.UNPINNED, reason=f"`{use.ref}` is no tag")
        verdict = self._choose(use, use.ref, rules)
        if verdict.state is State.CURRENT:
            return replace(verdict, state=State.UNPINNED, target=Target(tag.sha, tag.name))
        return verdict

    def _named(self, use: Use) -> tuple[Verdict | None, str]:
        """Return which version a commit is, or what is wrong with it."""
        sha, version = use.ref.lower(), parse_version(use.version or "")
        tag = self._once(self._client.peel, use.repo, use.version) if use.version else None
        whole = version is not None and len(version.release) >= FULL
        if use.version and whole and tag and tag.sha == sha:
            return None, use.version
        names = {t.name: v for t in self._tags(use.repo) if t.sha == sha and (v := _version(t))}
        if version is not None:
            fitting = {name: v for name, v in names.items() if _covers(version, v)}
            return (None, _best(fitting)) if fitting else (_wrong(use, tag, names), "")
        if names:
            return None, _best(names)
        reason = "no version tag of the repository names this commit"
        return Verdict(use=use, state=State.UNKNOWN_COMMIT, reason=reason), ""

    def _choose(self, use: Use, name: str, rules: Rules) -> Verdict:
        """Return the newest release that the rules allow."""
        current, pinned = _parsed(name), use.kind is Kind.SHA
        found = [
            candidate
            for candidate in self._once(self._candidates, use.repo, current)
            if candidate.version > current or not pinned
        ]
        allowed = [c for c in found if rules.major or compatible(current, c.version)]
        cooling: Candidate | None = None
        for candidate in allowed[:MAX_CANDIDATES]:
            tag = self._once(self._client.peel, use.repo, candidate.tag)
            if tag is None:
                continue
            since = self._since(use.repo, candidate, tag)
            if rules.now - since < rules.cooldown:
                cooling = cooling or candidate._replace(published=since)
                continue
            return self._move(use, candidate._replace(published=since), tag, found)
        return self._stay(use, name, cooling, found)

    def _move(self, use: Use, chosen: Candidate, tag: Tag, found: list[Candidate]) -> Verdict:
        """Return the verdict for a release that may be taken."""
        if moved := _moved(use, chosen.tag, tag.sha):
            return moved
        beyond = "" if chosen == found[0] else _beyond(chosen, found[0])
        return Verdict(
            use=use,
            state=State.BEHIND if use.kind is Kind.SHA else State.UNPINNED,
            newest=chosen.tag,
            since=chosen.published.date() if chosen.published else None,
            target=Target(tag.sha, chosen.tag),
            reason=beyond,
        )

    def _stay(
        self, use: Use, name: str, cooling: Candidate | None, found: list[Candidate]
    ) -> Verdict:
        """Return the verdict where no newer release may be taken."""
        if cooling and cooling.published:
            day = cooling.published.date()
            reason = f"{cooling.tag} of {day} has to wait out the cool-down"
            return Verdict(
                use=use, state=State.COOLING, newest=cooling.tag, since=day, reason=reason
            )
        newer = found[0] if found and found[0].version > _parsed(name) else None
        if newer:
            reason = f"{newer.tag} is a major jump: `--major` takes it"
            return Verdict(use=use, state=State.MAJOR_BEHIND, newest=newer.tag, reason=reason)
        return Verdict(use=use, state=State.CURRENT, newest=name)

    def _candidates(self, repo: str, current: Version) -> list[Candidate]:
        """Return the releases (tags, where there are none) from `current` on, newest first."""
        found = []
        versions = 0
        for release in islice(self._client.releases(repo), MAX_RELEASES):
            version = parse_version(release.tag)
            if version is None:
                continue
            versions += 1
            if not release.prerelease or current.is_prerelease:
                found.append(Candidate(version, release.tag, release.published))
            if version == current:
                break
        if not versions:
            named = [(_version(tag), tag.name) for tag in self._tags(repo)]
            found = [Candidate(version, name, None) for version, name in named if version]
        return sorted(
            (c for c in found if c.version >= current and _acceptable(c.version, current)),
            key=lambda c: (c.version, len(c.tag)),
            reverse=True,
        )

    def _since(self, repo: str, candidate: Candidate, tag: Tag) -> datetime:
        """Return from when the cool-down counts.

        A tag can be moved under an old release, so the newest of all dates decides.
        """
        dates = [candidate.published, tag.tagged, self._once(self._client.committed, repo, tag.sha)]
        return max(day for day in dates if day is not None)

    def _tags(self, repo: str) -> list[Tag]:
        tags: list[Tag] = self._once(lambda repo: [*self._client.tags(repo)], repo, name="tags")
        return tags

    def _once(self, ask: Callable[..., T], *arguments: Any, name: str = "") -> T:
        key = (name or ask.__name__, *arguments)
        if key not in self._answers:
            self._answers[key] = ask(*arguments)
        answer: T = self._answers[key]
        return answer


class Candidate(NamedTuple):
    """A release that a pin could go to."""

    version: Version
    tag: str
    published: datetime | None


def _settled(use: Use) -> Verdict | None:
    """Return the verdict for what no version can be told of."""
    if use.kind is Kind.LOCAL:
        return Verdict(use=use, state=State.LOCAL)
    if use.kind is Kind.DOCKER:
        return Verdict(use=use, state=State.DOCKER)
    return None


def _catalogue() -> Mapping[str, ActionPin]:
    """Return the catalogue by repository: the entries of one share their version."""
    return {pin.repo.casefold(): pin for pin in actions.catalogue().values()}


def _since(pin: ActionPin) -> date | None:
    """Return by when the release existed, where the repository itself was read."""
    return pin.newest_commit if pin.evidence is Evidence.PEELED else None


def _offline_sha(verdict: Verdict, pin: ActionPin, *, major: bool) -> Verdict:
    """Return how a commit stands by the catalogue."""
    use, newest = verdict.use, _parsed(pin.version)
    current = parse_version(use.version or "")
    same = use.ref.lower() == pin.sha
    if current is None:
        state = State.CURRENT if same else State.UNNAMED
        return replace(verdict, state=state)
    if same and newest.release[: len(current.release)] != current.release:
        reason = f"the commit is {pin.version}, the comment says {use.version}"
        return replace(verdict, state=State.MISMATCH, reason=reason)
    if not same and current == newest:
        reason = f"{pin.version} is {pin.sha[:12]} in the catalogue"
        return replace(verdict, state=State.MISMATCH, reason=reason)
    if same or newest <= current:
        return verdict
    state = State.BEHIND if compatible(current, newest) else State.MAJOR_BEHIND
    return replace(verdict, state=state, target=_offline_target(pin, current, major=major))


def _offline_target(pin: ActionPin, current: Version | None, *, major: bool) -> Target | None:
    """Return the catalogue's pin, if `current` may go there."""
    newest = _parsed(pin.version)
    if current is None or newest < current or not (major or compatible(current, newest)):
        return None
    return Target(pin.sha, pin.version)


def _wrong(use: Use, tag: Tag | None, names: Mapping[str, Version]) -> Verdict:
    """Return what is wrong with a commit that is not the version in its comment."""
    if names:
        reason = f"the commit is {_best(names)}, the comment says {use.version}"
        return Verdict(use=use, state=State.MISMATCH, reason=reason)
    if tag is None:
        reason = f"there is no tag {use.version}, and no version tag names the commit"
        return Verdict(use=use, state=State.UNKNOWN_COMMIT, reason=reason)
    known = _catalogue().get(use.repo.casefold())
    if known and (known.version, known.sha) == (use.version, use.ref.lower()):
        return _moved(use, tag.name, tag.sha) or Verdict(use=use, state=State.MOVED)
    reason = (
        f"{tag.name} is {tag.sha[:12]} and no version tag names the pinned commit: "
        "the tag was moved, or the commit is not the project's"
    )
    return Verdict(use=use, state=State.MISMATCH, reason=reason)


def _moved(use: Use, version: str, sha: str) -> Verdict | None:
    """Return that a tag of the catalogue names another commit now, None if it does not."""
    known = _catalogue().get(use.repo.casefold())
    if known is None or known.version != version or known.sha == sha:
        return None
    reason = f"{version} is {sha[:12]} now, and was {known.sha[:12]}: the tag was moved"
    return Verdict(use=use, state=State.MOVED, reason=reason)


def _version(tag: Tag) -> Version | None:
    return parse_version(tag.name)


def _parsed(text: str) -> Version:
    return parse_version(text) or Version("0")


def _best(names: Mapping[str, Version]) -> str:
    """Return the most specific name: of v4, v4.2 and v4.2.1 the last."""
    return max(names, key=lambda name: (names[name], len(name)))


def _covers(version: Version, full: Version) -> bool:
    """Whether `version` (4, 4.2) names the release `full` (4.2.1)."""
    if len(version.release) >= FULL:
        return version == full
    return full.release[: len(version.release)] == version.release


def _acceptable(version: Version, current: Version) -> bool:
    return current.is_prerelease or not version.is_prerelease


def _beyond(chosen: Candidate, newest: Candidate) -> str:
    """Return why the newest release was not taken."""
    if compatible(chosen.version, newest.version):
        return f"{newest.tag} has to wait out the cool-down"
    return f"{newest.tag} is a major jump: `--major` takes it"


def utc_now() -> datetime:
    """Return the time from which the cool-down is counted back."""
    return datetime.now(UTC)
