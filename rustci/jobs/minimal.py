"""Compiles the libraries with the oldest dependencies that Cargo.toml allows (minimal versions).

On where a library for crates.io has dependencies: `serde = "1.0"` promises that 1.0.0 will do, and
all other runs take a newer one. Direct dependencies are lowered, not those behind them, whose own
promises are not this project's (`-Zdirect-minimal-versions`, nightly). Weekly, since only an edit
of Cargo.toml or of a dependency's manifest changes the answer.

Takes a compilation of the dependencies and a check.
"""

from rustci.jobs.base import (
    Verdict,
    bare_metal,
    capped_lints,
    lane_env,
    libraries,
    linux_runner,
    minutes,
    rustc_pattern,
    selected_features,
    setup,
    tool,
    workspace_flag,
)
from rustci.options import Config
from rustci.project import DependencyKind, Package, Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Trouble

ID = "minimal"
TITLE = "Minimal versions"
WORKFLOW = "scheduled"

TOOLCHAIN = "nightly"
"""`-Zdirect-minimal-versions` is unstable."""

TROUBLES = (
    Trouble(
        symptom="`error[E…]` in the project's own code, and only here",
        cause="The code uses what a dependency has only since a later version.",
        fix="Raise the version in Cargo.toml to the first one that has it.",
    ),
    Trouble(
        symptom="`failed to select a version for …`",
        cause="Another dependency asks for a newer version than Cargo.toml's lower bound.",
        fix="Raise that bound to what the message names: nobody could build with less.",
    ),
    Trouble(
        symptom="A dependency itself does not compile",
        cause="Its old release does not work with today's Rust.",
        fix="Raise the lower bound to the first release that compiles.",
    ),
)


def bounded(project: Project) -> tuple[Package, ...]:
    """Return the published libraries with a dependency that has versions."""
    return tuple(
        package
        for package in libraries(project)
        if package.publishable
        and any(
            dependency.kind is not DependencyKind.DEV
            and dependency.path is None
            and dependency.git is None
            for dependency in package.dependencies
        )
    )


def wanted(project: Project, config: Config) -> Verdict:
    """Where a library for crates.io has dependencies."""
    found = bounded(project)
    if not found:
        reason = "no published library has a dependency with a version"
        return Verdict(on=False, possible=False, reason=reason)
    if bare_metal(project):
        return Verdict(on=False, reason="the library is built for bare metal")
    meant = [package for package in found if package.on_crates_io]
    if not meant:
        reason = f"`{found[0].name}` has no `description` or `license`, as crates.io asks for"
        return Verdict(on=False, reason=reason)
    return Verdict(on=True, reason=f"`{meant[0].name}` promises the lower bounds in Cargo.toml")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    features = selected_features(project, config)
    label = linux_runner(config)
    private = any(not package.publishable for package in project.packages)
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("Cargo.toml promises lower bounds that no other run takes."),
        runner=label,
        timeout=minutes(20, project),
        env=lane_env(config, TOOLCHAIN, **capped_lints(project) | dict(features.env)),
        setup=setup(
            project,
            config,
            runners=(label,),
            tools=(tool("cargo-hack"), tool("cargo-minimal-versions")),
            cache=False,
        ),
        details={
            "flags": Verbatim.words(
                workspace_flag(project), "--ignore-private" if private else "", features.flags
            ),
            "rustc": rustc_pattern(TOOLCHAIN),
        },
        troubles=TROUBLES,
    )
