"""Which packages belong together, by Cargo's own rules.

Source of the rules: https://doc.rust-lang.org/cargo/reference/workspaces.html
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from rustci.discover.lockfile import Lockfile
from rustci.discover.manifest import OLDEST_EDITION, Manifest, Manifests, read_package
from rustci.discover.toml import Table
from rustci.discover.tree import Tree, join
from rustci.project import Package, Workspace

_GLOB = re.compile(r"[*?\[]")
_RESOLVERS = {"2015": "1", "2018": "1", "2021": "2"}


class _Member(NamedTuple):
    """A folder that may be a member, and what names it."""

    directory: str
    dependency_of: str | None = None
    """The folder whose path dependency it is; None for an entry of `members`."""


class Workspaces:
    """Finds the workspaces of a repository and who belongs to them."""

    def __init__(self, tree: Tree, manifests: Manifests) -> None:
        self.tree = tree
        self.manifests = manifests

    def root_of(self, directory: str) -> str:
        """Return the root folder of the workspace that a package's folder belongs to."""
        manifest = self.manifests.read(directory)
        found = self._points_to(manifest, directory)
        for ancestor in _ancestors(directory):
            if found is not None:
                break
            above = self.manifests.attempt(ancestor) if self.manifests.exists(ancestor) else None
            found = self._points_to(above, directory) if above else None
        return directory if found is None else found

    def read(self, directory: str, lockfile: Lockfile) -> Workspace:
        """Return the workspace whose root manifest is in a folder. Raises ProjectError."""
        root = self.manifests.read(directory)
        members = self._members(root)
        edition = members[directory].edition if directory in members else None
        return Workspace(
            directory=lockfile.directory,
            virtual=root.package is None,
            explicit=root.workspace is not None,
            resolver=_resolver(root, edition),
            members=tuple(sorted(members.values(), key=lambda package: package.name)),
            default_members=self._default_members(root, members),
            claimed=self._claimed(root),
            lockfile=lockfile.committed,
            locked_packages=frozenset(lockfile.versions),
            locked_versions=lockfile.versions,
            locked_sources=lockfile.sources,
            metadata=_metadata(root),
        )

    def _points_to(self, manifest: Manifest, directory: str) -> str | None:
        """Return the workspace root that a manifest gives to the package in `directory`."""
        if manifest.workspace is not None:
            return None if _excluded(manifest, directory) else manifest.directory
        package = manifest.package
        pointer = package.string("workspace") if package else None
        if package is None or pointer is None:
            return None
        target = join(manifest.directory, pointer)
        root = self.manifests.read(target) if self.manifests.exists(target) else None
        if root is None or root.workspace is None:
            package.fail(
                f"`package.workspace` points to {pointer!r}, which is no workspace root",
                "workspace",
                "point it to the folder whose Cargo.toml has [workspace]",
            )
        return target

    def _members(self, root: Manifest) -> dict[str, Package]:
        found: dict[str, Package] = {}
        todo = [_Member(directory) for directory in self._listed(root, "members")]
        if root.package is not None:
            todo.append(_Member(root.directory))
        shared = root if root.workspace is not None else None
        while todo:
            member = todo.pop()
            if member.directory in found or not self._belongs(member, root):
                continue
            manifest = self._member_manifest(member, root)
            found[member.directory] = package = read_package(self.tree, manifest, shared)
            if shared is not None:
                todo += [
                    _Member(str(dependency.path), member.directory)
                    for dependency in package.dependencies
                    if dependency.path is not None
                ]
        _require_unique_names(root, found.values())
        return found

    def _belongs(self, member: _Member, root: Manifest) -> bool:
        directory = member.directory
        outside = member.dependency_of is not None and not _within(root.directory, directory)
        if outside and (
            not self.manifests.exists(directory) or self.root_of(directory) != root.directory
        ):
            return False
        return root.workspace is None or not _excluded(root, directory)

    def _member_manifest(self, member: _Member, root: Manifest) -> Manifest:
        if not self.manifests.exists(member.directory):
            self._fail_missing(member, root)
        manifest = self.manifests.read(member.directory)
        if manifest is not root and manifest.workspace is not None:
            manifest.document.fail(
                f"two workspace roots in one workspace: this and {root.document.path}",
                "workspace",
                "take [workspace] out of the member, or add its folder to `workspace.exclude`",
            )
        return manifest

    def _fail_missing(self, member: _Member, root: Manifest) -> None:
        holder = root
        named = f"workspace member `{member.directory}`"
        if member.dependency_of is not None:
            holder = self.manifests.read(member.dependency_of)
            named = f"path dependency `{member.directory}`"
        holder.document.fail(
            f"{named} has no Cargo.toml",
            "members" if holder is root else posixpath.basename(member.directory),
            "mend the path; if it is a git submodule, run `git submodule update --init`",
        )

    def _claimed(self, root: Manifest) -> frozenset[str]:
        """Return the folders of rustci's that cargo would take for members without a manifest."""
        patterns = (root.workspace.strings("members") if root.workspace else None) or ()
        return frozenset(
            name
            for name in (".github", ".config")
            if any(fnmatchcase(name, pattern.removeprefix("./")) for pattern in patterns)
            and not _excluded(root, join(root.directory, name), ignore_members=True)
        )

    def _listed(self, root: Manifest, key: str) -> list[str]:
        """Return the folders that `members` or `default-members` names, patterns expanded."""
        patterns = root.workspace.strings(key) if root.workspace else None
        found: list[str] = []
        for pattern in patterns or ():
            matches = sorted(self._glob(root.directory, pattern))
            found += matches or [join(root.directory, pattern)]
        return found

    def _glob(self, base: str, pattern: str) -> Iterator[str]:
        parts = [part for part in pattern.split("/") if part not in ("", ".")]
        if not any(_GLOB.search(part) for part in parts):
            return
        level = {base}
        for part in parts:
            level = {path for above in level for path in self._matches(above, part)}
        yield from level

    def _matches(self, directory: str, part: str) -> Iterable[str]:
        if part == "**":
            return [path for path, _ in self.tree.walk(directory)]
        if not _GLOB.search(part):
            path = join(directory, part)
            return [path] if self.tree.is_directory(path) else []
        names = self.tree.listing(directory).directories
        return [join(directory, name) for name in names if fnmatchcase(name, part)]

    def _default_members(self, root: Manifest, members: dict[str, Package]) -> tuple[str, ...]:
        if root.workspace is not None and "default-members" in root.workspace:
            listed = set(self._listed(root, "default-members"))
            for directory in sorted(listed - set(members)):
                if not _excluded(root, directory):
                    root.workspace.fail(
                        f"`{directory}` is a default member, but no member",
                        "default-members",
                        "add it to `workspace.members`",
                    )
            chosen = [members[directory] for directory in listed if directory in members]
        elif root.package is None:
            chosen = list(members.values())
        else:
            chosen = [members[root.directory]]
        return tuple(sorted(package.name for package in chosen))


