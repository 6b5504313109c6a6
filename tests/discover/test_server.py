"""What the code of a server says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rustci.discover import read_project
from rustci.project import Message, Server

AXUM = 'axum = { version = "0.8", features = ["ws"] }'


def server(folder: Path, code: str, dependencies: str = AXUM, name: str = "app") -> Server | None:
    """Return what is read of a package with one binary."""
    (folder / "src").mkdir()
    (folder / "src" / "main.rs").write_text(code)
    (folder / "Cargo.toml").write_text(
        f'[package]\nname = "{name}"\nversion = "0.1.0"\n\n[dependencies]\n{dependencies}\n'
    )
    return read_project(folder).packages[0].source.server


ROUTES: list[tuple[str, str, Mapping[str, Any]]] = [
    (
        AXUM,
        (
            "async fn talk(State(app): State<App>, up: WebSocketUpgrade) -> Response {}\n"
            'Router::new().route("/", get(page)).route("/live", get(live)).route("/c", any(talk));'
        ),
        {"protocol": "websocket", "path": "/c", "health": "/live"},
    ),
    (
        AXUM,
        (
            'Router::new().route("/health-check", get(ok)).route("/users/{id}", get(one))\n'
            '    .route("/users", get(all).post(add));'
        ),
        {"protocol": "http", "path": "/users", "health": "/health-check"},
    ),
    (
        'actix-web = "4"\nactix-ws = "0.3"',
        (
            "async fn echo(req: HttpRequest, body: Payload) { actix_ws::handle(&req, body) }\n"
            'HttpServer::new(|| App::new().route("/socket", web::get().to(echo)));'
        ),
        {"protocol": "websocket", "path": "/socket", "graceful": True},
    ),
    (
        'rocket = "0.5"',
        '#[get("/hello")]\nfn hello() {}\nrocket::build().mount("/", routes![hello]);',
        {"protocol": "http", "path": "/hello", "graceful": True},
    ),
    (
        'warp = "0.4"',
        'let live = warp::path("feed").and(warp::ws()).map(serve); warp::serve(live);',
        {"protocol": "websocket", "path": "/feed"},
    ),
    (
        'tokio-tungstenite = "0.29"',
        "accept_async(stream);",
        {"protocol": "websocket", "path": None},
    ),
    ('socketioxide = "0.18"', "", {"protocol": "socketio"}),
    ('tokio = "1"', "", {"protocol": None}),
    # A client, and tests, are no server's side.
    (
        'axum = "0.8"\ntokio-tungstenite = "0.29"',
        "connect_async(url);\n#[cfg(test)]\nmod tests { fn up(_: WebSocketUpgrade) {} }",
        {"protocol": "http"},
    ),
]


@pytest.mark.parametrize(("dependencies", "code", "expected"), ROUTES)
def test_routes(dependencies: str, code: str, expected: Mapping[str, Any], tmp_path: Path) -> None:
    found = server(tmp_path, f"TcpListener::bind(addr);\n{code}", dependencies)
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("code", "port", "variables"),
    [
        ('TcpListener::bind("0.0.0.0:3000")', 3000, (None, None)),
        ("TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 8081)))", 8081, (None, None)),
        ('TcpListener::bind(("127.0.0.1", 4000))', 4000, (None, None)),
        (
            'let port = env::var("PORT").unwrap_or("5000".into()); TcpListener::bind(at)',
            5000,
            (None, "PORT"),
        ),
        ('env::var("APP_ADDR"); TcpListener::bind(at)', None, ("APP_ADDR", None)),
        ('#[arg(long, env = "HTTP_PORT")] TcpListener::bind(at)', None, (None, "HTTP_PORT")),
        # Not the server's own.
        ('env::var("REDIS_PORT"); env::var("PATH"); TcpListener::bind(at)', None, (None, None)),
        ('// "0.0.0.0:3000"\nTcpListener::bind("127.0.0.1:0")', None, (None, None)),
    ],
)
def test_the_port(
    code: str, port: int | None, variables: tuple[str | None, str | None], tmp_path: Path
) -> None:
    found = server(tmp_path, code)
    assert found
    assert (found.port, (found.address_variable, found.port_variable)) == (port, variables)


def test_messages_are_the_variants_of_tagged_enums(tmp_path: Path) -> None:
    code = """
        #[derive(Deserialize)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        #[non_exhaustive]
        pub(crate) enum Client {
            /// Enter a room.
            JoinRoom { room: String, note: Option<String> },
            Post(Text),
            Leave,
        }
        #[serde(tag = "kind", content = "data")]
        enum Apart { Join { room: String } }
        enum Plain { Join { room: String } }
        fn main() { TcpListener::bind(addr) }
    """
    found = server(tmp_path, code)
    assert found
    join, leave = (
        Message(tag="kind", name="join-room", fields=("room",)),
        Message(tag="kind", name="leave", fields=()),
    )
    assert found.messages == ((join, leave),)
