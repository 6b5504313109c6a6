"""Puts the server under load: many users at once, held to thresholds (k6 or Artillery).

Off unless `load.tool` says with what: none of the 129 repositories behind the defaults runs load
tests, and shared runners measure load roughly. It is offered for every package with a binary that
serves HTTP, WebSockets or Socket.IO. The server is built once, as it is released, and handed on to
a second job that starts it, waits until it answers, runs the scenario, stops the server with
SIGTERM and asserts that it ends in peace. Connections that take long, answers that come late,
errors, and sessions that break make the job red; figures and the server's log are kept either way.

Every week `load.users` come within a minute and stay for two. On pull requests with the label
`load` ten users do for half a minute: enough to see that the scenario still fits the server. The
scenario is written to `tests/load/` where it is absent and yours from then on. Where the code has a
chat's messages as an enum that serde tags, users join a room, type, talk and hear one another;
elsewhere they connect, ping and reconnect, or ask for a page, until you say more.

Takes the time of a release build and four minutes. Needs no secret.
"""

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from rustci import actions
from rustci.errors import ConfigError
from rustci.jobs.base import (
    LOCK_TROUBLE,
    Verdict,
    capped_lints,
    lane_env,
    linux_runner,
    locked_flag,
    minutes,
    primary_toolchain,
    rustc_pattern,
    service_containers,
    service_env,
    setup,
)
from rustci.options import Config
from rustci.project import CrateTarget, Message, Package, Project, Server, TargetKind
from rustci.quoting import Verbatim
from rustci.workflow import Job, Setup, Trouble

ID = "load"
TITLE = "Load test"
WORKFLOW = "load"

HOST = "127.0.0.1"
"""By number: `localhost` may be IPv6, where few servers listen by default."""
CONDITION = (
    "github.event_name != 'pull_request'"
    " || contains(github.event.pull_request.labels.*.name, 'load')"
)
USUAL_PATHS: Mapping[str, str] = MappingProxyType(
    {
        "websocket": "/ws",
        "http": "/",
        # Socket.IO without its handshake over HTTP: a WebSocket like any other.
        "socketio": "/socket.io/?EIO=4&transport=websocket",
    }
)
SCRIPTS: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {
        ("k6", "websocket"): ("websocket.js",),
        ("k6", "socketio"): ("websocket.js",),
        ("k6", "http"): ("http.js",),
        ("artillery", "websocket"): ("websocket.yml", "websocket.cjs", "package.json"),
        ("artillery", "socketio"): ("socketio.yml", "package.json"),
        ("artillery", "http"): ("http.yml", "package.json"),
    }
)
"""The files of a scenario by tool and protocol: the one that is run, then those that it needs."""

FILLED = {
    **dict.fromkeys(("room", "channel", "topic"), "room"),
    **dict.fromkeys(("user", "username", "name", "nick", "nickname", "sender", "author"), "user"),
    **dict.fromkeys(("text", "body", "content", "message", "msg"), "text"),
    **dict.fromkeys(("active", "typing", "is_typing"), "true"),
}
"""What the script puts into a field of that name."""
JOINING = frozenset({"join", "joinroom", "enter"})
TYPING = frozenset({"typing", "starttyping"})
TALKING = frozenset({"message", "say", "send", "sendmessage", "chat", "chatmessage"})
REFUSING = frozenset({"error", "refused", "rejected"})

