"""Runs the targets of cargo-fuzz: a few seconds on every change, and long every week.

On where a package depends on `libfuzzer-sys`, as those of cargo-fuzz do. A change compiles all
targets and runs them for five minutes together: that keeps them working, and finds what is shallow.
The weekly run goes on from the inputs that it found before, which GitHub's cache keeps; an input
that crashes is the artifact `crashes`. Of several fuzz crates the first by path is run.

Takes about two minutes to build cargo-fuzz and the time of the runs.
"""

from dataclasses import replace

from rustci import actions
from rustci.jobs.base import (
    Verdict,
    lane_env,
    linux_runner,
    minutes,
    rustc_pattern,
    setup,
)
from rustci.options import Config
from rustci.project import Package, Project, TargetKind
from rustci.quoting import Verbatim
from rustci.workflow import Job, Matrix, Trouble

ID = "fuzz"
TITLE = "Fuzzing"
WORKFLOW = "ci"

TOOLCHAIN = "nightly"
QUICK = 300
"""Seconds that all targets of a change have together."""
LONG = 600
"""Seconds that each target has every week."""
LANES = 16
"""Jobs of the weekly run at most; more targets share them."""

TROUBLES = (
    Trouble(
        symptom="`libFuzzer: deadly signal`",
        cause="An input makes the code panic or break its memory.",
        fix="Run `cargo fuzz run TARGET FILE` with the file of the artifact `crashes`, and keep it "
        "as a test.",
    ),
    Trouble(
        symptom="`libFuzzer: out-of-memory`",
        cause="An input makes the code take more than 4 GB.",
        fix="Bound what a length in the input may reserve.",
    ),
)


def fuzzed(project: Project) -> Package | None:
    """Return the first package of fuzz targets below the workspace."""
    base = project.main.directory
    found = (
        package
        for workspace in (project.main, *project.others)
        for package in workspace.members
        if any(dependency.name == "libfuzzer-sys" for dependency in package.dependencies)
        and package.of_kind(TargetKind.BIN)
        and package.directory.is_relative_to(base)
        and package.directory != base
    )
    return min(found, key=lambda package: package.directory, default=None)


def wanted(project: Project, config: Config) -> Verdict:
    """Where there are fuzz targets."""
    package = fuzzed(project)
    if not package:
        return Verdict(on=False, possible=False, reason="no package depends on `libfuzzer-sys`")
    return Verdict(on=True, reason=f"`{package.manifest_path}` has fuzz targets")


def build(project: Project, config: Config) -> Job:
    """Return the job of a change, with the weekly one. Raises LookupError without fuzz targets."""
    package = fuzzed(project)
    if not package:
        raise LookupError("no fuzz targets")
    names = tuple(target.name for target in package.of_kind(TargetKind.BIN))
    label = linux_runner(config)
    env = lane_env(config, TOOLCHAIN)
    env["FUZZ_DIR"] = str(package.directory.relative_to(project.main.directory))
    job = Job(
        id=ID,
        name=TITLE,
        why=Verbatim("Targets that nobody compiles rot, and shallow crashes show in seconds."),
        runner=label,
        timeout=minutes(45, project),
        env={
            **env,
            "FUZZ_TARGETS": " ".join(names),
            "SECONDS_EACH": str(max(QUICK // len(names), 5)),
        },
        setup=setup(project, config, runners=(label,), cache=False),
        details={
            "artifacts": str(package.directory / "artifacts"),
            "corpus": str(package.directory / "corpus"),
            "rustc": rustc_pattern(TOOLCHAIN),
            "tool": Verbatim(actions.built("cargo-fuzz").spec),
        },
        troubles=TROUBLES,
    )
    lanes = tuple(" ".join(names[lane::LANES]) for lane in range(min(LANES, len(names))))
    deep = replace(
        job,
        id="fuzz-deep",
        workflow="scheduled",
        why=Verbatim("What is deep takes long; the inputs found so far are where it goes on."),
        timeout=min(60 + LONG // 60 * -(-len(names) // LANES), 360),
        env={
            **env,
            "FUZZ_TARGETS": Verbatim("${{ matrix.targets }}"),
            "SECONDS_EACH": str(LONG),
        },
        matrix=Matrix(axes={"targets": lanes}),
    )
    return replace(job, parts=(deep,))