def _metadata(root: Manifest) -> tuple[str, ...]:
    metadata = root.workspace.values.get("metadata") if root.workspace else None
    return tuple(sorted(metadata)) if isinstance(metadata, dict) else ()


def _resolver(root: Manifest, edition: str | None) -> str:
    holders: tuple[Table | None, ...] = (root.package, root.workspace)
    for holder in holders:
        if holder is not None and (declared := holder.string("resolver")) is not None:
            return declared
    if root.package is None:
        return "1"
    return _RESOLVERS.get(edition or OLDEST_EDITION, "3")


def _excluded(root: Manifest, directory: str, *, ignore_members: bool = False) -> bool:
    """Whether `exclude` names the folder or one above it, and `members` does not."""
    if root.workspace is None or directory == root.directory:
        return False

    def named(key: str) -> bool:
        entries = (root.workspace.strings(key) if root.workspace else None) or ()
        return any(_within(join(root.directory, entry), directory) for entry in entries)

    return named("exclude") and (ignore_members or not named("members"))


def _within(above: str, directory: str) -> bool:
    if above == ".":
        return directory != ".." and not directory.startswith(("../", "/"))
    return directory == above or directory.startswith(f"{above}/")


def _ancestors(directory: str) -> Iterator[str]:
    while directory not in (".", "/", "") and not directory.startswith(".."):
        directory = posixpath.dirname(directory) or "."
        yield directory


def _require_unique_names(root: Manifest, packages: Iterable[Package]) -> None:
    seen: dict[str, Package] = {}
    for package in packages:
        other = seen.setdefault(package.name, package)
        if other is not package:
            root.document.fail(
                f"two members are named `{package.name}`: "
                f"{other.manifest_path} and {package.manifest_path}",
                "members",
                "rename one",
            )
