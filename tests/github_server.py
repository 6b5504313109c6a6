"""A GitHub for tests: a real HTTP server with the API's shapes, and every bad one on demand."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

TODAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG_AGO = timedelta(days=100)


def sha(name: str) -> str:
    """Return 40 hex digits that stand for `name`."""
    return hashlib.sha1(name.encode()).hexdigest()


class Reply(NamedTuple):
    """One answer in place of the regular one."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}
    raw: Callable[[BaseHTTPRequestHandler], None] | None = None
    """Writes the answer by itself, byte by byte."""


class Seen(NamedTuple):
    """One request that came in."""

    path: str
    headers: Mapping[str, str]


@dataclass(kw_only=True)
class Repo:
    """One repository: what its tags lead to and what was released when."""

    repo_id: int
    owner_id: int
    full_name: str
    archived: bool = False
    refs: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Tag → type and sha of the object it names."""
    tag_objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    commits: dict[str, datetime] = field(default_factory=dict)
    releases: list[dict[str, Any]] = field(default_factory=list)

    def release(
        self,
        tag: str,
        *,
        age: timedelta = LONG_AGO,
        commit: str | None = None,
        nested: int = 0,
        published: bool = True,
        prerelease: bool = False,
    ) -> str:
        """Add a tag under `nested` tag objects, with its release; return the commit."""
        found = commit or sha(f"{self.full_name} {tag}")
        self.commits.setdefault(found, TODAY - age)
        kind, target = "commit", found
        for depth in range(nested):
            name = sha(f"tag object {depth} {tag}")
            self.tag_objects[name] = {
                "sha": name,
                "tagger": {"date": stamp(TODAY - age)},
                "object": {"type": kind, "sha": target},
            }
            kind, target = "tag", name
        self.refs[tag] = (kind, target)
        if published:
            release = {"tag_name": tag, "published_at": stamp(TODAY - age)}
            self.releases.insert(0, release | {"draft": False, "prerelease": prerelease})
        return found

    def peeled(self, tag: str) -> str:
        kind, target = self.refs[tag]
        while kind == "tag":
            named = self.tag_objects[target]["object"]
            kind, target = named["type"], named["sha"]
        return target


def stamp(date: datetime) -> str:
    return date.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class GitHub:
    """The server: repositories to serve, answers to give first, and what was asked."""

    base: str
    repos: dict[str, Repo] = field(default_factory=dict)
    script: list[Reply] = field(default_factory=list)
    always: Reply | None = None
    moved: dict[str, str] = field(default_factory=dict)
    """Old name → where its 301 leads."""
    seen: list[Seen] = field(default_factory=list)

    def repo(self, name: str, *, full_name: str | None = None) -> Repo:
        """Add a repository."""
        number = len(self.repos) + 1
        repo = Repo(repo_id=1000 + number, owner_id=number, full_name=full_name or name)
        self.repos[name] = repo
        return repo

    def answer(self, target: str) -> Reply:
        """Return the regular answer to a GET."""
        path, _, query = target.partition("?")
        parts = [unquote(part) for part in path.split("/")[2:]]
        name, rest = "/".join(parts[:2]), parts[2:]
        if name in self.moved:
            return Reply(301, b"{}", {"Location": self.moved[name]})
        repo = self.repos.get(name)
        found = None if repo is None else _resource(repo, rest, query)
        return Reply(404, b'{"message": "Not Found"}') if found is None else _ok(found)


def _ok(value: Any) -> Reply:
    body = json.dumps(value).encode()
    return Reply(200, body, {"ETag": f'W/"{hashlib.md5(body).hexdigest()}"'})


def _resource(repo: Repo, rest: list[str], query: str) -> Any:
    page = dict(part.split("=") for part in query.split("&")) if query else {}
    size = int(page.get("per_page", 30))
    start = (int(page.get("page", 1)) - 1) * size
    found: Any = None
    match rest:
        case []:
            found = {
                "id": repo.repo_id,
                "owner": {"id": repo.owner_id},
                "full_name": repo.full_name,
                "archived": repo.archived,
            }
        case ["releases"]:
            found = repo.releases[start : start + size]
        case ["tags"]:
            tags = [{"name": tag, "commit": {"sha": repo.peeled(tag)}} for tag in repo.refs]
            found = tags[start : start + size]
        case ["git", "ref", "tags", *tag] if "/".join(tag) in repo.refs:
            kind, target = repo.refs["/".join(tag)]
            found = {"ref": "refs/tags/" + "/".join(tag), "object": {"type": kind, "sha": target}}
        case ["git", "tags", name]:
            found = repo.tag_objects.get(name)
        case ["git", "commits", name] if name in repo.commits:
            found = {"sha": name, "committer": {"date": stamp(repo.commits[name])}}
    return found


def _handler(github: GitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            github.seen.append(Seen(self.path, dict(self.headers)))
            scripted = github.script.pop(0) if github.script else github.always
            reply = scripted or github.answer(urlsplit(self.path)._replace(scheme="").geturl())
            with suppress(ConnectionError):
                self.reply(reply)

        def reply(self, reply: Reply) -> None:
            if reply.raw:
                reply.raw(self)
                return
            etag = reply.headers.get("ETag")
            same = reply.status == 200 and etag and self.headers.get("If-None-Match") == etag
            body = b"" if same else reply.body
            self.send_response(304 if same else reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def serving() -> Iterator[GitHub]:
    """Yield a server on a free port of this machine."""
    github = GitHub("")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(github))
    server.daemon_threads = True
    server.block_on_close = False
    github.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
