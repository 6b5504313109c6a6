"""Writing when things go wrong: all old or all new, nothing torn, nothing left behind.

Faults of the system are injected into `os`, never into rustci; the rest is real: signals,
processes, full file systems, folders of somebody else.
"""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import rustci
from rustci.errors import OutsideError
from rustci.transaction import Write, apply
from tests.rights import NOBODY, unprivileged

OLD = {".github/workflows/ci.yml": b"old\n", "gone.yml": b"old\n", "codecov.yml": b"old\n"}
WRITES = (
    Write(path=".github/workflows/ci.yml", text="new\n", expected=b"old\n"),
    Write(path=".config/deep/nextest.toml", text="new\n", expected=None),
    Write(path="gone.yml", text=None, expected=b"old\n"),
    Write(path="codecov.yml", text="new\n", expected=b"old\n"),
    Write(path=".github/rustci.lock", text="new\n", expected=None),
)
State = dict[str, tuple[int, bytes | None]]


def state(root: Path) -> State:
    """Mode and content of everything below `root`."""
    return {
        str(p.relative_to(root)): (p.stat().st_mode, p.read_bytes() if p.is_file() else None)
        for p in sorted(root.rglob("*"))
    }


def fill(root: Path) -> None:
    for name, data in OLD.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (root / "codecov.yml").chmod(0o600)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    fill(tmp_path)
    return tmp_path


