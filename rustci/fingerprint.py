"""One hash over all that the answer of `rustci check` depends on, computed without rendering.

The lock keeps it beside the files that it was true for. As long as it is the same, nothing has to
be rendered, and no workflow parsed, to know that all is well.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from rustci import __version__, discover, facts, files
from rustci.discover.git_files import find_root
from rustci.errors import ConfigError
from rustci.lock import Lock, read
from rustci.paths import CONFIG, WORKFLOWS
from rustci.project import Project
from rustci.tomlio import loads

CLEAN = "clean: an update would change nothing, and every rule holds"
DIRECTORY_VARIABLE = "RUSTCI_WORKFLOWS_DIRECTORY"


def answer(path: Path) -> tuple[str, ...] | None:
    """Return what `rustci check` says if the lock vouches for it, else None. Raises RustciError."""
    root = find_root(path.resolve()) or path.resolve()
    lock = read(root)
    if lock is None or not holds(path, root, lock, os.environ, datetime.now(UTC).date()):
        return None
    return (*(lock.seal.notes if lock.seal else ()), CLEAN)


def holds(path: Path, root: Path, lock: Lock, environ: Mapping[str, str], today: date) -> bool:
    """Whether the lock's seal says that nothing is wrong. Raises RustciError."""
    if lock.seal is None or lock.version != __version__ or today.isoformat() >= lock.seal.until:
        return False
    return lock.seal.fingerprint == fingerprint(path, root, lock, environ)


def fingerprint(path: Path, root: Path, lock: Lock, environ: Mapping[str, str]) -> str:
    """Return the hash of tool, answers, facts and files. Raises RustciError."""
    settings = {name: environ[name] for name in environ if name.startswith("RUSTCI_")}
    config = files.read_text(root, CONFIG) or ""
    project = discover.read_project(path, _directory(config, settings), workflows=False)
    digest = sha256()
    for part in (
        __version__,
        *canonical(settings),
        config,
        *canonical(_judged(project, lock)),
        *_contents(root, lock),
        *unknown_workflows(root, lock),
    ):
        digest.update(part.encode(errors="surrogateescape") + b"\0")
    return digest.hexdigest()


def unknown_workflows(root: Path, lock: Lock) -> tuple[str, ...]:
    """Return the workflow files that rustci did not write, sorted."""
    try:
        names = sorted(entry.name for entry in os.scandir(root / WORKFLOWS))
    except OSError:
        return ()
    paths = (f"{WORKFLOWS}/{name}" for name in names if name.endswith((".yml", ".yaml")))
    return tuple(path for path in paths if path not in lock.files)


def canonical(value: Any) -> Iterator[str]:
    """Yield text that two values share exactly if they are equal, in this process and the next."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield field.name
            yield from canonical(getattr(value, field.name))
    elif isinstance(value, Mapping):
        yield "{"
        for key in sorted(value):
            yield str(key)
            yield from canonical(value[key])
        yield "}"
    elif isinstance(value, tuple | list | set | frozenset):
        yield "["
        ordered = sorted(value) if isinstance(value, set | frozenset) else value
        for item in ordered:
            yield from canonical(item)
        yield "]"
    else:
        yield f"{type(value).__name__}:{value}"


def _judged(project: Project, lock: Lock) -> list[Any]:
    """Return the facts, less those that the lock outranks: a checkout in CI lacks them."""
    repository = project.repository
    branch = lock.facts.get(facts.BRANCH) or repository.default_branch
    return [
        project.main,
        project.others,
        project.toolchain,
        project.cargo_config,
        branch,
        lock.facts,
        repository.files,
        repository.nextest_profiles,
        repository.rustfmt_unstable,
    ]


def _contents(root: Path, lock: Lock) -> Iterator[str]:
    for path, data in files.read_all(root, sorted(lock.files)):
        file = lock.files[path]
        yield path
        yield file.state.value
        yield from canonical(file.apart)
        yield file.digest or sha256(file.text.encode()).hexdigest()
        yield "absent" if data is None else sha256(data).hexdigest()
    yield from canonical(lock.beside)


def _directory(config: str, settings: Mapping[str, str]) -> PurePosixPath | None:
    table = loads(config, CONFIG, error=ConfigError).get("workflows")
    named = table.get("directory") if isinstance(table, dict) else None
    found = settings.get(DIRECTORY_VARIABLE) or named
    return PurePosixPath(found) if isinstance(found, str) else None
