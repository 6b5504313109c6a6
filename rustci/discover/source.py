"""What a package's own Rust files say, each read once."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from rustci.discover import rust_text
from rustci.discover.manifest import MANIFEST
from rustci.discover.server import ServerReader
from rustci.discover.tree import Tree, join
from rustci.errors import ProjectError
from rustci.project import DependencyKind, Package, Source, TargetKind

MAX_BYTES = 128 * 1024 * 1024
"""Of Rust source read in one repository; the rest is left unread, and a note says so."""
_UNIX_CRATES = frozenset({"libc", "nix"})
_PORTABLE = frozenset({"unix", "windows"})
"""A package with a `cfg` on one of these knows of Windows."""
_UNIX_WORDS = ("os::unix", "os::linux", "os::fd", "libc::", "nix::")
_SYSTEM_WORDS = ("unix", "windows", "target_os")


class SourceReader:
    """Reads the sources of a repository's packages, up to MAX_BYTES of them."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.unread = 0
        self._budget = MAX_BYTES

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left unread, for people."""
        if not self.unread:
            return ()
        limit = f"{MAX_BYTES // 1024 // 1024} MiB"
        return (f"{self.unread} Rust files were not read: the limit is {limit} a repository",)

    def read(self, package: Package) -> Source:
        """Return what the package's library, binaries and tests say."""
        scan = _Scan(self, package)
        code = (TargetKind.LIB, TargetKind.BIN)
        for path in _files(self.tree, package, *code):
            scan.code(path)
        for path in _files(self.tree, package, TargetKind.TEST):
            scan.tests(path)
        return scan.source()

    def text(self, path: str) -> str:
        """Return a file's text; empty where it cannot be read or the limit is reached."""
        if self._budget <= 0:
            self.unread += 1
            return ""
        try:
            data = self.tree.read_bytes(path)
        except ProjectError:
            return ""
        self._budget -= len(data)
        return data.decode("utf-8", "replace")


