"""Runs the tests in Miri, which finds undefined behaviour, leaks and races in unsafe Rust.

On where the code has a `cfg(miri)`: whoever wrote it runs Miri. `unsafe` alone is no reason: of 112
well-kept repositories with unsafe code 24 run it. Not offered where the code calls C, which Miri
cannot interpret; such tests would need `#[cfg_attr(miri, ignore)]` first, and sanitizers see more.

Every change runs the tests once. The weekly run (`scheduled.yml`) repeats them with 16 schedules of
threads and layouts of memory, on a big-endian and a 32-bit target, and under the newer rules of
aliasing (Tree Borrows). Miri is 10 to 100 times as slow as the compiled tests.
"""

from dataclasses import replace

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
    setup,
    workspace_flag,
)
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Matrix, Trouble

ID = "miri"
TITLE = "Miri"
WORKFLOW = "ci"

TOOLCHAIN = "nightly"
FLAGS = "-Zmiri-strict-provenance -Zmiri-disable-isolation"
"""No pointers out of integers; and tests may read files and the clock."""
HOST = "x86_64-unknown-linux-gnu"
LANES = (
    ("16 seeds", HOST, " -Zmiri-many-seeds=0..16"),
    ("Big endian", "s390x-unknown-linux-gnu", ""),
    ("32 bits", "i686-unknown-linux-gnu", ""),
    ("Tree Borrows", HOST, " -Zmiri-tree-borrows"),
)
"""What the weekly run does beyond that of a change: title, target and further flags."""

TROUBLES = (
    Trouble(
        symptom="`unsupported operation: can't call foreign function`",
        cause="Miri interprets Rust and cannot run C or most system calls.",
        fix="Put `#[cfg_attr(miri, ignore)]` on the test.",
    ),
    Trouble(
        symptom="`Undefined Behavior` in a dependency",
        cause="The dependency has the fault, or your code hands it what it must not.",
        fix="The backtrace tells whose pointer it is. Report it there; ignore the test in Miri.",
    ),
    Trouble(
        symptom="Miri runs into the time limit",
        cause="It is 10 to 100 times as slow as compiled code.",
        fix="Make inputs smaller under `cfg!(miri)`, or ignore the slowest tests there.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where the code has a `cfg(miri)`."""
    if bare_metal(project) or not has_tests(project):
        return Verdict(on=False, possible=False, reason="there are no tests that it could run")
    sources = {package.name: package.source for package in project.packages}
    for name, source in sources.items():
        if source.knows_miri:
            return Verdict(on=True, reason=f"`{name}` has a `cfg(miri)`")
    for name, source in sources.items():
        if source.calls_foreign:
            return Verdict(on=False, reason=f"`{name}` calls C, which Miri cannot run")
    for name, source in sources.items():
        if source.uses_unsafe:
            return Verdict(on=False, reason=f"`{name}` has unsafe code, but no `cfg(miri)`")
    return Verdict(on=False, reason="no unsafe code")


def build(project: Project, config: Config) -> Job:
    """Return the job of a change, with the weekly one."""
    features = selected_features(project, config)
    label = linux_runner(config)
    job = Job(
        id=ID,
        name=TITLE,
        why=Verbatim("Interprets the tests: undefined behaviour need not show in compiled ones."),
        runner=label,
        timeout=minutes(45, project),
        env=lane_env(config, TOOLCHAIN, MIRIFLAGS=FLAGS, **capped_lints(project), **features.env),
        setup=setup(project, config, runners=(label,), components=("miri", "rust-src")),
        details={
            "flags": Verbatim.words(
                workspace_flag(project), features.flags, locked_flag(project), "--tests"
            ),
            "rustc": rustc_pattern(TOOLCHAIN),
        },
        troubles=(*TROUBLES, LOCK_TROUBLE),
    )
    lanes = tuple(
        {"check": check, "target": target, "flags": FLAGS + more} for check, target, more in LANES
    )
    deep = replace(
        job,
        id="miri-deep",
        workflow="scheduled",
        why=Verbatim("Other threads, layouts, targets and rules of aliasing: nobody waits for it."),
        timeout=180,
        env={
            **job.env,
            "MIRIFLAGS": Verbatim("${{ matrix.flags }}"),
            "MIRI_TARGET": Verbatim("${{ matrix.target }}"),
        },
        matrix=Matrix(axes={"check": tuple(check for check, _, _ in LANES)}, include=lanes),
        setup=replace(job.setup, cache=False),
    )
    return replace(job, parts=(deep,))
