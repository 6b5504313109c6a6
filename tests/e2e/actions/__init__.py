"""Stand-ins for the actions that the workflows use: inputs checked, the work done locally."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from tests.e2e.actions import (
    cache,
    checkout,
    codecov,
    coveralls,
    download_artifact,
    install_action,
    rust_cache,
    sccache_action,
    setup_cross_toolchain,
    setup_k6,
    setup_node,
    upload_artifact,
)

STAND_INS: Mapping[str, ModuleType] = {
    "actions/cache": cache,
    "actions/checkout": checkout,
    "actions/download-artifact": download_artifact,
    "actions/setup-node": setup_node,
    "actions/upload-artifact": upload_artifact,
    "codecov/codecov-action": codecov,
    "coverallsapp/github-action": coveralls,
    "grafana/setup-k6-action": setup_k6,
    "Mozilla-Actions/sccache-action": sccache_action,
    "Swatinem/rust-cache": rust_cache,
    "taiki-e/install-action": install_action,
    "taiki-e/setup-cross-toolchain-action": setup_cross_toolchain,
}
"""The module of each action, by repository: `main(call)`, and `post(call)` where it has one."""
