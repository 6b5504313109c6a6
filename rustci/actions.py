"""The actions and tools that generated workflows use, each at one exact version.

`data/actions.toml` and `data/tools.toml` hold them and say where each fact comes from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from rustci.data import load, structure, structure_each


class Evidence(StrEnum):
    """How far the pair of tag and commit is known to be true."""

    PEELED = "peeled"
    """Compared in the action's own repository."""
    PINNED_BY = "pinned-by"
    """Seen in the workflows of other projects."""


class Status(StrEnum):
    """How lively the action's repository is."""

    ACTIVE = "active"
    SLOW = "slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionPin:
    """One action at one release."""

    repo: str
    path: str = ""
    """Where its action.yml is below the repository; empty for the root."""
    version: str
    """The full tag."""
    sha: str
    """The commit that the tag names: 40 hex digits."""
    using: str
    """`node24` or `composite`."""
    inputs: frozenset[str]
    """The inputs that are not deprecated."""
    required: frozenset[str] = frozenset()
    """Those that have to be given. GitHub itself does not enforce it."""
    major: str
    """The ref for a copy that a linter reads: linters check `with:` only for refs they know."""
    evidence: Evidence
    projects: int = 0
    """How many other projects pin this tag and commit, where that is the evidence."""
    inputs_of: str | None = None
    """The older tag that `inputs` was read from, if not `version`."""
    status: Status
    newest_commit: date

    @property
    def name(self) -> str:
        """What `uses:` says before the `@`."""
        return f"{self.repo}/{self.path}" if self.path else self.repo

    @property
    def uses(self) -> str:
        """The value of `uses:` with the version comment that update bots read."""
        return f"{self.name}@{self.sha} # {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool that taiki-e/install-action installs, at one version."""

    name: str
    version: str
    absent: frozenset[str] = frozenset()
    """The systems without a binary, as `linux-arm64`."""
    newest_rust: str | None = None
    """The newest Rust that it is known to work with, where it reads what the compiler writes."""

    @property
    def spec(self) -> str:
        """What install-action's `tool:` input takes."""
        return f"{self.name}@{self.version}"

    def available_on(self, os: str, arch: str) -> bool:
        """Whether there is a binary for `os` (linux, macos, windows) and `arch` (x64, arm64)."""
        return f"{os}-{arch}" not in self.absent


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltTool:
    """One tool that is built from a registry which keeps a checksum of every version."""

    package: str
    """What the registry calls it."""
    version: str

    @property
    def spec(self) -> str:
        """What `cargo install` or `go run` takes."""
        return f"{self.package}@{self.version}"


@cache
def catalogue() -> Mapping[str, ActionPin]:
    """Return every action by the name that `uses:` gives it (`actions/cache/restore`)."""
    found: dict[str, ActionPin] = {}
    for table in load("actions")["action"]:
        common = {key: value for key, value in table.items() if key != "entry"}
        for entry in table["entry"]:
            action = structure(ActionPin, common | entry, f"actions.toml: {table['repo']}")
            found[action.name] = action
    return MappingProxyType(found)


def pin(name: str) -> ActionPin:
    """Return the catalogue's pin of `name`. Raises KeyError."""
    return catalogue()[name]


@cache
def tools() -> Mapping[str, Tool]:
    """Return every tool by the name that install-action gives it."""
    return MappingProxyType(
        {
            name: structure(Tool, {"name": name} | table, f"tools.toml: {name}")
            for name, table in load("tools")["tools"].items()
        }
    )


def tool(name: str) -> Tool:
    """Return the tool that install-action calls `name`. Raises KeyError."""
    return tools()[name]


@cache
def built_tools() -> Mapping[str, BuiltTool]:
    """Return every tool that install-action does not have, by name."""
    return structure_each(BuiltTool, load("tools")["built"], "tools.toml: built")


def fetched(name: str) -> str:
    """Return the version of a tool that an action of its own or npm brings. Raises KeyError."""
    return structure_each(str, load("tools")["fetched"], "tools.toml: fetched")[name]


def built(name: str) -> BuiltTool:
    """Return the tool that is built from its registry. Raises KeyError."""
    return built_tools()[name]
