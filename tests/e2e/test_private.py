"""Private dependencies for real: the generated step, then cargo, against a registry that asks."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

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


def run(root: Path, folder: Path, token: str) -> list[subprocess.CompletedProcess[str]]:
    """Run the step, and what other jobs do, with what the step exported."""
    job = parse(rendered(read(root), {})[".github/workflows/ci.yml"])["jobs"]["clippy"]
    [step] = (step for step in job["steps"] if step.get("name") == OPEN)
    exported = folder / "env"
    exported.write_text("")
    given = {name: value for name, value in step["env"].items() if "${{" not in value}
    secrets = {"CARGO_REGISTRIES_MY_COMPANY_TOKEN": token}
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
