"""The labels that `runs-on:` may name: GitHub's own, from `data/runners.toml`, and custom ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from rustci.data import load, structure

CUSTOM_LABEL = re.compile(r"[A-Za-z0-9._-]{1,100}")
"""What rustci accepts as the label of a self-hosted or larger runner."""


class System(StrEnum):
    """An operating system that GitHub hosts."""

    LINUX = "linux"
    MACOS = "macos"
    WINDOWS = "windows"


class Architecture(StrEnum):
    """A processor architecture, in GitHub's spelling, lower case."""

    X64 = "x64"
    ARM64 = "arm64"


class State(StrEnum):
    """Where a label stands in its life."""

    CURRENT = "current"
    PREVIEW = "preview"
    MOVING = "moving"
    """It names another image from time to time, without a commit."""
    DEPRECATED = "deprecated"
    REMOVED = "removed"


_HOSTS = {
    (System.LINUX, Architecture.X64): "x86_64-unknown-linux-gnu",
    (System.LINUX, Architecture.ARM64): "aarch64-unknown-linux-gnu",
    (System.MACOS, Architecture.X64): "x86_64-apple-darwin",
    (System.MACOS, Architecture.ARM64): "aarch64-apple-darwin",
    (System.WINDOWS, Architecture.X64): "x86_64-pc-windows-msvc",
    (System.WINDOWS, Architecture.ARM64): "aarch64-pc-windows-msvc",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """One runner label and what is known of the machine behind it."""

    label: str
    os: System | None = None
    """None for a custom label: nothing is known of its machine."""
    arch: Architecture | None = None
    state: State = State.CURRENT
    ends: str | None = None
    """The year, month or day (ISO 8601) of its removal, as exactly as it is known."""
    replacement: str | None = None
    dollars_per_minute: float | None = None
    """US$ for private repositories; public ones pay nothing."""
    rust: bool = True
    """rustup, rustc and cargo are on the image."""
    known_to_actionlint: bool = True
    """actionlint 1.7.12 accepts the label without configuration."""
    hosted: bool = True
    """False for self-hosted and larger runners, whose labels their owner chose."""
    note: str = ""

    @property
    def host(self) -> str | None:
        """The target triple of its Rust toolchain, or None for a custom label."""
        return _HOSTS[self.os, self.arch] if self.os and self.arch else None


@cache
def runners() -> Mapping[str, Runner]:
    """Return GitHub's runners by label."""
    tables = load("runners")["runner"]
    found = (structure(Runner, table, f"runners.toml: {table['label']}") for table in tables)
    return MappingProxyType({runner.label: runner for runner in found})


def runner(label: str) -> Runner | None:
    """Return what `label` stands for (case is ignored), or None if it cannot be a label."""
    if known := runners().get(label.lower()):
        return known
    if CUSTOM_LABEL.fullmatch(label):
        return Runner(label=label, hosted=False, rust=False, known_to_actionlint=False)
    return None


def default_runner(os: str) -> Runner:
    """Return the runner that is recommended for `os` (linux, macos, windows). Raises KeyError."""
    return runners()[load("runners")["default"][os]]


def validate_label(label: str) -> str | None:
    """Return why no Rust job should run on `label`, with what to write instead, or None."""
    found = runner(label)
    if found is None:
        return f"{label!r} is not a runner label: use letters, digits, `.`, `_` and `-` only"
    if not found.hosted:
        return None
    if found.state is State.REMOVED:
        problem = f"was removed ({found.ends}) and never starts"
    elif found.state is State.MOVING:
        problem = "moves to another image without a commit"
    elif not found.rust:
        problem = "has no Rust"
    else:
        return None
    return f"{found.label} {problem}: use {found.replacement}"
