"""The packages of the checked-out workspace: what cargo says, and what their files name."""

from __future__ import annotations

import json
import os
import posixpath
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .reads import File, Search, aim, found, relative_variables
from .selection import Package, Workspace, for_people

LIMIT = 120
"""Seconds for one command."""
TESTED = {"lib", "rlib", "proc-macro"}
NAME = re.compile(r"[\w-]+")
MANIFEST = "Cargo.toml"
PATCH = re.compile(r"^\s*\[\s*(?:patch|replace)\b[^\n]*\n((?:(?!^\s*\[)[^\n]*\n?)*)", re.MULTILINE)
INLINE_PATCH = re.compile(r"^\s*(?:patch|replace)\b", re.MULTILINE)
PATH = re.compile(r"""["']([^"'\n]*)["']""")


def run(*command: str) -> bytes:
    """Return what a command writes; raise where it fails."""
    done = subprocess.run(command, check=False, capture_output=True, timeout=LIMIT)
    if done.returncode:
        raise OSError(f"`{' '.join(command)}`: {os.fsdecode(done.stderr).strip()}")
    return done.stdout


def tracked() -> tuple[File, ...]:
    """Return the files of the repository that the working directory is the root of."""
    entries = os.fsdecode(run("git", "ls-files", "--stage", "-z")).split("\0")
    pairs = (entry.split("\t", 1) for entry in entries if entry)
    return tuple(File(path, link=stage.startswith("120000")) for stage, path in pairs)


def read(folder: str, files: Sequence[File]) -> Workspace:
    """Return the workspace in a folder of the repository; raise for what is not understood."""
    described, root = _described(folder)
    folders = {package["id"]: _folder(package["manifest_path"]) for package in described}
    members = {folders[package["id"]] for package in described if package["member"]}
    by_name = {package["name"]: folders[package["id"]] for package in described}
    count = _locked(root)
    found_ = [_package(p, folders, by_name, members, root, count) for p in described]
    owners = _files(found_, files)
    texts = (text for _, text in _configurations(root))
    variables = frozenset().union(*map(relative_variables, texts))
    programs = _programs(described, folders)
    links = {file.path: aim(file) for file in files if file.link}
    packages = tuple(
        _with_reads(p, found_, owners[p.folder], variables, programs, links) for p in found_
    )
    meant = _meant(root)
    known = {package.folder for package in packages} | {root} | meant
    manifests = {
        file.path[: -len(MANIFEST)] for file in files if file.path.endswith("/" + MANIFEST)
    }
    foreign = {f for f in manifests if not any(k.startswith(f) for k in known)}
    return Workspace(
        packages,
        folder=root,
        shared=frozenset(package.folder for package in packages) & meant,
        foreign=frozenset(f for f in foreign if not any(f.startswith(m) for m in meant)),
    )


def _described(folder: str) -> tuple[list[dict[str, Any]], str]:
    """Return what cargo says of the members, and of the path dependencies that are none."""
    waiting, packages, root = [folder + "Cargo.toml"], {}, None
    while waiting:
        manifest = waiting.pop()
        command = ("metadata", "--format-version=1", "--no-deps", f"--manifest-path={manifest}")
        answer = json.loads(run("cargo", *command))
        members = set(answer["workspace_members"]) if root is None else set()
        root = _relative(answer["workspace_root"]) if root is None else root
        for package in answer["packages"]:
            if package["manifest_path"] not in packages:
                member = package["id"] in members
                packages[package["manifest_path"]] = {**package, "member": member}
        paths = {d["path"] for p in packages.values() for d in p["dependencies"] if d.get("path")}
        known = {str(Path(path).parent) for path in packages}
        waiting = sorted(str(Path(path, "Cargo.toml")) for path in paths - known)
    return list(packages.values()), root + "/" if root else ""


def _relative(path: str) -> str:
    """Return a path from the root of the repository; raise where it lies outside or is linked."""
    here = os.path.realpath(".")
    inside = os.path.relpath(path, here)
    if inside.startswith("..") or os.path.realpath(path) != os.path.normpath(path):
        raise ValueError(f"`{path}` is outside the repository, or behind a link")
    return "" if inside == "." else Path(inside).as_posix()


def _folder(manifest: str) -> str:
    folder = _relative(str(Path(manifest).parent))
    return folder + "/" if folder else ""


def _package(
    described: Mapping[str, Any],
    folders: Mapping[str, str],
    by_name: Mapping[str, str],
    members: Iterable[str],
    root: str,
    locked: Mapping[str, int],
) -> Package:
    folder, name = folders[described["id"]], described["name"]
    if not NAME.fullmatch(name):
        raise ValueError(f"`{name}` is no name of a package")
    needs: set[str] = set()
    tested_with: set[str] = set()
    for dependency in described["dependencies"]:
        path = dependency.get("path")
        # One of the registry may be replaced by a member of the same name.
        other = _folder(str(Path(path, "Cargo.toml"))) if path else by_name.get(dependency["name"])
        if other is not None and other != folder:
            (tested_with if dependency["kind"] == "dev" else needs).add(other)
    targets = described["targets"]
    scripts = [_relative(t["src_path"]) for t in targets if "custom-build" in t["kind"]]
    sources = [_relative(target["src_path"]) for target in targets]
    outside = {posixpath.dirname(path) for path in sources if not path.startswith(folder)}
    around = folder == root or any(f != folder and f.startswith(folder) for f in folders.values())
    own = {_top(path, folder) for path in sources if path.startswith(folder)}
    version = described["version"]
    return Package(
        name=name,
        folder=folder,
        member=folder in members,
        owned=tuple(sorted(own)) if around else (),
        needs=frozenset(needs),
        tested_with=frozenset(tested_with),
        reads=frozenset(outside),
        build_script=scripts[0] if scripts else "",
        doctested=any(t.get("doctest") and set(t["kind"]) & TESTED for t in targets),
        spec=f"{name}@{version}" if locked.get(name, 0) > 1 else name,
    )


