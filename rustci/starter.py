"""A first benchmark for a project that has none: `rustci init --starter-bench`.

It is a source file and two entries of the package's manifest. All belong to the user from then on:
the lock does not know them, and no later run touches them.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import Any

from rustci import files, tomlio
from rustci.errors import Location, ProjectError
from rustci.jobs.measuring import COUNTING, CRITERION, benchmarked_with
from rustci.project import (
    CrateTarget,
    Dependency,
    DependencyKind,
    Package,
    Project,
    RustVersion,
    TargetKind,
)
from rustci.scaffold import Change, ChangeKind, styled

NAME = "speed"
INSIDE = f"benches/{NAME}.rs"
"""Where the file is, from the package."""
RELEASES = ((RustVersion(1, 86), "0.8"), (RustVersion(1, 80), "0.7"), (RustVersion(0, 0), "0.5"))
"""The oldest Rust that each release of criterion compiles with, the newest first."""
BY_HAND = """\
add this to it by hand, then run the command again without `--starter-bench`:

[dev-dependencies]
criterion = {requirement}

[[bench]]
name = "{name}"
harness = false"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """What is to be written for which package."""

    package: Package
    crate: str
    """The library as code names it."""
    release: str
    """Of criterion; empty where the workspace names one for its members."""

    @property
    def path(self) -> str:
        """Where the benchmark is written, from the top of the repository."""
        return (self.package.directory / INSIDE).as_posix()

    @property
    def manifest(self) -> str:
        """The manifest that names it."""
        return self.package.manifest_path.as_posix()

    @property
    def requirement(self) -> str | dict[str, bool]:
        """What the manifest says of criterion."""
        return self.release or {"workspace": True}

    @property
    def oldest_edition(self) -> bool:
        """Whether a crate has to be named before it is used."""
        return self.package.edition == "2015"


def plan(project: Project, named: tuple[str, ...]) -> Starter | None:
    """Return what to write, None where there are benchmarks to gate.

    `named` are the packages of `benchmarks.packages`. Raises ProjectError where no library, or none
    of several, is there to measure, or where files are in the way.
    """
    if benchmarked_with(project, CRITERION | COUNTING):
        return None
    package, library = _chosen(project, named)
    starter = Starter(
        package=package, crate=library.name.replace("-", "_"), release=_release(project, package)
    )
    if files.read_bytes(project.root, starter.path) is not None:
        raise ProjectError(
            "is there already, and is no benchmark with criterion",
            where=Location(starter.path),
            hint="rename it, or write the benchmark yourself: `--starter-bench` replaces no file",
        )
    return starter


def _chosen(project: Project, named: tuple[str, ...]) -> tuple[Package, CrateTarget]:
    """Return the package to measure: the only one, the one that is named, or the root's."""
    found = [
        (package, library)
        for package in project.packages
        if (library := package.library) and "proc-macro" not in library.crate_types
    ]
    if not found:
        raise ProjectError(
            "there is no library, and a benchmark can call nothing else",
            where=Location(str(project.main.directory / "Cargo.toml")),
            hint="move what should be measured into a `src/lib.rs`, then run the command again",
        )
    root = [one for one in found if one[0].directory == project.main.directory]
    chosen = [one for one in found if one[0].name in named] if named else root or found
    if len(chosen) != 1:
        names = "`, `".join(package.name for package, _ in found)
        raise ProjectError(
            f"which library should be measured? There are `{names}`",
            where=Location(str(project.main.directory / "Cargo.toml")),
            hint=f"name one: `--bench-package {found[0][0].name}`",
        )
    return chosen[0]


def _release(project: Project, package: Package) -> str:
    """Return the newest criterion that the package's `rust-version` compiles."""
    path = (project.main.directory / "Cargo.toml").as_posix()
    root = _parsed(files.read_text(project.root, path) or "", path)
    if "criterion" in root.get("workspace", {}).get("dependencies", {}):
        return ""
    oldest = package.rust_version
    return next(release for rust, release in RELEASES if oldest is None or rust <= oldest)


def project_with(project: Project, starter: Starter) -> Project:
    """Return the project as it is read once the benchmark is written."""
    package = starter.package
    target = CrateTarget(
        kind=TargetKind.BENCH,
        name=NAME,
        path=package.directory / INSIDE,
        crate_types=("bin",),
        edition=package.edition,
        harness=False,
        test=False,
        bench=True,
    )
    dependency = Dependency(
        name="criterion", requirement=f"^{starter.release}", kind=DependencyKind.DEV
    )
    made = replace(
        package,
        targets=(*package.targets, target),
        dependencies=tuple(
            sorted(
                (*package.dependencies, dependency),
                key=lambda each: (each.kind, each.local_name, each.target or ""),
            )
        ),
    )
    members = tuple(made if each is package else each for each in project.main.members)
    return replace(project, main=replace(project.main, members=members))


def changes(project: Project, starter: Starter, text: str) -> tuple[Change, ...]:
    """Return the benchmark and the manifest that names it. Raises ProjectError."""
    path = starter.manifest
    old = files.read_bytes(project.root, path) or b""
    manifest = with_bench(files.read_text(project.root, path) or "", starter)
    reason = "yours from now on"
    return (
        Change(path=starter.path, kind=ChangeKind.CREATE, new=text, reason=reason),
        Change(
            path=path,
            kind=ChangeKind.UPDATE,
            old=old,
            new=styled(manifest, old),
            reason=f"criterion, and the benchmark `{NAME}`",
        ),
    )


def with_bench(text: str, starter: Starter) -> str:
    """Return a manifest with criterion and the benchmark in it, and all that was there.

    Raises ProjectError where that cannot be written without touching other lines.
    """
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    new = plain
    try:
        wanted = _parsed(plain, starter.manifest)
        listed = "dev-dependencies" in wanted
        wanted.setdefault("dev-dependencies", {})["criterion"] = starter.requirement
        wanted.setdefault("bench", []).append({"name": NAME, "harness": False})
        if listed and starter.release:
            new = tomlio.updated(plain, {"dev-dependencies.criterion": starter.release})
        elif starter.release:
            new = f'{_ended(plain)}\n[dev-dependencies]\ncriterion = "{starter.release}"\n'
        else:
            new = f"{_ended(plain)}\n[dev-dependencies.criterion]\nworkspace = true\n"
        new = f'{_ended(new)}\n[[bench]]\nname = "{NAME}"\nharness = false\n'
        whole = _parsed(new, starter.manifest) == wanted
    except (ProjectError, AttributeError, KeyError, TypeError, ValueError):
        whole = False
    if not whole or not _only_added(plain, new):
        raise ProjectError(
            "the benchmark cannot be named in it without rewriting other lines",
            where=Location(starter.manifest),
            hint=BY_HAND.format(requirement=_shown(starter), name=NAME),
        )
    return new


def _shown(starter: Starter) -> str:
    return f'"{starter.release}"' if starter.release else "{ workspace = true }"


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _only_added(old: str, new: str) -> bool:
    """Whether every line of the old text is in the new one, in order."""
    ended = _ended(old).splitlines()
    return all(
        not line.startswith("- ") for line in difflib.ndiff(ended, new.splitlines(), None, None)
    )


def _parsed(text: str, path: str) -> dict[str, Any]:
    return tomlio.loads(text.removeprefix("\ufeff"), path, error=ProjectError)
