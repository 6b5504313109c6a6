"""Private dependencies for real: the generated step, then cargo, against servers that ask."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import ssl
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rustci.access import token_of_host
from rustci.bench import branch
from tests.house import parse
from tests.strategies import read, rendered
from tests.test_access import OPEN

pytestmark = pytest.mark.e2e

TOKEN = "read-only"
MANIFEST = '[package]\nname = "{name}"\nversion = "1.0.0"\nedition = "2021"\n'


def archive(name: str) -> bytes:
    """Return a crate as `cargo package` makes it."""
    packed = io.BytesIO()
    files = {"Cargo.toml": MANIFEST.format(name=name), "src/lib.rs": "pub fn id() -> u8 { 7 }\n"}
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"{name}-1.0.0/{path}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


@dataclass
class Registry:
    """A sparse registry with one crate, for those with the token."""

    url: str = ""
    asked: list[tuple[str, bool]] = field(default_factory=list)
    """Each path, and whether the token came along."""

    def answer(self, path: str) -> bytes:
        if path == "/index/config.json":
            return json.dumps({"dl": f"{self.url}/dl", "auth-required": True}).encode()
        if path == "/index/bi/ll/billing":
            digest = hashlib.sha256(archive("billing")).hexdigest()
            entry = {"name": "billing", "vers": "1.0.0", "deps": [], "cksum": digest}
            return json.dumps(entry | {"features": {}, "yanked": False}).encode()
        return archive("billing") if path == "/dl/billing/1.0.0/download" else b""


@pytest.fixture
def registry() -> Iterator[Registry]:
    found = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers.get("Authorization") == TOKEN
            found.asked.append((self.path, known))
            body = found.answer(self.path) if known else b""
            self.send_response(401 if not known else 200 if body else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


def project(folder: Path, registry: Registry) -> Path:
    root = folder / "product"
    (root / ".cargo").mkdir(parents=True)
    (root / "src").mkdir()
    (root / "src" / "lib.rs").write_text("pub fn id() -> u8 { billing::id() }\n")
    dependency = '[dependencies]\nbilling = { version = "1", registry = "my-company" }\n'
    (root / "Cargo.toml").write_text(MANIFEST.format(name="product") + dependency)
    index = f'[registries.my-company]\nindex = "sparse+{registry.url}/index/"\n'
    (root / ".cargo" / "config.toml").write_text(index)
    return root


def run(
    root: Path, folder: Path, token: str, secret: str = "CARGO_REGISTRIES_MY_COMPANY_TOKEN"
) -> list[subprocess.CompletedProcess[str]]:
    """Run the step, and what other jobs do, with what the step exported."""
    job = parse(rendered(read(root), {})[".github/workflows/ci.yml"])["jobs"]["clippy"]
    [step] = (step for step in job["steps"] if step.get("name") == OPEN)
    exported = folder / "env"
    exported.write_text("")
    given = {name: value for name, value in step["env"].items() if "${{" not in value}
    secrets = {secret: token}
    places = {"GITHUB_ENV": str(exported), "RUNNER_TEMP": str(folder)}
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
    done = [_run([*shell, step["run"]], root, os.environ | given | secrets | places)]
    if done[0].returncode:
        return done
    handed = dict(line.split("=", 1) for line in exported.read_text().splitlines())
    names = {name: value for name, value in job["env"].items() if "$" not in value}
    cargo = os.environ | names | handed | {"CARGO_HOME": str(folder / "cargo")}
    cargo |= {"CARGO_TARGET_DIR": str(folder / "target")}
    commands = (
        ["cargo", "generate-lockfile"],
        ["cargo", "check", "--locked"],
        ["cargo", "update", "--workspace", "--locked"],
    )
    return [*done, *(_run(command, root, cargo) for command in commands)]


def _run(command: list[str], root: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=root, env=env, capture_output=True, text=True, check=False, timeout=120
    )


def test_cargo_gets_the_crate_with_the_token(registry: Registry, tmp_path: Path) -> None:
    done = run(project(tmp_path, registry), tmp_path, TOKEN)
    assert [one.returncode for one in done] == [0] * 4, done
    assert ("/dl/billing/1.0.0/download", True) in registry.asked


def test_a_wrong_token_is_red(registry: Registry, tmp_path: Path) -> None:
    done = run(project(tmp_path, registry), tmp_path, "another")
    assert done[1].returncode != 0
    assert "token rejected for `my-company`" in done[1].stderr


def test_no_token_stops_before_cargo(registry: Registry, tmp_path: Path) -> None:
    [done] = run(project(tmp_path, registry), tmp_path, "")
    assert done.returncode == 1
    assert not registry.asked


# git over https


@dataclass
class Forge:
    """A git repository over https with one crate, for those with the token."""

    host: str
    asked: list[list[str]] = field(default_factory=list)
    """The headers with which each request proved itself."""


@pytest.fixture
def forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Forge]:
    work, served = tmp_path / "billing", tmp_path / "served"
    (work / "src").mkdir(parents=True)
    (work / "Cargo.toml").write_text(MANIFEST.format(name="billing"))
    (work / "src" / "lib.rs").write_text("pub fn id() -> u8 { 7 }\n")
    who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    for command in (
        ("init", "--quiet"),
        ("add", "."),
        (*who, "commit", "--quiet", "--message=First"),
        ("clone", "--quiet", "--bare", ".", str(served / "billing.git")),
        ("--git-dir", str(served / "billing.git"), "update-server-info"),
    ):
        subprocess.run(["git", *command], cwd=work, check=True)
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = "req -x509 -nodes -days 1 -newkey rsa:2048 -subj /CN=forge -addext"
    name = "subjectAltName=IP:127.0.0.1"
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *made.split(), name, *files], check=True, capture_output=True)
    monkeypatch.setenv("GIT_SSL_CAINFO", str(certificate))
    monkeypatch.setenv("GIT_TERMINAL_PROMPT", "0")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    found = Forge("")

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given, directory=str(served))

        def do_GET(self) -> None:
            headers = self.headers.get_all("Authorization", [])
            found.asked.append(headers)
            if headers == [basic(TOKEN)]:
                return super().do_GET()
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found.host = f"127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


def basic(token: str) -> str:
    return "Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()


def from_git(folder: Path, forge: Forge) -> Path:
    root = folder / "product"
    (root / "src").mkdir(parents=True)
    (root / "src" / "lib.rs").write_text("pub fn id() -> u8 { billing::id() }\n")
    dependency = f'[dependencies]\nbilling = {{ git = "https://{forge.host}/billing.git" }}\n'
    (root / "Cargo.toml").write_text(MANIFEST.format(name="product") + dependency)
    return root


def test_git_over_https_gets_the_crate_with_the_token(forge: Forge, tmp_path: Path) -> None:
    done = run(from_git(tmp_path, forge), tmp_path, TOKEN, token_of_host(forge.host))
    assert [one.returncode for one in done] == [0] * 4, done
    assert forge.asked
    assert all(headers == [basic(TOKEN)] for headers in forge.asked)


def test_git_over_https_with_a_wrong_token_is_red(
    forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARGO_NET_RETRY", "0")
    done = run(from_git(tmp_path, forge), tmp_path, "another", token_of_host(forge.host))
    assert done[1].returncode != 0
    assert "failed to get `billing`" in done[1].stderr
    assert basic("another").partition(" ")[2] not in done[1].stderr


def test_the_history_sends_its_own_token_alone(
    forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # `access.https` for the same host comes first; of two headers GitHub refuses both.
    server = f"https://{forge.host}"
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": server,
        "GITHUB_TOKEN": TOKEN,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{server}/.extraheader",
        "GIT_CONFIG_VALUE_0": f"Authorization: {basic('of the dependencies')}",
    }.items():
        monkeypatch.setenv(name, value)
    assert b"HEAD" in branch.git(tmp_path, "ls-remote", f"{server}/billing.git")
    assert all(headers == [basic(TOKEN)] for headers in forge.asked)
