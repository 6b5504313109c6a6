"""GitHub's REST API, read only: releases, tags and who a repository is.

Nothing that arrives is trusted: every answer is bounded in size and time and its types are checked.
The token goes to one host in one header, and no redirect is followed. Whatever fails is an
OutsideError; its message holds neither the token nor the text of a library's exception.
"""

from __future__ import annotations

import hashlib
import json
import os
import queue
import re
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import requests
from requests.auth import AuthBase
from requests.exceptions import ConnectTimeout, ProxyError, ReadTimeout, SSLError
from urllib3.exceptions import HTTPError

from rustci import __version__
from rustci.errors import OutsideError, UsageError

T = TypeVar("T")

BASE = "https://api.github.com"
TRIES = 3
REQUEST_SECONDS = 15.0
TOTAL_SECONDS = 120.0
"""For all requests of one run together."""
PATIENCE = 15.0
"""Seconds that are waited for a rate limit to end; beyond that the run stops."""
MAX_BYTES = 5_000_000
PAGE = 30
"""Releases in one answer: with sixty assets each, thirty stay below the cap."""
MAX_PAGES = 10
MAX_NESTED_TAGS = 10
GH_SECONDS = 5.0

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*/(?!\.{1,2}$)[A-Za-z0-9_.-]+")
_SHA = re.compile(r"[0-9a-f]{40}")
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{1,200}"')
_TOKEN = re.compile(r"[\x21-\x7e]{1,1000}")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_MISSING = {404, 410, 422, 451}


class Missing(OutsideError):
    """GitHub has no such repository, commit or tag, or does not show it."""


class Renamed(OutsideError):
    """The repository answers under another name or another owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where GitHub is and how to get there."""

    base: str = BASE
    token: str | None = field(default=None, repr=False)
    cache: Path | None = None
    """The folder of remembered answers; None keeps none."""
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    certificates: str | bool = True
    """A CA bundle, or True for the one that comes with requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a repository is. The numbers survive a rename, and a name taken over has other ones."""

    full_name: str
    repo_id: int
    owner_id: int
    archived: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A published release."""

    tag: str
    published: datetime
    prerelease: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A tag, followed to the commit that it names."""

    name: str
    sha: str
    tagged: datetime | None = None
    """The newest date in the tag objects on the way; None for a lightweight tag."""


class _TooLongError(OSError):
    """More than MAX_BYTES came."""


_NETWORK_PROBLEMS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((ProxyError,), "the proxy does not let it through"),
    ((SSLError,), "its certificate is not trusted"),
    ((TimeoutError, ConnectTimeout, ReadTimeout), "it takes too long to answer"),
    ((requests.ConnectionError,), "there is no connection, or it broke off"),
    ((_TooLongError,), f"its answer is longer than {MAX_BYTES:,} bytes"),
    ((requests.RequestException, HTTPError), "its answer is broken"),
)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def access(environ: Mapping[str, str], root: Path, *, cache: bool = True) -> Access:
    """Return how to reach GitHub from here. `root` is the repository: no program in it is run.

    Raises UsageError for a GITHUB_API_URL or a token that cannot be used.
    """
    base = _base(environ.get("GITHUB_API_URL", "").strip() or BASE)
    return Access(
        base=base,
        token=_token(environ, root, urlsplit(base).hostname or ""),
        cache=cache_folder(environ) if cache else None,
        proxies=requests.utils.get_environ_proxies(base),
        certificates=environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE") or True,
    )


def _base(url: str) -> str:
    """Return the checked base URL. Plain HTTP would show the token to everybody on the way."""
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_is_valid = urlsplit(""), False
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    extras = parts.username or parts.password or parts.query or parts.fragment
    if not (secure and parts.hostname and port_is_valid) or extras or not url.isprintable():
        raise UsageError(
            "GITHUB_API_URL is not a plain https address",
            hint="Set it to your server's API, such as https://github.example.com/api/v3",
        )
    return url.rstrip("/")


def _token(environ: Mapping[str, str], root: Path, host: str) -> str | None:
    """Return the token of the first place that has one."""
    for variable in ("GITHUB_TOKEN", "GH_TOKEN"):
        if token := environ.get(variable, "").strip():
            return _checked_token(token, f"the token in {variable}")
    token = _token_of_gh(environ, root, "github.com" if host == "api.github.com" else host)
    return _checked_token(token, "the token of `gh auth token`") if token else None


def _checked_token(token: str, what: str) -> str:
    """Return a token that can stand in a header. The message never shows it."""
    if not _TOKEN.fullmatch(token):
        raise UsageError(
            f"{what} holds a space, a line break or another character that no token has",
            hint="Copy it again, without quotes or line breaks",
        )
    return token


