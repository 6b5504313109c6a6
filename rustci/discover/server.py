"""What the code of a server says of itself: protocol, routes, port, messages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rustci.discover import rust_text
from rustci.project import DependencyKind, Message, Package, Server, TargetKind

_WEB = frozenset(
    {
        "actix-web",
        "axum",
        "gotham",
        "hyper",
        "ntex",
        "poem",
        "rocket",
        "salvo",
        "tide",
        "warp",
    }
)
_SOCKETS = frozenset(
    {
        "actix-web-actors",
        "actix-ws",
        "fastwebsockets",
        "rocket_ws",
        "tokio-tungstenite",
        "tungstenite",
    }
)
_SOCKET_IO = "socketioxide"

_UPGRADES = (
    "WebSocketUpgrade",
    "accept_async",
    "accept_hdr_async",
    "actix_ws::handle",
    "ws::start(",
    "warp::ws()",
    "rocket_ws::WebSocket",
    "ws::WebSocket,",
    "upgrade::upgrade(",
    "tungstenite::accept",
)
"""What only the server's side of a WebSocket calls."""
_UPGRADE = re.compile("|".join(map(re.escape, _UPGRADES)))
_FUNCTION = re.compile(r"\bfn\s+(\w+)")
_ROUTE = re.compile(
    r'\.(?:route|at|service|resource)\(\s*(?:web::resource\(\s*)?"(?P<path>/[^"]*)"'
    r"(?=(?P<rest>[^\"]{0,200}))"
)
_ATTRIBUTE = re.compile(
    r'#\[\s*(?:\w+::)*get\s*\(\s*"(?P<path>/[^"]*)"[^\]]*\](?=(?P<rest>[^{]{0,200}))'
)
_WARP = re.compile(r'warp::path\(\s*"(?P<path>[^"/]+)"\s*\)(?=(?P<rest>[^"]{0,200}))')
_GET = re.compile(r"\bget\s*\(")
_HEALTH = re.compile(r"/(?:[\w-]+/)*_?(?:health(?:z|[-_]?check)?|livez?|readyz?|ping|status|up)")
_PLAIN = re.compile(r"/[\w./-]*")
"""A path without parameters."""
_HOST = r"(?:127\.0\.0\.1|0\.0\.0\.0|localhost|\[::1?\])"
_PORT = re.compile(
    rf'"{_HOST}:(\d{{2,5}})"'
    rf'|\(\s*(?:\[[\d,\s]+\]|"{_HOST}"|Ipv[46]Addr::\w+|IpAddr::[^,]+)\s*,\s*(\d{{2,5}})\s*\)'
    r'|\bvar\(\s*"(?:\w+_)?PORT"\s*\)[^;]{0,200}?\b(\d{4,5})\b'
    r'|default_value(?:_t)?\s*=\s*"?(\d{2,5})\b[^;{}]{0,80}?\bport\s*:'
)
_VARIABLE = re.compile(r'(?:\bvar(?:_os)?\s*\(|\benv\s*=)\s*"([A-Z][A-Z0-9_]*)"')
_ADDRESS_NAMES = ("ADDR", "ADDRESS", "BIND", "BIND_ADDR", "BIND_ADDRESS", "LISTEN", "LISTEN_ADDR")
_PORT_NAMES = ("PORT",)
_PREFIXES = ("", "HTTP_", "SERVER_", "APP_")
_STOPS = ("with_graceful_shutdown", "SignalKind::terminate", "HttpServer::new", "rocket::build")
"""What a server calls that ends in peace on SIGTERM."""
_TAGGED = re.compile(
    r'#\[\s*serde\s*\((?P<settings>[^\]]*\btag\s*=\s*"(?P<tag>\w+)"[^\]]*)\)\s*\]'
    r"(?:\s*#\[[^\]]*\])*\s*(?:pub(?:\([^)]*\))?\s+)?enum\s+\w+\s*\{"
)
_RENAMED = re.compile(r'\brename_all\s*=\s*"([^"]+)"')
_ATTRIBUTES = re.compile(r"#\[[^\]]*\]")
_VARIANT = re.compile(r"\b([A-Z]\w*)\s*(?:\{([^{}]*)\})?\s*(?=,|$)")
_FIELD = re.compile(r"(\w+)\s*:(?!:)\s*(Option\b)?")


