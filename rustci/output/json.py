"""Results for scripts: one JSON document on standard output, told apart by `schema`.

The documents are described in docs/reference/json.md.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import PurePath
from typing import Any

from rustci.adopt import Recognised
from rustci.errors import RustciError
from rustci.output.cost import crowd
from rustci.output.todo import todo
from rustci.probe import Probe
from rustci.project import Package, Project, RustVersion
from rustci.proposal import Proposal
from rustci.scaffold import unified_diff

SCHEMA = 1


def facts(project: Project) -> str:
    """Return the facts of `rustci inspect`."""
    return _dump({"schema": SCHEMA, "project": plain(project)})


def proposal(
    found: Proposal,
    *,
    diff: bool,
    recognised: Sequence[Recognised] = (),
    probes: Sequence[Probe] = (),
) -> str:
    """Return what `rustci init` found, chose and why, and the state of each file."""
    return _dump(
        {
            "schema": SCHEMA,
            "project": plain(found.project),
            "config": {
                name: {
                    "value": plain(setting.value),
                    "source": setting.source.name.lower(),
                    "reason": setting.reason,
                }
                for name, setting in sorted(found.config.settings.items())
            },
            "jobs": {name: plain(verdict) for name, verdict in found.verdicts.items()},
            "workflows": [
                {
                    "path": workflow.path,
                    "jobs": [{"id": job.id, "runs": job.size} for job in workflow.jobs],
                }
                for workflow in found.workflows
            ],
            "files": [
                {"path": change.path, "state": change.kind.value, "reason": change.reason}
                | ({"diff": unified_diff(change)} if diff else {})
                for change in found.files
            ],
            "recognised": [plain(one) for one in recognised],
            "probes": [plain(probe) for probe in probes],
            "todo": [plain(item) for item in todo(found)],
            "warnings": [warning] if (warning := crowd(found)) else [],
        }
    )


def error(problem: RustciError) -> str:
    """Return an error as a document."""
    place = problem.where
    return _dump(
        {
            "schema": SCHEMA,
            "error": {
                "code": problem.code,
                "message": problem.message,
                "path": str(place.path) if place else None,
                "line": place.line if place else None,
                "column": place.column if place else None,
                "hint": problem.hint,
                "exit_code": int(problem.exit_code),
            },
        }
    )


def _dump(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2)


def plain(value: Any) -> Any:
    """Return `value` in JSON's own types; sets become sorted arrays, versions strings."""
    if isinstance(value, RustVersion | PurePath):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value):
        fields = {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return fields | ({"publishable": value.publishable} if isinstance(value, Package) else {})
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value
