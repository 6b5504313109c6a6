"""Mozilla-Actions/sccache-action: sccache on PATH, with the way to the cache service."""

from __future__ import annotations

from tests.e2e.actions.base import Call, Refused
from tests.e2e.tools import installed

SERVICE = ("ACTIONS_CACHE_URL", "ACTIONS_RESULTS_URL", "ACTIONS_RUNTIME_TOKEN")


def main(call: Call) -> None:
    """Put the asked version on PATH, and hand the runner's own variables to later steps."""
    version = call.inputs["version"]
    if not version.startswith("v"):
        raise Refused(f"version is a tag like v0.10.0, not {version!r}")
    binary = installed(call.path("E2E_TOOLS"), "sccache", version.removeprefix("v"))
    if not binary:
        raise Refused(f"sccache {version} is not to be had here")
    call.export("GITHUB_PATH", str(binary.parent))
    call.export("GITHUB_ENV", f"SCCACHE_PATH={binary}")
    for name in SERVICE:
        if value := call.environment.get(name):
            call.export("GITHUB_ENV", f"{name}={value}")
    call.record()
