"""Runs the tests on every runner with every toolchain of the matrix.

On for every project that has an operating system to run them on. cargo-nextest runs the tests (each
in its own process, hanging ones are stopped), `cargo test --doc` the examples in the documentation,
which nextest leaves out. beta and nightly lanes may fail without failing the run. With
`tests.services` containers run beside the tests, which GitHub offers on Linux only.

With `tests.shards` each lane compiles its tests once, and several jobs run a slice of them each;
the documentation tests become a job of their own. That pays only where the tests *run* for more
than about six minutes: packing, uploading and starting runners costs one or two.
"""

from dataclasses import replace

from rustci.errors import ConfigError
from rustci.jobs.base import (
    ARCHIVE_TROUBLE,
    CACHE_TROUBLE,
    LOCK_TROUBLE,
    TOOLCHAIN_TROUBLE,
    Verdict,
    bare_metal,
    capped_lints,
    experimental,
    has_doctest_target,
    lane_env,
    locked_flag,
    may_fail,
    minutes,
    nextest_flags,
    partition,
    ready_made,
    rustc_pattern,
    selected_features,
    service_containers,
    service_env,
    services_of,
    setup,
    shards,
    tool,
    workspace_flag,
)
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.runners import runner
from rustci.workflow import Job, Matrix, Trouble

ID = "test"
TITLE = "Tests"
WORKFLOW = "ci"

TROUBLES = (
    Trouble(
        symptom="A test passes with `cargo test` and fails here",
        cause="nextest runs every test in a process of its own: shared statics, ports and files "
        "behave differently.",
        fix="Give the test its own port or folder, put the tests that share one into a "
        '`[test-groups]` of `.config/nextest.toml`, or set `tests.runner = "cargo"`.',
    ),
    Trouble(
        symptom="`TIMEOUT` after three minutes",
        cause="The profile `ci` of `.config/nextest.toml` stops tests that hang.",
        fix="Mend the hang, or raise `slow-timeout` for that test with an override.",
    ),
    Trouble(
        symptom="`failed to run custom build command for …-sys`",
        cause="A native library is missing on the runner.",
        fix="Add its Debian package to `tests.packages`; elsewhere take the crate's `vendored` or "
        "`bundled` feature.",
    ),
)
SERVICE_TROUBLE = Trouble(
    symptom="`Connection refused` to a service",
    cause="The container was not ready, or the test looks at another host or port.",
    fix="The tests find their services through the variables in the job's `env`, on `localhost`.",
)


def wanted(project: Project, config: Config) -> Verdict:
    """Every project but firmware: a test harness needs an operating system."""
    if bare_metal(project):
        reason = "`.cargo/config.toml` builds for bare metal, where no test harness runs"
        return Verdict(on=False, reason=reason)
    return Verdict(on=True, reason="every project")


def build(project: Project, config: Config) -> Job:
    """Return the job. Raises ConfigError for service containers on a runner without them."""
    _check_services(config)
    whole = _whole(project, config)
    return _sharded(whole, config) if config.tests.shards > 1 else whole


def _whole(project: Project, config: Config) -> Job:
    features = selected_features(project, config)
    scope = (workspace_flag(project), features.flags, locked_flag(project))
    nextest = config.tests.runner == "nextest"
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("Every runner and toolchain that the project promises to work on."),
        runner=Verbatim("${{ matrix.runner }}"),
        timeout=minutes(30, project),
        env=lane_env(
            config,
            Verbatim("${{ matrix.toolchain }}"),
            **capped_lints(project),
            **features.env,
            **service_env(config),
        ),
        matrix=_matrix(config),
        experimental=any("experimental" in row for row in _matrix(config).include),
        services=service_containers(config),
        setup=setup(
            project,
            config,
            runners=config.platforms.runners,
            tools=(tool("nextest"),) if nextest else (),
            key="${{ matrix.runner }}",
        ),
        variables=("RUST_BACKTRACE", "PARTITION"),
        details={
            "nextest": nextest,
            "flags": Verbatim.words(*scope),
            "run_flags": Verbatim.words(*nextest_flags(project) if nextest else ()),
            "doctests": config.tests.doctests and has_doctest_target(project),
            "sharded": False,
            "rustc": Verbatim("${{ matrix.rustc }}"),
        },
        troubles=(
            *(TROUBLES if nextest else TROUBLES[2:]),
            *((SERVICE_TROUBLE,) if config.tests.services else ()),
            TOOLCHAIN_TROUBLE,
            LOCK_TROUBLE,
            CACHE_TROUBLE,
        ),
    )


