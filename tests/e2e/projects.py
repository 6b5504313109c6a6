"""The projects that the workflows are run on: what each stands for, and what is run on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.e2e.harness import Event
from tests.e2e.machine import ROOT

HERE = Path(__file__).parent / "projects"
USUAL_JOBS = ("format", "clippy", "docs", "lockfile", "test", "fuzz")
"""What other cases run, and what takes a tool of minutes."""
ONLY_TARGETS = ("coverage.service=false", *(f"jobs.{job}=false" for job in USUAL_JOBS))
"""Answers that leave the tests to the jobs for further targets."""
DEEP = ROOT / "tests" / "projects" / "deep-tests"
DEEP_JOBS = ("canary", "heap", "ignored", "latest", "loom", "minimal", "property")
PULL_REQUEST: tuple[tuple[str, Event], ...] = (("ci.yml", "pull_request"),)


@dataclass(frozen=True)
class Case:
    """A project, the answers that differ from the recommended ones, and the runs to make."""

    name: str
    about: str
    source: Path
    answers: tuple[str, ...] = ()
    runs: tuple[tuple[str, Event], ...] = PULL_REQUEST
    servers: bool = False
    tools: tuple[str, ...] = ()
    """What is built for it alone."""
    further: bool = False
    """Left to the long session: it builds tools that take minutes."""


CASES = (
    Case(
        "chat-server",
        "a server: library and binary, features, benchmarks, property tests",
        ROOT / "tests" / "crates" / "chat-server",
        ("coverage.service=codecov",),
        (("ci.yml", "push"), ("ci.yml", "pull_request"), ("coverage.yml", "pull_request")),
    ),
    Case(
        "library",
        "a published library with features, MSRV 1.85 and benchmarks",
        HERE / "library",
        ("coverage.service=coveralls", "coverage.minimum=80"),
        (
            ("ci.yml", "push"),
            ("ci.yml", "pull_request"),
            ("ci.yml", "merge_group"),
            ("coverage.yml", "pull_request"),
            ("scheduled.yml", "schedule"),
        ),
    ),
    Case("binary", "a program without a library", HERE / "binary"),
    Case(
        "workspace",
        "three members with different rust-versions, one a procedural macro",
        HERE / "workspace",
    ),
    Case("no-std", "a library without the standard library", HERE / "no-std"),
    Case(
        "services",
        "tests that need PostgreSQL and Redis",
        HERE / "services",
        ("tests.services=postgres,redis", "platforms.runners=ubuntu-24.04"),
        servers=True,
    ),
    Case(
        "sqlx",
        "saved queries of sqlx, compared with PostgreSQL",
        ROOT / "tests" / "projects" / "sqlx",
        runs=(*PULL_REQUEST, ("scheduled.yml", "schedule")),
        servers=True,
        tools=("sqlx-cli",),
        further=True,
    ),
    Case(
        "diesel",
        "migrations of diesel, on PostgreSQL",
        ROOT / "tests" / "projects" / "diesel",
        servers=True,
        tools=("diesel_cli",),
        further=True,
    ),
    Case("untested", "a library without a single test", HERE / "untested"),
    Case("unlocked", "a library that does not commit Cargo.lock", HERE / "unlocked"),
    Case("pinned", "a library with rust-toolchain.toml", HERE / "pinned"),
    Case(
        "shards",
        "the library, its tests dealt out to two jobs",
        HERE / "library",
        ("tests.shards=2", "coverage.service=codecov", "coverage.minimum=50"),
        (("ci.yml", "pull_request"), ("coverage.yml", "pull_request")),
    ),
    Case(
        "deep-tests",
        "a published library with ignored, property, loom and heap tests",
        DEEP,
        ("jobs.canary=false", "jobs.snapshots=false"),
        (("scheduled.yml", "schedule"),),
        further=True,
    ),
    Case(
        "snapshots",
        "the same library's snapshots",
        DEEP,
        tuple(f"jobs.{job}=false" for job in DEEP_JOBS),
        (("scheduled.yml", "schedule"),),
        tools=("cargo-insta",),
        further=True,
    ),
    Case(
        "deep-checks",
        "unsafe code that threads share, interpreted by Miri",
        ROOT / "tests" / "projects" / "deep-checks",
        ("coverage.service=false", *(f"jobs.{job}=false" for job in USUAL_JOBS)),
    ),
    Case(
        "codec",
        "code that knows of 32 bits, tested on a target that has them",
        HERE / "codec",
        ("platforms.targets=i686-unknown-linux-musl", *ONLY_TARGETS),
    ),
    Case(
        "wasm",
        "a library for browsers, its tests run by Node.js",
        HERE / "wasm",
        ONLY_TARGETS,
        further=True,
    ),
    Case(
        "sccache",
        "the program, compiled through sccache with GitHub's cache service",
        HERE / "binary",
        ("cache.sccache=github",),
        tools=("sccache",),
        further=True,
    ),
    Case(
        "tarpaulin",
        "the library, its coverage measured by tarpaulin",
        HERE / "library",
        ("coverage.tool=tarpaulin", "coverage.service=codecov", "coverage.minimum=80"),
        (("coverage.yml", "pull_request"),),
        tools=("cargo-tarpaulin",),
        further=True,
    ),
)
