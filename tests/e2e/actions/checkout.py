"""actions/checkout: the commit of the event, fetched into the workspace."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.e2e.actions.base import Call, Refused


def main(call: Call) -> None:
    """Fetch the commit, as deep as asked, and check it out."""
    here = call.inputs["repository"]
    if here not in {"${{ github.repository }}", call.environment["GITHUB_REPOSITORY"]}:
        raise Refused(f"only the project itself can be had here, not {here}")
    if not call.inputs["fetch-depth"].isdigit():
        raise Refused(f"fetch-depth is a number, not {call.inputs['fetch-depth']!r}")
    folder = call.workspace / call.inputs["path"]
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Refused(f"{call.inputs['path'] or 'the workspace'} is not empty")
    commit = _check_out(call, folder)
    call.export("GITHUB_OUTPUT", f"commit={commit}")
    call.record(commit=commit)


def _check_out(call: Call, folder: Path) -> str:
    depth = call.inputs["fetch-depth"]
    shallow = [] if depth == "0" else [f"--depth={depth}"]
    tags = ["--tags" if call.flag("fetch-tags") or depth == "0" else "--no-tags"]
    origin = call.path("E2E_REPOSITORY").as_uri()
    ref = call.inputs["ref"] or call.environment["GITHUB_SHA"]
    _git(folder, "init", "--quiet")
    _git(folder, "remote", "add", "origin", origin)
    _git(folder, "fetch", "--quiet", *shallow, *tags, "origin", ref)
    _git(folder, "checkout", "--quiet", "--detach", "FETCH_HEAD")
    return _git(folder, "rev-parse", "HEAD")


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()
