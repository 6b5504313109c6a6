"""Compares the API of the libraries with their newest release on crates.io (cargo-semver-checks).

On where a library has what crates.io asks for, a description and a licence. It fails where the
version in Cargo.toml was raised by less than the changes need. As long as the version is that of
the newest release, a break is only told, as a warning on the run: the next version is not decided
yet. A package that is not on crates.io has nothing to compare with and passes with a notice, and so
do comparisons that cannot be made (an old release that no longer compiles), with a warning.

Two builds of the documentation for each package: about a minute for a small crate, more for many
dependencies. No answer is a proof; changes of types and generics are not all seen.
"""

from rustci import actions
from rustci.jobs.base import (
    Verdict,
    lane_env,
    libraries,
    linux_runner,
    minutes,
    primary_toolchain,
    rustc_pattern,
    setup,
    tool,
)
from rustci.options import Config
from rustci.project import Package, Project, RustVersion
from rustci.quoting import Verbatim
from rustci.workflow import Job, Trouble

ID = "semver"
TITLE = "API compatibility"
WORKFLOW = "ci"

PER_PACKAGE = 3
"""Minutes that each further package adds to the time limit."""
LIMIT = 180
"""Minutes at most."""

TROUBLES = (
    Trouble(
        symptom="`semver requires new major version`, and the job is red",
        cause="The version in Cargo.toml promises less than the changes break.",
        fix="Raise it as the message says, or bring the removed item back as deprecated.",
    ),
    Trouble(
        symptom="A warning `cannot be compared`",
        cause="The newest release does not compile, or the tool does not know this Rust yet.",
        fix="The log says which. `rustci update` brings the newest tool that rustci knows.",
    ),
)


def compared(project: Project) -> tuple[Package, ...]:
    """Return the libraries that others may link, those meant for crates.io if there are any."""
    found = tuple(p for p in libraries(project) if p.publishable and not p.proc_macro)
    return tuple(package for package in found if package.on_crates_io) or found


def wanted(project: Project, config: Config) -> Verdict:
    """Where a library is meant for crates.io: it has a description and a licence."""
    found = compared(project)
    if not found:
        return Verdict(on=False, possible=False, reason="no library is published")
    if not found[0].on_crates_io:
        reason = f"`{found[0].name}` has no `description` or `license`, as crates.io asks for"
        return Verdict(on=False, reason=reason)
    return Verdict(on=True, reason=f"`{found[0].name}` is a library for crates.io")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    packages = compared(project)
    toolchain = _toolchain(project, config)
    names = " ".join(package.name for package in packages)
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("A release that breaks its users has to say so in its version."),
        runner=linux_runner(config),
        timeout=min(minutes(20, project) + PER_PACKAGE * (len(packages) - 1), LIMIT),
        env=lane_env(config, toolchain, PACKAGES=names),
        setup=setup(
            project, config, runners=(linux_runner(config),), tools=(tool("cargo-semver-checks"),)
        ),
        details={"rustc": rustc_pattern(toolchain)},
        troubles=TROUBLES,
    )


def _toolchain(project: Project, config: Config) -> str:
    """Return the newest Rust whose documentation the tool reads, unless the project needs another.

    The format changes with almost every Rust, and a version of the tool knows those of its time.
    """
    primary, newest = primary_toolchain(config), actions.tool("cargo-semver-checks").newest_rust
    needed = [package.rust_version for package in project.packages if package.rust_version]
    if newest is None or primary != "stable":
        return primary
    return newest if all(v <= RustVersion.parse(newest) for v in needed) else primary
