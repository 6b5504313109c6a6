"""Replay commits of a repository as pull requests: `nox -s affected -- FOLDER [COUNT [TIMED]]`.

Each commit on the first-parent line is a pull request into its parent. The oracle compares, with
cargo's own description and the contents of the files, all that the tests of each package are built
from; it shares no code with the program. Prints what was missed, and the share of packages saved.
Runs no code of the repository but what `cargo metadata --no-deps` reads, unless some pull requests
are to be timed (`seconds.py`).
"""

from __future__ import annotations

import itertools
import json
import posixpath
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.affected import seconds
from tests.affected.repository import git, merged, outputs, selected

INCLUDED = re.compile(
    r'include(?:_str|_bytes)?!\s*\(\s*"([^"]+)"'
    r'|include(?:_str|_bytes)?!\s*\(\s*concat!\s*\(\s*env!\("CARGO_MANIFEST_DIR"\),\s*"([^"]+)"'
    r'|#!?\[path\s*=\s*"([^"]+)"'
)
SHARED = re.compile(
    r"^(\.cargo/.*|rust-toolchain(\.toml)?|Cargo\.(toml|lock)|\.github/(workflows|actions|rustci)/.*)$"
)


class Package(NamedTuple):
    """What cargo says of a member, and what its files name."""

    folder: str
    needs: frozenset[str]
    tested_with: frozenset[str]


class Tree:
    """One checked-out commit: blobs by path, and packages by name."""

    def __init__(self, root: Path, texts: dict[str, str]) -> None:
        lines = filter(None, git(root, "ls-tree", "-r", "-z", "HEAD").split("\0"))
        entries = [line.split("\t", 1) for line in lines]
        self.blobs = {path: entry.split()[2] for entry, path in entries}
        links = [path for entry, path in entries if entry.startswith("120000")]
        command = ["cargo", "metadata", "--offline", "--no-deps", "--format-version=1"]
        answer = json.loads(
            subprocess.run(command, cwd=root, check=True, capture_output=True).stdout
        )
        folders = {p["name"]: self._folder(root, p["manifest_path"]) for p in answer["packages"]}
        by_folder = {folder: name for name, folder in folders.items()}
        self.packages = {}
        for package in answer["packages"]:
            needs: dict[bool, set[str]] = {True: set(), False: set()}
            for dependency in package["dependencies"]:
                if path := dependency.get("path"):
                    other = by_folder.get(self._folder(root, f"{path}/Cargo.toml"))
                    needs[dependency["kind"] == "dev"].update(filter(None, [other]))
            parts = (folders[package["name"]], frozenset(needs[False]), frozenset(needs[True]))
            self.packages[package["name"]] = Package(*parts)
        self.shared = {path: blob for path, blob in self.blobs.items() if SHARED.match(path)}
        self.own: dict[str, set[str]] = {name: set() for name in self.packages}
        for path in self.blobs:
            around = [n for n, f in folders.items() if not f or path.startswith(f + "/")]
            if around:
                self.own[max(around, key=lambda name: len(folders[name]))].add(path)
        for paths in self.own.values():
            for path in tuple(paths):
                if path.endswith(".rs"):
                    paths.update(self._named(root, path, texts))
                if path in links:
                    aim = str((root / path).readlink())
                    paths.update(self._below(posixpath.join(posixpath.dirname(path), aim)))

    @staticmethod
    def _folder(root: Path, manifest: str) -> str:
        folder = Path(manifest).parent.relative_to(root).as_posix()
        return "" if folder == "." else folder

    def _below(self, path: str) -> set[str]:
        path = posixpath.normpath(path)
        if path in self.blobs:
            return {path}
        return {p for p in self.blobs if p.startswith(path + "/")}

    def _named(self, root: Path, path: str, texts: dict[str, str]) -> set[str]:
        blob = self.blobs[path]
        if blob not in texts:
            found = (
                (root / path).read_bytes().decode(errors="replace")
                if (root / path).is_file()
                else ""
            )
            texts[blob] = "\n".join(":".join(match) for match in INCLUDED.findall(found))
        named: set[str] = set()
        for line in filter(None, texts[blob].split("\n")):
            here, manifest, module = line.split(":")
            folder = posixpath.dirname(path)
            if manifest:
                owner = next(
                    (f for f in Path(path).parents if str(f / "Cargo.toml") in self.blobs), Path()
                )
                named |= self._below(posixpath.join(owner.as_posix(), manifest.lstrip("/")))
            else:
                named |= self._below(posixpath.join(folder, here or module))
        return named

    def inputs(self, name: str) -> dict[str, str]:
        """Return the blobs that the tests of a package are built from."""
        names = {name} | set(self.packages[name].tested_with)
        waiting = list(names)
        while waiting:
            for other in self.packages[waiting.pop()].needs - names:
                names.add(other)
                waiting.append(other)
        paths = set().union(*(self.own[one] for one in names))
        return self.shared | {path: self.blobs[path] for path in paths}


