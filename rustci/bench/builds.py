"""Two commits become two sets of benchmark executables, built alike, before anything is measured.

Each side is a detached worktree of its own with its own target directory; both are built by one
toolchain with the same flags. Whatever happens, the worktrees are removed.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import json
import os
import re
import shutil
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, Callable, Optional

from . import processes, worktrees
from .errors import BenchError
from .processes import Limits
from .record import BASE, HEAD

ALIGN = ("-Cllvm-args=-align-all-functions=6", "-Cllvm-args=-align-loops=64")
"""Unrelated code moves functions about, which alone costs up to 14 %; aligned, about 4 %."""
Key = tuple[str, str]
"""(package, bench target)."""
BUILD_OUTPUT = Limits(kept=256 << 20)
DATA_FOLDERS = frozenset({"assets", "corpus", "data", "fixtures", "resources", "testdata"})
"""Folders whose files benchmarks read while they run."""
COMPILED = (".rs", "Cargo.toml", "Cargo.lock")
"""What acts through the executable alone."""
CRITERION = ("criterion",)
OTHER_HARNESSES = {
    "divan": "divan writes no file that could be compared, and it has no baselines",
    "codspeed-divan-compat": "divan writes no file that could be compared, and it has no baselines",
    "gungraun": "gungraun counts instructions: `bench counts` compares them",
    "iai-callgrind": "iai-callgrind counts instructions: `bench counts` compares them",
    "tango-bench": "tango compares two executables by itself and writes no samples",
}
"""Harnesses that write nothing for the gate to read, by the package that brings them."""
BUILD_ID = re.compile(rb"(\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0)[\s\S]{20}")
"""The note in an ELF file that holds a hash of the rest."""


@dataclass(frozen=True)
class Selection:
    """What is built: everything unless named."""

    packages: tuple[str, ...] = ()
    benches: tuple[str, ...] = ()
    cargo: tuple[str, ...] = ()
    """Arguments for cargo: features, profile."""


@dataclass(frozen=True)
class Target:
    """One bench target, built."""

    package: str
    name: str
    executable: Path
    folder: Path
    """Of the package: where cargo would run the executable."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """What cargo would set for the process."""
    criterion: tuple[int, ...] = (0, 8)
    """The version of criterion that it is linked with."""
    source: str = ""
    """Its main file, from the top of the repository."""

    @property
    def key(self) -> Key:
        """Package and name."""
        return (self.package, self.name)


@dataclass(frozen=True)
class Side:
    """One commit, built."""

    commit: str
    targets: Mapping[Key, Target]
    missing: str = ""
    """Why there is nothing to run, where base cannot be built."""
    skipped: Mapping[Key, str] = field(default_factory=dict)
    """Bench targets that cannot be gated, and why."""


@dataclass(frozen=True)
class Tree:
    """One commit, checked out, and how it is built."""

    side: str
    commit: str
    root: Path
    """Top of the worktree."""
    folder: Path
    """The project in it."""
    environment: Mapping[str, str]
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workshop:
    """What it takes to link an executable of either side again."""

    trees: Mapping[str, Tree]
    cargo: tuple[str, ...]
    folder: Path
    link: tuple[str, ...]
    """The linker's arguments that shuffle functions; `{seed}` stands for the seed."""

    def relinked(self, side: str, target: Target, seed: int) -> Target:
        """Return the target with its functions in another order; raise BenchError."""
        tree = self.trees[side]
        argv = [
            *("cargo", "rustc", "--profile", "bench", "--message-format", "json"),
            *("--package", target.package, "--bench", target.name, *self.cargo, "--"),
            *(argument.format(seed=seed) for argument in self.link),
        ]
        ended = processes.run(argv, tree.folder, tree.environment, BUILD_OUTPUT)
        found = [Path(made["executable"]) for made in _artifacts(ended.out)]
        if ended.code or not found:
            raise BenchError(f"cannot be linked again:\n{ended.tail}", where=target.name)
        return replace(target, executable=_kept(found[0], self.folder / side, target.key, seed))


