"""What the catalogue's jobs share: their protocol, and the pieces that most of them are made of."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from rustci import access, actions, native, services
from rustci.environment import backend
from rustci.errors import ConfigError
from rustci.options import Config
from rustci.project import Package, Project, TargetKind
from rustci.quoting import Verbatim
from rustci.runners import runner
from rustci.targets import Target, target
from rustci.workflow import (
    CONTENTS_READ,
    Job,
    Migrations,
    Permission,
    ServiceContainer,
    Setup,
    Trouble,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a job is wanted, and why (not)."""

    on: bool
    reason: str
    possible: bool = True
    """False where switching it on could not work: the reason then says what is missing."""


class CatalogueJob(Protocol):
    """A module under `rustci/jobs/` that describes one job. Its docstring is its docs page."""

    ID: str
    TITLE: str
    WORKFLOW: str

    def wanted(self, project: Project, config: Config) -> Verdict:
        """Return whether the project calls for the job."""

    def build(self, project: Project, config: Config) -> Job:
        """Return the job, every decision taken."""


SHOWN = "`warnings.{}` in .github/rustci.toml says why it fails nothing."
"""The end of the sentence on a job whose findings are shown only."""
DATABASE = "DATABASE_URL"
"""The variable through which sqlx, diesel and tests find a database."""
LINUX = "ubuntu-24.04"
"""Where jobs run that need no other system."""

TOOLCHAIN_TROUBLE = Trouble(
    symptom="`Check the compiler` fails",
    cause="Another toolchain than the lane's was picked: something set `RUSTUP_TOOLCHAIN` again, "
    "or the runner's rustup could not install it.",
    fix="Look at the step's log for the version that ran, and remove the override.",
)
LOCK_TROUBLE = Trouble(
    symptom="`the lock file … needs to be updated but --locked was passed`",
    cause="Cargo.toml changed and Cargo.lock was not committed with it.",
    fix="Run `cargo update --workspace` and commit Cargo.lock.",
)
CACHE_TROUBLE = Trouble(
    symptom="Everything is compiled again although the cache was restored",
    cause="The compiler, an environment variable or a manifest changed, so the key changed; or the "
    "10 GB that GitHub keeps were full and the oldest caches went.",
    fix="Compare the key in the log of `Restore the cargo cache` with that of the last run on the "
    "default branch. Only that branch saves caches.",
)


ARCHIVE_TROUBLE = Trouble(
    symptom="`Fetch the compiled tests` finds no artifact",
    cause="The lane that compiles them failed, or the run is older than the day they are kept.",
    fix="Re-run all jobs, not only the failed ones.",
)

CODE_SCANNING = (
    CONTENTS_READ,
    Permission(
        scope=Verbatim("security-events"),
        level=Verbatim("write"),
        reason=Verbatim("shows the findings on the Security tab"),
    ),
    Permission(
        scope=Verbatim("actions"),
        level=Verbatim("read"),
        reason=Verbatim("a private repository asks which run the findings are from"),
    ),
)
"""What a job needs that hands its findings to GitHub's code scanning."""
CODE_SCANNING_TROUBLE = Trouble(
    symptom="`Code scanning is not enabled for this repository`",
    cause="In private repositories it is a paid feature; elsewhere somebody switched it off.",
    fix="Switch it on under Settings → Advanced Security, or switch the job off.",
)


def linux_runner(config: Config) -> str:
    """Return the first Linux label among the runners, for the jobs that need just one.

    Whoever names only runners of their own wants every job there.
    """
    found = {label: runner(label) for label in config.platforms.runners}
    for label, known in found.items():
        if known and known.hosted and known.os == "linux":
            return label
    own = not any(known and known.hosted for known in found.values())
    return config.platforms.runners[0] if own else LINUX


def primary_toolchain(config: Config) -> str:
    """Return the toolchain that lints, documents and measures."""
    return config.toolchains.channels[0]


def experimental(toolchain: str) -> bool:
    """Return whether a lane of this toolchain may fail: the project does not promise it."""
    return toolchain.startswith(("beta", "nightly"))


def rustc_pattern(toolchain: str) -> str:
    """Return an extended regular expression for the `rustc --version` of the toolchain.

    A `rust-toolchain.toml` outranks `rustup default`, so every lane proves which compiler it is.
    """
    if re.match(r"\d", toolchain):
        version = re.escape(toolchain)
        return f"^rustc {version}[ .]" if toolchain.count(".") == 1 else f"^rustc {version} "
    if toolchain == "stable":
        return "^rustc [0-9.]+ "
    return f"-{toolchain.split('-', maxsplit=1)[0]}"