def replay(source: Path, count: int, timed: int) -> None:
    """Replay the newest commits of a repository, and print what came of it."""
    total: Counter[str] = Counter()
    fewer: list[tuple[str, str]] = []
    texts: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="rustci-replay-") as temp:
        root = Path(temp).resolve() / "repository"
        git(Path(temp), "clone", "--quiet", "--shared", "--no-tags", str(source), str(root))
        line = git(root, "rev-list", "--first-parent", f"--max-count={count + 1}", "HEAD").split()
        for head, base in itertools.pairwise(line):
            try:
                one = _pull_request(root, Path(temp), base, head, texts)
            except (subprocess.CalledProcessError, ValueError) as problem:
                print(f"{head[:9]} not replayed: {problem}")
                total["not replayed"] += 1
                continue
            total.update(one)
            if not one["everything"]:
                fewer.append((base, head))
        if timed:
            _time(root, Path(temp), seconds.spread(fewer, timed), total)
    packages = total["packages"]
    print(f"{source.name}: {dict(total)}")
    print(
        f"{1 - total['selected'] / packages:.0%} of the packages were saved, "
        f"{1 - total['changed'] / packages:.0%} at best; {total['missed']} were missed"
    )
    if total["missed"]:
        sys.exit(1)


def _time(root: Path, folder: Path, chosen: list[tuple[str, str]], total: Counter[str]) -> None:
    """Print what pull requests that take fewer packages take in seconds, both ways."""
    costs = []
    for base, head in chosen:
        git(root, "checkout", "--quiet", "--force", "--detach", head)
        merged(root, base)
        started = time.monotonic()
        said, _ = outputs(root, folder, {})
        selecting = time.monotonic() - started
        costs.append(seconds.cost(root, said["packages"], said["doctests"], selecting))
        print(f"{head[:9]} {said['packages']}: {costs[-1]}", flush=True)
    full, less = (sum(c.full for c in costs), sum(c.fewer + c.selecting for c in costs))
    share = 1 - total["everything"] / total["pull requests"]
    print(
        f"{len(costs)} timed: {full:.0f} s for everything, {less:.0f} s for fewer packages and the "
        f"selection: {1 - less / full:.0%} saved, of the {share:.0%} that take fewer"
    )


def _pull_request(
    root: Path, folder: Path, base: str, head: str, texts: dict[str, str]
) -> Counter[str]:
    git(root, "checkout", "--quiet", "--force", "--detach", base)
    before = Tree(root, texts)
    git(root, "checkout", "--quiet", "--force", "--detach", head)
    after = Tree(root, texts)
    merged(root, base)
    said, told = outputs(root, folder, {})
    chosen = selected(said["packages"])
    names = set(after.packages)
    known = names & set(before.packages)
    changed = (names - known) | {n for n in known if before.inputs(n) != after.inputs(n)}
    missed = changed - (names if chosen is None else chosen)
    if missed:
        print(f"{head[:9]} MISSED {', '.join(sorted(missed))}")
    reason = (
        told.split("Everything: ")[1].split(".\n")[0]
        if chosen is None and "Everything: " in told
        else ""
    )
    kind = re.sub(
        r".*(belongs to no package|features of|label|builds a|patch|concerns).*", r"\1", reason
    )
    return Counter(
        {
            "pull requests": 1,
            "everything": chosen is None,
            **({f"everything: {kind}": 1} if kind else {}),
            "packages": len(names),
            "selected": len(names if chosen is None else chosen),
            "changed": len(changed),
            "missed": len(missed),
        }
    )


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[2:]]
    replay(Path(sys.argv[1]).resolve(), *(numbers + [100, 0][len(numbers) :]))
