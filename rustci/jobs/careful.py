"""Runs the tests every week against a standard library with all its checks on (cargo-careful).

Off unless asked for: the cheap way between plain tests and Miri. It finds less than Miri, but runs
at almost full speed, and code that calls C too. Takes a build of the standard library, about two
minutes, and the tests.
"""

from rustci.jobs.base import (
    LOCK_TROUBLE,
    Verdict,
    bare_metal,
    capped_lints,
    has_tests,
    lane_env,
    linux_runner,
    locked_flag,
    minutes,
    rustc_pattern,
    selected_features,
    service_containers,
    service_env,
    setup,
    tool,
    workspace_flag,
)
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Trouble

ID = "careful"
TITLE = "Careful"
WORKFLOW = "scheduled"

TOOLCHAIN = "nightly"

TROUBLES = (
    Trouble(
        symptom="`unsafe precondition(s) violated`, and only here",
        cause="Unsafe code breaks what a function of the standard library asks for.",
        fix="The backtrace names the call. It is undefined behaviour in every build.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Only where it is asked for."""
    if bare_metal(project) or not has_tests(project):
        return Verdict(on=False, possible=False, reason="there are no tests that it could run")
    for package in project.packages:
        if package.source.uses_unsafe:
            return Verdict(on=False, reason=f"`{package.name}` has unsafe code; few run it")
    return Verdict(on=False, reason="no unsafe code")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    features = selected_features(project, config)
    label = linux_runner(config)
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("The released standard library leaves its checks of unsafe callers out."),
        runner=label,
        timeout=minutes(30, project),
        env=lane_env(
            config, TOOLCHAIN, **capped_lints(project), **features.env, **service_env(config)
        ),
        services=service_containers(config),
        setup=setup(
            project,
            config,
            runners=(label,),
            components=("rust-src",),
            tools=(tool("cargo-careful"),),
            cache=False,
        ),
        variables=("RUST_BACKTRACE",),
        details={
            "flags": Verbatim.words(
                workspace_flag(project), features.flags, locked_flag(project), "--tests"
            ),
            "rustc": rustc_pattern(TOOLCHAIN),
        },
        troubles=(*TROUBLES, LOCK_TROUBLE),
    )
