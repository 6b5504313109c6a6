"""Packages what would be published, and checks the form of the manifests.

On where `taplo.toml` or `tomlfmt.toml` (cargo-sort's) is there: the manifests are held to it.
Whoever switches the job on gets the packaging as well: `cargo package` builds each published member
from what would be uploaded, and so finds files that `include` leaves out and path dependencies
without a version before a release does. Not unasked: 12 % of the repositories behind the defaults
do it, and many workspaces that are never published do not say so.

Takes seconds, or as long as a build of the published packages.
"""

from rustci.jobs.base import (
    LOCK_TROUBLE,
    Verdict,
    given,
    lane_env,
    linux_runner,
    locked_flag,
    minutes,
    package_specs,
    primary_toolchain,
    rustc_pattern,
    setup,
    tool,
)
from rustci.options import Config
from rustci.project import Package, Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Setup, Trouble

ID = "manifests"
TITLE = "Manifests"
WORKFLOW = "ci"

FORMATTERS = {"taplo.toml": "taplo", ".taplo.toml": "taplo", "tomlfmt.toml": "cargo-sort"}
"""What checks the form, by the file that configures it."""

TROUBLES = (
    Trouble(
        symptom="`all dependencies must have a version specified when packaging`",
        cause="A path or git dependency has no `version`, which is what users would get.",
        fix="Add it beside `path`, or set `publish = false` on what is never published.",
    ),
    Trouble(
        symptom="A file is missing, and only when packaged",
        cause="It lies outside the package, or `include`/`exclude` leaves it out.",
        fix="`cargo package --list` shows what goes in.",
    ),
    Trouble(
        symptom="Members that depend on one another cannot be packaged",
        cause="cargo before 1.90 looks for each of them on crates.io.",
        fix="Let `toolchains.channels` begin with 1.90 or later.",
    ),
)


def published(project: Project) -> tuple[Package, ...]:
    """Return the members that may be published on crates.io, the prepared ones if there are any."""
    found = tuple(p for p in project.packages if p.publish is None or "crates-io" in p.publish)
    return tuple(package for package in found if package.on_crates_io) or found


def formatters(project: Project) -> tuple[str, ...]:
    """Return the tools that the project has configured for its manifests."""
    names = (FORMATTERS[name] for name in FORMATTERS if given(project, name))
    return tuple(dict.fromkeys(names))


def wanted(project: Project, config: Config) -> Verdict:
    """Where taplo or cargo-sort is configured."""
    if found := given(project, *FORMATTERS):
        return Verdict(on=True, reason=f"`{found}` is there")
    if not published(project):
        return Verdict(on=False, possible=False, reason="nothing is published on crates.io")
    return Verdict(on=False, reason="no `taplo.toml`; switched on, it packages")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    toolchain = primary_toolchain(config)
    formatting = formatters(project)
    tools = tuple(map(tool, formatting))
    # Somebody who only keeps a formatter's configuration did not ask for a build.
    packages = published(project) if config.jobs.get(ID) else ()
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("What cannot be packaged is found here, and not in the middle of a release."),
        runner=linux_runner(config),
        timeout=minutes(20, project),
        env=lane_env(config, toolchain, PACKAGES=package_specs(project, packages))
        if packages
        else {"RUSTUP_TOOLCHAIN": toolchain},
        setup=setup(project, config, runners=(linux_runner(config),), tools=tools)
        if packages
        else Setup(cache=False, tools=tools),
        details={
            "package": bool(packages),
            "taplo": "taplo" in formatting,
            "sort": "cargo-sort" in formatting,
            "flags": Verbatim.words(locked_flag(project)),
            "rustc": rustc_pattern(toolchain),
        },
        troubles=(*TROUBLES, LOCK_TROUBLE) if packages else (),
    )