TROUBLES = (
    Trouble(
        symptom="`The server ended … before it answered`",
        cause="It could not start: a setting or a service is missing, or the port is taken.",
        fix="Its log stands below that line. Give it what it needs in the `env` of `Start the "
        "server`; services come from `tests.services`.",
    ),
    Trouble(
        symptom="`The server did not answer within 30 seconds`",
        cause="It listens elsewhere: on another port, on IPv6 alone, or has no such route.",
        fix="Compare `load.port` and `load.health` with its log. The job asks 127.0.0.1.",
    ),
    Trouble(
        symptom="`Too many open files` (EMFILE)",
        cause="Each user is an open file on both sides, and the runner's limit is reached.",
        fix="Both steps raise their limit to the runner's own: take fewer `load.users`, or a "
        "larger runner.",
    ),
    Trouble(
        symptom="A threshold of time is crossed now and then",
        cause="Server and users share a runner, whose neighbours are noisy.",
        fix="Compare several runs before you blame the code. Widen that threshold in the script, "
        "or take fewer `load.users`: a runner at its limit measures itself.",
    ),
    Trouble(
        symptom="`The server did not stop within 30 seconds of SIGTERM`",
        cause="It waits for connections or tasks that do not end.",
        fix="Close the connections when the signal comes, and give the rest a time limit.",
    ),
)


def servers(project: Project) -> tuple[tuple[Package, Server], ...]:
    """Return the packages that a load test can talk to."""
    return tuple(
        (package, package.source.server)
        for package in project.packages
        if package.source.server and package.source.server.protocol
    )


def serving(package: Package, name: str = "") -> CrateTarget:
    """Return the binary of that name, else the one that `cargo run` takes, else the first."""
    binaries = package.of_kind(TargetKind.BIN)
    wanted = (name, package.default_run, package.name)
    return next((b for choice in wanted for b in binaries if b.name == choice), binaries[0])


def wanted(project: Project, config: Config) -> Verdict:
    """Where it is asked for and there is a server."""
    found = servers(project)
    if not found:
        reason = "no binary that serves HTTP, WebSockets or Socket.IO"
        return Verdict(on=False, possible=False, reason=reason)
    if config.load.tool is False:
        return Verdict(on=False, reason=config.settings["load.tool"].reason)
    return Verdict(on=True, reason=config.settings["load.tool"].reason)


def build(project: Project, config: Config) -> Job:
    """Return the job, with the one that builds the server. Raises ConfigError."""
    package, server = _chosen(project, config)
    binary = serving(package, config.load.binary)
    protocol = server.protocol or "http"
    tool = config.load.tool or ("artillery" if protocol == "socketio" else "k6")
    script, *others = SCRIPTS[str(tool), protocol]
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("Many users at once find what one at a time does not."),
        runner=linux_runner(config),
        timeout=20,
        needs=("load-build",),
        events=("schedule",),
        condition=Verbatim(CONDITION),
        env={
            "BINARY": binary.name,
            "BASE_URL": _url(config),
            "LOAD_PATH": config.load.path,
            "USERS": _by_event("10", str(config.load.users)),
            "RAMP": _by_event("10", "60"),
            "DURATION": _by_event("20", "120"),
            **service_env(config),
        },
        services=service_containers(config),
        setup=Setup(rust=False, cache=False, packages=config.tests.packages),
        details={
            "k6": tool == "k6",
            "version": Verbatim(actions.fetched("k6" if tool == "k6" else "node")),
            "script": Verbatim(f"tests/load/{script}"),
            "listen": _listen(server, config) or None,
            "health": config.load.health or None,
            "graceful": server.graceful,
        },
        variables=(
            "RUST_LOG",
            *(("LISTEN",) if _listen(server, config) else ()),
            *(("HEALTH",) if config.load.health else ()),
            "K6_NO_USAGE_REPORT" if tool == "k6" else "ARTILLERY_DISABLE_TELEMETRY",
        ),
        seeds={f"tests/load/{name}": _printed(server, config) for name in (script, *others)},
        troubles=(*TROUBLES, LOCK_TROUBLE),
        parts=(_building(package, binary, project, config),),
    )


