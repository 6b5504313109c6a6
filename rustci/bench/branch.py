"""The branch that holds the history: one immutable file per commit, `bench/<yyyy>/<commit>.json`.

It is an orphan branch, read and written with git's plumbing: neither the work tree nor the index
nor any local branch is touched, and nothing is ever pushed by force.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import random
from typing import Optional, Union

from .errors import BenchError
from .points import LARGEST_FILE, Point, dumps_point, read_point
from .wording import clean

LARGEST_BRANCH = 400_000_000
"""Bytes of all files together that are read; 10,000 commits of 50 benchmarks need a quarter."""
TRIES = 5
SECONDS = 180.0
"""For one call of git; the network is slow at times."""
SHOWN = 500
"""Characters of what git says."""

_NAME = re.compile(r"[A-Za-z](?!.*(?:\.\.|//|/\.|\.lock$|[/.]$))[A-Za-z0-9._/-]*")
_FILE = re.compile(r"bench/[0-9]{4}/([0-9a-f]{40}|[0-9a-f]{64})\.json")
README = """\
# Benchmark history

Measured on the main branch: each file is one commit, as ratios to an anchor commit that was
measured in the same job. Written by `bench history add`, which only ever adds files. Draw it with
`bench history page`.
"""
"""What people see who come upon the branch."""
_IDENTITY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "rustci bench"), ("EMAIL", "bench@rustci.invalid"))
}
# Hooks, signatures and housekeeping are for people's commits.
_CONFIG = (
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false"),
    *("-c", "log.showSignature=false"),
)
_SECRETS = re.compile(r"(?<=//)[^/\s@]+(?=@)|(?<=authorization: )\S+ \S+", re.IGNORECASE)


@dataclass(frozen=True)
class Branch:
    """Where the history is kept."""

    folder: Path
    """Anywhere in the repository."""
    remote: str = "origin"
    name: str = "bench-history"

    @property
    def reference(self) -> str:
        """Its full name on the remote."""
        return f"refs/heads/{self.name}"

    def __str__(self) -> str:
        """What a person is told."""
        return redacted(f"{self.name} at {self.remote}")


@dataclass(frozen=True)
class _File:
    """Something that is on the branch."""

    path: str
    blob: str
    size: int
    """Bytes; -1 for what is no plain file."""

    @property
    def wrong(self) -> str:
        """Why it is not read at all; empty where it is."""
        if not _FILE.fullmatch(self.path):
            return "its name is none of ours"
        if self.size < 0:
            return "it is no plain file"
        large = f"it has {self.size:,} bytes, more than {LARGEST_FILE:,}"
        return large if self.size > LARGEST_FILE else ""


@dataclass(frozen=True)
class _Tip:
    """The newest commit of the branch; empty where there is no branch."""

    commit: str = ""
    files: tuple[_File, ...] = ()

    @property
    def heads(self) -> set[str]:
        """The commits that have a file, whatever is in it."""
        found = (_FILE.fullmatch(file.path) for file in self.files)
        return {match[1] for match in found if match}


@dataclass(frozen=True)
class Contents:
    """What is on the branch."""

    points: tuple[Point, ...] = ()
    skipped: tuple[str, ...] = ()
    """One line for each file that was not read: its name and why."""


def path_of(point: Point) -> str:
    """Return the place of a point's file, by the year of its commit."""
    return f"bench/{time.gmtime(point.committed).tm_year:04}/{point.head}.json"


def contents(branch: Branch) -> Contents:
    """Return all points, fetched from the remote; raise BenchError where it cannot be reached."""
    return _read(branch, _fetched(branch))


def add(branch: Branch, point: Point) -> bool:
    """Push the file of a point; return False where the branch has one for this commit already.

    Another job may push at the same time: then its commit is fetched and ours put on top of it.
    """
    for attempt in range(TRIES):
        tip = _fetched(branch)
        if point.head in tip.heads:
            return False
        refusal = _pushed(branch, _committed(branch, tip, point))
        if not refusal:
            return True
        time.sleep(random() * 0.2 * 2**attempt)  # noqa: S311 - it only parts two writers
    raise BenchError(
        f"the point was refused {TRIES} times, lastly: {refusal}",
        where=str(branch),
        todo="Open the branch to this job's pushes (permissions, rulesets), then run it again.",
    )


