"""From changed paths to the packages whose tests could change. Pure.

A package is affected where anything that its tests are built from may have changed: its own files,
those of the packages that it depends on, and files elsewhere that it reads. Dev-dependencies count
for the package itself and not for those that depend on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Optional

RESERVED = (".github/", ".cargo/", "rust-toolchain", "rust-toolchain.toml", "Cargo.lock")
"""What every package is built with, from the root of the repository or of the workspace."""
FOR_PEOPLE = re.compile(
    r"(?:.*/)?(?:[^/]+\.(?:md|markdown|adoc|rst)|(?:LICEN[CS]E|COPYING|NOTICE|AUTHORS)[^/]*"
    r"|CODEOWNERS|CITATION\.cff|\.mailmap|\.editorconfig)"
    r"|\.github/(?:ISSUE_TEMPLATE/.+|FUNDING\.yml|dependabot\.yml|renovate\.json5?|release\.yml)"
    r"|(?:deny|release-plz|cliff|[._]?typos)\.toml|\.?codecov\.yml|\.pre-commit-config\.yaml"
)
"""What people and other tools read: nothing is built from it, unless a file names it."""


@dataclass(frozen=True)
class Package:
    """One package, a member of the workspace or a path dependency outside it.

    Paths are relative to the repository; those of folders end with a slash, and its own is empty.
    """

    name: str
    folder: str
    member: bool = True
    owned: tuple[str, ...] = ()
    """The folders and files that are its own where others may lie beside them; else all."""
    needs: frozenset[str] = frozenset()
    """The folders of its dependencies and build-dependencies."""
    tested_with: frozenset[str] = frozenset()
    """The folders of its dev-dependencies, and of packages whose programs its tests start."""
    starts: frozenset[str] = frozenset()
    """Those of the latter: they have to be built beside it."""
    reads: frozenset[str] = frozenset()
    """Paths outside the folder that its files name: a file, or a folder without its slash."""
    build_script: str = ""
    doctested: bool = False
    spec: str = ""
    """How cargo tells it from other packages of the same name."""


@dataclass(frozen=True)
class Workspace:
    """The packages, and what belongs to all of them."""

    packages: tuple[Package, ...]
    folder: str = ""
    shared: frozenset[str] = frozenset()
    """The folders of packages that `[patch]` may put below any other."""
    foreign: frozenset[str] = frozenset()
    """The folders with a manifest that this workspace is not built from: those of another one."""


@dataclass(frozen=True)
class Selection:
    """The packages to test, with the reason for each; or everything, with the reason for that."""

    reasons: Mapping[str, str] = field(default_factory=dict)
    """By the package's name."""
    everything: str = ""


@dataclass(frozen=True)
class Change:
    """A path that differs between the base and the head."""

    path: str
    deleted: bool = False


Extra = tuple[str, tuple[str, ...]]
"""A path and the packages that it belongs to, as `tests.affected_paths` says."""


class Everything(Exception):
    """Something that every package may depend on; the message says what."""


def select(
    changes: Sequence[Change], workspace: Workspace, extras: Sequence[Extra] = ()
) -> Selection:
    """Return what the changes affect."""
    try:
        changed = _changed(changes, workspace, extras)
    except Everything as reason:
        return Selection(everything=str(reason))
    return Selection(reasons=_affected(changed, workspace))


def _changed(
    changes: Iterable[Change], workspace: Workspace, extras: Sequence[Extra]
) -> dict[str, str]:
    """Return the folders of the packages with an input that changed, each with that input."""
    folders = {package.name: package.folder for package in workspace.packages}
    found: dict[str, str] = {}
    for change in changes:
        _refuse_shared(change, workspace)
        inner = _innermost(change.path, workspace.packages)
        named = [names for path, names in extras if _within(change.path, path)]
        owners = [_known(name, folders) for names in named for name in names]
        if inner and _owns(inner, change.path):
            owners.append(inner.folder)
        elif not named:
            if not _apart(change.path, workspace):
                raise Everything(f"`{change.path}` belongs to no package")
            # Whoever is around it can name it without leaving the folder.
            owners += [inner.folder] if inner else []
        owners += [p.folder for p in workspace.packages if _reads(p, change.path)]
        for folder in owners:
            if folder in workspace.shared:
                raise Everything(f"`[patch]` may put `{folder}` below any package")
            found.setdefault(folder, change.path)
    return found


