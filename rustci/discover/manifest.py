"""One Cargo.toml: parsed, and made a `Package` with the workspace's values inherited.

Source of the rules: https://doc.rust-lang.org/cargo/reference/manifest.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from rustci.discover.dependencies import DependencyReader, Inherited
from rustci.discover.targets import TargetReader
from rustci.discover.toml import Table, read_toml
from rustci.discover.tree import Tree, join
from rustci.errors import ProjectError
from rustci.project import Dependency, DocsRs, Package, RustVersion

MANIFEST = "Cargo.toml"
OLDEST_EDITION = "2015"
_PACKAGE_NAME = re.compile(r"[^\W\d][\w-]*")
_FEATURE_NAME = re.compile(r"\w[\w+.-]*")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A parsed Cargo.toml in `directory`."""

    directory: str
    document: Table
    package: Table | None
    workspace: Table | None

    def field(self, key: str, root: Manifest | None) -> Table | None:
        """Return the table that holds `package.KEY`: the root's where it is inherited."""
        package = self.package
        if package is None or key not in package:
            return None
        if not isinstance(package.values[key], dict):
            return package
        shared = root.workspace.table("package") if root and root.workspace else None
        if package.table(key) is None or not package.values[key].get("workspace"):
            package.fail(f"`package.{key}` is a table without `workspace = true`", key)
        if shared is None or key not in shared:
            package.fail(
                f"`package.{key}` is inherited, but the workspace does not set it",
                key,
                f"add `{key}` to [workspace.package] of the root manifest",
            )
        return shared


class Manifests:
    """The manifests of a repository, each read once."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._read: dict[str, Manifest] = {}

    def exists(self, directory: str) -> bool:
        """Whether a Cargo.toml is there."""
        return self.tree.is_file(join(directory, MANIFEST))

    def read(self, directory: str) -> Manifest:
        """Return the manifest of a folder. Raises ProjectError."""
        found = self._read.get(directory)
        if found is None:
            found = self._read[directory] = _manifest(self.tree, directory)
        return found

    def attempt(self, directory: str) -> Manifest | None:
        """Return the manifest of a folder, or None where the file is none."""
        try:
            return self.read(directory)
        except ProjectError:
            return None


def _manifest(tree: Tree, directory: str) -> Manifest:
    document = read_toml(tree, join(directory, MANIFEST))
    package, workspace = document.table("package", "project"), document.table("workspace")
    if package is None and workspace is None:
        document.fail(
            "the manifest has neither [package] nor [workspace]",
            hint="add one, or take the folder out of `workspace.members`",
        )
    return Manifest(directory, document, package, workspace)


def read_package(tree: Tree, manifest: Manifest, root: Manifest | None) -> Package:
    """Return the package that a manifest declares, its sources unread. Raises ProjectError."""
    package = manifest.package
    if package is None:
        manifest.document.fail(
            "a workspace member has no [package]",
            hint="add one, or take the folder out of `workspace.members`",
        )
    edition = _inherited(manifest, root, "edition") or OLDEST_EDITION
    inherited = _workspace_dependencies(root)
    dependencies = DependencyReader(
        manifest.document, manifest.directory, edition, inherited
    ).read()
    version = _inherited(manifest, root, "version")
    lints = manifest.document.table("lints")
    metadata = _metadata(package)
    return Package(
        name=_name(package),
        version=version or "0.0.0",
        directory=PurePosixPath(manifest.directory),
        edition=edition,
        rust_version=_rust_version(manifest, root),
        publish=_publish(manifest, root, versioned=version is not None),
        links=package.string("links"),
        features=_features(manifest.document, dependencies),
        targets=TargetReader(tree, manifest.directory, manifest.document, edition).read(),
        dependencies=dependencies,
        license=_inherited(manifest, root, "license"),
        described=bool(_inherited(manifest, root, "description")),
        docs_rs=_docs_rs(metadata),
        metadata=tuple(sorted(metadata)),
        lints_workspace=lints is not None and lints.boolean("workspace") is True,
        default_run=package.string("default-run"),
    )


def _name(package: Table) -> str:
    name = package.string("name")
    if name is None:
        package.fail("the package has no `name`", hint='add `name = "…"` to [package]')
    if not _PACKAGE_NAME.fullmatch(name):
        package.fail(
            f"{name!r} is no package name", "name", "use letters, digits, `-` and `_` only"
        )
    return name


def _inherited(manifest: Manifest, root: Manifest | None, key: str) -> str | None:
    holder = manifest.field(key, root)
    return holder.string(key) if holder else None


def _rust_version(manifest: Manifest, root: Manifest | None) -> RustVersion | None:
    holder = manifest.field("rust-version", root)
    text = holder.string("rust-version") if holder else None
    if holder is None or text is None:
        return None
    try:
        # Cargo takes a bare `1` for 1.0.
        return RustVersion.parse(f"{text}.0" if text.isdecimal() else text)
    except ValueError:
        holder.fail(
            f"{text!r} is no Rust version", "rust-version", "write it as `1.85` or `1.85.0`"
        )


def _publish(
    manifest: Manifest, root: Manifest | None, *, versioned: bool
) -> tuple[str, ...] | None:
    holder = manifest.field("publish", root)
    if holder is None:
        return None if versioned else ()
    if isinstance(holder.values["publish"], bool):
        return None if holder.boolean("publish") else ()
    return holder.strings("publish")


def _features(
    document: Table, dependencies: tuple[Dependency, ...]
) -> Mapping[str, tuple[str, ...]]:
    table = document.table("features")
    declared: dict[str, tuple[str, ...]] = {}
    for name in table.values if table else ():
        if table is not None:
            if not _FEATURE_NAME.fullmatch(name):
                table.fail(f"{name!r} is no feature name", name, "see `cargo help features`")
            declared[name] = table.strings(name) or ()
    named = {entry[4:] for entries in declared.values() for entry in entries if entry[:4] == "dep:"}
    implied = {
        dependency.local_name: (f"dep:{dependency.local_name}",)
        for dependency in dependencies
        if dependency.optional and dependency.local_name not in named
    }
    return {**implied, **declared}


def _workspace_dependencies(root: Manifest | None) -> Inherited:
    if root is None or root.workspace is None:
        return Inherited(".", None)
    return Inherited(root.directory, root.workspace.table("dependencies"))


def _metadata(package: Table) -> Mapping[str, Any]:
    """Return `[package.metadata]`, in which Cargo allows anything."""
    metadata = package.values.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _docs_rs(metadata: Mapping[str, Any]) -> DocsRs | None:
    """Return the settings of docs.rs (https://docs.rs/about/metadata), or None without any."""
    docs = metadata.get("docs")
    found = docs.get("rs") if isinstance(docs, dict) else None
    found = metadata.get("docs-rs") if found is None else found
    if found is None:
        return None
    table = found if isinstance(found, dict) else {}
    features = table.get("features")
    return DocsRs(
        features=tuple(map(str, features)) if isinstance(features, list) else (),
        all_features=table.get("all-features") is True,
        targets=_docs_rs_targets(table),
    )


def _docs_rs_targets(settings: Mapping[str, Any]) -> tuple[str, ...]:
    targets = settings.get("targets")
    named = [settings.get("default-target"), *(targets if isinstance(targets, list) else ())]
    return tuple(dict.fromkeys(name for name in named if isinstance(name, str)))
