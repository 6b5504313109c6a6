"""Asks `cargo metadata` for the facts that rustci reads by itself, and puts them into our types.

Cargo is run the safe way: nothing of the project decides what runs. `--no-deps --offline`, a folder
of its own as working directory (no `.cargo/config.toml`, no toolchain file), and the toolchain set.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from rustci.project import (
    CrateTarget,
    Dependency,
    DependencyKind,
    DocsRs,
    Package,
    RustVersion,
    TargetKind,
    Workspace,
)

REGISTRIES = dict.fromkeys(("private", "internal"), "sparse+https://registry.example/index/")
"""What `.cargo/config.toml` would define; Cargo gets it through the environment."""


class Refused(Exception):
    """Cargo does not accept the manifest."""


class Facts(NamedTuple):
    """What Cargo knows of one workspace."""

    root: str
    packages: dict[str, Package]
    default_members: tuple[str, ...]


def metadata(manifest: Path, neutral: Path, toolchain: str = "stable") -> dict[str, Any]:
    """Run `cargo metadata` on a manifest from the folder `neutral`. Raises Refused."""
    home = neutral / "cargo-home"
    home.mkdir(exist_ok=True)
    keep = {key: os.environ[key] for key in ("PATH", "HOME", "RUSTUP_HOME") if key in os.environ}
    registries = {f"CARGO_REGISTRIES_{n.upper()}_INDEX": url for n, url in REGISTRIES.items()}
    command = ["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"]
    done = subprocess.run(
        [*command, "--manifest-path", str(manifest)],
        cwd=neutral,
        env=keep | registries | {"RUSTUP_TOOLCHAIN": toolchain, "CARGO_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Refused(done.stderr)
    return dict(json.loads(done.stdout))


def facts(answer: Mapping[str, Any], root: Path) -> Facts:
    """Return Cargo's answer in our own types, paths relative to `root`."""
    names = {package["id"]: package["name"] for package in answer["packages"]}
    return Facts(
        root=_relative(answer["workspace_root"], root),
        packages={package["name"]: _package(package, root) for package in answer["packages"]},
        default_members=tuple(sorted(names[i] for i in answer["workspace_default_members"])),
    )


def comparable(workspace: Workspace) -> Facts:
    """Return what rustci read of a workspace, without what Cargo does not print."""
    return Facts(
        root=str(workspace.directory),
        packages={package.name: _visible(package) for package in workspace.members},
        default_members=workspace.default_members,
    )


def _visible(package: Package) -> Package:
    return Package(
        name=package.name,
        version=package.version,
        directory=package.directory,
        edition=package.edition,
        rust_version=package.rust_version,
        publish=package.publish,
        links=package.links,
        features={name: tuple(package.features[name]) for name in sorted(package.features)},
        targets=tuple(sorted((_visible_target(t) for t in package.targets), key=_target_key)),
        dependencies=tuple(sorted((_visible_dep(d) for d in package.dependencies), key=repr)),
        license=package.license,
        described=package.described,
        docs_rs=package.docs_rs and DocsRs(targets=package.docs_rs.targets),
        metadata=package.metadata,
        default_run=package.default_run,
    )


def _visible_target(target: CrateTarget) -> CrateTarget:
    return CrateTarget(
        kind=target.kind,
        name=target.name,
        path=target.path,
        crate_types=target.crate_types,
        edition=target.edition,
        test=target.test,
        doctest=target.doctest,
        required_features=target.required_features,
    )


def _visible_dep(dependency: Dependency) -> Dependency:
    shown = {name: getattr(dependency, name) for name in Dependency.__dataclass_fields__}
    return Dependency(**shown | {"registry": "private" if dependency.registry else None})


def _package(package: Mapping[str, Any], root: Path) -> Package:
    manifest = PurePosixPath(_relative(package["manifest_path"], root))
    publish = package["publish"]
    extra = package["metadata"] or {}
    version = package["rust_version"]
    return Package(
        name=package["name"],
        version=package["version"],
        directory=manifest.parent,
        edition=package["edition"],
        rust_version=RustVersion.parse(version) if version else None,
        publish=None if publish is None else tuple(publish),
        links=package["links"],
        features={name: tuple(entries) for name, entries in sorted(package["features"].items())},
        targets=tuple(sorted((_target(t, root) for t in package["targets"]), key=_target_key)),
        dependencies=tuple(
            sorted((_dependency(d, root) for d in package["dependencies"]), key=repr)
        ),
        license=package["license"],
        described=bool(package["description"]),
        docs_rs=DocsRs(targets=_docs_rs_targets(extra.get("docs", {}).get("rs", {})))
        if "docs-rs" in extra or "rs" in extra.get("docs", {})
        else None,
        metadata=tuple(sorted(extra)),
        default_run=package["default_run"],
    )


def _docs_rs_targets(settings: Mapping[str, Any]) -> tuple[str, ...]:
    default = settings.get("default-target")
    named = [*([default] if default else []), *settings.get("targets", [])]
    return tuple(dict.fromkeys(named))


def _target(target: Mapping[str, Any], root: Path) -> CrateTarget:
    kind = target["kind"][0]
    known = kind if kind in set(TargetKind) else "lib"
    return CrateTarget(
        kind=TargetKind(known),
        name=target["name"],
        path=PurePosixPath(_relative(target["src_path"], root)),
        crate_types=tuple(target["crate_types"]),
        edition=target["edition"],
        test=target["test"],
        doctest=target["doctest"],
        required_features=tuple(target.get("required-features", ())),
    )


def _dependency(dependency: Mapping[str, Any], root: Path) -> Dependency:
    git = re.fullmatch(r"git\+([^?#]+).*", dependency["source"] or "")
    path = dependency.get("path")
    return Dependency(
        name=dependency["name"],
        rename=dependency["rename"],
        requirement=dependency["req"],
        kind=DependencyKind(dependency["kind"] or "normal"),
        optional=dependency["optional"],
        default_features=dependency["uses_default_features"],
        features=tuple(dependency["features"]),
        target=dependency["target"],
        path=PurePosixPath(_relative(path, root)) if path else None,
        git=git[1] if git else None,
        registry="private" if dependency["registry"] else None,
    )


def _target_key(target: CrateTarget) -> tuple[str, str]:
    return target.kind.value, target.name


def _relative(path: str, root: Path) -> str:
    return Path(os.path.relpath(path, root)).as_posix()
