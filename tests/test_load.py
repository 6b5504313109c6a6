"""The load test: for which server, with which scenario."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest

from rustci import actions
from rustci.errors import ConfigError
from rustci.jobs import load, verdicts
from rustci.project import Message, Package, Project, Server
from tests.house import parse
from tests.strategies import rendered, resolved

WORKFLOW = ".github/workflows/load.yml"


@pytest.fixture
def chat(projects: Mapping[str, Project]) -> Project:
    return projects["chat-server"]


def serving(project: Project, **changes: object) -> Project:
    """Return the chat server as if its code said something else."""
    [package] = project.packages
    assert package.source.server
    server = dataclasses.replace(package.source.server, **changes)  # type: ignore[arg-type]
    source = dataclasses.replace(package.source, server=server)
    members: tuple[Package, ...] = (dataclasses.replace(package, source=source),)
    return dataclasses.replace(project, main=dataclasses.replace(project.main, members=members))


def scripts(project: Project, tool: str) -> dict[str, str]:
    """Return the files below `tests/load/`, by name."""
    tree = rendered(project, {"load.tool": tool})
    return {path.rpartition("/")[2]: text for path, text in tree.items() if "tests/load/" in path}


def test_it_is_offered_and_off(projects: Mapping[str, Project], chat: Project) -> None:
    assert WORKFLOW not in rendered(chat, {})
    verdict = verdicts(chat, resolved(chat, {}))["load"]
    assert verdict.possible
    assert not verdict.on
    assert not verdicts(projects["single"], resolved(projects["single"], {}))["load"].possible


@pytest.mark.parametrize(
    ("tool", "protocol", "files"),
    [
        ("k6", "websocket", {"websocket.js"}),
        ("k6", "socketio", {"websocket.js"}),
        ("k6", "http", {"http.js"}),
        ("artillery", "websocket", {"websocket.yml", "websocket.cjs", "package.json"}),
        ("artillery", "socketio", {"socketio.yml", "package.json"}),
        ("artillery", "http", {"http.yml", "package.json"}),
    ],
)
def test_the_scenario_fits_tool_and_protocol(
    tool: str, protocol: str, files: set[str], chat: Project
) -> None:
    project = serving(chat, protocol=protocol)
    found = scripts(project, tool)
    assert found.keys() == files
    workflow = rendered(project, {"load.tool": tool})[WORKFLOW]
    assert any(f" tests/load/{name} |" in workflow for name in files)


def test_artillery_has_an_exact_version(chat: Project) -> None:
    assert (
        f'"artillery": "{actions.fetched("artillery")}"'
        in scripts(chat, "artillery")["package.json"]
    )


@pytest.mark.parametrize(("tool", "name"), [("k6", "websocket.js"), ("artillery", "websocket.cjs")])
def test_a_chat_is_spoken_in_the_servers_own_messages(tool: str, name: str, chat: Project) -> None:
    text = scripts(chat, tool)[name]
    assert 'JOIN = (room, user) => ({ type: "join", room, user })' in text
    assert 'TYPING = (room, user) => ({ type: "typing", room, active: true })' in text
    assert 'MESSAGE = (room, user, text) => ({ type: "message", room, text })' in text
    assert 'REFUSED = \'"type":"error"\'' in text


@pytest.mark.parametrize("fields", [("room",), ("room", "text", "signature")])
def test_a_message_that_cannot_be_filled_is_not_guessed(
    fields: tuple[str, ...], chat: Project
) -> None:
    enum = (
        Message(tag="type", name="join", fields=("room",)),
        Message(tag="type", name="message", fields=fields),
    )
    found = load.conversation(Server(protocol="websocket", messages=(enum,)))
    assert set(found.values()) == {None}
    assert "MESSAGE = null" in scripts(serving(chat, messages=(enum,)), "k6")["websocket.js"]


@pytest.mark.parametrize(
    ("changes", "listen"),
    [
        ({}, "CHAT_ADDR=127.0.0.1:9000"),
        ({"address_variable": None, "port_variable": "PORT"}, "PORT=9000"),
        ({"address_variable": None}, None),
    ],
)
def test_the_server_is_told_where_to_listen(
    changes: Mapping[str, object], listen: str | None, chat: Project
) -> None:
    tree = rendered(serving(chat, **changes), {"load.tool": "k6", "load.port": 9000})
    job = parse(tree[WORKFLOW])["jobs"]["load"]
    assert job["env"]["BASE_URL"] == "http://127.0.0.1:9000"
    [start] = [step for step in job["steps"] if step.get("id") == "server"]
    assert start["env"].get("LISTEN") == listen
    assert ('env "$LISTEN"' in start["run"]) == bool(listen)


@pytest.mark.parametrize(("graceful", "codes"), [(True, '"0"'), (False, '"0|143"')])
def test_who_handles_sigterm_ends_with_zero(graceful: bool, codes: str, chat: Project) -> None:
    text = rendered(serving(chat, graceful=graceful), {"load.tool": "k6"})[WORKFLOW]
    assert f"-e {codes} ended" in text


def test_pull_requests_need_the_label(chat: Project) -> None:
    jobs = parse(rendered(chat, {"load.tool": "k6", "load.users": 700})[WORKFLOW])["jobs"]
    assert {job["if"] for job in jobs.values()} == {load.CONDITION}
    assert jobs["load"]["env"]["USERS"] == (
        "${{ github.event_name == 'pull_request' && '10' || '700' }}"
    )


def test_an_unknown_binary_is_refused(chat: Project) -> None:
    with pytest.raises(ConfigError, match=r"`load\.binary` is `other`") as caught:
        rendered(chat, {"load.tool": "k6", "load.binary": "other"})
    assert "`chat-server`" in (caught.value.hint or "")
