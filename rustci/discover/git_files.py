"""What the files in `.git` say: remotes and branches. Git itself is not run.

Source of the rules: https://git-scm.com/docs/gitrepository-layout
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_SECTION = re.compile(r'\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]')
_SETTING = re.compile(r"([\w-]+)\s*=\s*(.*)")
_URL = re.compile(
    r"(?:(?:https?|ssh|git|git\+ssh)://)?(?:[^@/\s]+@)?(?P<host>[\w.-]+)(?::\d+)?[:/]+"
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9-]|_(?=[A-Za-z0-9]))*/[\w.-]+?)(?:\.git)?/?"
)
_OTHER_FORGES = re.compile(
    r"gitlab|bitbucket|codeberg|gitea|forgejo|(^|\.)sr\.ht$|azure|visualstudio|amazonaws|gerrit"
)
_USUAL_BRANCHES = ("main", "master")


class Remote(NamedTuple):
    """A GitHub repository: `owner/name` on a host."""

    host: str
    name: str


@dataclass(frozen=True, slots=True)
class GitDirectory:
    """The folders of a checkout's git data; the two differ in a worktree."""

    own: Path
    """Holds HEAD and the index."""
    common: Path
    """Holds config and refs."""


def find_root(start: Path) -> Path | None:
    """Return the nearest folder from `start` upward that has a `.git`, or None."""
    return next((path for path in (start, *start.parents) if is_root(path)), None)


def is_root(path: Path) -> bool:
    """Whether a git checkout starts in this folder: repository, worktree or submodule."""
    return git_directory(path) is not None


def git_directory(root: Path) -> GitDirectory | None:
    """Return where the git data of a checkout is, links of worktrees and submodules followed."""
    entry = root / ".git"
    own = entry
    if entry.is_file():
        pointer = _text(entry).removeprefix("gitdir:").strip()
        own = root / pointer
    if not (own / "HEAD").is_file():
        return None
    shared = _text(own / "commondir").strip()
    return GitDirectory(own, own / shared if shared else own)


def github_remote(git: GitDirectory) -> Remote | None:
    """Return the first remote that can be GitHub: `origin`, then `upstream`, then by name."""
    urls: dict[str, str] = {}
    shortcuts: dict[str, str] = {}
    for section, name, key, value in _settings(_text(git.common / "config")):
        if (section, key) == ("remote", "url"):
            urls.setdefault(name, value)
        elif (section, key) == ("url", "insteadof"):
            shortcuts[value] = name
    order = sorted(urls, key=lambda name: (name != "origin", name != "upstream", name))
    remotes = (parse_remote(_expand(urls[name], shortcuts)) for name in order)
    return next((remote for remote in remotes if remote is not None), None)


def default_branch(git: GitDirectory) -> str | None:
    """Return the branch that work goes to.

    What `origin/HEAD` names; else `main` or `master` where one exists; else the checked-out branch.
    """
    named = _symbolic(git.common / "refs" / "remotes" / "origin" / "HEAD", "refs/remotes/origin/")
    if named is not None:
        return named
    packed = _text(git.common / "packed-refs")
    for prefix in ("refs/remotes/origin/", "refs/heads/"):
        for branch in _USUAL_BRANCHES:
            ref = f"{prefix}{branch}"
            if (git.common / ref).is_file() or re.search(rf"^\w+ {ref}$", packed, re.MULTILINE):
                return branch
    return _symbolic(git.own / "HEAD", "refs/heads/")


def parse_remote(url: str) -> Remote | None:
    """Return the GitHub repository that a remote's URL names; None for other forges and paths."""
    match = _URL.fullmatch(url.strip())
    if match is None or "." not in match["host"] or url.startswith("."):
        return None
    host = match["host"].lower().removeprefix("www.")
    if host == "ssh.github.com":
        host = "github.com"
    return None if _OTHER_FORGES.search(host) else Remote(host, match["name"])


def _symbolic(path: Path, prefix: str) -> str | None:
    target = _text(path).strip().removeprefix("ref:").strip()
    branch = target.removeprefix(prefix)
    return branch if target.startswith(prefix) and branch != ".invalid" else None


def _settings(config: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield section, subsection, key and value of a git config file."""
    section = name = ""
    for line in config.splitlines():
        if heading := _SECTION.match(line.strip()):
            section, name = heading[1].lower(), heading[2] or ""
        elif setting := _SETTING.match(line.strip()):
            yield section, name, setting[1].lower(), setting[2].strip().strip('"')


def _expand(url: str, shortcuts: dict[str, str]) -> str:
    short = max((key for key in shortcuts if url.startswith(key)), key=len, default=None)
    return url if short is None else shortcuts[short] + url[len(short) :]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
