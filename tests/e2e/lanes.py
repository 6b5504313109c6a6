"""The lanes of a job's matrix, and which of them this machine can run."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

from rustci.lanes import rows
from tests.e2e.rust import Rustup

LINUX = "ubuntu-"
CROSS = "taiki-e/setup-cross-toolchain-action@"


def lanes(job: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    """Yield the values of each lane, as text."""
    for row in rows(job.get("strategy", {}).get("matrix", {})):
        yield {key: str(value) for key, value in row.items()}


def obstacle(rustup: Rustup, job: Mapping[str, Any], matrix: Mapping[str, str]) -> str:
    """Return why a lane cannot run on this machine, as far as the workflow tells; else nothing."""
    runner = fill(job["runs-on"], matrix)
    if not runner.startswith(LINUX):
        return f"needs the runner {runner}"
    environment = {k: fill(str(v), matrix) for k, v in (job.get("env") or {}).items()}
    name = environment.get("RUSTUP_TOOLCHAIN")
    if not name:
        return ""
    toolchain = rustup.toolchains.get(name)
    if not toolchain:
        return f"needs Rust {name}, which is not installed"
    steps = "\n".join(str(step.get("run", "")) for step in job["steps"])
    for component in re.findall(r"--component (\S+)", steps):
        if not toolchain.has(component, rustup.host):
            return f"needs the component {component} of Rust {name}, which is not installed"
    for target in _targets(job, environment, matrix):
        if not toolchain.has("rust-std", target):
            return f"needs the target {target} of Rust {name}, which is not installed"
    if "sudo apt-get" in steps and not shutil.which("sudo"):
        return "needs sudo to install native packages"
    return ""


def _targets(
    job: Mapping[str, Any], environment: Mapping[str, str], matrix: Mapping[str, str]
) -> Iterator[str]:
    """Yield the targets that a lane compiles for, by whichever of the three ways it names them."""
    if "TARGET" in environment:
        yield environment["TARGET"]
    for step in job["steps"]:
        yield from re.findall(r"--target (\w+-[\w.-]+)", str(step.get("run", "")))
        if str(step.get("uses", "")).startswith(CROSS):
            yield fill(step["with"]["target"], matrix)


def fill(text: str, matrix: Mapping[str, str]) -> str:
    """Put the lane's values into `${{ matrix.… }}`."""
    return re.sub(r"\$\{\{ matrix\.([\w-]+) \}\}", lambda found: str(matrix[found[1]]), text)