Row = Mapping[str, str | int | bool]


def may_fail(rows: tuple[Row, ...], config: Config, key: str = "target") -> tuple[Row, ...]:
    """Return the rows of a matrix, each with whether it may fail if any of them may."""
    allowed = config.platforms.experimental
    if not any(row[key] in allowed for row in rows):
        return rows
    return tuple({**row, "experimental": row[key] in allowed} for row in rows)


def further_targets(config: Config) -> tuple[Target, ...]:
    """Return the targets beside those that the test lanes compile for anyway."""
    hosts = {known.host for label in config.platforms.runners if (known := runner(label))}
    return tuple(target(triple) for triple in config.platforms.targets if triple not in hosts)


WASM = "wasm32-unknown-unknown"


def wasm_tested(project: Project) -> tuple[Package, ...]:
    """Return the members whose tests a wasm-bindgen runner can run."""
    return tuple(
        package
        for package in project.packages
        if any(dependency.name == "wasm-bindgen-test" for dependency in package.dependencies)
    )


def workspace_flag(project: Project) -> str:
    """Return `--workspace` where a bare cargo command would leave members out."""
    return "--workspace" if len(project.packages) > 1 else ""


def locked_flag(project: Project) -> str:
    """Return `--locked` where Cargo.lock is committed; vendored sources need no network either."""
    if access.vendored(project):
        return "--frozen" if project.main.lockfile else "--offline"
    return "--locked" if project.main.lockfile else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Flags for cargo, and the variables that they read: no name of a project enters a script."""

    flags: str
    env: Mapping[str, str] = field(default_factory=dict)


def selected_features(project: Project, config: Config) -> Features:
    """Return with which features the tests, lints and docs are built."""
    chosen = config.tests.features
    if isinstance(chosen, tuple):
        return Features(flags='--features "$FEATURES"', env={"FEATURES": ",".join(chosen)})
    if chosen == "default" or not any(package.features for package in project.packages):
        return Features(flags="")
    if chosen == "all" or all_features_problem(project) is None:
        return Features(flags="--all-features")
    return Features(flags="")


NIGHTLY_FEATURE = re.compile(r"(?:^|[-_])(nightly|unstable)(?:$|[-_])")
PRIVATE_FEATURE = re.compile(r"^_")


def all_features_problem(project: Project) -> str | None:
    """Return why `--all-features` would not compile on stable, or None."""
    for package in project.packages:
        if package.source.exclusive_features:
            names = "`, `".join(package.source.exclusive_features[0])
            return f"features `{names}` of `{package.name}` exclude one another"
        for feature in package.features:
            if _needs_nightly(package, feature):
                return f"feature `{feature}` of `{package.name}` needs nightly Rust"
            if PRIVATE_FEATURE.search(feature):
                return f"feature `{feature}` of `{package.name}` is private"
    return None


def skipped_features(project: Project) -> tuple[str, ...]:
    """Return the features that no stable combination may hold, sorted."""
    return tuple(
        sorted(
            {
                feature
                for package in project.packages
                for feature in package.features
                if _needs_nightly(package, feature) or PRIVATE_FEATURE.search(feature)
            }
        )
    )


def _needs_nightly(package: Package, feature: str) -> bool:
    named = NIGHTLY_FEATURE.search(feature) is not None
    return named or feature in package.source.nightly_features


def package_specs(project: Project, packages: tuple[Package, ...]) -> str:
    """Return package IDs with blanks between, for `$PACKAGES`. Unique even beside dependencies."""
    return " ".join(
        f"{package.name}@{package.version}"
        if len(project.main.locked_versions.get(package.name, ())) > 1
        else package.name
        for package in packages
    )


def given(project: Project, *names: str) -> str | None:
    """Return the first of these well-known files that is there and that rustci did not write."""
    folder, written = project.main.directory, project.repository.written
    for name in names:
        if name in project.repository.files and not {name, str(folder / name)} & written:
            return name
    return None


def settings_of_tools(project: Project) -> frozenset[str]:
    """Return the names of the tools for which a manifest has settings (its `metadata`)."""
    tables = (package.metadata for package in project.packages)
    return frozenset(project.main.metadata).union(*tables)


def libraries(project: Project) -> tuple[Package, ...]:
    """Return the members that have a library."""
    return tuple(package for package in project.packages if package.library)


def has_tests(project: Project) -> bool:
    """Return whether any member has a test that cargo would run."""
    return any(package.source.has_tests for package in project.packages)


def has_doctest_target(project: Project) -> bool:
    """Return whether `cargo test --doc` finds a library; without one it fails."""
    return any(target.doctest for _, target in project.targets(TargetKind.LIB))


def writes_nextest(project: Project) -> bool:
    """Return whether `.config/nextest.toml`, with the profile `ci`, is rustci's to write."""
    repository = project.repository
    return ".config/nextest.toml" not in repository.files and not repository.nextest_ignored