class _Scan:
    """What has been found in one package so far. A question once answered is not asked again."""

    def __init__(self, reader: SourceReader, package: Package) -> None:
        self.reader = reader
        self.package = package
        self.roots = _roots(package)
        self.library = str(package.library.path) if package.library else None
        self.doctested = package.library is not None and package.library.doctest
        self.unix_crates = _unix_crates(package)
        self.uses_unsafe = self.has_tests = self.has_doctests = False
        self.nightly = self.unix = self.denies_warnings = False
        self.server = ServerReader(package)
        self.migrates = False
        self.calls_foreign = self.shares_state = self.knows_miri = False
        self.ignored = 0
        self.systems: set[str] = set()
        self.layouts: set[str] = set()
        self.nightly_features: set[str] = set()
        self.exclusive: set[tuple[str, ...]] = set()
        self.no_std: dict[str, str | None] = {}
        self.test_roots = {str(t.path): t.name for t in package.of_kind(TargetKind.TEST)}
        self.callers: dict[str, set[str]] = {crate: set() for crate in rust_text.APART}
        self.models = False

    def code(self, path: str) -> None:
        """Take in a file of the library or of a binary."""
        text = self.reader.text(path)
        self._documentation(path, text)
        self._tests(text)
        if path in self.roots:
            self._root(path, text)
        self._unsafe(text)
        self.server.code(text)
        if not self.unix and any(word in text for word in _UNIX_WORDS):
            self.unix = rust_text.calls_unix(rust_text.blank(text), self.unix_crates)
        if not self.models and rust_text.MODEL in text:
            self.models = rust_text.MODEL in rust_text.blank(text)
        self._conditions(text)

    def tests(self, path: str) -> None:
        """Take in a file of an integration test."""
        text = self.reader.text(path)
        self._tests(text)
        self._miri(text)
        self._lints(text)
        if name := self.test_roots.get(path):
            for crate, callers in self.callers.items():
                if crate in text and rust_text.calls(rust_text.blank(text), crate):
                    callers.add(name)

    def source(self) -> Source:
        """Return the sum."""
        integration = any(target.test for target in self.package.of_kind(TargetKind.TEST))
        return Source(
            no_std=self._no_std(),
            uses_unsafe=self.uses_unsafe,
            calls_foreign=self.calls_foreign,
            shares_state=self.shares_state,
            knows_miri=self.knows_miri,
            knows_byte_order="target_endian" in self.layouts,
            knows_pointer_width="target_pointer_width" in self.layouts,
            has_tests=self.has_tests or integration,
            has_doctests=self.has_doctests,
            ignored_tests=self.ignored,
            needs_nightly=self.nightly,
            nightly_features=tuple(sorted(self.nightly_features)),
            denies_warnings=self.denies_warnings,
            os_specific=tuple(sorted(self.systems)),
            unix_only=self.unix and self.systems.isdisjoint(_PORTABLE),
            exclusive_features=tuple(sorted(self.exclusive)),
            server=self.server.server(),
            migrates=self.migrates,
            heap_tests=tuple(sorted(self.callers["dhat"])),
            loom_tests=tuple(sorted(self.callers["loom"])),
            models=self.models,
        )

    def _unsafe(self, text: str) -> None:
        self._miri(text)
        if not self.uses_unsafe and "unsafe" in text:
            self.uses_unsafe = rust_text.has_unsafe(rust_text.blank(text))
        if not self.calls_foreign and "extern" in text:
            self.calls_foreign = rust_text.calls_foreign(rust_text.blank(text))
        if not self.shares_state and ("UnsafeCell" in text or "unsafe impl" in text):
            self.shares_state = rust_text.shares_state(rust_text.blank(text))

    def _miri(self, text: str) -> None:
        if not self.knows_miri and "miri" in text:
            self.knows_miri = rust_text.knows_miri(rust_text.strip(text))

    def _root(self, path: str, text: str) -> None:
        self.no_std[path] = rust_text.no_std(rust_text.strip(text)) if "no_std" in text else None
        self.nightly = self.nightly or rust_text.is_nightly(rust_text.blank(text))
        self.nightly_features |= set(rust_text.nightly_features(rust_text.strip(text)))
        self._lints(text)

    def _lints(self, text: str) -> None:
        if not self.denies_warnings and "warnings" in text:
            self.denies_warnings = rust_text.denies_warnings(rust_text.strip(text))

    def _no_std(self) -> str | None:
        """Return the library's answer; without a library, that of the binaries if they agree."""
        if self.library is not None:
            return self.no_std.get(self.library)
        answers = set(self.no_std.values())
        return answers.pop() if len(answers) == 1 else None

    def _tests(self, text: str) -> None:
        if not self.has_tests and "test" in text:
            self.has_tests = rust_text.has_tests(rust_text.blank(text))
        if not self.migrates and any(word in text for word in rust_text.MIGRATIONS):
            self.migrates = rust_text.migrates(rust_text.blank(text))
        if "#[ignore" in text:
            self.ignored += rust_text.count_ignored(rust_text.blank(text))

    def _conditions(self, text: str) -> None:
        systems = "cfg" in text and any(word in text for word in _SYSTEM_WORDS)
        layouts = "target_endian" in text or "target_pointer_width" in text
        exclusive = "compile_error!" in text
        if not systems and not layouts and not exclusive:
            return
        code = rust_text.strip(text)
        if systems:
            self.systems |= rust_text.operating_systems(code)
        if layouts:
            self.layouts |= rust_text.layouts(code)
        if exclusive:
            self.exclusive |= set(rust_text.exclusive_features(code))

    def _documentation(self, path: str, text: str) -> None:
        if not self.doctested or self.has_doctests:
            return
        self.has_doctests = "```" in text and rust_text.has_doctests(text)
        for name in rust_text.included_documents(text) if "include_str!" in text else ():
            document = join(posixpath.dirname(path), name)
            if not document.startswith("..") and self.reader.tree.is_file(document):
                markdown = self.reader.text(document)
                self.has_doctests = self.has_doctests or rust_text.readme_has_doctests(markdown)


def _roots(package: Package) -> frozenset[str]:
    kinds = (TargetKind.LIB, TargetKind.BIN)
    return frozenset(str(target.path) for kind in kinds for target in package.of_kind(kind))


def _unix_crates(package: Package) -> tuple[str, ...]:
    """Return which crates for Unix alone are dependencies everywhere, by the name in the code."""
    return tuple(
        dependency.local_name
        for dependency in package.dependencies
        if dependency.name in _UNIX_CRATES
        and dependency.kind is DependencyKind.NORMAL
        and dependency.target is None
        and not dependency.optional
    )


def _files(tree: Tree, package: Package, *kinds: TargetKind) -> Iterator[str]:
    """Yield the Rust files in the folders of these targets.

    Beside Cargo.toml itself only the targets' own files count: the rest may be build scripts.
    """
    base = str(package.directory)
    paths = [str(target.path) for kind in kinds for target in package.of_kind(kind)]
    folders = {posixpath.dirname(path) or "." for path in paths}
    seen: set[str] = set()
    for folder in sorted(folders - {base}):
        yield from _below(tree, folder, seen)
    yield from (path for path in paths if (posixpath.dirname(path) or ".") == base)


def _below(tree: Tree, top: str, seen: set[str]) -> Iterator[str]:
    todo = [top]
    while todo:
        folder = todo.pop()
        listing = tree.listing(folder)
        if folder in seen or (folder != top and MANIFEST in listing.files):
            continue
        seen.add(folder)
        prefix = "" if folder == "." else f"{folder}/"
        yield from (prefix + name for name in sorted(listing.files) if name.endswith(".rs"))
        todo += [prefix + name for name in sorted(listing.directories, reverse=True)]