def _refuse_shared(change: Change, workspace: Workspace) -> None:
    """Raise Everything for a path that concerns every package."""
    path = change.path
    for root in {"", workspace.folder}:
        if path.startswith(root) and _reserved(path[len(root) :]) and not for_people(path):
            raise Everything(f"`{path}` concerns every package")
    manifest = path.rpartition("/")[2] == "Cargo.toml"
    known = {package.folder + "Cargo.toml" for package in workspace.packages}
    # Features are unified over all packages: a manifest can change how any of them is compiled.
    if manifest and (change.deleted or path in known or path == workspace.folder + "Cargo.toml"):
        raise Everything(f"`{path}` may change the features of any package")
    for package in workspace.packages:
        if path == package.build_script and _dependents(package.folder, workspace.packages):
            raise Everything(f"`{path}` builds a package that others depend on")


def _reserved(path: str) -> bool:
    return any(path.startswith(one) if one.endswith("/") else path == one for one in RESERVED)


def _dependents(folder: str, packages: Iterable[Package]) -> list[str]:
    return [p.folder for p in packages if folder in p.needs | p.tested_with]


def _innermost(path: str, packages: Iterable[Package]) -> Optional[Package]:
    """Return the innermost package around a path."""
    around = (package for package in packages if path.startswith(package.folder))
    return max(around, key=lambda package: len(package.folder), default=None)


def _owns(package: Package, path: str) -> bool:
    """Whether a path in a package's folder is its own, and nobody else's."""
    return not package.owned or any(_within(path, one) for one in package.owned)


def _apart(path: str, workspace: Workspace) -> bool:
    """Whether only those use a path that name it, or that it lies in."""
    return for_people(path) or any(path.startswith(folder) for folder in workspace.foreign)


def for_people(path: str) -> bool:
    """Whether people and other tools alone read a file, unless another names it."""
    return bool(FOR_PEOPLE.fullmatch(path))


def _known(name: str, folders: Mapping[str, str]) -> str:
    if name not in folders:
        raise Everything(f"`tests.affected_paths` names `{name}`, which is no package")
    return folders[name]


def _within(path: str, place: str) -> bool:
    """Whether a path is a place, or lies in it; with or without its slash."""
    place = place.rstrip("/")
    return not place or path == place or path.startswith(place + "/")


def _reads(package: Package, path: str) -> bool:
    return any(_within(path, place) for place in package.reads)


def _affected(changed: Mapping[str, str], workspace: Workspace) -> dict[str, str]:
    by_folder = {package.folder: package for package in workspace.packages}
    below = {folder: _below(folder, by_folder) for folder in by_folder}
    found: dict[str, str] = {}
    for package in workspace.packages:
        if not package.member:
            continue
        for root in (package.folder, *sorted(package.tested_with & below.keys())):
            for folder in (root, *sorted(below[root] - {root})):
                if folder in changed and package.name not in found:
                    found[package.name] = _why(package, by_folder[folder], changed[folder])
    for package in workspace.packages:
        for folder in package.starts if package.name in found else ():
            started = by_folder[folder]
            if started.member:
                found.setdefault(started.name, f"`{package.name}` starts its program")
    return found


def _below(folder: str, packages: Mapping[str, Package]) -> set[str]:
    """Return the folders of all packages that one is built from."""
    seen = {folder}
    waiting = [folder]
    while waiting:
        for other in packages[waiting.pop()].needs & packages.keys():
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return seen


def _why(package: Package, changed: Package, path: str) -> str:
    if package is changed:
        return f"`{path}` changed"
    return f"depends on `{changed.name}`: `{path}` changed"
