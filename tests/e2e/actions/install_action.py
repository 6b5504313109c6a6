"""taiki-e/install-action: puts tools of the asked versions on PATH."""

from __future__ import annotations

from tests.e2e.actions.base import Call, Refused
from tests.e2e.tools import installed

FALLBACKS = {"none", "cargo-binstall", "cargo-install"}


def main(call: Call) -> None:
    """Link each tool into a folder that later steps find on PATH; refuse what is not pinned."""
    if call.inputs["fallback"] not in FALLBACKS:
        raise Refused(f"fallback is one of {sorted(FALLBACKS)}")
    folder = call.path("RUNNER_TEMP") / "install-action"
    folder.mkdir(exist_ok=True)
    wanted = [word.strip() for word in call.inputs["tool"].replace("\n", ",").split(",")]
    for tool in filter(None, wanted):
        _install(call, tool)
    call.export("GITHUB_PATH", str(folder))
    call.record(tools=wanted)


def _install(call: Call, tool: str) -> None:
    name, _, version = tool.partition("@")
    if not version:
        raise Refused(f"{tool} has no version: whatever is newest would run")
    binary = installed(call.path("E2E_TOOLS"), name, version)
    if not binary:
        raise Refused(f"{name} {version} is not to be had here")
    (call.path("RUNNER_TEMP") / "install-action" / binary.name).symlink_to(binary)
