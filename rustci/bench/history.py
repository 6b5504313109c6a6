"""The history of the main branch: adding a point, choosing the anchor, the trend and the page."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from . import page, points
from .branch import Branch, Contents, add, contents, git, has, path_of
from .errors import BenchError
from .points import Found
from .wording import clean, escaped

_RELEASE = re.compile(r"(?:.*[-/@_])?v?[0-9]+\.[0-9]+\.[0-9]+")
_REPOSITORY = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs of `bench history`."""
    verbs = parser.add_subparsers(dest="verb", metavar="{add,anchor,trend,page}", required=True)

    verb = verbs.add_parser("add", help="put a result on the branch, as one file for its commit")
    verb.add_argument(
        "result", type=Path, metavar="RESULT", help="the bench-result.json of the run"
    )
    verb.add_argument(
        "--dry-run", action="store_true", help="say what would be pushed; push nothing"
    )
    _add_branch(verb)

    verb = verbs.add_parser("anchor", help="print the commit to measure against")
    _add_branch(verb)

    verb = verbs.add_parser("trend", help="tell what has become slower or faster lately")
    verb.add_argument("--strict", action="store_true", help="exit 1 where something became slower")
    _add_branch(verb)

    verb = verbs.add_parser("page", help="draw everything as one HTML file")
    verb.add_argument("out", type=Path, metavar="OUT", help="the file to write, such as index.html")
    verb.add_argument(
        "--repository",
        default=os.environ.get("GITHUB_REPOSITORY", ""),
        metavar="OWNER/REPO",
        help="what commits are linked to (default: $GITHUB_REPOSITORY)",
    )
    _add_branch(verb)


def run(args: argparse.Namespace) -> int:
    """Do what was asked; return the exit code."""
    branch = Branch(Path.cwd(), args.remote, args.branch)
    if args.verb == "add":
        return _add(branch, args.result, dry=args.dry_run)
    if args.verb == "anchor":
        return _anchor(branch)
    if args.verb == "trend":
        return _trend(branch, strict=args.strict)
    return _page(branch, args.out, args.repository)


def anchor(branch: Branch, found: Contents) -> str:
    """Return the commit to measure HEAD against; raise BenchError where there is none.

    The anchor of the newest point is kept, with two exceptions. Where it lacks some of the
    benchmarks, or has them with another source, the newest point takes over: it has them. And so
    does a later release that was itself measured, so that changes are told relative to it.
    """
    head = _head(branch)
    releases = [commit for commit in _releases(branch) if commit != head]
    earlier = [point for point in found.points if point.head != head]
    newest = max(earlier, key=lambda point: (point.committed, point.head), default=None)
    if newest is None:
        wanted = releases
    else:
        lacking = any(reading.status in points.UNCOMPARABLE for reading in newest.readings)
        measured = {point.head: point.committed for point in earlier}
        kept = newest.head if lacking else newest.anchor
        later = [each for each in releases if measured.get(each, 0) > measured.get(kept, 0)]
        wanted = [*later[:1], kept, newest.head]
    for commit in (*wanted, *_parents(branch)):
        if commit != head and _exists(branch, commit):
            return commit
    raise BenchError(
        "there is no commit to measure against",
        where=str(branch.folder),
        todo="The first commit has none before it; run it on the next one.",
    )


def told(found: Found) -> str:
    """Return a change in one line."""
    direction = "slower" if found.shift > 0 else "faster"
    return (
        f"{clean(found.benchmark.name)} became {abs(found.shift):.1%} {direction} "
        f"with {found.point.head[:12]} ({clean(found.point.subject, 80)}): "
        f"{found.age} points since, p = {found.p:.1g}"
    )


def _add(branch: Branch, result: Path, *, dry: bool) -> int:
    point = points.read_result(_data(result), str(result), lambda commit: _about(branch, commit))
    what = f"{path_of(point)} on {branch}"
    if dry:
        print(f"{what} is there already" if has(branch, point) else f"would add {what}")
    else:
        print(f"added {what}" if add(branch, point) else f"{what} is there already")
    return 0


