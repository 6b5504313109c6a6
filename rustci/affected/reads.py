"""What the files of a package say that they read outside of it. Text search; it errs on more."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

LARGEST = 1 << 20
"""Bytes of a file that is searched, unless it is Rust."""
UPWARDS = re.compile(rb"""(?<=["'/\\])\.\.(?=["'/\\])""")
"""`..` as a part of a path in a string."""
PLAIN = re.compile(r"[^{}*?$%\[\]]*")
CLIMBING = re.compile(rb"\.(?:parent|ancestors|pop)\(")
PLACED = re.compile(rb"CARGO_MANIFEST_DIR|current_dir\(\)|\bfile!\(\)")
JOINED = re.compile(
    rb"(?:[=,\[]|(?:join|push|new|from|read\w*|current_dir|canonicalize|open)\()\s*&?r?#*$"
)
"""What stands before a string of nothing but dots that is a path."""
ANYWHERE = re.compile(
    rb"CARGO_WORKSPACE_DIR|GITHUB_WORKSPACE|workspace_root|show-toplevel|MetadataCommand"
    rb"|CARGO_RUSTC_CURRENT_DIR"
)
WALKING = re.compile(rb"read_dir|WalkDir|WalkBuilder|glob\(|include_dir!")
STARTING = re.compile(rb"Command|cargo_bin|CARGO_BIN|escargot|xshell|duct")
WORD = re.compile(rb"([\w-]+)(?:\.exe)?(?=\")")
RELATIVE = re.compile(r"(\w+)\s*=\s*\{[^}]*relative\s*=\s*true")


@dataclass(frozen=True)
class File:
    """A tracked file, by its path in the repository."""

    path: str
    link: bool = False


@dataclass(frozen=True)
class Search:
    """What to look for in the files of one package."""

    folder: str
    inner: frozenset[str] = frozenset()
    """The first parts of the paths to packages inside this one."""
    variables: frozenset[str] = frozenset()
    """Those of `.cargo/config.toml` that hold a path."""
    programs: frozenset[str] = frozenset()
    """Names of packages and programs elsewhere in the workspace."""


DEVELOPING = ("tests/", "benches/", "examples/")
"""Folders of a package that those who depend on it do not compile."""
DEVELOPED = re.compile(rb"""["'/](?:tests|benches|examples)(?=["'/])""")


@dataclass(frozen=True)
class Found:
    """What files name outside of their package."""

    paths: frozenset[str]
    programs: frozenset[str]


def found(search: Search, files: Iterable[File]) -> tuple[Found, Found]:
    """Return what the package itself names, and what only its tests and examples name."""
    built: list[File] = []
    tested: list[File] = []
    for file in files:
        apart = file.path[len(search.folder) :].startswith(DEVELOPING)
        (tested if apart else built).append(file)
    if any(DEVELOPED.search(_text(f.path)) for f in built if f.path.endswith(".rs")):
        built, tested = built + tested, []
    return _found(search, built), _found(search, tested)


def _found(search: Search, files: Iterable[File]) -> Found:
    paths: set[str] = set()
    programs: set[str] = set()
    for file in files:
        here = posixpath.dirname(file.path)
        if file.path in {search.folder + "Cargo.toml", search.folder + "Cargo.lock"}:
            continue  # cargo told of their paths
        if file.link:
            paths.add(aim(file))
            continue
        text = _text(file.path)
        paths.update(_named(text, search, here, rust=file.path.endswith(".rs")))
        if file.path.endswith(".rs") and STARTING.search(text):
            programs.update(word.decode() for word in set(WORD.findall(text)))
    outside = {path for path in paths if not _inside(path, search)}
    return Found(frozenset(outside), frozenset(programs & search.programs))


def aim(link: File) -> str:
    """Return where a link leads to; empty where that is the repository's root or outside of it."""
    return _resolved(posixpath.dirname(link.path), str(Path(link.path).readlink()))


def relative_variables(text: str) -> frozenset[str]:
    """Return the variables that a configuration of cargo sets to a path."""
    return frozenset(RELATIVE.findall(text))


def _text(path: str) -> bytes:
    file = Path(path)
    if not file.is_file() or (file.suffix != ".rs" and file.stat().st_size > LARGEST):
        return b""  # a submodule, or data
    return file.read_bytes()


def _named(text: bytes, search: Search, here: str, *, rust: bool) -> Iterator[str]:
    variables = any(name.encode() in text for name in search.variables)
    if variables or ANYWHERE.search(text) or (PLACED.search(text) and CLIMBING.search(text)):
        yield ""
    if search.inner and WALKING.search(text):
        yield search.folder.rstrip("/")
    marks = [match.span() for match in UPWARDS.finditer(text)]
    for name in search.inner:
        marks += [m.span() for m in re.finditer(rb"""["'/]%b(?=["'/])""" % name.encode(), text)]
    for start, end in marks:
        first, token = _token(text, start, end)
        if token.strip("./"):
            yield from _meant(token, search.folder, here)
        elif rust and _joined(text, first) and (search.folder or b"file!()" in text):
            # What is appended is not known. From the root it would lead out of the repository.
            yield ""


def _joined(text: bytes, first: int) -> bool:
    """Whether the string of nothing but dots that begins there may be a part of a path."""
    line = text[text.rfind(b"\n", 0, first) + 1 : first]
    if line.lstrip().startswith(b"//"):
        return False  # examples show such strings, and read no other package
    return bool(PLACED.search(text) or JOINED.search(text[max(0, first - 40) : first]))


def _token(text: bytes, start: int, end: int) -> tuple[int, str]:
    """Return where the string around a place begins, and it: up to the quotes on its line."""
    first = max(text.rfind(quote, 0, start + 1) for quote in (b'"', b"'", b"\n"))
    ends = (text.find(quote, end) for quote in (b'"', b"'", b"\n"))
    last = min((place for place in ends if place >= 0), default=len(text))
    return first, os.fsdecode(text[first + 1 : last]).replace("\\", "/")


def _meant(token: str, folder: str, here: str) -> Iterator[str]:
    """Yield the paths that a string can mean, from its file and from its package."""
    parts = token.split("/")
    while parts and (not parts[0] or not PLAIN.fullmatch(parts[0])):
        del parts[0]
    kept: list[str] = []
    for part in parts:
        if not PLAIN.fullmatch(part):
            break
        kept.append(part)
    for base in {here, folder.rstrip("/")}:
        path = _resolved(base, "/".join(kept))
        # A module brings the files beside it along.
        yield posixpath.dirname(path) if path.endswith(".rs") else path


def _resolved(base: str, path: str) -> str:
    """Return a path in the repository; empty where it leads to its root or out of it."""
    joined = posixpath.normpath(posixpath.join("/", base, path))
    return joined.strip("/")


def _inside(path: str, search: Search) -> bool:
    """Whether a path can only lie in the package itself."""
    place = path + "/" if path else ""
    if not place.startswith(search.folder):
        return False
    rest = place[len(search.folder) :]
    return not search.inner or (bool(rest) and rest.split("/")[0] not in search.inner)
