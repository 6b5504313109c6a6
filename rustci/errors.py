"""What can go wrong, and the exit code that each kind ends with.

    RustciError                     exit code
    ├── UsageError                  2   a flag or answer that cannot be used
    ├── ConfigError                 2   .github/rustci.toml (or --config, --set, RUSTCI_*)
    ├── ProjectError                2   the Rust project cannot be read
    ├── DecisionNeeded              3   a person has to choose; nothing was written
    └── OutsideError                4   disk, permissions, network; nothing half-written

Only `rustci.cli` catches them. A message says what was found, `where` says in which file and line,
`hint` says what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """The exit codes of every command."""

    OK = 0
    NO = 1
    """The answer is no: drift, a regression."""
    USAGE = 2
    """Wrong usage or bad input."""
    DECISION = 3
    """A decision is needed; nothing was written."""
    OUTSIDE = 4
    """The outside failed; nothing half-written."""
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file: `path`, and where they are known the line and column (both from 1)."""

    path: Path | str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """Return `path:line:column`, without the parts that are not known."""
        parts = [str(self.path), self.line, self.column]
        return ":".join(str(part) for part in parts if part is not None)


class RustciError(Exception):
    """A failure that the user can understand and act on."""

    exit_code = ExitCode.USAGE
    code = "error"

    def __init__(
        self, message: str, *, hint: str | None = None, where: Location | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where


class UsageError(RustciError):
    """A flag or an answer that cannot be used."""

    code = "usage"


class ConfigError(RustciError):
    """A setting that cannot be used, wherever it came from."""

    code = "config"


class ProjectError(RustciError):
    """The Rust project cannot be read."""

    code = "project"


class DecisionNeeded(RustciError):
    """Only a person can choose, and nobody was there to ask. Nothing was written."""

    exit_code = ExitCode.DECISION
    code = "decision"


class OutsideError(RustciError):
    """Disk, permissions or network failed. Nothing is half-written."""

    exit_code = ExitCode.OUTSIDE
    code = "outside"
