"""codecov/codecov-action: reads the reports and would send them."""

from __future__ import annotations

from tests.e2e.actions.base import Call, Refused
from tests.e2e.actions.lcov import judge


def main(call: Call) -> None:
    """Judge the named reports; a search for them is not done here."""
    if not call.flag("disable_search"):
        raise Refused("only named reports can be read here")
    files = [name.strip() for name in call.inputs["files"].split(",") if name.strip()]
    judge(call, files, strict=call.flag("fail_ci_if_error"))
