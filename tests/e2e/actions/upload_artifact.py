"""actions/upload-artifact: files kept beyond the job."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.e2e.actions.base import Call, Refused

NOTHING_FOUND = {"warn", "error", "ignore"}


def main(call: Call) -> None:
    """Copy what `path` names; as in a zip, no file stays executable."""
    name, missing = call.inputs["name"], call.inputs["if-no-files-found"]
    if missing not in NOTHING_FOUND:
        raise Refused(f"if-no-files-found is one of {sorted(NOTHING_FOUND)}")
    files = sorted(_chosen(call))
    if not files and missing == "error":
        raise Refused(f"no files were found: {call.inputs['path']}")
    artifact = call.state / "artifacts" / name
    if artifact.exists() and not call.flag("overwrite"):
        raise Refused(f"an artifact named {name} exists already")
    shutil.rmtree(artifact, ignore_errors=True)
    _copy(files, _root(call), artifact)
    call.record(artifact=name, files=len(files))


def _patterns(call: Call) -> list[str]:
    return list(filter(None, map(str.strip, call.inputs["path"].split("\n"))))


def _start(pattern: str) -> str:
    """Return what of a pattern comes before its first wildcard: where the search starts."""
    return pattern.partition("*")[0].rpartition("/")[0] if "*" in pattern else pattern


def _root(call: Call) -> Path:
    """Return the folder that all searches share: the artifact's paths are below it."""
    starts = [call.workspace / _start(one) for one in _patterns(call) if not one.startswith("!")]
    root = Path(os.path.commonpath(starts))
    return root.parent if root.is_file() else root


def _chosen(call: Call) -> set[Path]:
    """Return the files of all patterns, less those of a pattern that begins with `!`."""
    found: set[Path] = set()
    for pattern in _patterns(call):
        files = set(_files(call, pattern.removeprefix("!")))
        found = found - files if pattern.startswith("!") else found | files
    return found


def _files(call: Call, pattern: str) -> list[Path]:
    """Return the files of one pattern or folder; hidden ones only where they are asked for."""
    start = call.workspace / _start(pattern)
    rest = pattern[len(_start(pattern)) :].lstrip("/")
    found = start.glob(rest) if rest else (start,)
    below = [file for path in found for file in (path.rglob("*") if path.is_dir() else [path])]
    return [
        file
        for file in below
        if file.is_file()
        and (
            call.flag("include-hidden-files")
            or not any(part.startswith(".") for part in file.relative_to(start).parts)
        )
    ]


def _copy(files: list[Path], root: Path, artifact: Path) -> None:
    for file in files:
        target = artifact / file.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