def nextest_flags(project: Project) -> tuple[str, ...]:
    """Return the flags of `cargo nextest run` that depend on what the project has."""
    known = writes_nextest(project) or "ci" in project.repository.nextest_profiles
    return (
        "--profile ci" if known else "--no-fail-fast",
        # A filter that leaves nothing must fail, but a project without tests may stay green.
        "" if has_tests(project) else "--no-tests=pass",
    )


def bare_metal(project: Project) -> bool:
    """Return whether cargo builds for a target without an operating system by default."""
    config = project.cargo_config
    targets = config.build_targets if config else ()
    return any("-none" in target for target in targets)


def direct_features(project: Project) -> Mapping[str, frozenset[str]]:
    """Return the direct dependencies with their features, less those limited by a `cfg(…)`."""
    enabled: dict[str, frozenset[str]] = {}
    for package in project.packages:
        for dependency in package.dependencies:
            if dependency.target is None:
                features = enabled.get(dependency.name, frozenset())
                enabled[dependency.name] = features | frozenset(dependency.features)
    return enabled


def native_packages(project: Project) -> tuple[native.NativePackage, ...]:
    """Return what the dependencies need of the system."""
    return native.packages_for(project.main.locked_packages, direct_features(project))


def all_targets_flags(project: Project) -> str:
    """Return the flags that reach every target that stable Rust can compile."""
    if bare_metal(project):
        # A test harness needs an operating system: firmware has no tests or benchmarks.
        return ""
    if any(target.harness for _, target in project.targets(TargetKind.BENCH)):
        # Benchmarks of the built-in harness need `#![feature(test)]`, that is nightly Rust.
        return "--lib --bins --tests --examples"
    return "--all-targets"