def _building(package: Package, binary: CrateTarget, project: Project, config: Config) -> Job:
    toolchain = primary_toolchain(config)
    label = linux_runner(config)
    features = {"FEATURES": ",".join(binary.required_features)} if binary.required_features else {}
    return Job(
        id="load-build",
        name="Build the server",
        why=Verbatim("As it is released: what a debug build bears says nothing."),
        runner=label,
        timeout=minutes(30, project),
        events=("schedule",),
        condition=Verbatim(CONDITION),
        env=lane_env(
            config,
            toolchain,
            **capped_lints(project),
            PACKAGE=package.name,
            BINARY=binary.name,
            **features,
        ),
        # Its workflow does not run on pushes, which alone save caches.
        setup=setup(project, config, runners=(label,), cache=False),
        details={
            "flags": Verbatim.words(
                '--package "$PACKAGE" --bin "$BINARY"',
                '--features "$FEATURES"' if features else "",
                locked_flag(project),
            ),
            "rustc": rustc_pattern(toolchain),
        },
    )


def _chosen(project: Project, config: Config) -> tuple[Package, Server]:
    """Return the package with the binary of `load.binary`. Raises ConfigError."""
    found = servers(project)
    name = config.load.binary
    if not name:
        return found[0]
    names = [binary.name for package, _ in found for binary in package.of_kind(TargetKind.BIN)]
    if name not in names:
        raise ConfigError(
            f"`load.binary` is `{name}`, which no package that serves builds",
            where=config.settings["load.binary"].where,
            hint=f"there is `{'`, `'.join(names)}`",
        )
    return next(
        (package, server)
        for package, server in found
        if any(binary.name == name for binary in package.of_kind(TargetKind.BIN))
    )


def _url(config: Config) -> str:
    return f"http://{HOST}:{config.load.port}"


def _by_event(smoke: str, ramp: str) -> Verbatim:
    """Return a few for pull requests, all for the schedule and whoever starts it by hand."""
    return Verbatim(f"${{{{ github.event_name == 'pull_request' && '{smoke}' || '{ramp}' }}}}")


def _listen(server: Server, config: Config) -> str:
    """Return the variable, with its value, that tells the server where to listen."""
    if server.address_variable:
        return f"{server.address_variable}={HOST}:{config.load.port}"
    return f"{server.port_variable}={config.load.port}" if server.port_variable else ""


def _printed(server: Server, config: Config) -> dict[str, object]:
    """Return what a scenario's files print: JavaScript, or words for their comments."""
    return {
        "url": Verbatim(json.dumps(_url(config))),
        "path": Verbatim(json.dumps(config.load.path)),
        "base_url": Verbatim(_url(config)),
        "load_path": Verbatim(config.load.path),
        "artillery": Verbatim(json.dumps(actions.fetched("artillery"))),
        **conversation(server),
    }


def conversation(server: Server) -> dict[str, Verbatim | None]:
    """Return a chat's messages as functions, if one enum has what it takes; else None of each."""
    for enum in server.messages:
        join, talk = _named(enum, JOINING), _named(enum, TALKING)
        if join and talk and "text" in map(FILLED.get, talk.fields):
            typing = _named(enum, TYPING)
            refusal = next(filter(None, (_named(one, REFUSING) for one in server.messages)), None)
            return {
                "join": _function(join, "room, user"),
                "typing": _function(typing, "room, user") if typing else None,
                "message": _function(talk, "room, user, text"),
                "refused": _refused(refusal) if refusal else None,
            }
    return dict.fromkeys(("join", "typing", "message", "refused"))


def _named(enum: tuple[Message, ...], names: frozenset[str]) -> Message | None:
    """Return the message that is called so, if the script can fill its fields."""
    for message in enum:
        plain = "".join(filter(str.isalpha, message.name)).lower()
        if plain in names and (names is REFUSING or FILLED.keys() >= set(message.fields)):
            return message
    return None


def _function(message: Message, parameters: str) -> Verbatim:
    fields = ", ".join(_fields(message))
    return Verbatim(f"({parameters}) => ({{ {fields} }})")


def _fields(message: Message) -> Iterator[str]:
    yield f"{message.tag}: {json.dumps(message.name)}"
    for field in message.fields:
        value = FILLED[field]
        yield field if value == field else f"{field}: {value}"


def _refused(message: Message) -> Verbatim:
    text = f'"{message.tag}":{json.dumps(message.name)}'
    return Verbatim(f"'{text}'")
