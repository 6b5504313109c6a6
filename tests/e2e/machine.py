"""The machine that jobs run on: act, the tools, a private rustup and the stand-ins."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.e2e.actions import STAND_INS
from tests.e2e.rust import PROXIES, Rustup
from tests.e2e.tools import compiled

ROOT = Path(__file__).parents[2]
PASSED_ON = re.compile(
    r"(?i)^(https?_proxy|no_proxy|ssl_cert_.*|cargo_(http|net|registr|source).*|node_extra_ca_certs)$"
)
"""How this machine reaches the network; nothing else of its environment comes through."""

MAIN_JS = """\
const { spawnSync } = require("node:child_process");
const { E2E_PYTHON, E2E_ROOT } = process.env;
const command = ["-B", "-m", "tests.e2e.actions", "%(action)s", "%(phase)s"];
const env = { ...process.env, PYTHONPATH: E2E_ROOT };
process.exitCode = spawnSync(E2E_PYTHON, command, { stdio: "inherit", env }).status ?? 1;
"""
GH = """\
#!/bin/sh
printf '%s\\n' "$*" >> "$E2E_STATE/gh.txt"
"""
"""Writes down what it is asked; there is no issue yet."""


@dataclass(frozen=True)
class Machine:
    """What runs the jobs: act, the tools, a private rustup and a folder of its own."""

    folder: Path
    tools: Path
    rustup: Rustup

    @property
    def bin(self) -> Path:
        """Rust's commands alone: what else lies beside them here is not on a runner."""
        return self.folder / "bin"

    def environment(self, repository: Path, state: Path) -> dict[str, str]:
        """Return all that a job's steps see of this machine."""
        node = Path(shutil.which("node") or "node").parent
        path = [self.bin, self.folder / "cargo" / "bin", "/usr/local/bin", "/usr/bin", "/bin", node]
        return {
            **{name: value for name, value in os.environ.items() if PASSED_ON.match(name)},
            **self.rustup.environment,
            "PATH": os.pathsep.join(map(str, path)),
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "CARGO_HOME": str(self.folder / "cargo"),
            "NPM_CONFIG_USERCONFIG": str(Path.home() / ".npmrc"),
            # The runner's own; and no server of sccache's but this run's, which soon ends itself.
            "ACTIONS_RUNTIME_TOKEN": "token",
            "SCCACHE_SERVER_UDS": str(state / "sccache"),
            "SCCACHE_IDLE_TIMEOUT": "60",
            "E2E_PYTHON": sys.executable,
            "E2E_ROOT": str(ROOT),
            "E2E_REPOSITORY": str(repository),
            "E2E_STATE": str(state),
            "E2E_TOOLS": str(self.tools),
        }


def machine(folder: Path, tools: Path, rustup: Rustup) -> Machine:
    """Lay out the machine's folders and the stand-ins as act wants them."""
    result = Machine(folder, tools, rustup)
    result.bin.mkdir(parents=True)
    (folder / "home").mkdir()
    proxy = Path(shutil.which("rustup") or "rustup")
    for name in PROXIES:
        (result.bin / name).symlink_to(proxy.resolve())
    gh = result.bin / "gh"
    gh.write_text(GH, "utf-8")
    gh.chmod(0o755)
    cargo = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    (folder / "cargo").mkdir()
    (cargo / "registry").mkdir(parents=True, exist_ok=True)
    (folder / "cargo" / "registry").symlink_to(cargo / "registry")
    # What a job has Cargo install lies there from the first time on: Cargo says so and goes on.
    (compiled(tools) / "bin").mkdir(parents=True, exist_ok=True)
    for name in ("bin", ".crates.toml", ".crates2.json"):
        (folder / "cargo" / name).symlink_to(compiled(tools) / name)
    for name in ("config.toml", "config"):
        if (cargo / name).is_file():
            shutil.copy(cargo / name, folder / "cargo" / name)
    for action, module in STAND_INS.items():
        _lay_out(folder / "actions" / action.replace("/", "-"), action, hasattr(module, "post"))
    return result


def _lay_out(folder: Path, action: str, has_post: bool) -> None:
    folder.mkdir(parents=True)
    runs = {"using": "node20", "main": "main.js"}
    if has_post:
        runs |= {"post": "post.js", "post-if": "success()"}
    for phase in ("main", "post"):
        text = MAIN_JS % {"action": action, "phase": phase}
        (folder / f"{phase}.js").write_text(text, "utf-8")
    description = {"name": action, "description": "stand-in", "runs": runs}
    (folder / "action.yml").write_text(yaml.safe_dump(description), "utf-8")
