"""Writes all files or none, each one atomically.

`apply` first writes every new text to a temporary file beside its destination and only then renames
them into place, one after the other, keeping copies of what was there. A fault or a signal at any
step leaves all old or all new.

A SIGKILL or a power cut cannot be rolled back. It leaves every single file either old or new, never
torn, but between two renames the tree holds some of both. The next run heals that, because
`.github/rustci.lock` is written last: files that are new already count as unchanged, the others
are updated, and leftover temporary files are swept away.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from rustci.errors import Location, OutsideError, UsageError
from rustci.files import check_destination, explained, on_disk, resolved_root

PATIENCE = 10.0
"""Seconds to wait for another run to finish."""

_TEMPORARY = re.compile(r"\.rustci-[0-9a-f]{32}\.tmp")
_SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One file to write, or with `text=None` to delete."""

    path: str
    text: str | None
    expected: bytes | None
    """What the decision was based on: the bytes on disk then, None where there was no file."""


def apply(root: Path, writes: Iterable[Write], *, patience: float = PATIENCE) -> None:
    """Write all of `writes` in their order, or nothing. `rustci.lock` has to come last.

    Waits `patience` seconds for another run. Raises UsageError for a destination that is refused,
    OutsideError where the disk fails or a file is no longer as expected.
    """
    real_root = resolved_root(root)
    steps = [_plan(root, write) for write in writes]
    _check_distinct(steps)
    with _exclusive(real_root, patience) as alone, _deferred_signals() as caught:
        for step in steps:
            step.check()
        if alone:
            # Also where this run writes nothing: the killed one may have been all but done.
            _sweep({step.target.parent for step in steps} | set(_homes(real_root)))
        _carry_out(steps, caught)


@dataclass(slots=True, kw_only=True)
class _Step:
    """One write on its way: destination, old and new bytes, and the temporary files of both."""

    path: str
    target: Path
    old: bytes | None
    new: bytes | None
    mode: int | None
    """Of the old file."""
    staged: Path | None = None
    backup: Path | None = None

    def check(self) -> None:
        """Refuse a file that somebody changed meanwhile, or that may not be written."""
        with explained("read", self.path):
            if on_disk(self.target) != self.old:
                raise OutsideError(
                    f"{self.path} changed while rustci was running",
                    where=Location(self.path),
                    hint="Nothing was written: run the command again",
                )
        parent = next(folder for folder in self.target.parents if folder.exists())
        allowed = os.access(parent, os.W_OK | os.X_OK)
        with explained("write", self.path):
            if not allowed or (self.old is not None and not os.access(self.target, os.W_OK)):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def replace(self) -> None:
        """Put the new file in the old one's place, in one step."""
        if self.staged:
            self.staged.replace(self.target)
        else:
            self.target.unlink(missing_ok=True)

    def put_back(self) -> None:
        """Undo `replace`, if it happened."""
        if on_disk(self.target) != self.new:
            return
        if self.backup:
            self.backup.replace(self.target)
        else:
            self.target.unlink(missing_ok=True)


