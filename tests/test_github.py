"""The client against a real server, in good shape and in every bad one."""

from __future__ import annotations

import json
import logging
import os
import socket
import stat
import time
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from rustci import github
from rustci.errors import OutsideError, RustciError, UsageError
from rustci.github import Access, Client, Missing, Renamed, access
from tests.github_server import LONG_AGO, TODAY, GitHub, Reply, serving, sha

TOKEN = "ghp_CanaryCanaryCanary"


@pytest.fixture
def server() -> Iterator[GitHub]:
    with serving() as found:
        yield found


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_API_URL", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


class Pauses(list[float]):
    """The pauses that a client would have made."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def client(server: GitHub, *, seconds: float = 5, pauses: Pauses | None = None) -> Client:
    settings = Access(base=server.base, token=TOKEN)
    return Client(settings, sleep=Pauses() if pauses is None else pauses, seconds=seconds)


def failure(client: Client) -> OutsideError:
    with pytest.raises(OutsideError) as caught:
        client.identity("a/b")
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert caught.value.exit_code == 4
    return caught.value


# What GitHub says


def test_identity(server: GitHub) -> None:
    server.repo("a/b")
    found = client(server).identity("a/b")
    assert (found.full_name, found.repo_id, found.owner_id) == ("a/b", 1001, 1)
    assert server.seen[0].headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("nested", [0, 1, 3])
def test_a_tag_is_followed_to_its_commit(server: GitHub, nested: int) -> None:
    commit = server.repo("a/b").release("v1.0.0", nested=nested)
    found = client(server).peel("a/b", "v1.0.0")
    assert found is not None
    assert found.sha == commit
    assert found.tagged == (TODAY - LONG_AGO if nested else None)


def test_a_tag_that_is_not_there(server: GitHub) -> None:
    server.repo("a/b")
    assert client(server).peel("a/b", "v1.0.0") is None


def test_a_tag_with_a_slash_is_one_path(server: GitHub) -> None:
    commit = server.repo("a/b").release("sub/v1")
    found = client(server).peel("a/b", "sub/v1")
    assert found is not None
    assert found.sha == commit


def test_a_tag_of_a_tree_is_no_commit(server: GitHub) -> None:
    server.repo("a/b").refs["v1"] = ("tree", sha("tree"))
    with pytest.raises(OutsideError, match="does not lead to a commit"):
        client(server).peel("a/b", "v1")


def test_tags_in_a_ring_end(server: GitHub) -> None:
    repo = server.repo("a/b")
    repo.release("v1", nested=1)
    (name,) = repo.tag_objects
    repo.tag_objects[name]["object"] = {"type": "tag", "sha": name}
    with pytest.raises(OutsideError, match="does not lead to a commit"):
        client(server).peel("a/b", "v1")


def test_releases_come_page_by_page_and_without_drafts(server: GitHub) -> None:
    repo = server.repo("a/b")
    for number in range(70):
        repo.release(f"v1.{number}.0")
    repo.releases[0]["draft"] = True
    found = [release.tag for release in client(server).releases("a/b")]
    assert found == [f"v1.{number}.0" for number in range(68, -1, -1)]
    assert len(server.seen) == 3


def test_only_as_many_pages_as_are_read(server: GitHub) -> None:
    repo = server.repo("a/b")
    for number in range(70):
        repo.release(f"v1.{number}.0")
    next(client(server).releases("a/b"))
    assert len(server.seen) == 1


@pytest.mark.parametrize("name", ["a", "a/..", "a/b/c", "-a/b", "a/b?x", "../b", "a/b\n", "a/%2e"])
def test_a_name_cannot_lead_elsewhere(server: GitHub, name: str) -> None:
    with pytest.raises(UsageError):
        client(server).identity(name)
    assert server.seen == []


@pytest.mark.parametrize("tag", ["..", "v1/../../../x", "a//b"])
def test_a_tag_cannot_lead_elsewhere(server: GitHub, tag: str) -> None:
    with pytest.raises(UsageError):
        client(server).peel("a/b", tag)
    assert server.seen == []


# What goes wrong on the way


def test_a_missing_repository(server: GitHub) -> None:
    assert isinstance(failure(client(server)), Missing)
    assert len(server.seen) == 1


def test_a_renamed_repository_is_not_followed(server: GitHub) -> None:
    server.moved["a/b"] = f"{server.base}/repositories/7"
    assert isinstance(failure(client(server)), Renamed)
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_another_host_sees_nothing_of_us(server: GitHub, status: int) -> None:
    with serving() as other:
        server.script = [Reply(status, b"", {"Location": f"{other.base}/repos/a/b"})]
        error = failure(client(server))
        assert other.seen == []
    assert "another host" in error.message
    assert not isinstance(error, Renamed)


@pytest.mark.parametrize("location", ["http://[", "", "//\x00"])
def test_a_broken_redirect(server: GitHub, location: str) -> None:
    server.script = [Reply(302, b"", {"Location": location})]
    failure(client(server))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_hiccup_is_survived(server: GitHub, status: int) -> None:
    server.repo("a/b")
    server.script = [Reply(status), Reply(status)]
    pauses = Pauses()
    assert client(server, pauses=pauses).identity("a/b").repo_id == 1001
    assert pauses == [1.0, 2.0]


def test_three_tries_and_no_more(server: GitHub) -> None:
    server.always = Reply(503)
    assert "503" in failure(client(server)).message
    assert len(server.seen) == 3


def test_a_short_pause_is_made(server: GitHub) -> None:
    server.repo("a/b")
    server.script = [Reply(429, b"", {"Retry-After": "3"})]
    pauses = Pauses()
    assert client(server, pauses=pauses).identity("a/b").repo_id == 1001
    assert pauses == [3.0]


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "3600"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 3600)},
    ],
)
def test_a_long_limit_stops_the_run(server: GitHub, status: int, headers: dict[str, str]) -> None:
    server.always = Reply(status, b"", headers)
    pauses = Pauses()
    error = failure(client(server, pauses=pauses))
    when = time.strftime("%Y-%m-%d %H:", time.gmtime(time.time() + 3600))
    assert "resets at" in error.message
    assert when[:10] in error.message
    assert pauses == []
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "soon"},
        {"Retry-After": "-1"},
        {"Retry-After": "9" * 30},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"},
    ],
)
def test_a_limit_that_makes_no_sense(server: GitHub, headers: dict[str, str]) -> None:
    server.always = Reply(429, b"", headers)
    assert "rate limit" in failure(client(server)).message


def test_a_secondary_limit_without_headers(server: GitHub) -> None:
    server.always = Reply(403, b'{"message": "You have exceeded a secondary rate limit"}')
    assert "rate limit" in failure(client(server)).message


@pytest.mark.parametrize(("status", "text"), [(401, "refuses the token"), (403, "forbids")])
def test_a_refusal_is_final(server: GitHub, status: int, text: str) -> None:
    server.always = Reply(status, b'{"message": "no"}')
    assert text in failure(client(server)).message
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Please sign in</html>",
        b"",
        b"[]",
        b"null",
        b'{"id": "1"}',
        b'{"id": true, "full_name": "a/b", "owner": {"id": 1}, "archived": false}',
        b'{"id": 1, "full_name": "a/b", "owner": [], "archived": false}',
        b'{"id": 1, "full_name"',
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"id": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_not_githubs_api(server: GitHub, body: bytes) -> None:
    server.always = Reply(200, body)
    assert "not GitHub's API" in failure(client(server)).message


@pytest.mark.parametrize("bad", ["abc", "g" * 40, "A" * 40, 7, None])
def test_a_commit_has_forty_digits(server: GitHub, bad: object) -> None:
    found = {"ref": "refs/tags/v1", "object": {"type": "commit", "sha": bad}}
    server.always = Reply(200, json.dumps(found).encode())
    with pytest.raises(OutsideError, match="not GitHub's API"):
        client(server).peel("a/b", "v1")


@pytest.mark.parametrize("bad", ["yesterday", "", 7])
def test_a_date_that_is_none(server: GitHub, bad: object) -> None:
    server.always = Reply(200, json.dumps({"committer": {"date": bad}}).encode())
    with pytest.raises(OutsideError, match="not GitHub's API"):
        client(server).committed("a/b", "0" * 40)


def test_a_huge_body_is_cut_off(server: GitHub) -> None:
    server.always = Reply(200, b" " * 20_000_000)
    assert "5,000,000 bytes" in failure(client(server)).message


def _truncated(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"id": 1')
    handler.close_connection = True


def _hangs_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def _drips_a_body(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(30):
        handler.wfile.write(b" ")
        time.sleep(0.05)


def _drips_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(30):
        handler.wfile.write(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("raw", [_truncated, _hangs_up])
def test_a_connection_that_breaks_off(server: GitHub, raw: object) -> None:
    server.always = Reply(raw=raw)  # type: ignore[arg-type]
    assert failure(client(server)).message.startswith("cannot ask 127.0.0.1")
    assert len(server.seen) == 3


@pytest.mark.parametrize("raw", [_drips_a_body, _drips_headers])
def test_a_slow_drip_ends_with_the_deadline(server: GitHub, raw: object) -> None:
    server.always = Reply(raw=raw)  # type: ignore[arg-type]
    started = time.monotonic()
    assert "too long" in failure(client(server, seconds=0.3)).message
    assert time.monotonic() - started < 1


def test_no_such_host() -> None:
    nowhere = Client(Access(base="https://github.invalid", token=TOKEN), sleep=Pauses())
    assert failure(nowhere).message.startswith("cannot ask github.invalid")


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert (
        "no connection" in failure(Client(Access(base=base, token=TOKEN), sleep=Pauses())).message
    )


def test_a_proxy_that_is_not_there(server: GitHub) -> None:
    settings = Access(
        base=server.base, token=TOKEN, proxies={"http": "http://me:secret@127.0.0.1:1"}
    )
    error = failure(Client(settings, sleep=Pauses()))
    assert "proxy" in error.message
    assert "secret" not in "".join(traceback.format_exception(error))


def test_the_proxy_of_the_environment_is_used(
    server: GitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    assert access({}, tmp_path).proxies["https"] == "http://127.0.0.1:1"


# The token


@pytest.mark.parametrize("netrc", [".netrc", "_netrc"])
def test_netrc_is_not_read(server: GitHub, tmp_path: Path, netrc: str) -> None:
    server.repo("a/b")
    (tmp_path / netrc).write_text("machine 127.0.0.1 login canary password canary\n")
    client(server).identity("a/b")
    Client(Access(base=server.base), sleep=Pauses()).identity("a/b")
    with_token, without = (seen.headers for seen in server.seen)
    assert with_token["Authorization"] == f"Bearer {TOKEN}"
    assert "Authorization" not in without


@pytest.mark.parametrize(
    "token",
    [f"{TOKEN}\nX: y", f"{TOKEN} b", f"a\r{TOKEN}", f"{TOKEN}\x00", f"{TOKEN}é", TOKEN * 100],
)
@pytest.mark.parametrize("variable", ["GITHUB_TOKEN", "GH_TOKEN"])
def test_a_malformed_token_is_never_shown(tmp_path: Path, variable: str, token: str) -> None:
    with pytest.raises(UsageError) as caught:
        access({variable: token}, tmp_path)
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert variable in caught.value.message


def test_blanks_around_a_token_do_no_harm(tmp_path: Path) -> None:
    assert access({"GITHUB_TOKEN": f" {TOKEN}\n"}, tmp_path).token == TOKEN


def test_the_token_is_in_no_representation_and_no_log(
    server: GitHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.repo("a/b")
    asking = client(server)
    asking.identity("a/b")
    assert TOKEN not in repr(asking) + repr(Access(token=TOKEN)) + caplog.text
    assert caplog.text


def test_the_first_token_wins(tmp_path: Path) -> None:
    assert access({"GITHUB_TOKEN": "one", "GH_TOKEN": "two"}, tmp_path).token == "one"
    assert access({"GITHUB_TOKEN": " ", "GH_TOKEN": "two"}, tmp_path).token == "two"


def program(folder: Path, text: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    gh = folder / "gh"
    gh.write_text(f"#!/bin/sh\n{text}\n")
    gh.chmod(gh.stat().st_mode | stat.S_IXUSR)
    return str(folder)


needs_sh = pytest.mark.skipif(os.name == "nt", reason="runs a shell script")


@needs_sh
def test_gh_is_asked_for_the_host_that_the_token_goes_to(tmp_path: Path) -> None:
    path = program(tmp_path / "bin", 'echo "$4"')
    root = tmp_path / "repo"
    assert access({"PATH": path}, root).token == "github.com"
    enterprise = {"PATH": path, "GITHUB_API_URL": "https://git.example.com/api/v3/"}
    assert access(enterprise, root).token == "git.example.com"
    assert access(enterprise, root).base == "https://git.example.com/api/v3"


@needs_sh
@pytest.mark.parametrize("text", ["exit 1", "echo oops; exit 1", "true"])
def test_gh_that_is_not_signed_in(tmp_path: Path, text: str) -> None:
    path = program(tmp_path / "bin", text)
    assert access({"PATH": path}, tmp_path / "repo").token is None


@needs_sh
def test_gh_of_the_repository_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "repo"
    inside = program(root / "bin", f"touch {tmp_path}/ran; echo x")
    (tmp_path / "link").symlink_to(inside)
    monkeypatch.chdir(inside)
    path = os.pathsep.join([inside, ".", "", str(tmp_path / "link")])
    assert access({"PATH": path}, root).token is None
    assert not (tmp_path / "ran").exists()


@needs_sh
def test_gh_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github, "GH_SECONDS", 0.1)
    path = program(tmp_path / "bin", "exec sleep 5")
    assert access({"PATH": f"{path}:/bin:/usr/bin"}, tmp_path / "repo").token is None


@pytest.mark.parametrize(
    "url",
    [
        "http://github.example.com",
        "ftp://x",
        "github.example.com",
        "https://",
        "https://user:pw@github.example.com",
        "https://a.example.com/?x=1",
        "https://a.example.com/#x",
        "https://a.example.com:99999",
        "https://[",
        "https://a.example.com/\x1b",
    ],
)
def test_an_address_that_would_betray_the_token(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError) as caught:
        access({"GITHUB_API_URL": url, "GITHUB_TOKEN": TOKEN}, tmp_path)
    assert "pw" not in str(caught.value)


# What is remembered


def cached(server: GitHub, folder: Path) -> Client:
    return Client(Access(base=server.base, cache=folder), sleep=Pauses())


def test_an_answer_is_asked_for_once(server: GitHub, tmp_path: Path) -> None:
    server.repo("a/b")
    first = cached(server, tmp_path).identity("a/b")
    assert cached(server, tmp_path).identity("a/b") == first
    assert "If-None-Match" not in server.seen[0].headers
    assert "If-None-Match" in server.seen[1].headers


def test_a_changed_answer_replaces_the_old_one(server: GitHub, tmp_path: Path) -> None:
    repo = server.repo("a/b")
    cached(server, tmp_path).identity("a/b")
    repo.repo_id = 7
    assert cached(server, tmp_path).identity("a/b").repo_id == 7
    assert cached(server, tmp_path).identity("a/b").repo_id == 7


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"url": 1}', "\x00", '{"etag": "x\\ny", "url": "", "body": ""}']
)
def test_a_broken_cache_is_no_cache(server: GitHub, tmp_path: Path, text: str) -> None:
    server.repo("a/b")
    cached(server, tmp_path).identity("a/b")
    (file,) = tmp_path.glob("*.json")
    file.write_text(text)
    assert cached(server, tmp_path).identity("a/b").repo_id == 1001
    assert "If-None-Match" not in server.seen[1].headers


def test_a_cache_that_cannot_be_written(server: GitHub, tmp_path: Path) -> None:
    server.repo("a/b")
    (tmp_path / "file").write_text("")
    assert cached(server, tmp_path / "file").identity("a/b").repo_id == 1001


def test_where_answers_are_kept(tmp_path: Path) -> None:
    assert github.cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "rustci" / "github"
    assert github.cache_folder({"XDG_CACHE_HOME": "relative"}) != Path("relative/rustci/github")
    assert access({}, tmp_path, cache=False).cache is None


def test_304_to_a_question_that_was_not_asked(server: GitHub) -> None:
    server.always = Reply(304)
    assert isinstance(failure(client(server)), RustciError)