@dataclass(frozen=True)
class Builds:
    """Both sides."""

    base: Side
    head: Side
    rustc: str = ""
    flags: tuple[str, ...] = ()
    identical: tuple[Key, ...] = ()
    changed: tuple[Key, ...] = ()
    notices: tuple[str, ...] = ()
    workshop: Optional[Workshop] = None
    """Where executables are linked anew; None where the linker cannot shuffle."""

    def side(self, name: str) -> Side:
        """The side of that name."""
        return self.base if name == BASE else self.head


@contextlib.contextmanager
def both(
    folder: Path,
    commits: Mapping[str, str],
    work: Path,
    selection: Selection,
    say: Callable[[str], None],
) -> Iterator[Builds]:
    """Build both commits of the project in `folder`; raise BenchError where head cannot be built.

    The worktrees live as long as the `with`: benchmarks may read files in them.
    """
    with checkouts(folder, commits, work) as (plain, rustc, told):
        trees, notices = _aligned(plain, told, work)
        say(f"building head, {commits[HEAD][:12]}")
        head = _side(trees[HEAD], selection, work)
        say(f"building base, {commits[BASE][:12]}")
        try:
            base = _side(trees[BASE], selection, work)
        except BenchError as problem:
            base = Side(commits[BASE], {}, missing=f"base has nothing to run: {problem.what}")
        identical, changed = _compared(folder, base, head, trees)
        yield Builds(
            *(base, head, rustc, trees[HEAD].flags, identical, changed, notices),
            _workshop(trees, selection, work),
        )


@contextlib.contextmanager
def checkouts(
    folder: Path, commits: Mapping[str, str], work: Path
) -> Iterator[tuple[dict[str, Tree], str, tuple[str, ...]]]:
    """Yield both commits checked out, the one compiler of both, and what people should know."""
    inside = folder.resolve().relative_to(worktrees.top(folder))
    with worktrees.checked_out(folder, commits, work) as roots:
        folders = {side: root / inside for side, root in roots.items()}
        if not folders[HEAD].is_dir():
            raise BenchError("this folder is not in head", where=str(inside))
        toolchain, rustc, notices = _toolchain(folders)
        trees = {}
        for side, root in roots.items():
            environment = {
                **_own_environment(),
                **toolchain,
                "CARGO_TARGET_DIR": str(work / f"target-{side}"),
                "CARGO_TERM_COLOR": "never",
            }
            trees[side] = Tree(side, commits[side], root, folders[side], environment)
        yield trees, rustc, notices


