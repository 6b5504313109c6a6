"""Runs the tests every week with the coming compilers, beta and nightly.

On for every project whose tests run. It blocks nobody: it warns weeks before a new stable Rust
breaks the build. Channels that the test matrix already has are left out.
"""

from rustci.jobs.base import (
    Verdict,
    bare_metal,
    capped_lints,
    has_doctest_target,
    lane_env,
    linux_runner,
    locked_flag,
    minutes,
    rustc_pattern,
    selected_features,
    service_containers,
    service_env,
    setup,
    workspace_flag,
)
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Matrix, Trouble

ID = "canary"
TITLE = "Coming Rust"
WORKFLOW = "scheduled"

TROUBLES = (
    Trouble(
        symptom="Only nightly fails",
        cause="A regression of the compiler, or a lint that became an error.",
        fix="If the code is right, report it at https://github.com/rust-lang/rust/issues.",
    ),
)


def channels(config: Config) -> tuple[str, ...]:
    """Return the coming channels that no test lane covers."""
    return tuple(name for name in ("beta", "nightly") if name not in config.toolchains.channels)


def wanted(project: Project, config: Config) -> Verdict:
    """Where tests can run and a coming channel is not tested yet."""
    if not channels(config):
        return Verdict(
            on=False, possible=False, reason="the test matrix already has beta and nightly"
        )
    if bare_metal(project):
        return Verdict(on=False, reason="no test harness runs on bare metal")
    return Verdict(on=True, reason="a new stable Rust arrives every six weeks")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    features = selected_features(project, config)
    label = linux_runner(config)
    rows = tuple({"toolchain": name, "rustc": rustc_pattern(name)} for name in channels(config))
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("Warns weeks before a new stable Rust breaks the build; blocks nobody."),
        runner=label,
        timeout=minutes(30, project),
        env=lane_env(
            config,
            Verbatim("${{ matrix.toolchain }}"),
            **capped_lints(project),
            **features.env,
            **service_env(config),
        ),
        matrix=Matrix(include=rows),
        services=service_containers(config),
        setup=setup(project, config, runners=(label,), cache=False),
        variables=("RUST_BACKTRACE",),
        details={
            "flags": Verbatim.words(
                workspace_flag(project),
                features.flags,
                locked_flag(project),
                "" if has_doctest_target(project) and config.tests.doctests else "--tests",
            ),
            "rustc": Verbatim("${{ matrix.rustc }}"),
        },
        troubles=TROUBLES,
    )
