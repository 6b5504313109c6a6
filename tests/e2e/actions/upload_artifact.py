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
    files = sorted(
        {file for pattern in call.inputs["path"].split("\n") for file in _files(call, pattern)}
    )
    if not files and missing == "error":
        raise Refused(f"no files were found: {call.inputs['path']}")
    artifact = call.state / "artifacts" / name
    if artifact.exists() and not call.flag("overwrite"):
        raise Refused(f"an artifact named {name} exists already")
    shutil.rmtree(artifact, ignore_errors=True)
    _copy(files, artifact)
    call.record(artifact=name, files=len(files))


def _files(call: Call, pattern: str) -> list[Path]:
    """Return the files of one pattern or folder; hidden ones only where they are asked for."""
    folder = pattern.strip().partition("*")[0].rpartition("/")[0]
    start = call.workspace / folder
    rest = pattern.strip()[len(folder) :].lstrip("/")
    found = start.glob(rest) if rest else ()
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


def _copy(files: list[Path], artifact: Path) -> None:
    """Keep the paths below the deepest folder that all files share."""
    if not files:
        return
    root = Path(os.path.commonpath([file.parent for file in files]))
    for file in files:
        target = artifact / file.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