def _aligned(
    trees: Mapping[str, Tree], notices: tuple[str, ...], work: Path
) -> tuple[dict[str, Tree], tuple[str, ...]]:
    """Return the trees with functions aligned, by each side's own rustflags and two more."""
    found = {}
    for side, tree in trees.items():
        cwd = tree.folder if tree.folder.is_dir() else tree.root
        flags = aligned_flags(work / "probe", cwd, tree.environment)
        if flags is None:
            notices += (f"{side}: cargo does not tell its rustflags, so functions are not aligned",)
            found[side] = tree
            continue
        environment = {**tree.environment, "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags)}
        found[side] = replace(tree, environment=environment, flags=flags)
    if found[BASE].flags != found[HEAD].flags:
        notices += ("base and head set different rustflags: each is built with its own",)
    return found, notices


def _own_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def _toolchain(
    folders: Mapping[str, Path],
) -> tuple[dict[str, str], str, tuple[str, ...]]:
    """Return the variable that puts both sides on head's toolchain, and its version."""
    versions = {}
    for side, folder in folders.items():
        if folder.is_dir():
            ended = processes.run(["rustc", "--version"], folder, _own_environment())
            if ended.code and side == HEAD:
                raise BenchError(f"rustc cannot be run:\n{ended.tail}", where=str(folder))
            versions[side] = ended.out.strip() or "a toolchain that cannot be run"
    if versions.get(BASE) in {None, versions[HEAD]} or not shutil.which("rustup"):
        return {}, versions[HEAD], ()
    argv = ["rustup", "show", "active-toolchain"]
    shown = processes.run(argv, folders[HEAD], _own_environment()).out.split()
    notice = f"base asks for {versions[BASE]}: both sides are built with {versions[HEAD]}"
    return {"RUSTUP_TOOLCHAIN": shown[0]} if shown else {}, versions[HEAD], (notice,)


PROBE = {
    "Cargo.toml": """\
[package]
name = "rustci-probe"
version = "0.0.0"
edition = "2018"
[workspace]
""",
    "src/main.rs": "fn main() {}\n",
    "build.rs": """\
fn main() {
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    println!("cargo:rustc-env=RUSTCI_FLAGS={}", flags);
}
""",
}
"""A crate that asks cargo which rustflags are in force: its rules are many, and cargo knows them.

Documented in "Environment variables Cargo sets for build scripts".
"""


def aligned_flags(
    probe: Path, folder: Path, environment: Mapping[str, str]
) -> Optional[tuple[str, ...]]:
    """Return the rustflags in force in `folder` with those that align functions.

    None where cargo does not tell them: nothing may be overridden then. Without the alignment
    where this compiler does not know it.
    """
    for name, text in PROBE.items():
        path = probe / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    told = _probed(probe, folder, environment)
    if told is None:
        return None
    extended = (*told, *(flag for flag in ALIGN if flag not in told))
    encoded = {**environment, "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(extended)}
    return told if _probed(probe, folder, encoded) is None else extended


def _probed(
    probe: Path, folder: Path, environment: Mapping[str, str], link: tuple[str, ...] = ()
) -> Optional[tuple[str, ...]]:
    """Build the probe as a package in `folder` would be; return its flags, None if it fails."""
    argv = [
        *("cargo", "rustc", "--manifest-path", str(probe / "Cargo.toml"), "--bin", "rustci-probe"),
        *("--target-dir", str(probe / "target"), "--message-format", "json", "--", *link),
    ]
    ended = processes.run(argv, folder, environment, BUILD_OUTPUT)
    if ended.code:
        return None
    for message in _messages(ended.out):
        if message.get("reason") == "build-script-executed":
            encoded = dict(message.get("env", [])).get("RUSTCI_FLAGS", "")
            return tuple(flag for flag in encoded.split("\x1f") if flag)
    return None


SHUFFLES = (
    ("-Clink-arg=-Wl,--shuffle-sections=.text*={seed}",),
    ("-Clink-arg=-Wl,--shuffle-sections={seed}",),
    ("-Clink-arg=-fuse-ld=lld", "-Clink-arg=-Wl,--shuffle-sections=.text*={seed}"),
)
"""How lld and mold deal functions anew, and lld where another linker is the default."""


def _workshop(trees: Mapping[str, Tree], selection: Selection, work: Path) -> Optional[Workshop]:
    tree = trees[HEAD]
    for link in SHUFFLES:
        once = tuple(argument.format(seed=1) for argument in link)
        if _probed(work / "probe", tree.folder, tree.environment, once) is not None:
            return Workshop(trees, selection.cargo, work / "bin", link)
    return None


def _side(tree: Tree, selection: Selection, work: Path) -> Side:
    """Build the benchmarks of one tree; raise BenchError where that fails or there are none."""
    chosen, skipped = chosen_benches(tree, selection, CRITERION)
    argv = ["cargo", "bench", "--no-run", "--message-format", "json-render-diagnostics"]
    for package in sorted({package for package, _ in chosen}):
        argv += ["--package", package]
    if not selection.benches and any(bench.conditional for bench in chosen.values()):
        argv.append("--benches")  # named, a target whose features are off is an error
    else:
        for name in sorted({name for _, name in chosen}):
            argv += ["--bench", name]
    argv += [*_locked(tree), *selection.cargo]
    ended = processes.run(argv, tree.folder, tree.environment, BUILD_OUTPUT)
    if ended.code:
        raise BenchError(
            f"`cargo bench --no-run` failed with exit code {ended.code}:\n{ended.tail}",
            where=tree.side,
        )
    targets = _targets(tree, chosen, ended.out, work)
    off = dict.fromkeys(set(chosen) - set(targets), "the features that it requires are off")
    return Side(tree.commit, targets, skipped={**skipped, **off})


def _locked(tree: Tree) -> tuple[str, ...]:
    tracked = worktrees.run_git(tree.folder, "ls-files", "--error-unmatch", "Cargo.lock").code == 0
    return ("--locked",) if tracked else ()


@dataclass(frozen=True)
class Bench:
    """A bench target before it is built."""

    manifest: str
    source: str
    package_version: str
    harness: str
    version: tuple[int, ...]
    """Of the harness."""
    conditional: bool = False
    """Whether it requires features."""


def chosen_benches(
    tree: Tree, selection: Selection, harnesses: tuple[str, ...]
) -> tuple[dict[Key, Bench], dict[Key, str]]:
    """Return the bench targets of these harnesses, and for the others why they are left out.

    Raises BenchError where there is none, or where the selection names what is not there.
    """
    if not tree.folder.is_dir():
        raise BenchError("this folder is not in the commit", where=tree.side)
    metadata = _metadata(tree)
    members = [p for p in metadata["packages"] if p["id"] in metadata["workspace_members"]]
    _known("package", selection.packages, [p["name"] for p in members], tree.side)
    if selection.packages:
        members = [p for p in members if p["name"] in selection.packages]
    benches = [(p, t) for p in members for t in p["targets"] if t["kind"] == ["bench"]]
    _known("bench target", selection.benches, [t["name"] for _, t in benches], tree.side)
    chosen: dict[Key, Bench] = {}
    skipped: dict[Key, str] = {}
    for package, target in benches:
        if selection.benches and target["name"] not in selection.benches:
            continue
        versions = _reachable(metadata, package["id"])
        harness = _harness(Path(target["src_path"]), versions, harnesses)
        key = (package["name"], target["name"])
        if harness in harnesses:
            chosen[key] = Bench(
                *(package["manifest_path"], target["src_path"], package["version"]),
                *(harness, versions[harness], bool(target.get("required-features"))),
            )
        else:
            skipped[key] = OTHER_HARNESSES.get(harness, f"not a benchmark of {harnesses[0]}")
    if not chosen:
        raise _nothing(skipped, tree.side)
    return chosen, skipped


def _metadata(tree: Tree) -> dict[str, Any]:
    argv = ["cargo", "metadata", "--format-version", "1", *_locked(tree)]
    ended = processes.run(argv, tree.folder, tree.environment, BUILD_OUTPUT)
    if ended.code:
        raise BenchError(f"`cargo metadata` failed:\n{ended.tail}", where=tree.side)
    found: dict[str, Any] = json.loads(ended.out)
    return found


def _known(kind: str, asked: Iterable[str], there: Sequence[str], side: str) -> None:
    for name in asked:
        if name not in there:
            near = difflib.get_close_matches(name, there, n=1)
            todo = f"Did you mean `{near[0]}`?" if near else f"There are: {', '.join(there)}."
            raise BenchError(f"no {kind} `{name}`", where=side, todo=todo if there else "")


def _harness(source: Path, versions: Mapping[str, Any], wanted: tuple[str, ...]) -> str:
    """Return the harness of a bench target, empty where it is none that we know.

    A package may use several; then the target's own source tells, by the name that it mentions.
    """
    known = [name for name in (*wanted, *CRITERION, *OTHER_HARNESSES) if name in versions]
    try:
        text = source.read_text("utf-8", "replace")
    except OSError:
        text = ""
    named = [name for name in known if name.replace("-", "_") in text]
    if "feature(test)" in text and not named:  # libtest's own `#[bench]`
        return ""
    return next(iter([*named, *known]), "")


def _nothing(skipped: Mapping[Key, str], side: str) -> BenchError:
    if not skipped:
        todo = "Add one with criterion: the benchmark gate measures those."
        return BenchError("there is no bench target", where=side, todo=todo)
    told = "".join(f"\n  {package}/{name}: {why}" for (package, name), why in skipped.items())
    todo = "Benchmarks that are written with criterion can be gated."
    return BenchError(f"no bench target can be gated:{told}", where=side, todo=todo)


def _reachable(metadata: Mapping[str, Any], root: str) -> dict[str, tuple[int, ...]]:
    """Return the packages that one depends on, with the lowest version of each."""
    nodes = {node["id"]: node["dependencies"] for node in metadata["resolve"]["nodes"]}
    packages = {package["id"]: package for package in metadata["packages"]}
    seen, waiting = {root}, [root]
    while waiting:
        for other in nodes.get(waiting.pop(), []):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    found: dict[str, tuple[int, ...]] = {}
    for name in seen:
        package = packages[name]
        version = tuple(int(part) for part in re.findall(r"\d+", package["version"])[:3])
        found[package["name"]] = min(version, found.get(package["name"], version))
    return found


def _messages(out: str) -> Iterator[dict[str, Any]]:
    for line in out.splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            message = json.loads(line)
            if isinstance(message, dict):
                yield message


def _artifacts(out: str) -> Iterator[dict[str, Any]]:
    """Yield cargo's messages about bench executables."""
    for message in _messages(out):
        if (
            message.get("reason") == "compiler-artifact"
            and message["target"]["kind"] == ["bench"]
            and message.get("executable")
        ):
            yield message


def _targets(tree: Tree, chosen: Mapping[Key, Bench], out: str, work: Path) -> dict[Key, Target]:
    built = {
        (made["target"]["src_path"], made["target"]["name"]): Path(made["executable"])
        for made in _artifacts(out)
    }
    libraries = _libraries(tree, out)
    found = {}
    for key, bench in sorted(chosen.items()):
        executable = built.get((bench.source, key[1]))
        if executable is None:
            continue
        folder = Path(bench.manifest).parent
        found[key] = Target(
            *key,
            executable=_kept(executable, work / "bin" / tree.side, key, 0),
            folder=folder,
            variables=_variables(key[0], bench, libraries),
            criterion=bench.version,
            source=_inside(Path(bench.source), tree.root),
        )
    return found


def _inside(path: Path, root: Path) -> str:
    """Return a path from the top of the worktree; what lies outside of it stays as it is."""
    return path.relative_to(root).as_posix() if root in (path, *path.parents) else str(path)


def _kept(executable: Path, folder: Path, key: Key, seed: int) -> Path:
    """Copy an executable to where the next link does not overwrite it."""
    named = hashlib.sha256("\0".join(key).encode()).hexdigest()[:12]
    kept = folder / f"{seed:010}" / f"{named}{executable.suffix}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(executable, kept)
    return kept


def _variables(package: str, bench: Bench, libraries: str) -> dict[str, str]:
    """Return what `cargo bench` would set ("Environment variables Cargo sets for crates")."""
    return {
        "CARGO": shutil.which("cargo") or "cargo",
        "CARGO_MANIFEST_DIR": str(Path(bench.manifest).parent),
        "CARGO_MANIFEST_PATH": bench.manifest,
        "CARGO_PKG_NAME": package,
        "CARGO_PKG_VERSION": bench.package_version,
        **({LIBRARY_PATH: libraries} if libraries else {}),
    }


LIBRARY_PATH = {"nt": "PATH"}.get(os.name, "LD_LIBRARY_PATH")
if sys.platform == "darwin":
    LIBRARY_PATH = "DYLD_FALLBACK_LIBRARY_PATH"


def _libraries(tree: Tree, out: str) -> str:
    """Return where dynamic libraries are: what build scripts made, then rustc's own."""
    target = tree.environment["CARGO_TARGET_DIR"]
    paths = []
    for message in _messages(out):
        for path in message.get("linked_paths", []):
            bare = path.partition("=")[2] or path
            if bare.startswith(target) and bare not in paths:
                paths.append(bare)
    argv = ["rustc", "--print", "target-libdir"]
    paths.append(processes.run(argv, tree.folder, tree.environment).out.strip())
    inherited = os.environ.get(LIBRARY_PATH)
    return os.pathsep.join([*paths, *([inherited] if inherited else [])])


def _compared(
    folder: Path, base: Side, head: Side, trees: Mapping[str, Tree]
) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
    """Return the targets whose executables are the same, and those whose sources are not."""
    names = worktrees.git(
        folder, "diff", "--name-only", "--no-renames", "-z", base.commit, head.commit
    )
    files = [PurePosixPath(name) for name in names.split("\0") if name]
    sources = {target.source for target in head.targets.values()}
    identical, changed = [], []
    for key in sorted(set(base.targets) & set(head.targets)):
        old, new = base.targets[key], head.targets[key]
        content = new.executable.read_bytes()
        package = PurePosixPath(_inside(new.folder, trees[HEAD].root))
        touched = any(
            _is_source(file, new, sources) or _is_fixture(file, package, content) for file in files
        )
        if touched:
            changed.append(key)
        if not _differ(old, new, trees) and not touched:
            identical.append(key)
    return tuple(identical), tuple(changed)


def _is_source(file: PurePosixPath, target: Target, sources: Iterable[str]) -> bool:
    """Say whether a file belongs to a bench target: its own, or shared by those beside it."""
    own = PurePosixPath(target.source)
    if own == file:
        return True
    alone = own.name == "main.rs"
    if alone and own.parent in file.parents:
        return True
    shared = own.parent.parent if alone else own.parent
    others = [PurePosixPath(source) for source in sources if source != target.source]
    return (
        shared.name == "benches"
        and shared in file.parents
        and not any(
            file == other or (other.name == "main.rs" and other.parent in file.parents)
            for other in others
        )
    )


def _is_fixture(file: PurePosixPath, package: PurePosixPath, executable: bytes) -> bool:
    """Say whether the benchmark may read this file while it runs, as far as can be seen.

    A path that is opened is a text in the executable, unless the file is one of a whole folder.
    """
    if file.name.endswith(COMPILED):
        return False
    if package in file.parents and DATA_FOLDERS.intersection(file.parts[:-1]):
        return True
    return len(file.name) >= 5 and file.name.encode() in executable


def _differ(old: Target, new: Target, trees: Mapping[str, Tree]) -> bool:
    return _digest(old.executable, trees[BASE].root) != _digest(new.executable, trees[HEAD].root)


def _digest(executable: Path, root: Path) -> str:
    """Hash what is loaded of an executable, but for its worktree's name and the hash of it all.

    Symbols and debug information are not loaded; they differ where only a comment does.
    """
    content = _loaded(executable.read_bytes())
    content = content.replace(os.fsencode(root), b"@" * len(os.fsencode(root)))
    return hashlib.sha256(BUILD_ID.sub(rb"\1", content)).hexdigest()


def _loaded(content: bytes) -> bytes:
    """Return the loaded segments of a 64-bit little-endian ELF file; else the whole file.

    Field by field as in elf(5). The file header tells where sections are, and is left out.
    """
    if content[:6] != b"\x7fELF\x02\x01":
        return content
    (table,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    parts = [content[24:32]]
    for n in range(count):
        kind, flags, offset, address, _, length, memory = struct.unpack_from(
            "<IIQQQQQ", content, table + n * size
        )
        if kind == 1:
            start = max(offset, 64)
            parts += [f"{flags} {address} {memory} ".encode(), content[start : offset + length]]
    return b"".join(parts)
