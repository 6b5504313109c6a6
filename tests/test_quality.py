"""The jobs for quality and supply chain: what calls for them, and planted faults that they find."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import tomli

from rustci import config as configuration
from rustci import jobs, policy, templates
from rustci.discover import read_project
from rustci.errors import ConfigError, ProjectError
from rustci.jobs import manifests, semver
from rustci.jobs.base import Verdict
from rustci.project import Project
from rustci.recommend import recommend
from tests.house import parse
from tests.linters import find
from tests.upkeep import Repository

LIBRARY = """\
[package]
name = "demo"
version = "0.1.0"
edition = "2021"
description = "Shows something"
license = "MIT OR Apache-2.0"
"""
ON_REQUEST = frozenset(
    {"deny", "unused", "manifests", "typos", "workflows", "review", "advisories"}
)


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def crate(tmp_path: Path) -> Path:
    """A library that crates.io would take."""
    write(tmp_path / "demo", {"Cargo.toml": LIBRARY, "src/lib.rs": "pub fn shown() {}\n"})
    return tmp_path / "demo"


def verdicts(project: Project, *answers: str) -> Mapping[str, Verdict]:
    layers = (recommend(project), configuration.flag_layer({}, answers))
    return jobs.verdicts(project, configuration.resolve(layers))


def trees(project: Project, *answers: str) -> Mapping[str, str]:
    config = configuration.resolve((recommend(project), configuration.flag_layer({}, answers)))
    rendered = templates.render(jobs.plan(project, config), project, config)
    return {path: file.text for path, file in rendered.items()}


# What calls for them


def test_a_plain_library_gets_none_but_the_comparison_of_its_api(crate: Path) -> None:
    found = verdicts(read_project(crate))
    assert not [name for name in ON_REQUEST if found[name].on]
    assert found["semver"].on
    assert found["semver"].reason == "`demo` is a library for crates.io"


@pytest.mark.parametrize(
    ("files", "switched_on"),
    [
        ({"deny.toml": ""}, {"deny", "advisories"}),
        ({".cargo/deny.toml": ""}, {"deny", "advisories"}),
        ({"_typos.toml": ""}, {"typos"}),
        ({"taplo.toml": ""}, {"manifests"}),
        ({".github/zizmor.yml": "rules: {}\n"}, {"workflows"}),
        ({".github/actionlint.yaml": "{}\n"}, {"workflows"}),
        ({"Cargo.toml": f"{LIBRARY}\n[package.metadata.cargo-shear]\nignored = []\n"}, {"unused"}),
        ({"Cargo.toml": f"{LIBRARY}\n[workspace.metadata.typos]\n"}, {"typos"}),
        ({"Cargo.toml": f"{LIBRARY}\n[package.metadata.docs.rs]\n"}, {"docsrs"}),
        ({"Cargo.toml": f"{LIBRARY}publish = false\n"}, set()),
        ({"Cargo.toml": LIBRARY.replace("description", "homepage")}, set()),
    ],
)
def test_what_is_configured_switches_its_job_on(
    files: dict[str, str], switched_on: set[str], crate: Path
) -> None:
    write(crate, files)
    found = verdicts(read_project(crate))
    assert {name for name in {*ON_REQUEST, "docsrs"} if found[name].on} == switched_on


def test_what_rustci_wrote_itself_is_no_evidence(crate: Path) -> None:
    repository = Repository(crate)
    assert repository.run("init", "--yes", "--job-deny").code == 0
    repository.edit(r"^deny = true\n", "", ".github/rustci.toml")
    assert (crate / "deny.toml").exists()
    assert not verdicts(read_project(crate))["deny"].on


def test_a_library_that_is_not_published_has_no_api_to_compare(crate: Path) -> None:
    write(crate, {"Cargo.toml": f"{LIBRARY}publish = false\n"})
    with pytest.raises(ConfigError, match="no library is published"):
        verdicts(read_project(crate), "jobs.semver=true")


def test_a_hand_written_job_is_not_added_again(crate: Path) -> None:
    step = "jobs:\n  words:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: typos\n"
    write(crate, {".github/workflows/ci.yml": f"on: push\n{step}", "_typos.toml": ""})
    repository = Repository(crate)
    assert repository.run("init", "--yes", "--on-existing", "merge").code == 0
    assert "typos = false" in repository.read(".github/rustci.toml")


# deny.toml


def test_deny_toml_allows_what_the_project_has(crate: Path) -> None:
    locked = """\
version = 4

[[package]]
name = "far"
version = "1.0.0"
source = "git+https://example.com/far?branch=main#0123456789012345678901234567890123456789"

