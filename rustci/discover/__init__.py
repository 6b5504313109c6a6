"""Reading a Rust project from its files. Nothing of the repository is ever run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from rustci.discover.cargo_config import read_cargo_config
from rustci.discover.database import read_database
from rustci.discover.git_files import find_root, git_directory
from rustci.discover.ignore import Ignore
from rustci.discover.layout import choose_main, find_candidates
from rustci.discover.lockfile import read_lockfile
from rustci.discover.manifest import Manifests
from rustci.discover.repository import read_repository
from rustci.discover.source import SourceReader
from rustci.discover.toolchain import read_toolchain
from rustci.discover.tree import Tree, join
from rustci.discover.workspace import Workspaces
from rustci.errors import Location, ProjectError
from rustci.project import Project, Workspace


def read_project(
    root: Path, directory: PurePosixPath | None = None, *, workflows: bool = True
) -> Project:
    """Return the facts of the repository that `root` is in.

    `directory`, relative to the repository's root, picks the main workspace where several could be
    meant. Without `workflows` those that exist are not read: that takes longest.
    Raises ProjectError for what cannot be read, DecisionNeeded where a person must choose.
    """
    start = _existing(root)
    top = find_root(start) or start
    return _Reading(top, workflows=workflows).project(start, directory)


class _Reading:
    """One reading of one repository: every folder and file is taken up at most once."""

    def __init__(self, top: Path, *, workflows: bool) -> None:
        self.top = top
        self.workflows = workflows
        self.tree = Tree(top)
        self.git = git_directory(top)
        own, common = (self.git.own, self.git.common) if self.git else (None, None)
        self.ignore = Ignore(self.tree, own, common)
        self.workspaces = Workspaces(self.tree, Manifests(self.tree))
        self.sources = SourceReader(self.tree)

    def project(self, start: Path, directory: PurePosixPath | None) -> Project:
        found = find_candidates(self.workspaces)
        pointed_at = start.relative_to(self.top).as_posix()
        chosen = choose_main(self.workspaces, found, pointed_at, directory)
        main = self._workspace(chosen)
        others, notes = self._others(found.roots, main)
        config = read_cargo_config(self.tree, chosen)
        return Project(
            root=self.top,
            main=main,
            others=others,
            toolchain=read_toolchain(self.tree, chosen),
            cargo_config=config,
            repository=read_repository(
                self.tree,
                self.git,
                self.ignore,
                chosen,
                config,
                _folders(main, *others) if self.workflows else None,
            ),
            database=read_database(self.tree, main),
            notes=(*found.notes, *notes, *self.sources.notes),
        )

    def _workspace(self, directory: str) -> Workspace:
        lockfile = read_lockfile(self.tree, directory, self.ignore)
        workspace = self.workspaces.read(directory, lockfile)
        members = (replace(p, source=self.sources.read(p)) for p in workspace.members)
        return replace(workspace, members=tuple(members))

    def _others(
        self, roots: tuple[str, ...], main: Workspace
    ) -> tuple[tuple[Workspace, ...], tuple[str, ...]]:
        """Return the remaining workspaces, and a note for each that Cargo could not load."""
        others, notes = [], []
        claimed = {package.directory for package in main.members} | {main.directory}
        for directory in roots:
            if PurePosixPath(directory) in claimed:
                continue
            try:
                others.append(self._workspace(directory))
            except ProjectError as error:
                notes.append(f"{join(directory, 'Cargo.toml')} is left out: {error.message}")
        return tuple(others), tuple(notes)


def _folders(*workspaces: Workspace) -> dict[str, str]:
    packages = [package for workspace in workspaces for package in workspace.members]
    return {package.name: str(package.directory) for package in reversed(packages)}


def _existing(root: Path) -> Path:
    try:
        start = root.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise ProjectError(
            "there is no such folder", where=Location(root), hint="check the path"
        ) from error
    if not start.is_dir():
        raise ProjectError(
            "this is no folder", where=Location(root), hint="name the project's folder"
        )
    return start
