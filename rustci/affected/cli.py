"""What the jobs are told, and people: `packages` and `doctests`, each as flags for cargo.

`--workspace` stands for everything, `none` for nothing. Whatever goes wrong selects everything.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from .selection import Change, Extra, Package, Selection, Workspace, select
from .workspace import read, run, tracked

LABEL = "ci:full"
WHOLE, NOTHING = "--workspace", "none"


def main() -> int:
    """Say what is affected, in the run's summary and to the jobs."""
    workspace = Workspace(())
    try:
        selection, workspace = affected()
    except Exception as problem:  # noqa: BLE001  # whatever it is, everything is tested then
        print(f"::warning::everything is tested: {_one_line(problem)}")
        selection = Selection(everything=_one_line(problem))
    outputs = flags(selection, workspace)
    _append("GITHUB_OUTPUT", "".join(f"{name}={value}\n" for name, value in outputs.items()))
    _append("GITHUB_STEP_SUMMARY", told(selection))
    sys.stdout.write(told(selection))
    return 0


def affected() -> tuple[Selection, Workspace]:
    """Return what the pull request in the working directory affects, of which packages."""
    event = os.environ.get("GITHUB_EVENT_NAME", "pull_request")
    if event != "pull_request":
        return Selection(everything=f"`{event}` tests everything"), Workspace(())
    if LABEL in _labels():
        return Selection(everything=f"the label `{LABEL}`"), Workspace(())
    extras = tuple(map(_extra, os.environ.get("AFFECTED_PATHS", "").split()))
    top = os.fsdecode(run("git", "rev-parse", "--show-toplevel")).rstrip("\n")
    inside = os.path.relpath(os.path.realpath("."), os.path.realpath(top))
    os.chdir(top)
    workspace = read("" if inside == "." else Path(inside).as_posix() + "/", tracked())
    return select(changes(), workspace, extras), workspace


def changes() -> list[Change]:
    """Return what the merge commit HEAD differs in from the base, renamed files under both names.

    GitHub merges the pull request into the newest base, and the base was tested when it was pushed.
    """
    commits = run("git", "rev-list", "--parents", "--max-count=1", "HEAD").split()
    if len(commits) != 3:
        raise ValueError("HEAD is no merge commit: there is no base to compare with")
    options = ("--name-status", "--no-renames", "--ignore-submodules=none", "-z")
    words = os.fsdecode(run("git", "diff", *options, "HEAD^1", "HEAD")).split("\0")[:-1]
    return [Change(path, deleted=kind == "D") for kind, path in zip(words[::2], words[1::2])]


def flags(selection: Selection, workspace: Workspace) -> dict[str, str]:
    """Return what the jobs put in place of `--workspace`."""
    members = [package for package in workspace.packages if package.member]
    chosen = [package for package in members if package.name in selection.reasons]
    if selection.everything or len(chosen) == len(members):
        return {"packages": WHOLE, "doctests": WHOLE}
    return {"packages": _flags(chosen), "doctests": _flags(p for p in chosen if p.doctested)}


def _flags(packages: Iterable[Package]) -> str:
    return " ".join(sorted(f"--package={package.spec}" for package in packages)) or NOTHING


def told(selection: Selection) -> str:
    """Return for people what is tested, and why, in Markdown."""
    if selection.everything:
        return f"### Affected packages\n\nEverything: {selection.everything}.\n"
    rows = [f"| `{name}` | {why} |" for name, why in sorted(selection.reasons.items())]
    table = ["| Package | Why |", "|---|---|", *rows] if rows else ["None."]
    return "\n".join(["### Affected packages", "", *table, ""])


def _labels() -> list[str]:
    path = os.environ.get("GITHUB_EVENT_PATH")
    event = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    return [label["name"] for label in event.get("pull_request", {}).get("labels", [])]


def _extra(text: str) -> Extra:
    path, sign, names = text.partition("=")
    if not sign:
        raise ValueError(f"`{text}` in `tests.affected_paths` is not `path=package:…`")
    return path, tuple(filter(None, names.split(":")))


def _one_line(problem: Exception) -> str:
    return " ".join(str(problem).split()) or type(problem).__name__


def _append(variable: str, text: str) -> None:
    if path := os.environ.get(variable):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
