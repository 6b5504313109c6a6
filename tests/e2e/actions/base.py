"""One step that uses an action: what it was given, and where it works."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FACTS = tomllib.loads(Path(__file__).with_name("inputs.toml").read_text("utf-8"))
"""The inputs of each action, by repository."""


class Refused(Exception):
    """The real action would fail here."""


@dataclass(frozen=True)
class Call:
    """What one step hands to an action."""

    action: str
    phase: str
    inputs: Mapping[str, str]
    environment: Mapping[str, str]

    def path(self, variable: str) -> Path:
        """Return a folder or file that the environment names."""
        return Path(self.environment[variable])

    @property
    def workspace(self) -> Path:
        """The folder that the job works in."""
        return self.path("GITHUB_WORKSPACE")

    @property
    def state(self) -> Path:
        """What outlives a job: artifacts, caches and the record of calls."""
        return self.path("E2E_STATE")

    def flag(self, name: str) -> bool:
        """Return an input that is true or false."""
        return self.inputs[name] == "true"

    def export(self, file: str, line: str) -> None:
        """Append to one of the files through which steps talk to the runner."""
        with self.path(file).open("a", encoding="utf-8") as stream:
            stream.write(f"{line}\n")

    def record(self, **facts: Any) -> None:
        """Write down that this happened: one line of JSON."""
        entry = {
            "action": self.action,
            "phase": self.phase,
            "job": self.environment["GITHUB_JOB"],
            "inputs": dict(self.inputs),
            **facts,
        }
        line = f"{json.dumps(entry)}\n".encode()
        calls = os.open(self.state / "calls.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(calls, line)
        finally:
            os.close(calls)


def read_call(action: str, phase: str, environment: Mapping[str, str]) -> Call:
    """Return the call with the defaults filled in; an input that the action does not know raises.

    The runner hands an input `save-if` over as `INPUT_SAVE-IF`.
    """
    known: Mapping[str, str] = FACTS[action]["inputs"]
    names = {name.upper(): name for name in known}
    given = {k.removeprefix("INPUT_"): v for k, v in environment.items() if k.startswith("INPUT_")}
    if unknown := given.keys() - names.keys():
        raise Refused(f"unknown inputs: {', '.join(sorted(unknown)).lower()}")
    inputs = {**known, **{names[name]: value for name, value in given.items()}}
    _require(FACTS[action]["required"], inputs)
    _typed(known, inputs)
    return Call(action, phase, inputs, environment)


def _require(names: Iterable[str], inputs: Mapping[str, str]) -> None:
    if absent := [name for name in names if not inputs[name].strip()]:
        raise Refused(f"inputs that must be given: {', '.join(absent)}")


def _typed(known: Mapping[str, str], inputs: Mapping[str, str]) -> None:
    """Refuse what is neither true nor false where the default is one of the two."""
    for name, default in known.items():
        if default in {"true", "false"} and inputs[name] not in {"true", "false"}:
            raise Refused(f"{name} is true or false, not {inputs[name]!r}")