def _anchor(branch: Branch) -> int:
    print(anchor(branch, _contents(branch)))
    return 0


def _trend(branch: Branch, *, strict: bool) -> int:
    found = _contents(branch)
    series = points.series(found.points)
    for change in (change for each in series for change in each.news()):
        print(told(change))
    alarms = [alarm for each in series for alarm in [each.alarm()] if alarm]
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for alarm in alarms:
            print(f"::warning title=Slower on the main branch::{escaped(told(alarm))}")
    print(f"{len(found.points)} commits; benchmarks that became slower lately: {len(alarms)}")
    return 1 if strict and alarms else 0


def _page(branch: Branch, out: Path, repository: str) -> int:
    if repository and not _REPOSITORY.fullmatch(repository):
        raise BenchError("a repository is OWNER/REPO", where=clean(repository))
    server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    text = page.render(_contents(branch), f"{server}/{repository}" if repository else "")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, "utf-8")
    except OSError as error:
        raise BenchError(
            f"the page cannot be written: {error.strerror}",
            where=str(out),
            todo="Name another file.",
        ) from None
    print(f"wrote {out}: {len(text) // 1024 + 1} KiB")
    return 0


def _contents(branch: Branch) -> Contents:
    """Return what is on the branch, naming what was not read."""
    found = contents(branch)
    for line in found.skipped:
        print(f"not read: {line}", file=sys.stderr)
    return found


def _data(result: Path) -> bytes:
    try:
        with result.open("rb") as file:
            data = file.read(points.LARGEST_FILE + 1)
    except OSError as error:
        raise BenchError(
            f"the result cannot be read: {error.strerror}",
            where=str(result),
            todo="`bench run` writes it; name the file that it wrote.",
        ) from None
    if len(data) > points.LARGEST_FILE:
        raise BenchError(f"it has more than {points.LARGEST_FILE:,} bytes", where=str(result))
    return data


def _head(branch: Branch) -> str:
    if git(branch.folder, "rev-parse", "--is-shallow-repository").strip() == b"true":
        raise BenchError(
            "the clone is shallow, so neither releases nor the anchor can be found",
            where=str(branch.folder),
            todo="Check out with `fetch-depth: 0`, or run `git fetch --unshallow --tags`.",
        )
    return git(branch.folder, "rev-parse", "HEAD").decode().strip()


def _about(branch: Branch, commit: str) -> tuple[int, str]:
    """Return when a commit was made, in seconds since 1970, and its subject."""
    if not _exists(branch, commit):
        raise BenchError(
            f"this clone does not have the commit {commit[:12]}",
            where=str(branch.folder),
            todo="Run it where the commit was measured.",
        )
    shown = git(branch.folder, "log", "-1", "--format=%ct%n%s", "--encoding=UTF-8", commit, "--")
    seconds, _, subject = shown.decode("utf-8", "replace").partition("\n")
    return max(0, int(seconds)), subject.strip()


def _exists(branch: Branch, commit: str) -> bool:
    try:
        git(branch.folder, "cat-file", "-e", f"{commit}^{{commit}}")
    except BenchError:
        return False
    return True


def _releases(branch: Branch) -> list[str]:
    """Return the commits of release tags that HEAD contains, newest first."""
    listed = git(
        branch.folder,
        "for-each-ref",
        "--merged=HEAD",
        "--sort=-creatordate",
        "--format=%(refname:strip=2) %(objectname) %(*objectname)",
        "refs/tags",
    )
    # The last is empty but for annotated tags, which have an object of their own.
    tags = (line.split() for line in listed.decode("utf-8", "replace").splitlines())
    return [tag[-1] for tag in tags if _RELEASE.fullmatch(tag[0])]


def _parents(branch: Branch) -> list[str]:
    """Return the commit before HEAD on its branch, if there is one."""
    listed = git(branch.folder, "log", "-1", "--first-parent", "--format=%P", "HEAD", "--")
    return listed.decode().split()[:1]


def _add_branch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--remote", default="origin", help="where the branch is (default: origin)")
    parser.add_argument(
        "--branch", default="bench-history", help="its name (default: bench-history)"
    )
