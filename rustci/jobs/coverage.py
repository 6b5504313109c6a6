"""Measures which lines the tests reach, and fails below a minimum.

On with `coverage.service`. cargo-llvm-cov runs the tests once; the report goes to the run's
summary, to an artifact and to the service. The minimum is judged in the job itself, so that pull
requests from forks, which see no secret, are judged as well. Branches need nightly Rust
(`coverage.branches`); documentation tests then count too, as both rest on unstable compiler
flags.

With `tests.shards` the instrumented tests are compiled once and run in slices as well; the last job
puts the slices' profiles together, so that the figure is the one of an undivided run.
"""

from dataclasses import replace

from rustci.jobs.base import (
    ARCHIVE_TROUBLE,
    CACHE_TROUBLE,
    LOCK_TROUBLE,
    Verdict,
    bare_metal,
    capped_lints,
    has_doctest_target,
    lane_env,
    linux_runner,
    locked_flag,
    minutes,
    nextest_flags,
    partition,
    primary_toolchain,
    ready_made,
    rustc_pattern,
    selected_features,
    service_containers,
    service_env,
    setup,
    shards,
    tool,
    workspace_flag,
)
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import CONTENTS_READ, Job, Matrix, Permission, Trouble

ID = "coverage"
TITLE = "Coverage"
WORKFLOW = "coverage"

TROUBLES = (
    Trouble(
        symptom="A crate shows 0 %",
        cause="Its tests start a binary that was built without instrumentation.",
        fix='Start it through `env!("CARGO_BIN_EXE_name")`.',
    ),
    Trouble(
        symptom="`No space left on device`",
        cause="Instrumented builds are large.",
        fix='Set `[profile.dev] debug = "line-tables-only"`, or leave heavy members out.',
    ),
)
MINIMUM_TROUBLE = Trouble(
    symptom="`Judge the coverage` fails",
    cause="Fewer lines are covered than `coverage.minimum` asks for.",
    fix="The summary of the run lists each file. Add tests, or lower the minimum knowingly.",
)
CODECOV_TROUBLE = Trouble(
    symptom="The upload to Codecov fails on the default branch",
    cause="Codecov does not know the repository yet, or OpenID Connect is not allowed.",
    fix="Install the Codecov app for the repository. The upload needs no token: the job proves who "
    "it is with its own `id-token`.",
)
COVERALLS_TROUBLE = Trouble(
    symptom="Coveralls answers `422`",
    cause="The repository is not switched on there.",
    fix="Sign in at coveralls.io with GitHub and add the repository.",
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where coverage is asked for and a test can run."""
    if bare_metal(project):
        reason = "no test harness runs on bare metal"
        return Verdict(on=False, possible=False, reason=reason)
    if config.coverage.service is False:
        return Verdict(on=False, reason=config.settings["coverage.service"].reason)
    return Verdict(on=True, reason=config.settings["coverage.service"].reason)


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    whole = _whole(project, config)
    divided = config.tests.shards > 1 and whole.details["nextest"]
    return _sharded(whole, config) if divided else whole


def _whole(project: Project, config: Config) -> Job:
    toolchain = "nightly" if config.coverage.branches else primary_toolchain(config)
    features = selected_features(project, config)
    llvm_cov = config.coverage.tool == "llvm-cov"
    nextest = llvm_cov and config.tests.runner == "nextest"
    label = linux_runner(config)
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim(
            "One instrumented run; branches need nightly Rust."
            if config.coverage.branches
            else "One instrumented run of the tests; it replaces none of the test lanes."
        ),
        runner=label,
        timeout=minutes(40, project),
        permissions=_permissions(config),
        env=lane_env(
            config,
            toolchain,
            **capped_lints(project),
            **features.env,
            **service_env(config),
        ),
        services=service_containers(config),
        setup=setup(
            project,
            config,
            runners=(label,),
            components=("llvm-tools",) if llvm_cov else (),
            tools=_tools(llvm_cov=llvm_cov, nextest=nextest),
        ),
        variables=("MINIMUM",),
        details={
            "rustc": rustc_pattern(toolchain),
            "tool": config.coverage.tool,
            "nextest": nextest,
            "branches": config.coverage.branches,
            "doctests": config.coverage.branches
            and config.tests.doctests
            and has_doctest_target(project),
            "flags": Verbatim.words(workspace_flag(project), features.flags, locked_flag(project)),
            "test_flags": Verbatim.words(*(nextest_flags(project) if nextest else ())),
            "minimum": config.coverage.minimum or 0,
            "service": config.coverage.service,
            "sharded": False,
        },
        troubles=(
            *TROUBLES,
            *((MINIMUM_TROUBLE,) if config.coverage.minimum else ()),
            *((CODECOV_TROUBLE,) if config.coverage.service == "codecov" else ()),
            *((COVERALLS_TROUBLE,) if config.coverage.service == "coveralls" else ()),
            LOCK_TROUBLE,
            CACHE_TROUBLE,
        ),
    )


def _sharded(whole: Job, config: Config) -> Job:
    """Return the job that reports, with those that compile and run the instrumented tests."""
    nextest, llvm_cov = tool("nextest"), tool("cargo-llvm-cov")
    archive = replace(
        whole,
        id="coverage-archive",
        name="Build the instrumented tests",
        variables=("CARGO_LLVM_COV_TARGET_DIR",),
        why=Verbatim("The instrumented tests are compiled once; the shards only run them."),
        permissions=(CONTENTS_READ,),
    )
    shard = replace(
        whole,
        id="coverage-shard",
        name="Instrumented tests",
        variables=("CARGO_LLVM_COV_TARGET_DIR", "LLVM_PROFILE_FILE_NAME", "PARTITION"),
        why=Verbatim("Each shard runs its slice and hands on what the slice reached."),
        permissions=(CONTENTS_READ,),
        needs=(archive.id,),
        env={"RUSTUP_TOOLCHAIN": whole.env["RUSTUP_TOOLCHAIN"], **service_env(config)},
        matrix=Matrix(axes={"shard": shards(config)}),
        setup=ready_made(whole.setup, nextest, llvm_cov),
        details={**whole.details, "partition": partition(config)},
    )
    documented = whole.details["doctests"]
    compiling = tuple(name for name in whole.setup.tools if name != nextest)
    return replace(
        whole,
        why=Verbatim("The slices together reach what one undivided run would."),
        needs=(archive.id, shard.id),
        env=whole.env if documented else {"RUSTUP_TOOLCHAIN": whole.env["RUSTUP_TOOLCHAIN"]},
        services=whole.services if documented else (),
        setup=replace(whole.setup, tools=compiling, cache=False)
        if documented
        else replace(ready_made(whole.setup, llvm_cov), packages=()),
        details={**whole.details, "sharded": True},
        troubles=(*whole.troubles, ARCHIVE_TROUBLE),
        parts=(archive, shard),
    )


def _permissions(config: Config) -> tuple[Permission, ...]:
    if config.coverage.service != "codecov":
        return (CONTENTS_READ,)
    identity = Permission(
        scope=Verbatim("id-token"),
        level=Verbatim("write"),
        reason=Verbatim("proves to Codecov who uploads; no secret needed"),
    )
    return (CONTENTS_READ, identity)


def _tools(*, llvm_cov: bool, nextest: bool) -> tuple[str, ...]:
    if not llvm_cov:
        return (tool("cargo-tarpaulin"),)
    return (tool("cargo-llvm-cov"), *((tool("nextest"),) if nextest else ()))