def has(branch: Branch, point: Point) -> bool:
    """Return whether the branch has a point for this commit."""
    return point.head in _fetched(branch).heads


def redacted(text: str) -> str:
    """Return what git says or is told, without user names, passwords and tokens."""
    token = _token()
    return _SECRETS.sub("***", text.replace(token, "***") if token else text)


def git(folder: Path, *arguments: str, given: bytes = b"", index: Optional[Path] = None) -> bytes:
    """Run git and return what it prints; raise BenchError where it fails."""
    done = _run(folder, arguments, given, {"GIT_INDEX_FILE": str(index)} if index else {})
    if done.returncode:
        raise BenchError(
            f"`git {arguments[0]}` failed: {_said(done.stderr)}",
            where=str(folder),
            todo="Run it in a clone of the repository whose remote can be reached.",
        )
    return done.stdout


def _run(
    folder: Path, arguments: tuple[str, ...], given: bytes, more: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ("git", *_CONFIG, *arguments),
            cwd=folder,
            input=given,
            capture_output=True,
            check=False,
            timeout=SECONDS,
            env={**_environment(), **more},
        )
    except subprocess.TimeoutExpired:
        raise BenchError(
            f"`git {arguments[0]}` took over {SECONDS:.0f} s",
            where=str(folder),
            todo="Is the remote reachable? Then run it again.",
        ) from None
    except OSError as error:
        raise BenchError(
            f"git cannot be started: {error.strerror}",
            where=str(folder),
            todo="Is it installed, and on PATH?",
        ) from None


def _environment() -> dict[str, str]:
    """Return the environment without what makes git ask questions or show what it sends."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_TRACE") and name not in {"GIT_CURL_VERBOSE", "GIT_INDEX_FILE"}
    }
    return {**kept, **_IDENTITY, **_credentials(), "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}


def _credentials() -> dict[str, str]:
    """Return what lets git use the job's token, which is given to one step and never stored.

    The empty value drops a header that the checkout may have left: GitHub refuses two of them.
    """
    token = _token()
    if not token:
        return {}
    server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    found = {"GIT_CONFIG_COUNT": str(first + 2)}
    for n, value in enumerate(("", f"Authorization: Basic {basic}"), first):
        found[f"GIT_CONFIG_KEY_{n}"] = f"http.{server}/.extraheader"
        found[f"GIT_CONFIG_VALUE_{n}"] = value
    return found


def _token() -> str:
    """Return the job's token; empty outside of GitHub Actions, where people have their own ways."""
    on_github = os.environ.get("GITHUB_ACTIONS") == "true"
    return os.environ.get("GITHUB_TOKEN", "") if on_github else ""


def _said(stderr: bytes) -> str:
    return clean(redacted(" ".join(stderr.decode("utf-8", "replace").split())), SHOWN)


def _fetched(branch: Branch) -> _Tip:
    """Fetch the branch into the object store alone: no reference and no FETCH_HEAD is written."""
    _refuse_options(branch)
    listed = git(branch.folder, "ls-remote", "--", branch.remote, branch.reference).decode()
    tips = [line.split("\t") for line in listed.splitlines()]
    commit = next((commit for commit, name in tips if name == branch.reference), "")
    if not commit:
        return _Tip()
    quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", "--no-filter")
    git(branch.folder, "fetch", *quiet, "--", branch.remote, branch.reference)
    tip = _Tip(commit, tuple(_files(branch.folder, commit)))
    if not tip.heads:
        raise BenchError(
            "the branch is there, but is no benchmark history",
            where=str(branch),
            todo="Name another one with --branch; it is created with the first point.",
        )
    return tip


