"""The facts of a Rust project, as frozen values. No input or output happens here.

The words are Cargo's own (https://doc.rust-lang.org/cargo/reference/manifest.html). Every path is a
`PurePosixPath` relative to the repository root; the root itself is `PurePosixPath(".")`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rustci.existing import ExistingWorkflow


@dataclass(frozen=True, slots=True, order=True)
class RustVersion:
    """A Rust release, compared by number: 1.100 is newer than 1.99, and 1.85 is 1.85.0."""

    major: int
    minor: int
    patch: int = 0
    written: str = field(default="", compare=False)
    """With as many parts as the manifest has."""

    @classmethod
    def parse(cls, text: str) -> RustVersion:
        """Return the version that `text` (`1.85` or `1.85.0`) names. Raises ValueError."""
        parts = text.split(".")
        if not 2 <= len(parts) <= 3 or not all(p.isascii() and p.isdigit() for p in parts):
            raise ValueError(text)
        major, minor, *rest = map(int, parts)
        written = ".".join(map(str, (major, minor, *rest)))
        return cls(major, minor, rest[0] if rest else 0, written)

    def __str__(self) -> str:
        """Return the version as it was written."""
        return self.written or f"{self.major}.{self.minor}.{self.patch}"


class TargetKind(StrEnum):
    """What a Cargo target is."""

    LIB = "lib"
    BIN = "bin"
    EXAMPLE = "example"
    TEST = "test"
    BENCH = "bench"
    BUILD = "custom-build"


class DependencyKind(StrEnum):
    """In which of the three tables a dependency stands."""

    NORMAL = "normal"
    DEV = "dev"
    BUILD = "build"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrateTarget:
    """One Cargo target of a package, declared or discovered.

    Source of the rules: https://doc.rust-lang.org/cargo/reference/cargo-targets.html
    """

    kind: TargetKind
    name: str
    path: PurePosixPath
    crate_types: tuple[str, ...]
    """`lib`, `rlib`, `cdylib`, `proc-macro`, `bin` and so on, as `cargo metadata` says."""
    edition: str
    harness: bool = True
    test: bool = True
    """Whether `cargo test` runs it."""
    doctest: bool = False
    bench: bool = False
    required_features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One dependency of a package, with workspace inheritance resolved."""

    name: str
    """The package's name in the registry (not the local rename)."""
    rename: str | None = None
    requirement: str = "*"
    """The version requirement as `cargo metadata` prints it (`^1.2`)."""
    kind: DependencyKind = DependencyKind.NORMAL
    optional: bool = False
    default_features: bool = True
    features: tuple[str, ...] = ()
    target: str | None = None
    """The `cfg(…)` or triple that it is limited to."""
    path: PurePosixPath | None = None
    git: str | None = None
    registry: str | None = None

    @property
    def local_name(self) -> str:
        """The name that the package's own manifest and code use."""
        return self.rename or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A variant of an enum that serde tags: `{"type": "join", "room": …}` on the wire."""

    tag: str
    name: str
    fields: tuple[str, ...]
    """Those that have to be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How a package's binary listens, as far as literals in its code say."""

    protocol: str | None
    """`websocket`, `socketio` or `http`; None for one of its own."""
    path: str | None = None
    """Of the WebSocket, else of a page."""
    health: str | None = None
    port: int | None = None
    address_variable: str | None = None
    """The environment variable that sets host and port."""
    port_variable: str | None = None
    graceful: bool = False
    """Handles SIGTERM, itself or through its framework."""
    messages: tuple[tuple[Message, ...], ...] = ()
    """The variants of each tagged enum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the package's own Rust files say (text search; no macro is expanded)."""

    no_std: str | None = None
    """`always`, `conditional` (`cfg_attr(not(feature = "std"), no_std)`) or None."""
    uses_unsafe: bool = False
    calls_foreign: bool = False
    """Declares foreign functions (`extern "C" { … }`): the tests run code that is not Rust."""
    shares_state: bool = False
    """Shares memory by hand: `UnsafeCell`, or `unsafe impl Send` or `Sync`."""
    knows_miri: bool = False
    """Has a `cfg` on `miri`: somebody runs it."""
    knows_byte_order: bool = False
    """Has a `cfg` on `target_endian`."""
    knows_pointer_width: bool = False
    """Has a `cfg` on `target_pointer_width`."""
    has_tests: bool = False
    has_doctests: bool = False
    ignored_tests: int = 0
    needs_nightly: bool = False
    """An unconditional `#![feature(…)]`."""
    nightly_features: tuple[str, ...] = ()
    """Those of the package under which a crate root has a `#![feature(…)]`; sorted."""
    denies_warnings: bool = False
    """A `#![deny(warnings)]` in a crate root or an integration test."""
    os_specific: tuple[str, ...] = ()
    """Operating systems that code is gated on (`windows`, `unix`, `linux`, `macos`), sorted."""
    unix_only: bool = False
    """Uses `std::os::unix`, `nix` or `libc` calls outside every `cfg`."""
    exclusive_features: tuple[tuple[str, ...], ...] = ()
    """Feature sets under `#[cfg(all(feature = …))] compile_error!`: they break `--all-features`."""
    server: Server | None = None
    """The package has a binary that listens on a socket."""
    migrates: bool = False
    """The code or a test brings the database up to date itself (`migrate!`, `#[sqlx::test]`)."""
    heap_tests: tuple[str, ...] = ()
    """Integration tests whose root file calls `dhat`; sorted."""
    loom_tests: tuple[str, ...] = ()
    """Integration tests whose root file calls `loom`; sorted."""
    models: bool = False
    """The package's own code calls `loom::model`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocsRs:
    """With which features and for which targets docs.rs documents a package.

    Source of the rules: https://docs.rs/about/metadata
    """

    features: tuple[str, ...] = ()
    all_features: bool = False
    targets: tuple[str, ...] = ()
    """Where the manifest names some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One package: what its manifest declares, with inheritance resolved and targets discovered."""

    name: str
    version: str
    """`0.0.0` where the manifest has none."""
    directory: PurePosixPath
    edition: str
    rust_version: RustVersion | None = None
    publish: tuple[str, ...] | None = None
    """None: anywhere. Empty: nowhere (`publish = false`). Else: these registries."""
    links: str | None = None
    features: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Every feature with what it enables, those implied by optional dependencies included."""
    targets: tuple[CrateTarget, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    source: Source = field(default_factory=Source)
    license: str | None = None
    """The SPDX expression, as written."""
    described: bool = False
    """Has a `description`; crates.io takes nothing without one and a licence."""
    docs_rs: DocsRs | None = None
    """`[package.metadata.docs.rs]`."""
    metadata: tuple[str, ...] = ()
    """The names of the tables in `[package.metadata]`, sorted: the settings of tools."""
    lints_workspace: bool = False
    default_run: str | None = None

    @property
    def manifest_path(self) -> PurePosixPath:
        """Where its Cargo.toml is."""
        return self.directory / "Cargo.toml"

    @property
    def publishable(self) -> bool:
        """Whether `cargo publish` may ever upload it."""
        return self.publish != ()

    @property
    def on_crates_io(self) -> bool:
        """Whether the manifest has all that crates.io asks for: the package is meant for it."""
        registries = self.publish is None or "crates-io" in self.publish
        return registries and self.described and self.license is not None

    @property
    def library(self) -> CrateTarget | None:
        """The library target (proc-macro included), or None."""
        return next((target for target in self.targets if target.kind is TargetKind.LIB), None)

    @property
    def proc_macro(self) -> bool:
        """Whether the library is a procedural macro."""
        return self.library is not None and "proc-macro" in self.library.crate_types

    def of_kind(self, kind: TargetKind) -> tuple[CrateTarget, ...]:
        """Return the targets of one kind, in the order of `targets`."""
        return tuple(target for target in self.targets if target.kind is kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """One workspace: a root manifest and its members. A package on its own is one as well.

    Source of the rules: https://doc.rust-lang.org/cargo/reference/workspaces.html
    """

    directory: PurePosixPath
    virtual: bool
    """The root manifest has no `[package]`."""
    explicit: bool
    """The root manifest has a `[workspace]` table."""
    resolver: str
    members: tuple[Package, ...]
    """Sorted by name."""
    default_members: tuple[str, ...]
    """The names of the packages that a bare `cargo test` takes."""
    claimed: frozenset[str] = frozenset()
    """Folders among `.github` and `.config` that a glob in `members` would take for a member."""
    lockfile: bool
    """Cargo.lock exists and git does not ignore it."""
    locked_packages: frozenset[str] = frozenset()
    """The names of all packages in Cargo.lock."""
    locked_versions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Their versions."""
    locked_sources: frozenset[str] = frozenset()
    """Where Cargo.lock takes packages from, crates.io aside: `git+https://…`, `registry+…`."""
    metadata: tuple[str, ...] = ()
    """The names of the tables in `[workspace.metadata]`, sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolchainFile:
    """`rust-toolchain.toml` or the older `rust-toolchain`.

    Source of the rules: https://rust-lang.github.io/rustup/overrides.html
    """

    path: PurePosixPath
    channel: str | None
    """As written, validated; None where the file has none."""
    components: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    profile: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CargoConfig:
    """What `.cargo/config.toml` beside the workspace sets that a workflow must respect."""

    path: PurePosixPath
    build_targets: tuple[str, ...] = ()
    """`build.target`."""
    rustflags: bool = False
    """Any `rustflags`: the RUSTFLAGS variable would silently replace them."""
    rustdocflags: bool = False
    aliases: Mapping[str, str] = field(default_factory=dict)
    target_dir: str | None = None
    registries: Mapping[str, str] = field(default_factory=dict)
    """The index of each, empty where the file names none."""
    offline_sources: bool = False
    """`[source]` replacement by a folder, that is vendored dependencies."""
    unstable: bool = False
    env: tuple[str, ...] = ()
    runners: tuple[str, ...] = ()
    """The targets whose binaries start through a `runner`: it must be installed to run tests."""
    rustc_wrapper: str | None = None
    """`build.rustc-wrapper`: it must be installed to build anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """What the tools of sqlx and diesel work with. Every path starts at the workspace's folder."""

    queries: PurePosixPath | None = None
    """The folder with `.sqlx`, what `cargo sqlx prepare` saved."""
    migrations: PurePosixPath | None = None
    """The folder `migrations` of a project without diesel.toml."""
    diesel: PurePosixPath | None = None
    """The folder with diesel.toml."""
    schema: str | None = None
    """The file that diesel prints the schema to, relative to `diesel`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """What git and the rest of the tree say."""

    git: bool
    default_branch: str | None = None
    """From `refs/remotes/origin/HEAD`, else `main` or `master`, else the checked-out branch."""
    github: str | None = None
    """`owner/name` of the GitHub remote (`origin` first)."""
    host: str | None = None
    """The remote's host: `github.com` or an Enterprise server."""
    workflows: tuple[ExistingWorkflow, ...] = ()
    files: frozenset[str] = frozenset()
    """Which of the well-known configuration files exist (see `discover.repository.KNOWN_FILES`)."""
    nextest_profiles: tuple[str, ...] = ()
    """Profiles in `.config/nextest.toml`."""
    nextest_ignored: bool = False
    """Git would keep a new `.config/nextest.toml` out."""
    rustfmt_unstable: tuple[str, ...] = ()
    """Keys in rustfmt.toml that only a nightly rustfmt accepts."""
    written: frozenset[str] = frozenset()
    """Files that rustci itself wrote, by its lock: no evidence of what the project wants."""
    coverage_service: str | None = None
    """What a workflow of others uploaded coverage to when rustci wrote its own, by its lock."""
    dependabot: bool = False
    renovate: bool = False

    @property
    def foreign_workflows(self) -> tuple[ExistingWorkflow, ...]:
        """The workflows that rustci did not write."""
        return tuple(one for one in self.workflows if one.path.as_posix() not in self.written)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Everything rustci knows of a repository. `main` is the workspace that the workflows cover."""

    root: Path
    """Absolute."""
    main: Workspace
    others: tuple[Workspace, ...] = ()
    """Further workspaces and loose packages (`fuzz/`, benches, examples), by directory."""
    toolchain: ToolchainFile | None = None
    cargo_config: CargoConfig | None = None
    repository: Repository = field(default_factory=lambda: Repository(git=False))
    database: Database = field(default_factory=Database)
    notes: tuple[str, ...] = ()
    """What was left out or could not be read, for people."""

    @property
    def packages(self) -> tuple[Package, ...]:
        """The members of the main workspace."""
        return self.main.members

    def targets(self, kind: TargetKind) -> Iterator[tuple[Package, CrateTarget]]:
        """Yield the targets of one kind in the main workspace, each with its package."""
        for package in self.packages:
            for target in package.of_kind(kind):
                yield package, target

    def dependency_names(self, *kinds: DependencyKind) -> frozenset[str]:
        """Return the registry names of the main workspace's direct dependencies of these kinds."""
        wanted = kinds or tuple(DependencyKind)
        return frozenset(
            dependency.name
            for package in self.packages
            for dependency in package.dependencies
            if dependency.kind in wanted
        )
