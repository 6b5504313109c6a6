"""The one grammar: every option of rustci, declared once, and the typed `Config` that it makes.

From these declarations come the keys of `.github/rustci.toml`, `--set section.key=value`, the named
flags, the `RUSTCI_*` variables, the wizard's questions, the JSON Schema and the reference page.

A section is a frozen dataclass; a field made by `option()` carries its kind (what values it takes),
its default, its flag and its help.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from rustci.access import HOST, REGISTRY
from rustci.errors import Location
from rustci.kinds import (
    Choice,
    Features,
    Kind,
    Labels,
    Percent,
    Release,
    Switch,
    Text,
    Value,
    Whole,
    Words,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option as declared: `section.key`, its kind, its default, its flag and its help."""

    section: str
    key: str
    kind: Kind
    default: Value
    flag: str
    help: str

    @property
    def name(self) -> str:
        """`section.key`, as `--set` and the messages write it."""
        return f"{self.section}.{self.key}"

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"RUSTCI_{self.section}_{self.key}".upper().replace("-", "_")


def option(kind: Kind, *, default: Value, flag: str, help: str) -> Any:  # noqa: A002
    """Declare an option as a dataclass field. `flag` goes without its dashes."""
    return field(default=default, metadata={"kind": kind, "flag": flag, "help": help})


