"""act and the cargo tools, built once at pinned versions below a folder of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from rustci.actions import tool

ACT = "github.com/nektos/act@v0.2.89"
BUILT = ("nextest", "cargo-hack", "cargo-llvm-cov")
"""What the projects' jobs install; its versions are those that the workflows ask for."""
CRATES = {"nextest": "cargo-nextest"}
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


def build(folder: Path, *names: str) -> None:
    """Build act and the tools that are not there yet; raises if one cannot be built."""
    if not (folder / "act").is_file():
        run("go", "install", ACT, GOBIN=str(folder))
    for name in names:
        version = tool(name).version
        if not installed(folder, name, version):
            root = folder / crate(name) / version
            environment = BUILD | {"CARGO_TARGET_DIR": str(folder / "target")}
            run(
                "cargo",
                "install",
                "--quiet",
                "--locked",
                "--root",
                str(root),
                f"{crate(name)}@{version}",
                **environment,
            )


def run(*command: str, **environment: str) -> None:
    """Run a command, which has to be there and to succeed."""
    if not shutil.which(command[0]):
        raise FileNotFoundError(f"{command[0]} is missing: the workflows cannot be run without it")
    subprocess.run(command, check=True, env=os.environ | environment)
