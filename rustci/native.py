"""What a project's crates need from the system that a runner does not have.

`data/native_packages.toml` holds the crates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from rustci.data import load, structure
from rustci.runners import System


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeLibrary:
    """What is known of a group of crates that bind one native library. Keys: see the data file."""

    crates: tuple[str, ...]
    packages: tuple[str, ...] = ()
    tool: str | None = None
    direct: bool = False
    preinstalled: bool = False
    only: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()
    unless_locked: frozenset[str] = frozenset()
    heavy: bool = False
    not_on: frozenset[System] = frozenset()
    wrappers: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NativePackage:
    """What one crate of the project asks of the runner."""

    crate: str
    packages: tuple[str, ...] = ()
    """The Debian packages to install; empty where the image has what it needs."""
    tool: str | None = None
    """The tool that taiki-e/install-action installs in their place, on every system."""
    reason: str
    heavy: bool = False
    """It compiles C or C++ for minutes."""
    not_on: frozenset[System] = frozenset()
    """The systems on whose images the project does not build without more set-up."""


@cache
def libraries() -> tuple[NativeLibrary, ...]:
    """Return every entry of the data file, in its order."""
    return tuple(
        structure(NativeLibrary, table, f"native_packages.toml: {table['crates']}")
        for table in load("native_packages")["library"]
    )


def packages_for(
    locked: frozenset[str], direct: Mapping[str, frozenset[str]]
) -> tuple[NativePackage, ...]:
    """Return what the crates ask of an Ubuntu runner beyond its image, sorted by crate.

    `locked` are the crates of Cargo.lock, `direct` the direct dependencies with their features.
    Leave dependencies that a `cfg(…)` limits to some systems out of `direct`: they spoil none.
    """
    features = frozenset(f"{name}/{feature}" for name, on in direct.items() for feature in on)
    found = (
        _package(crate, library, direct)
        for library in libraries()
        if _needed(library, locked, features)
        if (crate := _present(library, locked, direct))
    )
    asking = (p for p in found if p.packages or p.tool or p.heavy or p.not_on)
    return tuple(sorted(asking, key=lambda package: (package.crate, package.packages)))


def _needed(library: NativeLibrary, locked: frozenset[str], features: frozenset[str]) -> bool:
    if library.unless & features or library.unless_locked & locked:
        return False
    return not library.only or bool(library.only & features)


def _present(
    library: NativeLibrary, locked: frozenset[str], direct: Mapping[str, frozenset[str]]
) -> str | None:
    """Return the crate that brings the library in. Without Cargo.lock only `direct` can tell."""
    here = [crate for crate in library.crates if not library.direct and crate in locked]
    if not here and (library.direct or not locked):
        here = [c for c in (*library.crates, *library.wrappers, *library.users) if c in direct]
    return here[0] if here else None


def _package(
    crate: str, library: NativeLibrary, direct: Mapping[str, frozenset[str]]
) -> NativePackage:
    where = "a direct dependency" if crate in direct else "in Cargo.lock"
    spoils = direct.keys() & {*library.crates, *library.wrappers}
    return NativePackage(
        crate=crate,
        packages=() if library.preinstalled else library.packages,
        tool=library.tool,
        reason=f"{crate} is {where}" + (f"; {library.note}" if library.note else ""),
        heavy=library.heavy,
        not_on=library.not_on if spoils else frozenset(),
    )