CHANNEL = r"stable|beta|nightly(-[0-9]{4}-[0-9]{2}-[0-9]{2})?|[0-9]+\.[0-9]+(\.[0-9]+)?"
LABEL = r"[A-Za-z0-9._-]{1,100}"
TRIPLE = r"[a-z0-9_]+(-[a-z0-9_.]+){1,4}"
PACKAGE = r"[a-z0-9][a-z0-9.+-]+"
FEATURE = r"[\w][\w+./-]*"
CRATE = r"[A-Za-z_][A-Za-z0-9_-]*"
SERVICE = r"[a-z][a-z0-9-]*"
BRANCH = r"[A-Za-z0-9_]([./]?[A-Za-z0-9_-])*(?<!\.lock)"
"""The names that git allows, without what GitHub's branch filters take for a pattern."""
ROUTE = r"/[A-Za-z0-9_./?=&-]{0,100}"
SHARDS_LIMIT = 16
"""Jobs over which the tests of one lane may be dealt out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchains:
    """Which compilers the project is held to."""

    channels: tuple[str, ...] = option(
        Words(CHANNEL, "toolchains", least=1),
        default=("stable",),
        flag="channel",
        help="Toolchains of the test matrix. The first also formats, lints and documents; beta and "
        "nightly may fail without failing the run.",
    )
    msrv: str | bool = option(
        Release(),
        default=False,
        flag="msrv",
        help="The oldest Rust that must compile the project: a version for all packages, `true` "
        "for each package's own `rust-version`.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Platforms:
    """Where the tests run and what else must compile."""

    runners: tuple[str, ...] = option(
        Labels(LABEL, "runner labels", least=1),
        default=("ubuntu-24.04", "windows-2025", "macos-15"),
        flag="runner",
        help="Runner labels of the test matrix. GitHub's first Linux one also runs every other "
        "job, or the first of your own where none is GitHub's.",
    )
    targets: tuple[str, ...] = option(
        Words(TRIPLE, "target triples"),
        default=(),
        flag="target",
        help="Further target triples: their tests run where anything can run them, else the "
        "libraries must compile.",
    )
    experimental: tuple[str, ...] = option(
        Words(LABEL, "runner labels and target triples"),
        default=(),
        flag="experimental",
        help="Those of the runners and targets whose lanes may fail without failing the run.",
    )
    exclude: tuple[str, ...] = option(
        Words(rf"{LABEL}/({CHANNEL})", "lanes as `runner/toolchain`"),
        default=(),
        flag="exclude",
        help="Lanes of the test matrix to leave out, as in `macos-15/beta`.",
    )
    group: str | bool = option(
        Text(r"[A-Za-z0-9_][\w .-]{0,99}(?<! )", "the name of a runner group", off=True),
        default=False,
        flag="runner-group",
        help="The group that your own runners are in.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """What is kept between runs."""

    cargo: bool = option(
        Switch(),
        default=True,
        flag="cache",
        help="Keep the registry and built dependencies between runs (Swatinem/rust-cache), saved "
        "from the default branch only.",
    )
    sccache: str | bool = option(
        Choice(("github", "s3", "gcs", "azure", "redis", "webdav"), off=True),
        default=False,
        flag="sccache",
        help="Cache single compilations with sccache in this storage.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Warnings:
    """What a finding does to its job: `deny` fails it, `show` prints it and stays green."""

    format: str = option(
        Choice(("deny", "show")),
        default="deny",
        flag="format-warnings",
        help="What unformatted code does to the run.",
    )
    clippy: str = option(
        Choice(("deny", "shipped", "show")),
        default="deny",
        flag="clippy-warnings",
        help="What warnings of Clippy and the compiler do to the run. `shipped` denies those of "
        "libraries and binaries, and lints no tests, examples and benchmarks.",
    )
    docs: str = option(
        Choice(("deny", "show")),
        default="deny",
        flag="docs-warnings",
        help="What warnings of rustdoc do to the run.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tests:
    """How the tests run."""

    runner: str = option(
        Choice(("nextest", "cargo")),
        default="nextest",
        flag="test-runner",
        help="cargo-nextest (faster, stops hanging tests) or plain `cargo test`.",
    )
    features: str | tuple[str, ...] = option(
        Features(("default", "all", "each", "powerset"), Words(FEATURE, "features", least=1)),
        default="default",
        flag="features",
        help="Test with the default features, all, or those listed. `each` and `powerset` also "
        "check that the features compile alone or in combination.",
    )
    doctests: bool = option(
        Switch(), default=True, flag="doctests", help="Run the examples in the documentation."
    )
    shards: int = option(
        Whole(1, SHARDS_LIMIT),
        default=1,
        flag="shards",
        help="Compile the tests of each lane once and deal them out to this many jobs (nextest). "
        "Pays where the tests run for more than about six minutes.",
    )
    affected_paths: tuple[str, ...] = option(
        Words(r"[\w.@+/-]+=([\w-]+(:[\w-]+)*)?", "paths with their packages"),
        default=(),
        flag="affected-path",
        help="Where only affected packages are tested: what a path belongs to, as "
        "`schemas/=api:client`, or `docs/=` for nothing.",
    )
    services: tuple[str, ...] = option(
        Words(SERVICE, "services"),
        default=(),
        flag="service",
        help="Service containers beside the tests (Linux runners only).",
    )
    packages: tuple[str, ...] = option(
        Words(PACKAGE, "Debian packages"),
        default=(),
        flag="apt-package",
        help="Debian packages that every compiling job installs on Linux.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of the code the tests reach."""

    service: str | bool = option(
        Choice(("codecov", "coveralls", "none"), off=True),
        default=False,
        flag="coverage",
        help="Measure coverage and upload it to this service; `none` keeps the report in the run, "
        "`false` measures nothing.",
    )
    tool: str = option(
        Choice(("llvm-cov", "tarpaulin")),
        default="llvm-cov",
        flag="coverage-tool",
        help="What measures it.",
    )
    minimum: int | bool = option(
        Whole(1, 100, off=True),
        default=False,
        flag="coverage-minimum",
        help="Percent of lines below which the job fails. Computed in the job: it needs no secret, "
        "so pull requests from forks are judged as well.",
    )
    branches: bool = option(
        Switch(),
        default=False,
        flag="coverage-branches",
        help="Measure branches too (llvm-cov on nightly Rust; documentation tests then count).",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmarks:
    """What happens to the benchmarks."""

    gate: bool = option(
        Switch(),
        default=False,
        flag="bench-gate",
        help="Fail pull requests that make a benchmark slower than the runner's noise explains.",
    )
    mode: str = option(
        Choice(("time", "counts", "both")),
        default="time",
        flag="bench-mode",
        help="Compare times (criterion), instruction counts (gungraun, iai-callgrind), or both.",
    )
    target: str = option(
        Percent(),
        default="5%",
        flag="bench-target",
        help="The slowdown that must be found.",
    )
    tolerance: str | bool = option(
        Percent(off=True),
        default=False,
        flag="bench-tolerance",
        help="The slowdown that is put up with; `false` is half of the target.",
    )
    budget: int = option(
        Whole(1, 120),
        default=10,
        flag="bench-budget",
        help="Minutes of measuring on each pull request; building comes on top.",
    )
    layouts: int = option(
        Whole(0, 15),
        default=5,
        flag="bench-layouts",
        help="Relinks that have to confirm a slowdown, so that a mere change of the code's layout "
        "fails nothing; 0 turns that off.",
    )
    strict: bool = option(
        Switch(),
        default=False,
        flag="bench-strict",
        help="Fail where the budget was not enough to decide, too.",
    )
    packages: tuple[str, ...] = option(
        Words(CRATE, "packages"),
        default=(),
        flag="bench-package",
        help="Gate these packages only; none named is all that have benchmarks.",
    )
    history: bool = option(
        Switch(),
        default=False,
        flag="bench-history",
        help="Measure each push to the default branch too, keep the figures on the branch "
        "`bench-history`, and warn of trends.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How the server is put under load."""

    tool: str | bool = option(
        Choice(("k6", "artillery"), off=True),
        default=False,
        flag="load-tool",
        help="Put the server under load with this tool: every week, and on pull requests that "
        "carry the label `load`.",
    )
    users: int = option(
        Whole(1, 20_000),
        default=200,
        flag="load-users",
        help="Users at once in the weekly run. One runner carries them and the server.",
    )
    binary: str = option(
        Text(r"[\w-]{0,64}", "the name of a binary"),
        default="",
        flag="load-binary",
        help="The binary that serves; empty takes the first that was found.",
    )
    port: int = option(
        Whole(1, 65_535),
        default=8080,
        flag="load-port",
        help="The port that the server listens on, on 127.0.0.1.",
    )
    path: str = option(
        Text(ROUTE, "a path such as `/ws`"),
        default="/",
        flag="load-path",
        help="The route of the WebSocket, or of the page to ask for.",
    )
    health: str = option(
        Text(rf"({ROUTE})?", "a path such as `/healthz`, or empty"),
        default="",
        flag="load-health",
        help="The route that answers once the server is ready; empty waits for the port alone.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Which dependencies are private: every job that resolves some gets the credentials.

    The secrets stand in the environment `private` on GitHub; pull requests from forks have none.
    """

    registries: tuple[str, ...] = option(
        Words(REGISTRY, "registries"),
        default=(),
        flag="private-registry",
        help="Registries of `.cargo/config.toml` that ask for a token: the secret "
        "`CARGO_REGISTRIES_<NAME>_TOKEN`.",
    )
    ssh: tuple[str, ...] = option(
        Words(HOST, "hosts"),
        default=(),
        flag="git-ssh",
        help="Hosts with git dependencies over ssh: the secret `GIT_SSH_KEY`, and the variable "
        "`GIT_KNOWN_HOSTS` for hosts other than github.com.",
    )
    https: tuple[str, ...] = option(
        Words(HOST, "hosts"),
        default=(),
        flag="git-https",
        help="Hosts whose git dependencies over https ask for a token: the secret "
        "`GIT_TOKEN_<HOST>`.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflows:
    """What all workflows share."""

    branch: str = option(
        Text(BRANCH, "the name of a branch"),
        default="main",
        flag="branch",
        help="The default branch: pushes to it run everything and save the caches.",
    )
    directory: str = option(
        Text(r"\.|[\w.-][\w. /@+-]*", "a folder, relative to the repository root"),
        default=".",
        flag="directory",
        help="The folder of the Cargo workspace that the workflows cover.",
    )
    merge_queue: bool = option(
        Switch(),
        default=True,
        flag="merge-queue",
        help="Also run for GitHub's merge queue. Costs nothing where there is none.",
    )
    timezone: str = option(
        Text(r"UTC|[A-Z][A-Za-z]+(/[A-Z][A-Za-z0-9_+-]+){1,2}", "a time zone of the IANA"),
        default="UTC",
        flag="timezone",
        help="The time zone of scheduled runs, as in `Europe/Berlin`: they start early in its "
        "morning.",
    )
    dependabot: bool = option(
        Switch(),
        default=True,
        flag="dependabot",
        help="Write `.github/dependabot.yml` where no update bot is set up.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """What a release is made of, where `jobs.release` is on."""

    targets: tuple[str, ...] = option(
        Words(TRIPLE, "target triples", least=1),
        default=(
            "x86_64-unknown-linux-musl",
            "aarch64-unknown-linux-musl",
            "x86_64-pc-windows-msvc",
            "aarch64-apple-darwin",
        ),
        flag="release-target",
        help="The target triples that binaries are released for, each built on a runner of its own "
        "system. `musl` runs on every Linux; `gnu` needs the glibc of Ubuntu 24.04 or newer.",
    )
    harden: bool = option(
        Switch(),
        default=False,
        flag="release-harden",
        help="Record the network traffic of the jobs that release (step-security/harden-runner, "
        "which runs as root).",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """How the pins of actions move."""

    cooldown_days: int = option(
        Whole(0, 90),
        default=7,
        flag="pins-cooldown-days",
        help="Days that a release waits before `rustci pins update` takes it: most bad ones are "
        "found by then.",
    )


SECTIONS: Mapping[str, type] = {
    "toolchains": Toolchains,
    "platforms": Platforms,
    "cache": Cache,
    "tests": Tests,
    "warnings": Warnings,
    "coverage": Coverage,
    "benchmarks": Benchmarks,
    "load": Load,
    "access": Access,
    "workflows": Workflows,
    "pins": Pins,
    "release": Releases,
}
"""The typed sections by name. `jobs` stands beside them: one switch per catalogue job."""


def declared() -> Iterator[Option]:
    """Yield every option of the typed sections, in reading order."""
    for section, cls in SECTIONS.items():
        for item in dataclasses.fields(cls):
            default: Any = item.default
            yield Option(section=section, key=item.name, default=default, **item.metadata)


def job_option(job_id: str, title: str) -> Option:
    """Return the switch of a catalogue job. Unset, the job's own rule decides."""
    return Option(
        section="jobs",
        key=job_id,
        kind=Switch(),
        default=False,
        flag=f"job-{job_id}",
        help=f"{title}: on or off, whatever was read off the project.",
    )


class Source(IntEnum):
    """Where a value came from; the later outranks the earlier."""

    DEFAULT = 0
    DETECTED = 1
    ADOPTED = 2
    """Read off workflows that were there before, and from then on in the file."""
    PROBED = 3
    """Found by running the checks, and from then on in the file."""
    FILE = 4
    ENVIRONMENT = 5
    COMMAND_LINE = 6
    ANSWER = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A value with its source, the reason for it, and where it stands."""

    value: Value
    source: Source
    reason: str
    where: Location | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Every answer, typed. `settings` tells of each option where its value came from."""

    toolchains: Toolchains
    platforms: Platforms
    cache: Cache
    tests: Tests
    warnings: Warnings
    coverage: Coverage
    benchmarks: Benchmarks
    load: Load
    access: Access
    workflows: Workflows
    pins: Pins
    release: Releases
    jobs: Mapping[str, bool]
    """Only the jobs that somebody switched on or off; the others follow their own rule."""
    settings: Mapping[str, Setting]
    """By `section.key`."""