def minutes(base: int, project: Project) -> int:
    """Return a time limit that grows with the number of locked dependencies."""
    return base * (1 + min(len(project.main.locked_packages), 900) // 300)


def tool(name: str) -> str:
    """Return `name@version` for the action that installs tools."""
    return actions.tool(name).spec


SCCACHE_ENV = {
    "RUSTC_WRAPPER": "sccache",
    # A cache that cannot be reached must slow the build down, not fail it.
    "SCCACHE_IGNORE_SERVER_IO_ERROR": "1",
}
GITHUB_CACHE_ENV = {"SCCACHE_GHA_ENABLED": "true"}


def capped_lints(project: Project) -> dict[str, str]:
    """Return the variable that keeps warnings from failing jobs that judge something else.

    A crate that denies warnings in its code breaks with a new compiler's. Clippy's job judges them.
    """
    denied = any(package.source.denies_warnings for package in project.packages)
    replaced = project.cargo_config is not None and project.cargo_config.rustflags
    return {"RUSTFLAGS": "--cap-lints=warn"} if denied and not replaced else {}


def lane_env(config: Config, toolchain: str, **more: str) -> dict[str, str]:
    """Return a job's environment: its toolchain, and sccache where it is on."""
    env = {"RUSTUP_TOOLCHAIN": toolchain, **more}
    if not config.cache.sccache:
        return env
    return env | SCCACHE_ENV | (GITHUB_CACHE_ENV if config.cache.sccache == "github" else {})


def setup(
    project: Project,
    config: Config,
    *,
    runners: tuple[str, ...],
    components: tuple[str, ...] = (),
    targets: tuple[str, ...] = (),
    tools: tuple[str, ...] = (),
    migrations: Migrations | None = None,
    cache: bool = True,
    key: str = "",
) -> Setup:
    """Return the steps before a compiling job's own. `key` tells lanes of one job apart."""
    file = project.toolchain
    cargo_targets = project.cargo_config.build_targets if project.cargo_config else ()
    known = [runner(label) for label in runners]
    storage = config.cache.sccache if isinstance(config.cache.sccache, str) else None
    return Setup(
        components=tuple(dict.fromkeys((*components, *(file.components if file else ())))),
        targets=tuple(
            dict.fromkeys(
                t
                for t in (*targets, *(file.targets if file else ()), *cargo_targets)
                if "." not in t
            )
        ),
        packages=config.tests.packages,
        packages_on_linux_only=any(k is None or k.os != "linux" for k in known),
        cache=cache and config.cache.cargo,
        cache_targets=storage is None,
        cache_guard=any(k is None or not k.hosted for k in known),
        cache_key=_cache_key(project, key),
        sccache=storage,
        sccache_settings=backend(storage) if storage else (),
        tools=(
            *((tool("sccache"),) if storage else ()),
            *dict.fromkeys(tool(found.tool) for found in native_packages(project) if found.tool),
            *tools,
        ),
        migrations=migrations,
    )


def shards(config: Config) -> tuple[int, ...]:
    """Return the numbers of the shards, from 1 as nextest counts them."""
    return tuple(range(1, config.tests.shards + 1))


def partition(config: Config) -> Verbatim:
    """Return which slice a shard runs: slices deal the tests of all binaries out evenly."""
    return Verbatim(f"slice:${{{{ matrix.shard }}}}/{config.tests.shards}")


def ready_made(compiling: Setup, *tools: str) -> Setup:
    """Return what a job needs that runs what another one compiled with `compiling`."""
    return replace(compiling, tools=tools, cache=False, sccache=None, sccache_settings=())


def _cache_key(project: Project, lane: str) -> Verbatim | None:
    # rust-cache does not hash the root manifest of a virtual workspace, where profiles stand.
    # The path of a nested one is the project's, and no part of an expression may be.
    path = "**/Cargo.toml" if project.main.directory.parts else "Cargo.toml"
    manifest = f"${{{{ hashFiles('{path}') }}}}" if project.main.virtual else ""
    parts = [part for part in (lane, manifest) if part]
    return Verbatim("-".join(parts)) if parts else None


def services_of(config: Config) -> tuple[services.Service, ...]:
    """Return the services that `tests.services` names. Raises ConfigError for an unknown one."""
    known = services.services()
    for name in config.tests.services:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise ConfigError(
                f"unknown service `{name}` in `tests.services`",
                where=config.settings["tests.services"].where,
                hint=f"did you mean `{near[0]}`?" if near else f"known are {', '.join(known)}",
            )
    return tuple(known[name] for name in config.tests.services)


def database_of(project: Project, config: Config) -> services.Service | None:
    """Return the database that sqlx or diesel talks to: a chosen one, else the one implied."""
    implied = (service for service, _ in services.services_for(direct_features(project)))
    return next((s for s in (*services_of(config), *implied) if DATABASE in s.test_env), None)


def migrations_of(project: Project, config: Config) -> Migrations | None:
    """Return how `migrations/` gets into the database; None where there is none of them."""
    service, found = database_of(project, config), project.database
    if service is None:
        return None
    features = "postgres" if service.id == "postgres" else "mysql"
    if found.diesel:
        return Migrations(
            tool=built_for(project, "diesel", "diesel_cli"),
            features=features,
            diesel=True,
            folder=str(found.diesel),
        )
    if found.migrations and "sqlx" in direct_features(project):
        return Migrations(
            tool=built_for(project, "sqlx", "sqlx-cli"),
            features=features,
            diesel=False,
            folder=str(found.migrations),
        )
    return None


def migrations_for_tests(project: Project, config: Config) -> Migrations | None:
    """Return them where the tests have a database and do not bring it up to date themselves."""
    if DATABASE not in service_env(config) or any(p.source.migrates for p in project.packages):
        return None
    return migrations_of(project, config)


def built_for(project: Project, crate: str, program: str) -> Verbatim:
    """Return the program in the release that belongs to the locked crate."""
    newest = actions.built(program)
    versions = project.main.locked_versions.get(crate, ())
    locked = next((v for v in versions if re.fullmatch(r"\d+\.\d+\.\d+", v)), newest.version)
    if locked.split(".")[:2] == newest.version.split(".")[:2]:
        return Verbatim(newest.spec)
    return Verbatim(f"{program}@~{locked.rpartition('.')[0]}")


def service_containers(config: Config) -> tuple[ServiceContainer, ...]:
    """Return the containers for `tests.services`, in that order."""
    return containers(services_of(config))


def containers(chosen: tuple[services.Service, ...]) -> tuple[ServiceContainer, ...]:
    """Return the containers of these services."""
    return tuple(
        ServiceContainer(
            id=service.id,
            image=service.image,
            ports=service.ports,
            env=service.env,
            options=service.options,
        )
        for service in chosen
    )


def service_env(config: Config) -> dict[str, str]:
    """Return the variables through which the tests find their services."""
    return {
        variable: value
        for service in services_of(config)
        for variable, value in service.test_env.items()
    }
