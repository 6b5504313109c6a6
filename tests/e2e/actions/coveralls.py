"""coverallsapp/github-action: reads the report and would send it."""

from __future__ import annotations

from tests.e2e.actions.base import Call, Refused
from tests.e2e.actions.lcov import judge


def main(call: Call) -> None:
    """Judge the named reports."""
    if call.inputs["format"] not in {"", "lcov"}:
        raise Refused(f"the reports are LCOV, not {call.inputs['format']}")
    files = [*call.inputs["files"].split(), *call.inputs["file"].split()]
    judge(call, files, strict=call.flag("fail-on-error"))
