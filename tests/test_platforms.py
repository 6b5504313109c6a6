"""Runners and further targets: what is recommended, which job serves them, what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from rustci import config as configuration
from rustci import jobs
from rustci.discover import read_project
from rustci.errors import ConfigError
from rustci.lanes import rows
from rustci.output.cost import crowd
from rustci.paths import CONFIG
from rustci.project import Project
from rustci.proposal import CONCURRENT, propose
from rustci.recommend import recommend
from rustci.targets import Way, targets
from tests.linters import lint
from tests.strategies import Answers, rendered, resolved


def serving(project: Project, triple: str, **switches: bool) -> set[str]:
    """Return the ids of the jobs that run for a target."""
    given = {f"jobs.{name}": on for name, on in switches.items()}
    config = resolved(project, {"platforms.targets": (triple,), **given})
    workflows = jobs.plan(project, config)
    return {job.id for w in workflows for job in w.jobs} & {"cross", "targets", "wasm"}


@pytest.mark.parametrize("triple", sorted(targets()))
def test_each_target_has_one_job(triple: str, projects: Mapping[str, Project]) -> None:
    hosts = {"x86_64-unknown-linux-gnu", "x86_64-pc-windows-msvc", "aarch64-apple-darwin"}
    job = "targets" if targets()[triple].way is Way.CHECK else "cross"
    # The test lanes compile for the hosts.
    assert serving(projects["chat-server"], triple) == ({job} if triple not in hosts else set())


def test_without_its_job_a_target_is_still_checked(projects: Mapping[str, Project]) -> None:
    project = projects["chat-server"]
    assert serving(project, "s390x-unknown-linux-gnu") == {"cross"}
    assert serving(project, "s390x-unknown-linux-gnu", cross=False) == {"targets"}


def test_an_unknown_target_is_named_with_what_becomes_of_it(
    projects: Mapping[str, Project],
) -> None:
    project = projects["chat-server"]
    config = resolved(project, {"platforms.targets": ("x86_64-unknown-hurd-gnu",)})
    reason = jobs.verdicts(project, config)["targets"].reason
    assert "nothing is known of `x86_64-unknown-hurd-gnu`, so no tests are tried there" in reason


@pytest.mark.parametrize("many", [False, True])
def test_more_jobs_than_run_at_once_are_told_with_their_price(
    many: bool, projects: Mapping[str, Project]
) -> None:
    project = projects["chat-server"]
    chosen = sorted(targets())[:CONCURRENT] if many else ()
    found = propose(project, resolved(project, {"platforms.targets": tuple(chosen)}), None)
    warning = crowd(found)
    assert (found.jobs > CONCURRENT) is many
    assert bool(warning) is many
    if warning:
        assert warning.startswith(f"a pull request starts {found.jobs} jobs, of which")
        assert "in a private one that limit is $" in warning


@pytest.mark.parametrize(
    ("setting", "problem", "hint"),
    [
        (
            'experimental = ["s390x-unknown-linux-gnu"]',
            "names `s390x-unknown-linux-gnu`, which is no runner or target",
            "take it out of `platforms.experimental`",
        ),
        (
            'exclude = ["macos-15/beta"]',
            "names `macos-15/beta`, which is no lane of the matrix",
            "take it out of `platforms.exclude`",
        ),
        (
            'exclude = ["macos-15/stable"]',
            "leaves no lane of `macos-15`",
            "take one lane out of `platforms.exclude`",
        ),
        (
            'targets = ["x86_64-unknown-linux-gnu.2.17"]',
            "names `x86_64-unknown-linux-gnu.2.17`, a target with a version of glibc",
            "only zig links for a chosen glibc",
        ),
        (
            'group = "builders"',
            "holds your own runners, but `platforms.runners` names GitHub's",
            "name only runners of the group",
        ),
    ],
)
def test_a_lane_that_is_not_there_is_refused_with_its_place(
    setting: str, problem: str, hint: str, projects: Mapping[str, Project]
) -> None:
    project = projects["chat-server"]
    file = configuration.file_layer(f"[platforms]\n{setting}\n", CONFIG)
    config = configuration.resolve((recommend(project), file))
    with pytest.raises(ConfigError) as refused:
        jobs.plan(project, config)
    assert str(refused.value) == f"`platforms.{setting.split(maxsplit=1)[0]}` {problem}"
    assert (refused.value.hint or "").startswith(hint)
    assert str(refused.value.where) == f"{CONFIG}:2"


def test_left_out_lanes_and_those_that_may_fail_are_as_github_combines_them(
    projects: Mapping[str, Project],
) -> None:
    project = projects["chat-server"]
    answers: Answers = {
        "toolchains.channels": ("stable", "beta"),
        "platforms.exclude": ("macos-15/beta",),
        "platforms.experimental": ("windows-2025",),
    }
    text = rendered(project, answers)[".github/workflows/ci.yml"]
    matrix = yaml.safe_load(text)["jobs"]["test"]["strategy"]["matrix"]
    lanes = {(row["runner"], row["toolchain"]): row["experimental"] for row in rows(matrix)}
    assert lanes == {
        ("ubuntu-24.04", "stable"): False,
        ("ubuntu-24.04", "beta"): True,
        ("windows-2025", "stable"): True,
        ("windows-2025", "beta"): True,
        ("macos-15", "stable"): False,
    }


def test_a_matrix_beyond_githubs_limit_is_refused(projects: Mapping[str, Project]) -> None:
    project = projects["chat-server"]
    channels = tuple(f"1.{minor}" for minor in range(100))
    with pytest.raises(ConfigError, match="job `test` would run 300 times; GitHub allows 256"):
        jobs.plan(project, resolved(project, {"toolchains.channels": channels}))


FILES = {
    "Cargo.toml": '[package]\nname = "it"\nversion = "0.1.0"\nedition = "2021"\n',
    "src/lib.rs": "",
}


@pytest.mark.parametrize(
    ("changed", "targets", "reason"),
    [
        ({}, None, ""),
        (
            {"src/lib.rs": '#[cfg(target_endian = "big")]\nfn swap() {}\n'},
            ("s390x-unknown-linux-gnu",),
            "`it` has a `cfg` on the byte order",
        ),
        (
            {"src/lib.rs": 'const WIDE: bool = cfg!(target_pointer_width = "64");\n'},
            ("i686-unknown-linux-gnu",),
            "`it` has a `cfg` on the pointer width",
        ),
        ({"src/lib.rs": '// #[cfg(target_endian = "big")]\n'}, None, ""),
        (
            {
                "src/lib.rs": '#[cfg(target_endian = "big")]\nfn swap() {}\n',
                "Cargo.toml": FILES["Cargo.toml"] + '[dependencies]\nopenssl-sys = "0.9"\n',
                "Cargo.lock": 'version = 4\n[[package]]\nname = "openssl-sys"\nversion = "0.9.1"\n',
            },
            None,
            "",
        ),
        (
            {
                "Cargo.toml": FILES["Cargo.toml"]
                + '[target.\'cfg(target_os = "android")\'.dependencies]\nndk = "0.9"\n'
                + '[target.\'cfg(target_os = "ios")\'.dependencies]\nobjc2 = "0.6"\n'
            },
            ("aarch64-linux-android", "aarch64-apple-ios"),
            "`it` depends on `ndk` on android alone; `it` depends on `objc2` on ios alone",
        ),
        (
            {
                "Cargo.toml": FILES["Cargo.toml"]
                + '[target.\'cfg(any(target_os = "linux", target_os = "android"))\'.dependencies]'
                '\nnix = "0.30"\n'
                '[target.\'cfg(not(target_os = "ios"))\'.dependencies]\nx = "1"\n'
            },
            None,
            "",
        ),
        (
            {"Cargo.toml": FILES["Cargo.toml"] + '[dev-dependencies]\nwasm-bindgen-test = "0.3"\n'},
            ("wasm32-unknown-unknown",),
            "`it` depends on `wasm-bindgen-test`",
        ),
        (
            {
                "rust-toolchain.toml": '[toolchain]\nchannel = "stable"\n'
                'targets = ["x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl"]\n'
            },
            ("x86_64-unknown-linux-musl",),
            "`rust-toolchain.toml` names it",
        ),
    ],
)
def test_targets_follow_from_what_the_project_is_there_for(
    changed: Mapping[str, str], targets: tuple[str, ...] | None, reason: str, tmp_path: Path
) -> None:
    for name, text in {**FILES, **changed}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    found = recommend(read_project(tmp_path)).get("platforms.targets")
    assert (found.value if found else None) == targets
    assert (found.reason if found else "") == reason


@pytest.mark.parametrize("more", [(), ("s390x-unknown-linux-gnu",)])
def test_xcode_links_for_ios_and_the_action_serves_the_others(
    more: tuple[str, ...], projects: Mapping[str, Project]
) -> None:
    answers: Answers = {"platforms.targets": ("aarch64-apple-ios", *more)}
    text = rendered(projects["chat-server"], answers)[".github/workflows/ci.yml"]
    steps = {step["name"]: step for step in yaml.safe_load(text)["jobs"]["cross"]["steps"]}
    assert ("Set up the target" in steps) is bool(more)
    assert ("if" in steps["Install the target"]) is bool(more)
    assert "CARGO_BUILD_TARGET" in steps["Install the target"]["run"]
    assert steps["Build the tests"]["run"].startswith("cargo test --no-run ")
    assert not lint({".github/workflows/ci.yml": text})
