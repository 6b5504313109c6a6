"""Runs the tests on further target triples, natively or through QEMU, wasmtime and the like.

On where `platforms.targets` names one for which tests can at least be linked. Each goes to a runner
of its own kind where GitHub has one, else to Linux with a cross toolchain and an emulator:
taiki-e/setup-cross-toolchain-action brings both. What can be linked and not run (BSD, illumos,
iOS) is compiled with its tests. [The table of targets](targets.md) says which is which.

Each target takes a lane of its own. With `jobs.cross = false` they are only checked, by `targets`.
"""

from rustci.jobs.base import (
    LOCK_TROUBLE,
    TOOLCHAIN_TROUBLE,
    Verdict,
    capped_lints,
    further_targets,
    has_doctest_target,
    lane_env,
    locked_flag,
    may_fail,
    minutes,
    primary_toolchain,
    rustc_pattern,
    selected_features,
    setup,
    workspace_flag,
)
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.targets import Target, Way
from rustci.workflow import Job, Matrix, Trouble

ID = "cross"
TITLE = "Tests on further targets"
WORKFLOW = "ci"

TROUBLES = (
    Trouble(
        symptom="`pkg-config has not been configured to support cross-compilation`",
        cause="A crate links a native library, and the runner has it for its own system only.",
        fix="Take the crate's `vendored` or `bundled` feature.",
    ),
    Trouble(
        symptom="A test fails or hangs on an emulated target only",
        cause="Byte order or pointer width differ, or the test counts on speed.",
        fix='If the emulator is too slow, gate that test with `#[cfg(target_arch = "…")]`; if it '
        "found a wrong assumption, mend the code.",
    ),
    Trouble(
        symptom="`can't find crate for core` or `toolchain … does not support target`",
        cause="Rust ships no standard library for that target.",
        fix="Take it out of `platforms.targets`.",
    ),
)


def chosen(config: Config) -> tuple[Target, ...]:
    """Return the targets whose tests are run, or at least linked."""
    return tuple(found for found in further_targets(config) if found.way is not Way.CHECK)


def wanted(project: Project, config: Config) -> Verdict:
    """Where a further target can be linked."""
    if not chosen(config):
        reason = "`platforms.targets` names none whose tests could run"
        return Verdict(on=False, possible=False, reason=reason)
    return Verdict(on=True, reason=config.settings["platforms.targets"].reason)


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    toolchain = primary_toolchain(config)
    features = selected_features(project, config)
    lanes = chosen(config)
    run = {found.way is Way.TEST for found in lanes}
    xcode = {found.xcode for found in lanes}
    rows = tuple(
        {"target": found.triple, "runner": found.runner}
        | ({"runs": found.way is Way.TEST} if len(run) > 1 else {})
        for found in lanes
    )
    flags = (workspace_flag(project), features.flags, locked_flag(project))
    doctests = config.tests.doctests and has_doctest_target(project)
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("These targets are promised: their tests run where anything can run them."),
        runner=Verbatim("${{ matrix.runner }}"),
        timeout=minutes(45, project),
        env=lane_env(config, toolchain, **capped_lints(project), **features.env),
        matrix=Matrix(include=may_fail(rows, config), title=("target",)),
        experimental=bool(may_fail(rows, config) != rows),
        setup=setup(
            project,
            config,
            runners=tuple(found.runner for found in lanes),
            key="${{ matrix.target }}",
        ),
        variables=("RUST_BACKTRACE",),
        details={
            "flags": Verbatim.words(*flags),
            "test_flags": Verbatim.words("--no-fail-fast", "" if doctests else "--tests"),
            "runs": True in run,
            "links": False in run,
            "action": False in xcode,
            "xcode": True in xcode,
            "rustc": rustc_pattern(toolchain),
        },
        troubles=(*TROUBLES, TOOLCHAIN_TROUBLE, LOCK_TROUBLE),
    )
