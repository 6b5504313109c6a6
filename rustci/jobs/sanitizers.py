"""Runs the tests every week with AddressSanitizer and ThreadSanitizer.

Off unless asked for: of 129 well-kept repositories four run one. Worth it where unsafe code calls C
or shares memory between threads by hand, which Miri cannot run or is too slow for. AddressSanitizer
finds use after free, overflows and leaks; ThreadSanitizer finds races. The standard library is
compiled with them, on nightly Rust. Not offered where `.cargo/config.toml` has `rustflags`, which
the sanitizer's would replace. MemorySanitizer is left out: it reports every byte that C wrote.

Takes a build of everything for each, and tests that run 2 to 10 times as long.
"""

from rustci.jobs.base import (
    LOCK_TROUBLE,
    Verdict,
    bare_metal,
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
    workspace_flag,
)
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.runners import runner
from rustci.workflow import Job, Matrix, Trouble

ID = "sanitizers"
TITLE = "Sanitizers"
WORKFLOW = "scheduled"

TOOLCHAIN = "nightly"
SANITIZERS = ("address", "thread")

TROUBLES = (
    Trouble(
        symptom="ThreadSanitizer reports a race inside a C library",
        cause="The library was compiled without it, so its locks are not seen.",
        fix="Name the function in a file of suppressions and set `TSAN_OPTIONS`.",
    ),
    Trouble(
        symptom="`LeakSanitizer: detected memory leaks`",
        cause="Memory was never freed; some libraries keep it on purpose.",
        fix="Free it, or set `detect_leaks=0` in `ASAN_OPTIONS`.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Only where it is asked for; the reason says what speaks for it."""
    if bare_metal(project) or not has_tests(project):
        return Verdict(on=False, possible=False, reason="there are no tests that they could run")
    if project.cargo_config and project.cargo_config.rustflags:
        reason = f"`rustflags` of `{project.cargo_config.path}` would be replaced"
        return Verdict(on=False, possible=False, reason=reason)
    known = runner(linux_runner(config))
    if known and known.arch != "x64":
        return Verdict(on=False, possible=False, reason="the Linux runner is not x64")
    for package in project.packages:
        source = package.source
        if source.uses_unsafe and source.calls_foreign:
            return Verdict(
                on=False, reason=f"`{package.name}` calls C from unsafe code; few run it"
            )
        if source.shares_state:
            return Verdict(on=False, reason=f"`{package.name}` shares memory by hand; few run it")
    return Verdict(on=False, reason="no unsafe code that calls C or shares memory")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    features = selected_features(project, config)
    label = linux_runner(config)
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("A use after free or a race need not show in tests without them."),
        runner=label,
        timeout=minutes(45, project),
        env=lane_env(
            config,
            TOOLCHAIN,
            **features.env,
            **service_env(config),
            ASAN_OPTIONS="detect_stack_use_after_return=1",
            RUSTFLAGS=Verbatim("-Zsanitizer=${{ matrix.sanitizer }}"),
        ),
        matrix=Matrix(axes={"sanitizer": SANITIZERS}),
        services=service_containers(config),
        setup=setup(project, config, runners=(label,), components=("rust-src",), cache=False),
        variables=("RUST_BACKTRACE",),
        details={
            # Documentation tests would be linked without the sanitizer.
            "flags": Verbatim.words(
                workspace_flag(project), features.flags, locked_flag(project), "--tests"
            ),
            "rustc": rustc_pattern(TOOLCHAIN),
        },
        troubles=(*TROUBLES, LOCK_TROUBLE),
    )
