"""The dependency tables of a manifest, inheritance resolved.

Source of the rules: https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from rustci.discover.toml import Table
from rustci.discover.tree import join
from rustci.project import Dependency, DependencyKind

TABLES = {
    DependencyKind.NORMAL: ("dependencies",),
    DependencyKind.DEV: ("dev-dependencies", "dev_dependencies"),
    DependencyKind.BUILD: ("build-dependencies", "build_dependencies"),
}
_DEFAULT_FEATURES = ("default-features", "default_features")
_CFG_WORD = re.compile(r'[\w#-]+|"[^"]*"|[(),=]')


@dataclass(frozen=True, slots=True)
class Inherited:
    """`[workspace.dependencies]` of the root manifest, whose paths start at `directory`."""

    directory: str
    dependencies: Table | None

    def detail(self, name: str, asking: Table) -> Table:
        """Return the workspace's entry as a table. Raises ProjectError where there is none."""
        if self.dependencies is None or name not in self.dependencies:
            asking.fail(
                f"`{name}` is inherited, but the workspace has no such dependency",
                name,
                "add it to [workspace.dependencies] of the root manifest",
            )
        return _detail(self.dependencies, name)


@dataclass(frozen=True, slots=True)
class DependencyReader:
    """Reads the dependencies of one manifest in `directory`."""

    document: Table
    directory: str
    edition: str
    inherited: Inherited

    def read(self) -> tuple[Dependency, ...]:
        """Return every dependency, by kind and name. Raises ProjectError."""
        found = [
            self._dependency(table, name, kind, target)
            for target, holder in self._holders()
            for kind, keys in TABLES.items()
            if (table := holder.table(*keys)) is not None
            for name in table.values
        ]
        return tuple(sorted(found, key=lambda d: (d.kind, d.local_name, d.target or "")))

    def _holders(self) -> Iterator[tuple[str | None, Table]]:
        """Yield the document, then each `[target.…]`, with the platform that it stands for."""
        yield None, self.document
        targets = self.document.table("target")
        for name in targets.values if targets else ():
            holder = targets.table(name) if targets else None
            if holder is not None:
                yield platform(name), holder

    def _dependency(
        self, table: Table, name: str, kind: DependencyKind, target: str | None
    ) -> Dependency:
        own = source = _detail(table, name)
        base = self.directory
        if own.boolean("workspace"):
            source, base = self.inherited.detail(name, own), self.inherited.directory
        _require_origin(source, name)
        path, package = source.string("path"), source.string("package")
        return Dependency(
            name=package or name,
            rename=name if package is not None else None,
            requirement=requirement(source.string("version") or "*"),
            kind=kind,
            optional=bool(own.boolean("optional")),
            default_features=_default_features(own, source, self.edition),
            features=_features(own, source),
            target=target,
            path=None if path is None else PurePosixPath(join(base, path)),
            git=source.string("git"),
            registry=source.string("registry") or source.string("registry-index"),
        )


def _require_origin(source: Table, name: str) -> None:
    if not any(key in source for key in ("version", "path", "git")):
        source.fail(
            f"dependency `{name}` names no version, path or git repository",
            name,
            f'write `{name} = "1.0"`, or a path or git repository',
        )


def _detail(table: Table, name: str) -> Table:
    value = table.values[name]
    if isinstance(value, str):
        return table.sub(name, {"version": value})
    if not isinstance(value, dict):
        table.fail(f"`{table.name}.{name}` must be a version or a table, not `{value}`", name)
    return table.sub(name, value)


def _features(own: Table, source: Table) -> tuple[str, ...]:
    features = source.strings("features") or ()
    return features if source is own else features + (own.strings("features") or ())


def _default_features(own: Table, source: Table, edition: str) -> bool:
    mine, theirs = own.boolean(*_DEFAULT_FEATURES), source.boolean(*_DEFAULT_FEATURES)
    if source is own or mine is None:
        return theirs is not False
    if edition >= "2024":
        # Cargo 1.99 lets a member switch them off (RFC 3945); before, it refuses the manifest.
        return mine
    return mine or theirs is not False


@cache
def requirement(text: str) -> str:
    """Return a version requirement the way `cargo metadata` prints it."""
    parts = [_comparator(part.strip()) for part in text.split(",") if part.strip()]
    return ", ".join(parts) or "*"


def _comparator(text: str) -> str:
    match = re.fullmatch(r"(>=|<=|[=<>~^])?\s*v?([^\s+]+)(?:\+\S*)?", text)
    if match is None:
        return text
    operator, version = match.groups()
    if re.search(r"(?:^|\.)[*xX](?:$|\.)", version):
        numbers = re.match(r"(?:\d+\.)*", version)
        return f"{operator or ''}{numbers.group() if numbers else ''}*"
    return f"{operator or '^'}{version}"


@cache
def platform(text: str) -> str:
    """Return a `[target]` key the way `cargo metadata` prints it: `cfg(all(unix, a = "b"))`."""
    if not text.startswith("cfg("):
        return text
    words = _CFG_WORD.findall(text)
    kept = [w for w, after in zip(words, [*words[1:], ""], strict=True) if (w, after) != (",", ")")]
    spaced = {",": ", ", "=": " = "}
    return "".join(spaced.get(word, word) for word in kept)
