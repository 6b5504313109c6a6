"""actions/setup-node: Node.js on PATH."""

from __future__ import annotations

from tests.e2e.actions.base import Call, Refused
from tests.e2e.tools import installed


def main(call: Call) -> None:
    """Put just the asked version on PATH."""
    install(call, "node", call.inputs["node-version"])


def install(call: Call, name: str, version: str) -> None:
    """Put a program on PATH; refuse whatever is newest."""
    if not version:
        raise Refused(f"{name} has no version: whatever is newest would run")
    binary = installed(call.path("E2E_TOOLS"), name, version)
    if not binary:
        raise Refused(f"{name} {version} is not to be had here")
    call.export("GITHUB_PATH", str(binary.parent))
    call.record(version=version)