[[package]]
name = "house"
version = "1.0.0"
source = "registry+https://example.com/index"

[[package]]
name = "itoa"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
"""
    licence = LIBRARY.replace("MIT OR Apache-2.0", "(GPL-3.0-only OR MIT) AND MPL-2.0")
    write(crate, {"Cargo.toml": licence, "Cargo.lock": locked})
    document = tomli.loads(trees(read_project(crate), "jobs.deny=true")["deny.toml"])
    assert {"GPL-3.0-only", "MPL-2.0", *policy.PERMISSIVE} == set(document["licenses"]["allow"])
    assert document["sources"]["allow-git"] == ["https://example.com/far"]
    assert document["sources"]["allow-registry"] == [
        "https://github.com/rust-lang/crates.io-index",
        "https://example.com/index",
    ]


def test_without_a_lock_file_the_manifests_name_the_sources(crate: Path) -> None:
    git = '[dependencies]\nfar = { git = "https://example.com/far" }\n'
    write(crate, {"Cargo.toml": f"{LIBRARY}\n{git}"})
    document = tomli.loads(trees(read_project(crate), "jobs.deny=true")["deny.toml"])
    assert document["sources"]["allow-git"] == ["https://example.com/far"]


def test_the_projects_own_configuration_is_left_alone(crate: Path) -> None:
    write(crate, {".deny.toml": ""})
    assert "deny.toml" not in trees(read_project(crate), "jobs.deny=true")


def test_a_licence_that_is_none_is_left_out(crate: Path) -> None:
    write(crate, {"Cargo.toml": LIBRARY.replace("MIT OR Apache-2.0", 'Mine\\" ]')})
    assert policy.licences(read_project(crate)) == tuple(sorted(policy.PERMISSIVE))


def test_a_source_that_would_steer_the_reader_is_refused(crate: Path) -> None:
    git = '[dependencies]\nfar = { git = "https://example.com/\\u202efar" }\n'
    write(crate, {"Cargo.toml": f"{LIBRARY}\n{git}"})
    with pytest.raises(ProjectError, match="direction-changing"):
        trees(read_project(crate), "jobs.deny=true")


# Single jobs


@pytest.mark.parametrize(
    ("needs", "channels", "toolchain"),
    [
        ("1.85", "stable", "1.97"),
        ("1.98", "stable", "stable"),
        ("1.85", "1.90", "1.90"),
        ("1.85", "nightly", "nightly"),
    ],
)
def test_apis_are_compared_with_a_rust_that_the_tool_reads(
    needs: str, channels: str, toolchain: str, crate: Path
) -> None:
    write(crate, {"Cargo.toml": f'{LIBRARY}rust-version = "{needs}"\n'})
    project = read_project(crate)
    answers = configuration.flag_layer({}, [f"toolchains.channels={channels}"])
    job = semver.build(project, configuration.resolve((recommend(project), answers)))
    assert job.env["RUSTUP_TOOLCHAIN"] == toolchain


def test_a_formatters_configuration_alone_asks_for_no_build(crate: Path) -> None:
    write(crate, {"taplo.toml": ""})
    project = read_project(crate)
    config = configuration.resolve((recommend(project),))
    assert manifests.build(project, config).details["package"] is False
    asked = configuration.flag_layer({}, ["jobs.manifests=true"])
    config = configuration.resolve((recommend(project), asked))
    assert manifests.build(project, config).details["package"] is True


def test_linters_run_where_they_are_configured_and_both_on_request(crate: Path) -> None:
    write(crate, {"zizmor.yml": "rules: {}\n"})
    project = read_project(crate)
    assert "actionlint" not in trees(project)[".github/workflows/ci.yml"]
    asked = trees(project, "jobs.workflows=true")[".github/workflows/ci.yml"]
    assert "go run github.com/rhysd/actionlint/cmd/actionlint@v" in asked
    assert "-ignore" not in asked
    new = trees(project, "jobs.workflows=true", "platforms.runners=ubuntu-24.04,mine")
    assert "-ignore 'label" in new[".github/workflows/ci.yml"]


# Planted faults: the jobs' own scripts, run as the workflow would


def scripts(crate: Path, job: str) -> tuple[list[str], dict[str, str]]:
    """Return the scripts of a job after its set-up, and its environment."""
    tree = trees(read_project(crate), f"jobs.{job}=true")
    write(crate, {name: text for name, text in tree.items() if name == "deny.toml"})
    texts = (tree[f".github/workflows/{name}.yml"] for name in ("ci", "scheduled"))
    found = next(w["jobs"][job] for w in map(parse, texts) if job in w["jobs"])
    shared = {"Install Rust", "Check the compiler"}
    own = [step["run"] for step in found["steps"] if "run" in step and step["name"] not in shared]
    return own, {name: str(value) for name, value in found.get("env", {}).items()}


def run(crate: Path, job: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a job's scripts in the crate; the first that fails ends it."""
    own, env = scripts(crate, job)
    bash = shutil.which("bash")
    if not bash:
        pytest.skip("bash is missing: the jobs run in it")
    return subprocess.run(
        [bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", "\n".join(own)],
        cwd=crate,
        env=os.environ | env | {"RUNNER_TEMP": str(crate.parent)} | more,
        capture_output=True,
        text=True,
        check=False,
    )


def cargo_tool(name: str) -> None:
    """Fail where a cargo tool is not installed."""
    if not shutil.which(name):
        pytest.fail(f"{name} is missing: `cargo install --locked {name}`")


UNUSED = '[dependencies]\nleft = { path = "left", version = "0.1.0" }\n'
LEFT = LIBRARY.replace('"demo"', '"left"')
CARGO_FAULTS = {
    "cargo-deny": (
        "deny",
        {"left/Cargo.toml": LEFT.replace("MIT OR Apache-2.0", "MPL-2.0")},
        "license is not explicitly allowed",
    ),
    "cargo-shear": ("unused", {}, "unused dependency"),
    "cargo-package": (
        "manifests",
        {"Cargo.toml": LIBRARY + UNUSED.replace(', version = "0.1.0"', "")},
        "version",
    ),
}


@pytest.mark.parametrize(
    "tool",
    [
        # They take minutes to build.
        pytest.param("cargo-deny", marks=pytest.mark.slow),
        pytest.param("cargo-shear", marks=pytest.mark.slow),
        "cargo-package",
    ],
)
def test_a_planted_fault_turns_the_job_red(tool: str, crate: Path) -> None:
    job, fault, told = CARGO_FAULTS[tool]
    cargo_tool("cargo" if tool == "cargo-package" else tool)
    offline = {"CARGO_NET_OFFLINE": "true", "RUSTUP_TOOLCHAIN": "stable"}
    assert run(crate, job, **offline).returncode == 0
    write(crate, {"Cargo.toml": LIBRARY + UNUSED, "left/Cargo.toml": LEFT, "left/src/lib.rs": ""})
    write(crate, fault)
    (crate / "Cargo.lock").unlink(missing_ok=True)
    done = run(crate, job, **offline)
    assert done.returncode != 0
    assert told in done.stdout + done.stderr


def test_a_misspelt_word_turns_the_job_red(crate: Path) -> None:
    typos = Path(find("typos"))
    path = {"PATH": f"{typos.parent}{os.pathsep}{os.environ['PATH']}"}
    assert run(crate, "typos", **path).returncode == 0
    write(crate, {"src/lib.rs": "pub fn recieve() {}\n"})
    done = run(crate, "typos", **path)
    assert done.returncode != 0
    assert "receive" in done.stdout


BREAK = "Summary semver requires new major version: 1 major and 0 minor checks failed"
SAME = "Checking demo v0.1.0 -> v0.1.0 (no change; assume patch)"
RAISED = "Checking demo v0.1.0 -> v0.1.1 (minor change)"
SEMVER = {
    "no break": (0, f"{RAISED}\nSummary no semver update required", 0, ""),
    "break, version raised by too little": (100, f"{RAISED}\n{BREAK}", 1, BREAK),
    "break, version not raised": (100, f"{SAME}\n{BREAK}", 0, "::warning::demo breaks its API"),
    "not published": (
        101,
        "error: demo not found in registry (crates.io). For workarounds check",
        0,
        "::notice::demo is not on crates.io",
    ),
    "no answer": (101, "error: unsupported rustdoc format v99", 0, "::warning::demo cannot be"),
}
"""Exit code and output of cargo-semver-checks 0.50.0, and what the job makes of them."""


@pytest.mark.parametrize("case", SEMVER)
def test_only_a_promise_that_is_broken_turns_the_comparison_red(case: str, crate: Path) -> None:
    code, output, expected, told = SEMVER[case]
    fake = crate.parent / "bin" / "cargo"
    write(crate.parent, {"bin/cargo": f"#!/bin/sh\ncat <<'E'\n{output}\nE\nexit {code}\n"})
    fake.chmod(0o755)
    done = run(crate, "semver", PATH=f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == expected
    assert told in done.stdout
