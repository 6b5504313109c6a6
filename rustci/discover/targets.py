"""The Cargo targets of a package: those declared and those found by their place.

Source of the rules: https://doc.rust-lang.org/cargo/reference/cargo-targets.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath
from typing import NamedTuple

from rustci.discover.toml import Table
from rustci.discover.tree import Tree, join
from rustci.project import CrateTarget, TargetKind

_DOCTESTABLE = frozenset({"lib", "rlib", "proc-macro"})
_ORDER = tuple(TargetKind)


class _Place(NamedTuple):
    """Where targets of one kind are found, and what they are by default."""

    kind: TargetKind
    folder: str
    auto: str
    test: bool
    bench: bool


_LIBRARY = _Place(TargetKind.LIB, "src", "autolib", test=True, bench=True)
_PLACES = (
    _Place(TargetKind.BIN, "src/bin", "autobins", test=True, bench=True),
    _Place(TargetKind.EXAMPLE, "examples", "autoexamples", test=False, bench=False),
    _Place(TargetKind.TEST, "tests", "autotests", test=True, bench=False),
    _Place(TargetKind.BENCH, "benches", "autobenches", test=False, bench=True),
)


class TargetReader:
    """Reads the targets of one package."""

    def __init__(self, tree: Tree, directory: str, document: Table, edition: str) -> None:
        self.tree = tree
        self.directory = directory
        self.document = document
        self.edition = edition
        self.package = document.table("package", "project") or document.sub("package", {})
        self.name = self.package.string("name") or ""

    def read(self) -> tuple[CrateTarget, ...]:
        """Return all targets, by kind and name. Raises ProjectError where Cargo would refuse."""
        targets = [*self._library(), *self._build_scripts()]
        has_library = any(target.kind is TargetKind.LIB for target in targets)
        for place in _PLACES:
            targets += self._targets(place, has_library=has_library)
        if all(target.kind is TargetKind.BUILD for target in targets):
            self.package.fail(
                f"package `{self.name}` has no target",
                hint="add src/lib.rs or src/main.rs, or a [lib] or [[bin]] section",
            )
        return tuple(sorted(targets, key=lambda t: (_ORDER.index(t.kind), t.name)))

    def _library(self) -> list[CrateTarget]:
        table = self.document.table("lib")
        auto = self.package.boolean("autolib") is not False
        inferred = "src/lib.rs" if self._exists("src/lib.rs") else None
        if table is None and (inferred is None or not auto):
            return []
        declared = table or self.document.sub("lib", {})
        name = declared.string("name") or self.name.replace("-", "_")
        path = declared.string("path") or inferred or self._legacy_library(name)
        if path is None:
            declared.fail(
                f"library `{name}` has no file", None, "rename it to src/lib.rs or set `lib.path`"
            )
        target = self._target(_LIBRARY, declared, name, path)
        types = target.crate_types if target.crate_types != ("bin",) else ("lib",)
        if "crate-type" not in declared and declared.boolean("proc-macro", "proc_macro"):
            types = ("proc-macro",)
        doctest = declared.boolean("doctest") is not False and bool(_DOCTESTABLE & set(types))
        return [replace(target, crate_types=types, doctest=doctest)]

    def _legacy_library(self, name: str) -> str | None:
        legacy = f"src/{name}.rs"
        return legacy if self.edition == "2015" and self._exists(legacy) else None

    def _build_scripts(self) -> list[CrateTarget]:
        return [
            CrateTarget(
                kind=TargetKind.BUILD,
                name=f"build-script-{PurePosixPath(path).stem}",
                path=self._at(path),
                crate_types=("bin",),
                edition=self.edition,
                test=False,
            )
            for path in self._build_paths()
        ]

    def _build_paths(self) -> tuple[str, ...]:
        value = self.package.values.get("build")
        if value is None:
            return ("build.rs",) if self._exists("build.rs") else ()
        if isinstance(value, bool):
            return ("build.rs",) if value else ()
        if isinstance(value, list):
            return self.package.strings("build") or ()
        return (self.package.string("build") or "build.rs",)

    def _targets(self, place: _Place, *, has_library: bool) -> list[CrateTarget]:
        inferred = self._inferred(place)
        declared = self.document.tables(place.kind.value)
        found = [
            self._declared(place, table, inferred, has_library=has_library) for table in declared
        ]
        if not self._discovers(place, declared):
            return found
        names = {target.name for target in found}
        paths = {str(target.path) for target in found}
        empty = self.document.sub(place.kind.value, {})
        return found + [
            self._target(place, empty, name, path)
            for name, path in inferred
            if name not in names and join(self.directory, path) not in paths
        ]

    def _discovers(self, place: _Place, declared: Iterable[Table]) -> bool:
        """Whether undeclared files count: in 2015 one declared target switches that off."""
        auto = self.package.boolean(place.auto)
        return auto if auto is not None else not (self.edition == "2015" and declared)

    def _declared(
        self,
        place: _Place,
        table: Table,
        inferred: list[tuple[str, str]],
        *,
        has_library: bool,
    ) -> CrateTarget:
        name = table.string("name")
        if not name:
            table.fail(f"a [[{place.kind}]] has no `name`", hint="give it a name")
        path = table.string("path")
        matching = [found for stem, found in inferred if stem == name]
        if path is None and len(matching) == 1:
            path = matching[0]
        if path is None and self.edition == "2015":
            path = self._legacy(place, name, has_library=has_library)
        if path is None:
            reason = f"could be {' or '.join(matching)}" if matching else "has no file"
            table.fail(
                f"{place.kind} `{name}` {reason}",
                hint=f"move it to {place.folder}/{name}.rs, or set its `path`",
            )
        return self._target(place, table, name, path)

    def _legacy(self, place: _Place, name: str, *, has_library: bool) -> str | None:
        """Return the place that edition 2015 accepted by mistake, and still does."""
        if place.kind is TargetKind.BIN:
            own = [] if has_library else [f"src/{name}.rs"]
            paths = [*own, "src/main.rs", "src/bin/main.rs"]
        else:
            paths = ["src/bench.rs"] if (place.kind, name) == (TargetKind.BENCH, "bench") else []
        return next((path for path in paths if self._exists(path)), None)

    def _inferred(self, place: _Place) -> list[tuple[str, str]]:
        """Return name and path of the files that count as targets by their place."""
        found = []
        if place.kind is TargetKind.BIN and self._exists("src/main.rs"):
            found.append((self.name, "src/main.rs"))
        listing = self.tree.listing(join(self.directory, place.folder))
        files = [name for name in sorted(listing.files) if name.endswith(".rs")]
        found += [(name[:-3], f"{place.folder}/{name}") for name in files if name[0] != "."]
        for name in sorted(listing.directories):
            main = f"{place.folder}/{name}/main.rs"
            if not name.startswith(".") and self._exists(main):
                found.append((name, main))
        return found

    def _target(self, place: _Place, table: Table, name: str, path: str) -> CrateTarget:
        def flag(key: str, *, default: bool) -> bool:
            given = table.boolean(key)
            return default if given is None else given

        declared = table.strings("crate-type", "crate_type")
        own_types = declared if place.kind in (TargetKind.EXAMPLE, TargetKind.LIB) else None
        return CrateTarget(
            kind=place.kind,
            name=name,
            path=self._at(path),
            crate_types=own_types or ("bin",),
            edition=table.string("edition") or self.edition,
            harness=flag("harness", default=True),
            test=flag("test", default=place.test),
            bench=flag("bench", default=place.bench),
            required_features=table.strings("required-features") or (),
        )

    def _exists(self, path: str) -> bool:
        return self.tree.is_file(posixpath.normpath(f"{self.directory}/{path}"))

    def _at(self, path: str) -> PurePosixPath:
        return PurePosixPath(join(self.directory, path))