def _token_of_gh(environ: Mapping[str, str], root: Path, host: str) -> str:
    """Return what GitHub's own command line is signed in with, "" if it is not there."""
    gh = _program("gh", environ, root)
    if gh is None:
        return ""
    try:
        done = subprocess.run(
            [gh, "auth", "token", "--hostname", host],
            capture_output=True,
            check=False,
            cwd=gh.parent,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            timeout=GH_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("ascii", "replace").strip() if done.returncode == 0 else ""


def _program(name: str, environ: Mapping[str, str], root: Path) -> Path | None:
    """Return where a program is on PATH, but never one that the repository brings along."""
    inside = root.resolve()
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        found = shutil.which(name, path=folder) if Path(folder).is_absolute() else None
        if found and not Path(found).resolve().is_relative_to(inside):
            return Path(found)
    return None


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """Return the user's cache folder for answers of GitHub, None where nobody has a home."""
    if (given := environ.get("XDG_CACHE_HOME")) and Path(given).is_absolute():
        return Path(given, "rustci", "github")
    try:
        home = Path.home()
    except RuntimeError:
        return None
    usual = {"win32": Path("AppData", "Local"), "darwin": Path("Library", "Caches")}
    return home / usual.get(sys.platform, Path(".cache")) / "rustci" / "github"


class Client:
    """Asks GitHub. `sleep` waits between tries, `seconds` is for all requests together."""

    def __init__(
        self,
        access: Access,
        *,
        sleep: Callable[[float], object] = time.sleep,
        seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._access = access
        self._sleep = sleep
        self._deadline = time.monotonic() + seconds
        self._host = urlsplit(access.base).netloc
        self._cache = _Cache(access.cache)
        self._session = requests.Session()
        # With it requests would read ~/.netrc, whose entry replaces the header.
        self._session.trust_env = False
        self._session.proxies = dict(access.proxies)
        self._session.verify = access.certificates
        self._session.auth = _Bearer(access.token)
        self._session.headers.update(
            {
                "Accept": "application/vnd.github+json",
                "User-Agent": f"rustci/{__version__}",
                "X-GitHub-Api-Version": "2022-11-28",
            }
        )

    def identity(self, repo: str) -> Identity:
        """Return who `owner/name` is. Raises Renamed, Missing or OutsideError."""
        found = self._object(_path(repo))
        return Identity(
            full_name=self._get(found, "full_name", str),
            repo_id=self._get(found, "id", int),
            owner_id=self._get(self._get(found, "owner", dict), "id", int),
            archived=self._get(found, "archived", bool),
        )

    def releases(self, repo: str) -> Iterator[Release]:
        """Yield the published releases, the newest first, asking page by page."""
        for found in self._pages(_path(repo, "releases"), PAGE):
            if not self._get(found, "draft", bool):
                yield Release(
                    tag=self._get(found, "tag_name", str),
                    published=self._date(found, "published_at"),
                    prerelease=self._get(found, "prerelease", bool),
                )

    def tags(self, repo: str) -> Iterator[Tag]:
        """Yield the tags with their commits, asking page by page."""
        for found in self._pages(_path(repo, "tags"), 100):
            commit = self._get(found, "commit", dict)
            yield Tag(name=self._get(found, "name", str), sha=self._sha(commit))

    def peel(self, repo: str, tag: str) -> Tag | None:
        """Return the tag with its commit, annotated and nested tags followed; None if absent."""
        try:
            found = self._object(_path(repo, "git", "ref", "tags", *tag.split("/")))
        except Missing:
            return None
        if self._get(found, "ref", str) != f"refs/tags/{tag}":
            return None
        tagged: list[datetime] = []
        for _ in range(MAX_NESTED_TAGS):
            target = self._get(found, "object", dict)
            kind, sha = self._get(target, "type", str), self._sha(target)
            if kind == "commit":
                return Tag(name=tag, sha=sha, tagged=max(tagged, default=None))
            if kind != "tag":
                break
            found = self._object(_path(repo, "git", "tags", sha))
            tagged.append(self._date(self._get(found, "tagger", dict), "date"))
        raise OutsideError(f"the tag {tag} of {repo} does not lead to a commit")

    def committed(self, repo: str, sha: str) -> datetime:
        """Return when a commit was made, as it says itself."""
        found = self._object(_path(repo, "git", "commits", sha))
        return self._date(self._get(found, "committer", dict), "date")

    def _pages(self, path: str, size: int) -> Iterator[dict[str, Any]]:
        for number in range(1, MAX_PAGES + 1):
            found = self._typed(self._json(f"{path}?per_page={size}&page={number}"), list)
            yield from (self._typed(item, dict) for item in found)
            if len(found) < size:
                return

    def _object(self, path: str) -> dict[str, Any]:
        return self._typed(self._json(path), dict)

    def _json(self, path: str) -> Any:
        """Return what GitHub says at `path`, or said last if that still holds."""
        url = self._access.base + path
        remembered = self._cache.load(url)
        answer = self._ask(url, remembered.etag if remembered else None)
        try:
            if remembered is None or answer.status == requests.codes.ok:
                text = answer.body.decode()
                value = json.loads(text)
                self._cache.save(url, answer.headers.get("ETag", ""), text)
            else:
                value = json.loads(remembered.body)
        except (ValueError, RecursionError):
            raise self._strange("something that is not JSON") from None
        return value

    def _ask(self, url: str, etag: str | None) -> _Answer:
        """Return the answer to a GET, with further tries where those can help."""
        problem = ""
        for attempt in range(TRIES):
            try:
                answer = self._send(url, {"If-None-Match": etag} if etag else {})
            except (OSError, ValueError, HTTPError) as error:
                problem = _network_problem(error)
                pause = 2.0**attempt
            else:
                if answer.status == requests.codes.ok or (answer.status == 304 and etag):
                    return answer
                pause = self._pause(answer, attempt)
                problem = f"it answers {answer.status}"
            if attempt + 1 < TRIES:
                self._wait(pause)
        raise OutsideError(
            f"cannot ask {self._host}: {problem}",
            hint="Nothing was changed. Check the network (and https_proxy), then run it again",
        )

    def _send(self, url: str, headers: Mapping[str, str]) -> _Answer:
        """Return the answer to one GET. Raises OSError, also where it takes too long."""
        seconds = min(REQUEST_SECONDS, self._deadline - time.monotonic())
        if seconds <= 0:
            raise self._out_of_time()

        def work() -> _Answer:
            with self._session.get(
                url, headers=headers, timeout=seconds, stream=True, allow_redirects=False
            ) as response:
                return _Answer(response.status_code, response.headers, _body(response))

        return _within(seconds, work)

    def _pause(self, answer: _Answer, attempt: int) -> float:
        """Return how long to wait before the next try. Raises OutsideError if none can help."""
        seconds = _limited(answer)
        if seconds is not None:
            if seconds > min(PATIENCE, self._deadline - time.monotonic()):
                raise self._rate_limit(seconds)
            return seconds
        if answer.status >= requests.codes.server_error:
            return 2.0**attempt
        raise self._refusal(answer)

    def _wait(self, seconds: float) -> None:
        if seconds > self._deadline - time.monotonic():
            raise self._out_of_time()
        self._sleep(seconds)

    def _refusal(self, answer: _Answer) -> OutsideError:
        """Return the error for an answer that is final."""
        status = answer.status
        if 300 <= status < 400:
            return self._redirect(answer)
        if status == requests.codes.unauthorized:
            return OutsideError(
                f"{self._host} refuses the token (401)",
                hint="Renew it (GITHUB_TOKEN, GH_TOKEN, `gh auth login`), or go without one",
            )
        if status in _MISSING:
            return Missing(f"{self._host} knows nothing of it ({status})")
        if status == requests.codes.forbidden:
            return OutsideError(
                f"{self._host} forbids it (403)",
                hint="Check the token's rights and single sign-on, or go without a token",
            )
        return self._strange(f"status {status}")

    def _redirect(self, answer: _Answer) -> OutsideError:
        """Return the error for a redirect: GitHub's own means a rename, another host a portal."""
        try:
            host = urlsplit(answer.headers.get("Location", "")).netloc
        except ValueError:
            return self._strange("a redirect to nowhere")
        if host in {"", self._host}:
            return Renamed("the repository was renamed or moved to another owner")
        return OutsideError(
            f"{self._host} redirects to another host, which is not followed",
            hint="Sign in to the network, or check https_proxy and GITHUB_API_URL",
        )

    def _rate_limit(self, seconds: float) -> OutsideError:
        when = datetime.fromtimestamp(time.time() + seconds, UTC)
        token = "" if self._access.token else ", or set GITHUB_TOKEN for a far higher limit"
        return OutsideError(
            f"the rate limit of {self._host} is used up; it resets at {when:%Y-%m-%d %H:%M} UTC",
            hint=f"Nothing was changed. Run it again then{token}",
        )

    def _out_of_time(self) -> OutsideError:
        return OutsideError(
            f"{self._host} takes too long to answer",
            hint="Nothing was changed. Try later, or name single actions",
        )

    def _strange(self, what: str) -> OutsideError:
        return OutsideError(
            f"{self._host} answers with {what}: that is not GitHub's API",
            hint="Sign in to the network, or check https_proxy and GITHUB_API_URL",
        )

    def _typed(self, value: Any, kind: type[T]) -> T:
        if type(value) is not kind:
            raise self._strange("JSON of another form")
        return value

    def _get(self, found: dict[str, Any], key: str, kind: type[T]) -> T:
        return self._typed(found.get(key), kind)

    def _sha(self, found: dict[str, Any]) -> str:
        sha = self._get(found, "sha", str)
        if not _SHA.fullmatch(sha):
            raise self._strange("a commit that is none")
        return sha

    def _date(self, found: dict[str, Any], key: str) -> datetime:
        try:
            date = datetime.fromisoformat(self._get(found, key, str))
        except ValueError:
            raise self._strange("a date that is none") from None
        return date if date.tzinfo else date.replace(tzinfo=UTC)


class _Bearer(AuthBase):
    """Adds the token; also where there is none it keeps requests from looking for another."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remembered:
    etag: str
    body: str


@dataclass(frozen=True, slots=True)
class _Cache:
    """Answers with their ETags, one file each; whatever is wrong with one, it is not there."""

    folder: Path | None

    def load(self, url: str) -> _Remembered | None:
        """Return what was saved for `url`."""
        if self.folder is None:
            return None
        try:
            found = json.loads(self._file(self.folder, url).read_bytes())
            etag, body = found["etag"], found["body"]
            whole = found["url"] == url and _ETAG.fullmatch(etag) and isinstance(body, str)
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None
        return _Remembered(etag=etag, body=body) if whole else None

    def save(self, url: str, etag: str, body: str) -> None:
        """Keep an answer that has an ETag."""
        if self.folder is None or not _ETAG.fullmatch(etag):
            return
        text = json.dumps({"url": url, "etag": etag, "body": body})
        path = self._file(self.folder, url)
        temporary = path.with_suffix(f".{secrets.token_hex(8)}.tmp")
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)

    @staticmethod
    def _file(folder: Path, url: str) -> Path:
        return folder / f"{hashlib.sha256(url.encode()).hexdigest()}.json"


def _path(repo: str, *parts: str) -> str:
    """Return a path of the API. Raises UsageError for a name that would lead elsewhere."""
    if not _NAME.fullmatch(repo) or not {"", ".", ".."}.isdisjoint(parts):
        raise UsageError(f"{'/'.join((repo, *parts))} cannot be on GitHub")
    return "/".join(["/repos", repo, *(quote(part, safe="") for part in parts)])


def _body(response: requests.Response) -> bytes:
    """Return the body. Raises _TooLongError."""
    found = bytearray()
    for chunk in response.iter_content(65536):
        found += chunk
        if len(found) > MAX_BYTES:
            raise _TooLongError
    return bytes(found)


def _within(seconds: float, work: Callable[[], T]) -> T:
    """Return the result of `work`. Raises TimeoutError where it is not there in time.

    The timeouts of sockets do not bound a name server that hangs, nor a byte now and then.
    """
    results: queue.SimpleQueue[tuple[T | None, Exception | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put((work(), None))
        except Exception as error:  # noqa: BLE001 raised again below
            results.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        value, error = results.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value] # it is T where there is no error


def _network_problem(error: Exception) -> str:
    """Return what went wrong on the way, told from the kind alone: texts may hold secrets."""
    return next(
        (text for kinds, text in _NETWORK_PROBLEMS if isinstance(error, kinds)),
        "no connection can be set up (check REQUESTS_CA_BUNDLE)",
    )


def _limited(answer: _Answer) -> float | None:
    """Return for how many seconds GitHub wants to be left alone, None if it is not that.

    https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
    """
    if answer.status not in {403, 429}:
        return None
    after = _number(answer.headers.get("Retry-After"))
    if after is not None:
        return after
    reset = _number(answer.headers.get("X-RateLimit-Reset"))
    if answer.headers.get("X-RateLimit-Remaining") == "0" and reset is not None:
        return min(max(reset - time.time(), 0.0) + 1, 86_400.0)
    if answer.status == 429 or b"secondary rate limit" in answer.body:
        return 60.0
    return None


def _number(text: str | None) -> float | None:
    """Return a plain number of seconds."""
    valid = text is not None and text.isascii() and text.isdigit() and len(text) < 12
    return float(text) if valid and text else None