def _sharded(whole: Job, config: Config) -> Job:
    """Return the job that runs slices, with those that compile the tests and test the docs."""
    lanes = _matrix(config)
    nextest = tool("nextest")
    compiling = tuple(name for name in whole.setup.tools if name != nextest)
    archive = replace(
        whole,
        id="test-archive",
        name="Build the tests",
        variables=(),
        why=Verbatim("Each lane compiles its tests once; the shards only run them."),
    )
    doctest = replace(
        whole,
        id="doctest",
        name="Documentation tests",
        variables=(),
        why=Verbatim("nextest leaves the examples in the documentation out."),
        setup=replace(whole.setup, tools=compiling),
    )
    return replace(
        whole,
        why=Verbatim(
            "Each shard runs its slice of the tests; a red lane does not stop the others."
        ),
        needs=(archive.id,),
        condition=Verbatim("${{ !cancelled() }}"),
        env={"RUSTUP_TOOLCHAIN": whole.env["RUSTUP_TOOLCHAIN"], **service_env(config)},
        matrix=replace(lanes, axes={**lanes.axes, "shard": shards(config)}),
        setup=ready_made(whole.setup, nextest),
        details={**whole.details, "sharded": True, "partition": partition(config)},
        troubles=(*whole.troubles, ARCHIVE_TROUBLE),
        parts=(archive, doctest) if whole.details["doctests"] else (archive,),
    )


def _matrix(config: Config) -> Matrix:
    axes: dict[str, tuple[str | int, ...]] = {
        "runner": config.platforms.runners,
        "toolchain": config.toolchains.channels,
    }
    flagged = may_fail(
        tuple({"runner": label} for label in config.platforms.runners), config, "runner"
    )
    by_runner = tuple(row for row in flagged if row.get("experimental"))
    allowed_to_fail = bool(by_runner) or any(map(experimental, config.toolchains.channels))
    rows = tuple(
        {"toolchain": channel, "rustc": rustc_pattern(channel)}
        | ({"experimental": experimental(channel)} if allowed_to_fail else {})
        for channel in config.toolchains.channels
    )
    return Matrix(axes=axes, include=(*rows, *by_runner), exclude=_excluded(config))


def _excluded(config: Config) -> tuple[dict[str, str], ...]:
    """Return the lanes to leave out. Raises ConfigError: GitHub ignores those that are not there.

    Nor may a runner or toolchain lose all its lanes: its row of `include` would become a lane.
    """
    found = tuple(lane.split("/") for lane in config.platforms.exclude)
    where = config.settings["platforms.exclude"].where
    for label, channel in found:
        if label not in config.platforms.runners or channel not in config.toolchains.channels:
            raise ConfigError(
                f"`platforms.exclude` names `{label}/{channel}`, which is no lane of the matrix",
                where=where,
                hint="take it out of `platforms.exclude`, or see `platforms.runners` and "
                "`toolchains.channels`",
            )
    for place, values in enumerate((config.platforms.runners, config.toolchains.channels)):
        other = (config.toolchains.channels, config.platforms.runners)[place]
        for value in values:
            if sum(lane[place] == value for lane in found) == len(other):
                raise ConfigError(
                    f"`platforms.exclude` leaves no lane of `{value}`",
                    where=where,
                    hint="take one lane out of `platforms.exclude`, or the runner or toolchain out "
                    "of the matrix",
                )
    return tuple({"runner": label, "toolchain": channel} for label, channel in found)


def _check_services(config: Config) -> None:
    if not config.tests.services:
        return
    for label in config.platforms.runners:
        known = runner(label)
        if known and known.hosted and known.os != "linux":
            raise ConfigError(
                f"`tests.services` needs Linux runners, but `platforms.runners` names `{label}`",
                where=config.settings["platforms.runners"].where,
                hint="GitHub runs service containers on Linux only: leave that runner out, or set "
                "`tests.services = []`",
            )
    _check_apart(config)


def _check_apart(config: Config) -> None:
    """Raise ConfigError where two services want the same port or the same variable."""
    taken: dict[str, str] = {}
    for service in services_of(config):
        for claim in sorted(service.claims):
            if other := taken.get(claim):
                raise ConfigError(
                    f"services `{other}` and `{service.id}` both use `{claim}`",
                    where=config.settings["tests.services"].where,
                    hint="take one of them in `tests.services`",
                )
            taken[claim] = service.id
