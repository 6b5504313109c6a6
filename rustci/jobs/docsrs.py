"""Builds the documentation the way docs.rs does, every week: newest nightly, its own settings.

On where `[package.metadata.docs.rs]` is set: those settings (features, targets, `--cfg docsrs`) run
nowhere else, and what breaks them is mostly a new nightly (1.92 removed `doc_auto_cfg`). So it runs
on a schedule and blocks nobody. Warnings pass, as they do on docs.rs; the job `docs` judges those.

Takes the time of a documentation build, and half a minute to install cargo-docs-rs.
"""

from rustci import actions
from rustci.jobs.base import (
    Verdict,
    lane_env,
    libraries,
    linux_runner,
    locked_flag,
    minutes,
    rustc_pattern,
    setup,
)
from rustci.options import Config
from rustci.project import Package, Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Trouble

ID = "docsrs"
TITLE = "docs.rs"
WORKFLOW = "scheduled"

TOOLCHAIN = "nightly"
"""What docs.rs itself uses (https://docs.rs/about/builds)."""

TROUBLES = (
    Trouble(
        symptom="`error[E0557]: feature has been removed`",
        cause="The nightly that docs.rs uses dropped an unstable feature.",
        fix="`doc_auto_cfg` is `doc_cfg` now; keep such attributes behind `cfg(docsrs)`.",
    ),
    Trouble(
        symptom="A native library is missing, and only here",
        cause="docs.rs has no network and a fixed set of libraries; it sets `DOCS_RS`.",
        fix="Let the build script skip the native part when `DOCS_RS` is set.",
    ),
)


def documented(project: Project) -> tuple[Package, ...]:
    """Return the published libraries, those with settings for docs.rs if there are any."""
    found = tuple(package for package in libraries(project) if package.publishable)
    return tuple(package for package in found if package.docs_rs) or found


def wanted(project: Project, config: Config) -> Verdict:
    """Where a published library has settings for docs.rs."""
    found = documented(project)
    if not found:
        return Verdict(on=False, possible=False, reason="no library is published")
    if not found[0].docs_rs:
        return Verdict(on=False, reason="no `[package.metadata.docs.rs]`")
    return Verdict(on=True, reason=f"`{found[0].name}` has `[package.metadata.docs.rs]`")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    packages = documented(project)
    label = linux_runner(config)
    targets = tuple(
        target
        for package in packages
        for target in (package.docs_rs.targets if package.docs_rs else ())
    )
    names = " ".join(package.name for package in packages)
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("docs.rs builds with tomorrow's nightly and settings that nothing else uses."),
        runner=label,
        timeout=minutes(30, project),
        env=lane_env(config, TOOLCHAIN, PACKAGES=names),
        setup=setup(project, config, runners=(label,), targets=targets, cache=False),
        details={
            "flags": Verbatim.words(locked_flag(project)),
            "rustc": rustc_pattern(TOOLCHAIN),
            "tool": Verbatim(actions.built("cargo-docs-rs").spec),
        },
        troubles=TROUBLES,
    )
