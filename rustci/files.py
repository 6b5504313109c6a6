"""The only door to the file system: which paths are rustci's to use, and what they hold."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rustci.errors import Location, OutsideError, ProjectError, UsageError

# https://learn.microsoft.com/windows/win32/fileio/naming-a-file: a repository is cloned there too.
_RESERVED = re.compile(r"(?i:con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?")
_HINTS = {
    errno.ENOSPC: "Free some disk space, then run the command again",
    errno.EDQUOT: "Free some of your disk quota, then run the command again",
    errno.EROFS: "The file system is mounted read-only: write to another copy of the repository",
    errno.EACCES: "Check who may write there (`ls -ld`), then run the command again",
    errno.EPERM: "Check who may write there (`ls -ld`), then run the command again",
}


def read_bytes(root: Path, path: str) -> bytes | None:
    """Return the bytes of a file that rustci may overwrite, None if absent.

    Raises UsageError where the path could not be written, OutsideError where it cannot be read.
    """
    return next(data for _, data in read_all(root, [path]))


def read_all(root: Path, paths: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
    """Yield each path with what `read_bytes` returns; a folder is looked at once for all."""
    entered: dict[str, Path] = {}
    for path in paths:
        target = _destination(root, path, entered)
        with explained("read", path):
            yield path, on_disk(target)


def read_text(root: Path, path: str) -> str | None:
    """Return the text of `read_bytes`, line ends and BOM as they are. Raises ProjectError too."""
    data = read_bytes(root, path)
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ProjectError(
            f"{path} is not valid UTF-8",
            where=Location(path, line),
            hint="Save it as UTF-8, then run the command again",
        ) from error


def names(root: Path, folder: str) -> list[str]:
    """Return the names in a folder, sorted; none where it is missing or cannot be read."""
    try:
        return sorted(entry.name for entry in (root / folder).iterdir())
    except OSError:
        return []


def check_spelling(path: str) -> None:
    """Refuse a path that is not plainly inside a repository on every system. Raises UsageError."""
    parts = path.split("/")
    problem = None
    if "\\" in path or ":" in path or path.startswith("/"):
        problem = "is not a relative path with forward slashes"
    elif not path.isprintable():
        problem = "holds a control or invisible character"
    elif any(part in {"", ".", ".."} for part in parts):
        problem = "has an empty part, `.` or `..`"
    elif any(part.casefold() == ".git" for part in parts):
        problem = "leads into git's own folder"
    elif any(_RESERVED.fullmatch(p) or p[-1] in ". " or set(p) & set('<>"|?*') for p in parts):
        problem = "cannot be a file name on Windows"
    if problem:
        raise UsageError(
            f"the path {path!r} {problem}",
            hint="Use a path inside the repository, such as .github/workflows/ci.yml",
        )


def check_destination(root: Path, path: str) -> Path:
    """Return where `path` leads, links resolved; refuse whatever is unsafe to write or in the way.

    Raises UsageError for the path or what stands there, OutsideError where it cannot be looked at.
    """
    return _destination(root, path, {})


def _destination(root: Path, path: str, entered: dict[str, Path]) -> Path:
    """Return what `check_destination` does; `entered` keeps the folders that led to others."""
    check_spelling(path)
    folder, _, name = path.rpartition("/")
    with explained("read", path):
        if folder not in entered:
            here = real_root = resolved_root(root)
            for part in folder.split("/") if folder else ():
                here = _enter(real_root, here / part, path)
            entered[folder] = here
        target = entered[folder] / name
        _check_target(target, path)
    return target


def resolved_root(root: Path) -> Path:
    """Return the repository root without links. Raises UsageError if it is no folder."""
    real = Path(os.path.realpath(root))
    if not real.is_dir():
        raise UsageError(
            f"{root} is not a folder", where=Location(root), hint="Name the repository's folder"
        )
    return real


def _enter(root: Path, folder: Path, path: str) -> Path:
    """Return `folder` with links resolved, refusing one that leaves the repository."""
    try:
        real = Path(os.path.realpath(folder, strict=True))
    except OSError as error:
        if error.errno == errno.ENOENT and not folder.is_symlink():
            return folder
        if error.errno in {errno.ENOENT, errno.ELOOP}:
            raise _refused(folder, path, "is a link that leads nowhere") from error
        raise
    if not real.is_relative_to(root):
        raise _refused(folder, path, "is a link that leaves the repository")
    if any(part.casefold() == ".git" for part in real.relative_to(root).parts):
        raise _refused(folder, path, "is a link into git's own folder")
    if not real.is_dir():
        raise _refused(folder, path, "is a file where a folder must be")
    return real


def _check_target(target: Path, path: str) -> None:
    """Refuse whatever exists at `target` and is not a regular file."""
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISLNK(mode):
        raise _refused(target, path, "is a link, and rustci never replaces one")
    if stat.S_ISDIR(mode):
        raise _refused(target, path, "is a folder where a file must be")
    if not stat.S_ISREG(mode):
        raise _refused(target, path, "is not a regular file")


def _refused(found: Path, path: str, problem: str) -> UsageError:
    """Return the error for what stands in the way of `path`."""
    return UsageError(
        f"cannot use {path}: {found.name} {problem}",
        where=Location(path),
        hint=f"Move {found} out of the way, or put a plain file or folder there",
    )


def on_disk(target: Path) -> bytes | None:
    """Return the file's bytes, None if absent. Raises OSError."""
    try:
        return target.read_bytes()
    except FileNotFoundError:
        return None


@contextmanager
def explained(verb: str, path: str) -> Iterator[None]:
    """Turn the system's error on `path` into an OutsideError that says what to do."""
    try:
        yield
    except OSError as error:
        raise OutsideError(
            f"cannot {verb} {path}: {error.strerror or error}",
            where=Location(path),
            hint=_HINTS.get(error.errno or 0, "Mend that, then run the command again"),
        ) from error
