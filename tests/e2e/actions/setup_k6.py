"""grafana/setup-k6-action: k6 on PATH."""

from __future__ import annotations

from tests.e2e.actions.base import Call
from tests.e2e.actions.setup_node import install


def main(call: Call) -> None:
    """Put just the asked version on PATH."""
    install(call, "k6", call.inputs["k6-version"])