@pytest.fixture
def nobodys_repo() -> Iterator[Path]:
    """A repository that an unprivileged user reaches and owns (pytest's folders are private)."""
    root = Path(tempfile.mkdtemp())
    fill(root)
    if os.geteuid() == 0:
        for path in (root, *root.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    yield root
    for folder in (root, *root.rglob("*/")):
        folder.chmod(0o755)
    shutil.rmtree(root)


class Fault:
    """Makes the `nth` call of an `os` function fail, before or after its work."""

    def __init__(
        self, function: Callable[..., Any], *, nth: int, error: BaseException, late: bool = False
    ) -> None:
        self.function, self.left, self.error, self.late = function, nth, error, late

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.left -= 1
        if self.left:
            return self.function(*args, **kwargs)
        if self.late:
            self.function(*args, **kwargs)
        raise self.error


FULL = OSError(errno.ENOSPC, "No space left on device")
FAULTS = {
    "full disk while opening": ("open", FULL, False),
    "full disk while syncing": ("fsync", FULL, False),
    "no such mode": ("chmod", PermissionError(errno.EPERM, "Operation not permitted"), False),
    "no new folder": ("mkdir", PermissionError(errno.EACCES, "Permission denied"), False),
    "no rename": ("replace", OSError(errno.EROFS, "Read-only file system"), False),
    "no removal": ("unlink", OSError(errno.EIO, "Input/output error"), False),
    "Ctrl-C before syncing": ("fsync", KeyboardInterrupt(), False),
    "Ctrl-C after a new folder": ("mkdir", KeyboardInterrupt(), True),
    "Ctrl-C before renaming": ("replace", KeyboardInterrupt(), False),
    "Ctrl-C after renaming": ("replace", KeyboardInterrupt(), True),
}


@pytest.mark.parametrize(("name", "error", "late"), FAULTS.values(), ids=FAULTS)
def test_a_fault_at_any_step_leaves_all_old(
    repo: Path, monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException, late: bool
) -> None:
    before = state(repo)
    failures = 0
    while caught := failure(repo, monkeypatch, name, nth=failures + 1, error=error, late=late):
        failures += 1
        assert error in {caught, caught.__cause__}
        assert state(repo) == before, f"call {failures} of os.{name}"
    assert failures
    assert {path: data for path, (_, data) in state(repo).items() if data} == {
        write.path: b"new\n" for write in WRITES if write.text
    }


def failure(
    repo: Path, monkeypatch: pytest.MonkeyPatch, name: str, **fault: Any
) -> BaseException | None:
    """Apply with a fault; return what came of it, None if there was no such call."""
    with monkeypatch.context() as patch:
        patch.setattr(os, name, Fault(getattr(os, name), **fault))
        try:
            apply(repo, WRITES)
        except (OutsideError, KeyboardInterrupt) as caught:
            return caught
    return None


def test_if_even_undoing_fails_the_old_text_is_kept_and_named(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.replace, 0

    def fails_from_the_second_call(*args: Any) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise OSError(errno.EIO, "Input/output error")
        real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fails_from_the_second_call)
        with pytest.raises(OutsideError, match=r"\.github/workflows/ci\.yml") as caught:
            apply(repo, WRITES)
    assert caught.value.hint
    copies = [path for path in repo.rglob("*.tmp") if str(path) in caught.value.hint]
    assert [path.read_bytes() for path in copies] == [b"old\n"]


def test_one_file_that_cannot_be_renamed_over_stops_the_others(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a container has that file mounted: undoing must not stumble over it as well."""
    real, before = os.replace, state(repo)

    def busy(source: Path, target: Path) -> None:
        if target.name == "codecov.yml":
            raise OSError(errno.EBUSY, "Device or resource busy")
        real(source, target)

    monkeypatch.setattr(os, "replace", busy)
    with pytest.raises(OutsideError, match=r"cannot write codecov\.yml: Device or resource busy"):
        apply(repo, WRITES)
    assert state(repo) == before


@pytest.mark.parametrize("shut", [".", ".github/workflows"])
def test_a_folder_that_may_not_be_written(nobodys_repo: Path, shut: str) -> None:
    (nobodys_repo / shut).chmod(0o555)
    before = state(nobodys_repo)
    with unprivileged(), pytest.raises(OutsideError, match="Permission denied") as caught:
        apply(nobodys_repo, WRITES)
    assert caught.value.hint
    assert state(nobodys_repo) == before


def test_a_file_that_may_not_be_written(nobodys_repo: Path) -> None:
    (nobodys_repo / "codecov.yml").chmod(0o444)
    before = state(nobodys_repo)
    with unprivileged(), pytest.raises(OutsideError, match=r"cannot write codecov\.yml"):
        apply(nobodys_repo, WRITES)
    assert state(nobodys_repo) == before


@pytest.mark.parametrize("shut", ["codecov.yml", ".github/workflows"])
def test_a_file_that_may_not_be_read(nobodys_repo: Path, shut: str) -> None:
    before = state(nobodys_repo)
    mode = (nobodys_repo / shut).stat().st_mode
    (nobodys_repo / shut).chmod(0)
    with unprivileged(), pytest.raises(OutsideError, match="Permission denied"):
        apply(nobodys_repo, WRITES)
    (nobodys_repo / shut).chmod(mode)
    assert state(nobodys_repo) == before


BIG = tuple(
    Write(path=write.path, text=write.text and "x" * 30_000, expected=write.expected)
    for write in WRITES
)


def test_a_file_that_outgrows_its_limit(repo: Path) -> None:
    before = state(repo)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OutsideError, match="File too large"):
            apply(repo, BIG)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert state(repo) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts; the limit above needs no rights")
@pytest.mark.parametrize("limit", ["size=64k", "nr_inodes=12"], ids=["full", "out of inodes"])
def test_a_full_file_system(tmp_path: Path, limit: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", limit, "tmpfs", tmp_path], check=True)
    try:
        fill(tmp_path)
        before = state(tmp_path)
        with pytest.raises(OutsideError, match="No space left") as caught:
            apply(tmp_path, BIG)
        assert "Free some disk space" in (caught.value.hint or "")
        assert state(tmp_path) == before
    finally:
        subprocess.run(["umount", "--lazy", tmp_path], check=True)


# Signals come at random moments into a process that writes one set of files over another, again and
# again. It forks once per signal: an interpreter start for each would take minutes.
SIGNALLED = """
import os, random, signal, sys, time
from pathlib import Path
from rustci.transaction import Write, apply
from tests.rights import NOBODY, unprivileged

root, number, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
names = [f"folder{n % 3}/file{n}.yml" for n in range(6)]
texts = {letter: (letter * 20_000).encode() for letter in "AB"}


def read():
    return [(root / name).read_bytes() if (root / name).exists() else None for name in names]


def write_for_ever():
    while True:
        for text in texts.values():
            old = read()
            apply(root, [
                Write(path=name, text=text.decode(), expected=data)
                for name, data in zip(names, old)
            ])


def check(whole):
    found = set(read())
    assert found <= {*texts.values(), None}, "torn"
    if whole:
        assert len(found) == 1, "mixed"
        left = [path for path in root.rglob("*.tmp")]
        assert not left, left


for _ in range(rounds):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # nobody would stop it if this script were killed
        os.write(writer, b"!")
        write_for_ever()
    os.read(reader, 1)  # a signal that comes earlier is lost: Python's fork forgets pending ones
    time.sleep(random.uniform(0, 0.03))
    os.kill(child, number)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -number
    os.close(reader)
    os.close(writer)
    check(whole=number != signal.SIGKILL)

apply(root, [Write(path=name, text="C", expected=data) for name, data in zip(names, read())])
assert set(read()) == {b"C"}
assert not list(root.rglob("*.tmp")), "a killed run's files are swept by the next one"
"""


def run(script: str, *arguments: object) -> None:
    """Run a script that asserts for itself in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=Path(rustci.__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize(
    ("number", "rounds"),
    [(signal.SIGKILL, 40), (signal.SIGINT, 12), (signal.SIGTERM, 12), (signal.SIGHUP, 12)],
)
def test_a_signal_at_any_moment(tmp_path: Path, number: signal.Signals, rounds: int) -> None:
    run(SIGNALLED, tmp_path, int(number), rounds)


def test_a_signal_before_the_first_rename_leaves_all_old(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(repo)
    handler = signal.getsignal(signal.SIGINT)
    real = os.fsync

    def interrupted(handle: int) -> None:
        signal.raise_signal(signal.SIGINT)
        real(handle)

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        apply(repo, WRITES)
    assert state(repo) == before
    assert signal.getsignal(signal.SIGINT) is handler


def test_an_editor_that_saves_at_the_last_moment_wins(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, before = os.replace, state(repo)

    def replace(source: Path, target: Path) -> None:
        (repo / "codecov.yml").write_bytes(b"saved by an editor\n")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(OutsideError, match="changed while rustci was running"):
        apply(repo, WRITES)
    before["codecov.yml"] = (before["codecov.yml"][0], b"saved by an editor\n")
    assert state(repo) == before


def test_a_signal_after_the_first_rename_comes_when_all_is_new(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.replace

    def interrupted(*args: Any) -> None:
        real(*args)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        apply(repo, WRITES)
    assert {data for _, data in state(repo).values() if data} == {b"new\n"}
    assert not list(repo.rglob("*.tmp"))


COUNTING = """
import os, sys
from pathlib import Path
from rustci.errors import OutsideError
from rustci.files import read_bytes
from rustci.transaction import Write, apply

root = Path(sys.argv[1])


def count():
    while True:
        old = [read_bytes(root, name) for name in ("a", "b")]
        text = str(int(old[0]) + 1)
        try:
            apply(root, [Write(path=n, text=text, expected=o) for n, o in zip("ab", old)])
            return
        except OutsideError as error:
            assert "changed while rustci was running" in error.message, error.message


children = []
for _ in range(8):
    child = os.fork()
    if child == 0:
        for _ in range(4):
            count()
        os._exit(0)
    children.append(child)
assert all(os.waitpid(child, 0)[1] == 0 for child in children)
"""


def test_eight_processes_lose_no_update(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("0")
    (tmp_path / "b").write_text("0")
    run(COUNTING, tmp_path)
    assert {path: data for path, (_, data) in state(tmp_path).items()} == {"a": b"32", "b": b"32"}


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold the lock as another run does."""
    handle = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def test_the_wait_for_another_run_ends(repo: Path) -> None:
    before = state(repo)
    start = time.monotonic()
    with locked(repo), pytest.raises(OutsideError, match="another rustci"):
        apply(repo, WRITES, patience=0.1)
    assert 0.1 <= time.monotonic() - start < 2
    assert state(repo) == before
    apply(repo, WRITES)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF])
def test_a_file_system_without_locks_is_written_all_the_same(
    repo: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    others = repo / f".rustci-{'0' * 32}.tmp"
    others.write_bytes(b"perhaps another run is at work\n")
    monkeypatch.setattr(fcntl, "flock", Fault(fcntl.flock, nth=1, error=OSError(code, "")))
    apply(repo, WRITES)
    assert (repo / "codecov.yml").read_bytes() == b"new\n"
    assert others.exists()