def _refuse_options(branch: Branch) -> None:
    """Raise BenchError for names that git would take for options or for something else."""
    if not branch.remote or branch.remote.startswith("-") or not _NAME.fullmatch(branch.name):
        raise BenchError(
            "this is no branch of a remote",
            where=clean(str(branch)),
            todo="A branch's name is letters, digits and -._/ here, and begins with a letter.",
        )


def _files(folder: Path, commit: str) -> Iterator[_File]:
    """Yield everything below `bench/`."""
    listed = git(folder, "ls-tree", "--full-tree", "-r", "-l", "-z", commit, "--", "bench/")
    for line in listed.decode("utf-8", "replace").split("\0"):
        if line:
            about, path = line.split("\t", 1)
            mode, _, name, size = about.split()
            yield _File(path, name, int(size) if mode.startswith("100") else -1)


def _read(branch: Branch, tip: _Tip) -> Contents:
    skipped = [f"{clean(file.path)}: {file.wrong}" for file in tip.files if file.wrong]
    newest = [file for file in reversed(tip.files) if not file.wrong]
    sizes = accumulate(file.size for file in newest)
    kept = [file for file, sofar in zip(newest, sizes) if sofar <= LARGEST_BRANCH]
    if len(kept) < len(newest):
        skipped.append(f"{len(newest) - len(kept):,} of the oldest files: the branch is too large")
    blobs = _blobs(branch.folder, [file.blob for file in kept])
    read = [_of_file(file.path, data) for file, data in zip(kept, blobs)]
    points = {each.head: each for each in read if isinstance(each, Point)}
    skipped += [each for each in read if isinstance(each, str)]
    return Contents(tuple(points.values()), tuple(sorted(skipped)))


def _of_file(path: str, data: bytes) -> Union[Point, str]:
    """Return the point of a file, or a line that says why it is none."""
    try:
        point = read_point(data, path)
    except BenchError as error:
        return f"{path}: {error.what}"
    return point if path_of(point) == path else f"{path}: it tells of another commit or year"


def _blobs(folder: Path, names: Sequence[str]) -> Iterator[bytes]:
    """Yield the contents of objects, all read by one process."""
    wanted = "".join(f"{name}\n" for name in names).encode()
    out = git(folder, "cat-file", "--batch", given=wanted) if names else b""
    start = 0
    for _ in names:
        end = out.index(b"\n", start)
        size = int(out[start:end].split()[2])
        yield out[end + 1 : end + 1 + size]
        start = end + size + 2


def _committed(branch: Branch, tip: _Tip, point: Point) -> str:
    """Return a new commit that adds the file of a point; without a parent where there is none."""
    folder, commit = branch.folder, tip.commit
    files = {path_of(point): dumps_point(point), **({} if commit else {"README.md": README})}
    with tempfile.TemporaryDirectory() as scratch:
        index = Path(scratch, "index")
        git(folder, "read-tree", commit or "--empty", index=index)
        for path, text in files.items():
            name = git(folder, "hash-object", "-w", "--stdin", given=text.encode()).decode().strip()
            git(
                folder, "update-index", "--add", "--cacheinfo", f"100644,{name},{path}", index=index
            )
        tree = git(folder, "write-tree", index=index).decode().strip()
    parent = ("-p", commit) if commit else ()
    message = f"Add the benchmarks of {point.head[:12]}"
    return git(folder, "commit-tree", tree, *parent, "-m", message).decode().strip()


def _pushed(branch: Branch, commit: str) -> str:
    """Push a commit; return why the remote refused it, empty where it did not."""
    target = f"{commit}:{branch.reference}"
    arguments = ("push", "--porcelain", "--no-verify", "--", branch.remote, target)
    done = _run(branch.folder, arguments, b"", {})
    refused = [line for line in done.stdout.splitlines() if line.startswith(b"!")]
    if done.returncode and not refused:
        raise BenchError(
            f"the point cannot be pushed: {_said(done.stderr)}",
            where=str(branch),
            todo="On GitHub: `contents: write` for the job, `GITHUB_TOKEN` in the step's `env`.",
        )
    return _said(refused[0].split(b"\t")[-1]) if refused else ""