def _top(path: str, folder: str) -> str:
    """Return the folder of a package that a source is in, or the source itself."""
    first, slash, _ = path[len(folder) :].partition("/")
    return folder + first + slash


def _locked(root: str) -> dict[str, int]:
    """Return how many packages of each name Cargo.lock has."""
    counted: dict[str, int] = {}
    for name in re.findall(r'^name = "([^"]*)"', _text(root + "Cargo.lock"), re.MULTILINE):
        counted[name] = counted.get(name, 0) + 1
    return counted


def _text(path: str) -> str:
    file = Path(path)
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _configurations(root: str) -> list[tuple[str, str]]:
    """Return the folders that may have a configuration of cargo for a workspace, and its text."""
    folders = [root, *(f"{parent.as_posix()}/" for parent in Path(root).parents)]
    names = (".cargo/config.toml", ".cargo/config")
    return [(folder, _text(folder + name)) for folder in folders for name in names]


def _files(packages: Iterable[Package], files: Iterable[File]) -> dict[str, list[File]]:
    """Return the files of each package, by its folder: those in its innermost folder."""
    found_: dict[str, list[File]] = {package.folder: [] for package in packages}
    for file in files:
        folder = file.path
        while folder and folder not in found_:
            folder = folder.rstrip("/").rpartition("/")[0]
            folder += "/" if folder else ""
        if folder in found_:
            found_[folder].append(file)
    return found_


def _programs(
    described: Iterable[Mapping[str, Any]], folders: Mapping[str, str]
) -> dict[str, set[str]]:
    """Return the folders of the packages that a program may be meant of, by its name."""
    found_: dict[str, set[str]] = {}
    for package in described:
        bins = [t["name"] for t in package["targets"] if "bin" in t["kind"]]
        for name in (package["name"], *bins) if bins else ():
            found_.setdefault(name, set()).add(folders[package["id"]])
    return found_


def _with_reads(
    package: Package,
    packages: Iterable[Package],
    files: Iterable[File],
    variables: frozenset[str],
    programs: Mapping[str, set[str]],
    links: Mapping[str, str],
) -> Package:
    folders = {other.folder for other in packages} - {package.folder}
    size = len(package.folder)
    inner = {f[size:].split("/")[0] for f in folders if f.startswith(package.folder)}
    foreign = {name for name, owners in programs.items() if owners - {package.folder}}
    search = Search(package.folder, frozenset(inner), variables, frozenset(foreign))
    built, tested = found(search, files)
    # What lies in another package belongs to it, and may in turn lead on.
    paths = _followed(package.reads | built.paths, links)
    tested_paths = _followed(tested.paths, links)
    needs = {f for f in folders for path in paths if _leads(path, f, folders)}
    tested_with = {f for f in folders for path in tested_paths if _leads(path, f, folders)}
    programs_ = built.programs | tested.programs
    starts = {folder for name in programs_ for folder in programs[name]} - {package.folder}
    return replace(
        package,
        needs=package.needs | needs,
        tested_with=package.tested_with | tested_with | starts,
        starts=frozenset(starts),
        reads=paths | tested_paths,
    )


def _followed(paths: frozenset[str], links: Mapping[str, str]) -> frozenset[str]:
    """Return paths with those that links on the way, or inside, lead to."""
    while True:
        met = (link for link in links for path in paths if _near(link, path))
        if (more := paths.union(links[link] for link in met)) == paths:
            return paths
        paths = more


def _near(link: str, path: str) -> bool:
    """Whether a link is a path, lies on the way to it, or inside it."""
    return f"{path}/".startswith(f"{link}/") or f"{link}/".startswith(f"{path}/")


def _leads(path: str, folder: str, folders: Iterable[str]) -> bool:
    """Whether who names a path takes more of a package: a README names nothing in turn."""
    return not for_people(path) and _touch(path, folder, folders)


def _touch(path: str, folder: str, folders: Iterable[str]) -> bool:
    """Whether a path is in a folder, and in no package inside it, or the folder is in the path."""
    place = path + "/" if path else ""
    if folder.startswith(place):
        return True
    between = (f for f in folders if len(f) > len(folder) and f.startswith(folder))
    return place.startswith(folder) and not any(place.startswith(f) for f in between)


def _meant(root: str) -> frozenset[str]:
    """Return the folders that take the place of packages or of a registry, if they are any."""
    manifest = _text(root + MANIFEST)
    tables = [manifest] if INLINE_PATCH.search(manifest) else PATCH.findall(manifest)
    named = [(root, path) for table in tables for path in PATH.findall(table)]
    for folder, text in _configurations(root):
        named += [(folder, path) for path in PATH.findall(text)]
    return frozenset(posixpath.normpath(posixpath.join(*pair)) + "/" for pair in named)
