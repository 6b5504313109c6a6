"""Compiles the project with the oldest Rust that it promises to support (MSRV).

On where Cargo.toml has a `rust-version`, or `toolchains.msrv` names one. Packages with different
versions get a lane each. `RUSTUP_TOOLCHAIN` beats a `rust-toolchain.toml`, and the first step
proves which compiler runs: the usual MSRV job stays green because it tests another one. Test code
is left out: its dependencies may need a newer Rust without anybody being hurt. Where no
Cargo.lock is committed, stable cargo first picks dependency versions that fit; the newest ones
rarely do.
"""

from rustci.jobs.base import (
    LOCK_TROUBLE,
    TOOLCHAIN_TROUBLE,
    Verdict,
    capped_lints,
    lane_env,
    linux_runner,
    locked_flag,
    minutes,
    package_specs,
    rustc_pattern,
    selected_features,
    setup,
    workspace_flag,
)
from rustci.options import Config
from rustci.project import Project, RustVersion
from rustci.quoting import Verbatim
from rustci.workflow import Job, Matrix, Trouble

ID = "msrv"
TITLE = "Minimum supported Rust"
WORKFLOW = "ci"

TROUBLES = (
    Trouble(
        symptom="`… cannot be built because it requires rustc 1.x or newer`",
        cause="A dependency raised its own `rust-version`.",
        fix='`cargo update -p NAME --precise VERSION`, set `resolver = "3"` so that cargo picks '
        "versions that fit, or raise `rust-version`.",
    ),
    Trouble(
        symptom="`lock file version 4 requires …`",
        cause="Cargo.lock was written by a newer cargo than the minimum can read (1.78).",
        fix="Raise `rust-version` to 1.78 or later, or write the lock with the old cargo.",
    ),
)


def lanes(project: Project, config: Config) -> dict[str, tuple[str, ...]]:
    """Return the package names by MSRV, oldest first; packages without one are in no lane."""
    msrv = config.toolchains.msrv
    if isinstance(msrv, str):
        return {msrv: tuple(package.name for package in project.packages)}
    if msrv is False:
        return {}
    found: dict[RustVersion, list[str]] = {}
    for package in project.packages:
        if package.rust_version:
            found.setdefault(package.rust_version, []).append(package.name)
    return {str(version): tuple(names) for version, names in sorted(found.items())}


def wanted(project: Project, config: Config) -> Verdict:
    """Where there is an MSRV that no other lane tests."""
    found = lanes(project, config)
    if not found:
        return Verdict(
            on=False,
            possible=False,
            reason="no MSRV: Cargo.toml has no `rust-version` and `toolchains.msrv` names none",
        )
    if set(found) <= set(config.toolchains.channels):
        return Verdict(on=False, reason="the test matrix already runs on it")
    return Verdict(on=True, reason=config.settings["toolchains.msrv"].reason)


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    features = selected_features(project, config)
    found = lanes(project, config)
    whole = len(found) == 1 and len(next(iter(found.values()))) == len(project.packages)
    rows = tuple(_row(project, version, names, whole) for version, names in found.items())
    scope = workspace_flag(project) if whole else '"${packages[@]/#/--package=}"'
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("Users on the oldest promised Rust must still be able to compile."),
        runner=linux_runner(config),
        timeout=minutes(20, project),
        env=lane_env(
            config,
            Verbatim("${{ matrix.toolchain }}"),
            **capped_lints(project),
            **({} if whole else {"PACKAGES": Verbatim("${{ matrix.packages }}")}),
            **features.env,
        ),
        matrix=Matrix(include=rows),
        setup=setup(project, config, runners=(linux_runner(config),)),
        variables=("CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS",),
        details={
            "by_package": not whole,
            "flags": Verbatim.words(scope, features.flags, locked_flag(project)),
            "resolve": not project.main.lockfile,
            "rustc": Verbatim("${{ matrix.rustc }}"),
        },
        troubles=(*TROUBLES, TOOLCHAIN_TROUBLE, LOCK_TROUBLE),
    )


def _row(
    project: Project, version: str, names: tuple[str, ...], whole: bool
) -> dict[str, str | int | bool]:
    row: dict[str, str | int | bool] = {"toolchain": version, "rustc": rustc_pattern(version)}
    if not whole:
        packages = tuple(package for package in project.packages if package.name in names)
        row["packages"] = package_specs(project, packages)
    return row