@dataclass(slots=True)
class _Journal:
    """What was made and replaced so far: enough to go back, and to leave nothing behind."""

    folders: list[Path] = field(default_factory=list)
    temporary: list[Path] = field(default_factory=list)
    replaced: list[_Step] = field(default_factory=list)

    def stage(self, step: _Step) -> None:
        """Write the new bytes, and a copy of the old ones, beside the destination."""
        self._make_folders(step.target.parent)
        if step.new is not None:
            step.staged = self._write(step.target.parent, step.new, step.mode)
        if step.old is not None:
            step.backup = self._write(step.target.parent, step.old, step.mode)

    def commit(self, step: _Step) -> None:
        """Replace one file."""
        step.check()
        # Noted first: an exception may come right after the rename. `put_back` looks for itself.
        self.replaced.append(step)
        step.replace()

    def roll_back(self) -> None:
        """Restore everything. Raises OutsideError naming what could not be, and its copies."""
        lost = [step for step in reversed(self.replaced) if not _succeeds(step.put_back)]
        kept = {step.backup for step in lost}
        self.temporary = [path for path in self.temporary if path not in kept]
        self.tidy()
        for folder in reversed(self.folders):
            _succeeds(folder.rmdir)
        if lost:
            raise OutsideError(
                "the disk failed while writing, and again while undoing it: "
                + ", ".join(step.path for step in lost),
                where=Location(lost[0].path),
                hint=_lost_hint(lost),
            )

    def tidy(self) -> None:
        """Remove the temporary files that are left."""
        for path in self.temporary:
            with suppress(OSError):
                path.unlink()

    def _make_folders(self, folder: Path) -> None:
        """Make a folder and the missing ones above it."""
        if folder.exists():
            return
        self._make_folders(folder.parent)
        self.folders.append(folder)
        folder.mkdir()

    def _write(self, folder: Path, data: bytes, mode: int | None) -> Path:
        """Write a file that survives a power cut; 0644 less the umask where `mode` is None."""
        path = folder / f".rustci-{os.urandom(16).hex()}.tmp"
        self.temporary.append(path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags, 0o644 if mode is None else mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            path.chmod(mode)
        return path


def _carry_out(steps: list[_Step], caught: list[int]) -> None:
    """Stage all, then replace all; on any exception put everything back."""
    journal = _Journal()
    try:
        for step in steps:
            with explained("write", step.path):
                journal.stage(step)
        _stop_if(caught)  # nothing is replaced yet; later, finishing is as quick as undoing
        for step in steps:
            with explained("write", step.path):
                journal.commit(step)
        for folder in {step.target.parent for step in steps} | {f.parent for f in journal.folders}:
            _sync_folder(folder)
    except BaseException:
        journal.roll_back()
        raise
    journal.tidy()


def _stop_if(caught: list[int]) -> None:
    """Raise KeyboardInterrupt if a signal came."""
    if caught:
        raise KeyboardInterrupt


def _plan(root: Path, write: Write) -> _Step:
    """Return the step that carries out `write`."""
    target = check_destination(root, write.path)
    mode = None
    with explained("read", write.path), suppress(FileNotFoundError):
        mode = stat.S_IMODE(target.stat().st_mode)
    return _Step(
        path=write.path,
        target=target,
        old=write.expected,
        new=None if write.text is None else write.text.encode(),
        mode=mode,
    )


def _check_distinct(steps: list[_Step]) -> None:
    """Refuse two writes that are the same file, here or where names ignore case."""
    seen: dict[str, _Step] = {}
    for step in steps:
        other = seen.setdefault(str(step.target).casefold(), step)
        if other is not step:
            raise UsageError(
                f"{other.path} and {step.path} are the same file",
                where=Location(step.path),
                hint="Give one of them another name",
            )


def _homes(root: Path) -> Iterator[Path]:
    """Yield the folders that every repository's files go to."""
    yield from (root, root / ".config", root / ".github")
    for path, folders, _ in os.walk(root / ".github"):
        yield from (Path(path, name) for name in folders)


def _sweep(folders: set[Path]) -> None:
    """Remove what a killed run left behind. Only for a run that is alone."""
    for folder in folders:
        with suppress(OSError):
            for entry in folder.iterdir():
                if _TEMPORARY.fullmatch(entry.name):
                    entry.unlink()


def _sync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power cut, where the system can (Windows cannot)."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _succeeds(action: Callable[[], None]) -> bool:
    """Run a file operation; return whether it went well."""
    try:
        action()
    except OSError:
        return False
    return True


def _lost_hint(lost: list[_Step]) -> str:
    """Return what to do about files that could not be restored."""
    copies = ", ".join(f"{step.backup} (was {step.path})" for step in lost if step.backup)
    return f"The old texts are safe in {copies}" if copies else "Remove the new files by hand"


@contextmanager
def _deferred_signals() -> Iterator[list[int]]:
    """Hold back signals that end the process; yield those that came, deliver the first after."""
    caught: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield caught
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    ours = {n: handler for n, handler in before.items() if handler not in {None, signal.SIG_IGN}}
    try:
        for number in ours:
            signal.signal(number, lambda number, _frame: caught.append(number))
        yield caught
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
        if caught:
            signal.raise_signal(caught[0])


@contextmanager
def _exclusive(root: Path, patience: float) -> Iterator[bool]:
    """Hold the repository's lock; yield False where the file system has no locks."""
    deadline = time.monotonic() + patience
    with _lock_handle(root) as handle:
        while (state := _try_lock(handle)) is None:
            if time.monotonic() >= deadline:
                raise OutsideError(
                    f"another rustci has been writing here for {patience:g} seconds",
                    where=Location(root),
                    hint="Wait until it is done, then run the command again",
                )
            time.sleep(0.02)
        yield state


if sys.platform == "win32":
    import hashlib
    import msvcrt
    import tempfile

    @contextmanager
    def _lock_handle(root: Path) -> Iterator[int]:
        """Open a file in the temporary folder that stands for `root`."""
        name = hashlib.sha256(os.path.normcase(root).encode()).hexdigest()
        path = Path(tempfile.gettempdir(), f"rustci-{name}.lock")
        with explained("write", str(path)):
            handle = os.open(path, os.O_RDWR | os.O_CREAT)
        try:
            yield handle
        finally:
            os.close(handle)
            # Windows refuses to remove a file that another run has open: then that run does it.
            with suppress(OSError):
                path.unlink()

    def _try_lock(handle: int) -> bool | None:
        """Return True if the lock is ours, None if another holds it."""
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return None
        return True

else:
    import fcntl

    @contextmanager
    def _lock_handle(root: Path) -> Iterator[int]:
        """Open the root folder itself: a lock on it leaves nothing behind."""
        with explained("read", str(root)):
            handle = os.open(root, os.O_RDONLY)
        try:
            yield handle
        finally:
            os.close(handle)

    def _try_lock(handle: int) -> bool | None:
        """Return True if the lock is ours, None if another holds it, False if there is none."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        except OSError:  # NFS locks no folders; renames stay atomic, and `expected` is compared
            return False
        return True