class ServerReader:
    """Collects what a package's files say of the server in it."""

    def __init__(self, package: Package) -> None:
        self.names = _names(package)
        dependencies = {
            dependency.name
            for dependency in package.dependencies
            if dependency.kind is DependencyKind.NORMAL
        }
        self.web = bool(dependencies & (_WEB | _SOCKETS))
        self.socket_io = _SOCKET_IO in dependencies
        self.has_binary = bool(package.of_kind(TargetKind.BIN))
        self.listens = self.upgrades = self.stops = False
        self.routes: list[tuple[str, str]] = []
        self.handlers: set[str] = set()
        self.ports: list[tuple[bool, int]] = []
        self.variables: list[str] = []
        self.messages: list[tuple[Message, ...]] = []

    def code(self, text: str) -> None:
        """Take in a file of the library or of a binary."""
        if not self.has_binary:
            return
        listens = any(call in text for call in rust_text.SERVERS)
        if listens:
            listens = rust_text.is_server(rust_text.blank(text))
            self.listens = self.listens or listens
        if self.web or self.socket_io:
            self._literals(rust_text.outside_tests(rust_text.strip(text)), listens)

    def _literals(self, code: str, listens: bool) -> None:
        self.stops = self.stops or any(call in code for call in _STOPS)
        for upgrade in _UPGRADE.finditer(code):
            self.upgrades = True
            if functions := _FUNCTION.findall(code, 0, upgrade.start()):
                self.handlers.add(functions[-1])
        for pattern in (_ROUTE, _ATTRIBUTE):
            self.routes += [(match["path"], match["rest"]) for match in pattern.finditer(code)]
        self.routes += [(f"/{match['path']}", match["rest"]) for match in _WARP.finditer(code)]
        for match in _PORT.finditer(code):
            port = int(next(filter(None, match.groups())))
            if 0 < port < 65536:
                self.ports.append((listens, port))
        self.variables += _VARIABLE.findall(code)
        self.messages += filter(None, map(tuple, _tagged(code)))

    def server(self) -> Server | None:
        """Return the sum; None where no binary listens."""
        if not self.listens:
            return None
        protocol = self._protocol()
        return Server(
            protocol=protocol,
            path=self._socket_path() if protocol == "websocket" else self._page(),
            health=next((path for path, _ in self._plain() if _HEALTH.fullmatch(path)), None),
            # An address beside the call that listens tells more than one elsewhere.
            port=max(self.ports, key=lambda found: found[0])[1] if self.ports else None,
            address_variable=self._variable(_ADDRESS_NAMES),
            port_variable=self._variable(_PORT_NAMES),
            graceful=self.stops,
            messages=tuple(self.messages),
        )

    def _protocol(self) -> str | None:
        if self.socket_io:
            return "socketio"
        if self.upgrades:
            return "websocket"
        return "http" if self.web else None

    def _plain(self) -> Iterator[tuple[str, str]]:
        return ((path, rest) for path, rest in self.routes if _PLAIN.fullmatch(path))

    def _socket_path(self) -> str | None:
        """Return the route whose handler upgrades, else one that is called like that."""
        for path, rest in self._plain():
            if self.handlers & set(re.findall(r"\w+", rest)) or "warp::ws()" in rest:
                return path
        return next((path for path, _ in self._plain() if re.search(r"\bws\b|socket", path)), None)

    def _page(self) -> str | None:
        """Return the first route that answers GET, if there is one beside that of health."""
        pages = [
            path for path, rest in self._plain() if _GET.search(rest) or rest.lstrip()[:1] != ","
        ]
        others = [path for path in pages if not _HEALTH.fullmatch(path)]
        return next(iter(others or pages), None)

    def _variable(self, names: tuple[str, ...]) -> str | None:
        """Return the first variable with such a name that is the server's own."""
        prefixes = (*_PREFIXES, *self.names)
        wanted = {prefix + name for prefix in prefixes for name in names}
        return next((name for name in self.variables if name in wanted), None)


def _names(package: Package) -> tuple[str, ...]:
    """Return what variables of the package may begin with: its name, and the name's first word."""
    whole = re.sub(r"\W+", "_", package.name.upper())
    return (f"{whole}_", f"{whole.partition('_')[0]}_")


def _tagged(code: str) -> Iterator[list[Message]]:
    """Yield the variants of each enum that serde tags inside of an object."""
    for match in _TAGGED.finditer(code):
        settings, body = match["settings"], _body(code, match.end())
        if "content" in settings or "rename_all_fields" in settings or "serde" in body:
            continue
        style = _RENAMED.search(settings)
        yield [
            Message(
                tag=match["tag"],
                name=_cased(name, style[1] if style else ""),
                fields=tuple(field for field, optional in _FIELD.findall(fields) if not optional),
            )
            for name, fields in _VARIANT.findall(_ATTRIBUTES.sub("", body))
        ]


def _body(code: str, start: int) -> str:
    """Return what stands between a brace that ends at `start` and its partner."""
    depth = 1
    for at in range(start, len(code)):
        depth += (code[at] == "{") - (code[at] == "}")
        if depth == 0:
            return code[start:at]
    return ""


def _cased(name: str, style: str) -> str:
    """Return a variant's name as serde writes it under `rename_all`."""
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    return {
        "lowercase": name.lower(),
        "UPPERCASE": name.upper(),
        "snake_case": snake,
        "SCREAMING_SNAKE_CASE": snake.upper(),
        "kebab-case": snake.replace("_", "-"),
        "camelCase": name[0].lower() + name[1:],
    }.get(style, name)
