"""PostgreSQL and Redis on their usual ports: act starts no service containers on the host."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import DEVNULL, Popen

PORTS = {"postgres": 5432, "redis-server": 6379}


def obstacle() -> str:
    """Return why the two cannot be started here, else nothing."""
    for name, port in PORTS.items():
        if not binary(name):
            return f"needs {name}, which is not installed"
        if _answers(port):
            return f"needs port {port} for {name}, which is taken"
    return ""


def binary(name: str) -> str | None:
    """Return the path of a server's program; Debian keeps PostgreSQL's beside the PATH."""
    debian = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")))
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *debian]))


@contextmanager
def running() -> Iterator[None]:
    """Start both, wait until they answer, and end them."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # PostgreSQL refuses to run as root.
        user = "postgres" if os.getuid() == 0 else None
        if user:
            shutil.chown(folder, user)
        postgres = Path(binary("postgres") or "").resolve()
        initdb = f"{postgres.with_name('initdb')} --pgdata=data --auth=trust --username=postgres"
        _start(initdb, folder, user).wait()
        for command in (
            f"{postgres} -D data -k {folder} -h 127.0.0.1",
            "redis-server --bind 127.0.0.1 --save ''",
        ):
            process = _start(command, folder, user)
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)
        _wait()
        yield


def _start(command: str, folder: Path, user: str | None) -> Popen[bytes]:
    return Popen(shlex.split(command), cwd=folder, user=user, stdout=DEVNULL, stderr=DEVNULL)


def _wait() -> None:
    deadline = time.monotonic() + 30
    while not all(map(_answers, PORTS.values())):
        if time.monotonic() > deadline:
            raise TimeoutError("PostgreSQL and Redis do not answer")
        time.sleep(0.1)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
