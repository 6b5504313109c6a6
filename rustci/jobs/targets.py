"""Checks that the libraries compile for further target triples (`cargo check --target`).

On where `platforms.targets` names any: read off `#![no_std]` (bare metal), wasm crates, or
`.cargo/config.toml`. Nothing is linked or run, so no cross compiler is needed as long as no build
script compiles C.
"""

from rustci.jobs.base import (
    LOCK_TROUBLE,
    Verdict,
    capped_lints,
    lane_env,
    libraries,
    linux_runner,
    locked_flag,
    minutes,
    package_specs,
    primary_toolchain,
    rustc_pattern,
    setup,
    workspace_flag,
)
from rustci.options import Config
from rustci.project import Package, Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Matrix, Trouble

ID = "targets"
TITLE = "Further targets"
WORKFLOW = "ci"

TROUBLES = (
    Trouble(
        symptom="`can't find crate for std`",
        cause="A dependency pulls in the standard library through its default features.",
        fix="Set `default-features = false` on it and enable `std` from your own `std` feature.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where further targets are named."""
    if not config.platforms.targets:
        return Verdict(on=False, possible=False, reason="`platforms.targets` names none")
    return Verdict(on=True, reason=config.settings["platforms.targets"].reason)


def checked(project: Project) -> tuple[Package, ...]:
    """Return what is checked: the `no_std` libraries if there are any, else every library."""
    found = tuple(p for p in libraries(project) if not p.proc_macro) or project.packages
    return tuple(package for package in found if package.source.no_std) or found


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    toolchain = primary_toolchain(config)
    packages = checked(project)
    bare = any(package.source.no_std == "conditional" for package in packages)
    # Without the names where they can be done without: a dependency may be called the same.
    whole = packages == project.packages
    flags = (
        workspace_flag(project) if whole else '"${packages[@]/#/--package=}"',
        "--no-default-features" if bare else "",
        locked_flag(project),
    )
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("These targets are promised, and no test lane compiles for them."),
        runner=linux_runner(config),
        timeout=minutes(20, project),
        env=lane_env(
            config,
            toolchain,
            **capped_lints(project),
            TARGET=Verbatim("${{ matrix.target }}"),
            **({} if whole else {"PACKAGES": package_specs(project, packages)}),
        ),
        matrix=Matrix(axes={"target": config.platforms.targets}),
        setup=setup(project, config, runners=(linux_runner(config),), key="${{ matrix.target }}"),
        details={
            "by_package": not whole,
            "flags": Verbatim.words(*flags),
            "rustc": rustc_pattern(toolchain),
        },
        troubles=(*TROUBLES, LOCK_TROUBLE),
    )
