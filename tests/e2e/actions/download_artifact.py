"""actions/download-artifact: files that another job of the run kept."""

from __future__ import annotations

import shutil
from fnmatch import fnmatch
from pathlib import Path

from tests.e2e.actions.base import Call, Refused


def main(call: Call) -> None:
    """Copy one artifact by its name, or all that fit a pattern, each into a folder of its own."""
    kept = call.state / "artifacts"
    folder = call.workspace / call.inputs["path"]
    name, pattern = call.inputs["name"], call.inputs["pattern"]
    if name and not (kept / name).is_dir():
        raise Refused(f"there is no artifact named {name}")
    found = sorted(
        path.name for path in kept.glob("*") if fnmatch(path.name, name or pattern or "*")
    )
    # A pattern that fits one artifact alone unpacks it in place.
    flat = name or call.flag("merge-multiple") or (pattern and len(found) == 1)
    for artifact in found:
        _copy(kept / artifact, folder if flat else folder / artifact)
    call.export("GITHUB_OUTPUT", f"download-path={folder}")
    call.record(artifacts=found)


def _copy(artifact: Path, folder: Path) -> None:
    shutil.copytree(artifact, folder, dirs_exist_ok=True)
