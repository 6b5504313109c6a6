"""What environment variables mean, and which secrets and variables a feature reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from rustci.data import load, structure_each


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One environment variable whose value the repository's settings on GitHub hold."""

    name: str
    secret: bool = False
    """A secret (`secrets.NAME`); otherwise a variable (`vars.NAME`)."""
    required: bool = False
    meaning: str

    @property
    def expression(self) -> str:
        """The GitHub expression that reads it."""
        return f"${{{{ {'secrets' if self.secret else 'vars'}.{self.name} }}}}"


@cache
def environment() -> Mapping[str, str]:
    """Return one line on each variable that workflows set or users meet."""
    return structure_each(str, load("environment")["variables"], "environment.toml")


def backend(name: str) -> tuple[Setting, ...]:
    """Return what sccache reads for the storage `name` (`s3`, `gcs`, …). Raises KeyError."""
    return backends()[name]


@cache
def backends() -> Mapping[str, tuple[Setting, ...]]:
    """Return what sccache reads, by storage."""
    return structure_each(tuple[Setting, ...], load("sccache")["backends"], "sccache.toml")
