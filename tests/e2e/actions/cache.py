"""actions/cache: one folder, kept under its key between runs of a repository."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.e2e.actions.base import Call, Refused


def main(call: Call) -> None:
    """Restore the folder of the key, else the newest whose key begins as `restore-keys` say."""
    kept = _kept(call, call.inputs["key"])
    prefixes = call.inputs["restore-keys"].split()
    older = [path for path in kept.parent.glob("*") if path.name.startswith(tuple(prefixes))]
    newest = sorted(older, key=lambda path: path.stat().st_mtime, reverse=True)
    found = next((path for path in (kept, *newest) if path.is_dir()), None)
    if found:
        shutil.copytree(found, call.workspace / call.inputs["path"], dirs_exist_ok=True)
    call.record(restored=found.name if found else None)


def post(call: Call) -> None:
    """Save the folder, if it is there and its key is new."""
    folder, kept = call.workspace / call.inputs["path"], _kept(call, call.inputs["key"])
    saves = folder.is_dir() and not kept.exists()
    if saves:
        shutil.copytree(folder, kept)
    call.record(saved=saves)


def _kept(call: Call, key: str) -> Path:
    if not key or "/" in key:
        raise Refused(f"{key!r} is no key that this stand-in can keep")
    return call.state / "folders" / key
