"""The dated facts keep the rules that their files state."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from rustci import data
from rustci.actions import (
    ActionPin,
    Evidence,
    Status,
    built,
    built_tools,
    catalogue,
    pin,
    tool,
    tools,
)
from rustci.data import DataError, load, structure, structure_each
from rustci.environment import Setting, backend, backends, environment
from rustci.native import libraries, packages_for
from rustci.runners import State, System, default_runner, runner, runners, validate_label
from rustci.services import Service, services, services_for
from tests.linters import find

FILES = sorted(
    item.name.removesuffix(".toml") for item in files(data).iterdir() if item.name.endswith(".toml")
)
NONE: frozenset[str] = frozenset()
ROOT = Path(__file__).parent.parent


def actionlint(workflow: str) -> list[dict[str, Any]]:
    command = [find("actionlint"), "-format", "{{json .}}", "-shellcheck=", "-pyflakes=", "-"]
    done = subprocess.run(command, input=workflow, capture_output=True, text=True, check=False)
    assert not done.stderr
    findings: list[dict[str, Any]] = json.loads(done.stdout)
    return findings


def workflow(steps: str, *, runs_on: str = "ubuntu-24.04", extra: str = "") -> str:
    return f"""\
name: Test
on: push
permissions: {{}}
concurrency:
  group: test-${{{{ github.ref }}}}
  cancel-in-progress: true
jobs:
  test:
    name: Test
    runs-on: {runs_on}
    permissions: {{}}
    timeout-minutes: 10
{extra}    steps:
      - {steps}
"""


@pytest.mark.parametrize("name", FILES)
def test_every_file_says_what_it_is(name: str) -> None:
    assert files(data).joinpath(f"{name}.toml").read_text("utf-8").startswith("# ")
    assert date.fromisoformat(load(name)["date"]) >= date(2026, 11, 22)
    assert load(name)["source"]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"name": "A", "meaning": "m", "sceret": True}, "x: unknown keys sceret"),
        ({"name": "A"}, "x: missing keys meaning"),
        ({"name": 1, "meaning": "m"}, "x.name: expected str, found 1"),
        ({"name": "A", "meaning": "m", "secret": 1}, "x.secret: expected bool, found 1"),
    ],
)
def test_mistakes_in_data_fail_with_their_place(table: object, problem: str) -> None:
    with pytest.raises(DataError, match=re.escape(problem)):
        structure(Setting, table, "x")


def test_mistakes_deep_in_data_fail_with_their_place() -> None:
    with pytest.raises(DataError, match=re.escape("x: a[0]: expected dict, found 1")):
        structure_each(tuple[Setting, ...], {"a": [1]}, "x")
    with pytest.raises(DataError, match="x: 'old' is not a valid State"):
        structure(State, "old", "x")
    with pytest.raises(DataError, match="x: Invalid isoformat string"):
        structure(date, "2026", "x")


# Actions and tools


@pytest.mark.parametrize("action", catalogue().values(), ids=lambda action: action.name)
def test_actions_are_pinned_living_and_on_a_current_runtime(action: ActionPin) -> None:
    assert re.fullmatch(r"[0-9a-f]{40}", action.sha)
    assert re.fullmatch(r"v\d+\.\d+(\.\d+)?", action.version)
    assert re.fullmatch(r"v\d+(\.\d+)*", action.major)
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", action.repo)
    # Scorecard's action exists in no other form.
    image = {"docker"} if action.repo == "ossf/scorecard-action" else set()
    assert action.using in {"node24", "composite"} | image
    assert action.required <= action.inputs
    assert action.status in {Status.ACTIVE, Status.SLOW}
    assert action.uses == f"{action.name}@{action.sha} # {action.version}"


@pytest.mark.parametrize("action", catalogue().values(), ids=lambda action: action.name)
def test_evidence_of_actions_is_enough(action: ActionPin) -> None:
    # Fewer than ten witnesses only where the release that was read itself is node20.
    few = {"actions/configure-pages", "actions/dependency-review-action"}
    if action.evidence is Evidence.PEELED:
        assert action.projects == 0
        assert action.inputs_of is None
    else:
        assert action.projects >= (8 if action.repo in few else 10)
        assert action.inputs_of


def test_actions_of_one_repository_share_its_pin() -> None:
    pins = {(action.repo, action.version, action.sha) for action in catalogue().values()}
    assert len(pins) == len({action.repo for action in catalogue().values()})
    assert pin("actions/cache/restore").sha == pin("actions/cache").sha


def test_no_action_is_archived_superseded_or_broken() -> None:
    owners = {action.repo.split("/")[0] for action in catalogue().values()}
    assert not owners & {"actions-rs", "jakejarvis", "hecrj", "boa-dev"}
    refused = {
        "actions/attest-build-provenance",
        "arduino/setup-protoc",
        "dtolnay/rust-toolchain",
        "ilammy/msvc-dev-cmd",
        "re-actors/alls-green",
        "rustsec/audit-check",
        "softprops/action-gh-release",
    }
    assert not refused & {action.repo for action in catalogue().values()}
    assert pin("codecov/codecov-action").version not in {"v5.5.2", "v6.0.0", "v6.0.1"}
    assert "save-always" not in pin("actions/cache").inputs


def test_unknown_actions_and_tools_are_refused() -> None:
    with pytest.raises(KeyError):
        pin("actions-rs/toolchain")
    with pytest.raises(KeyError):
        tool("cargo-fuzz")
    with pytest.raises(KeyError):
        built("cargo-outdated")


@pytest.mark.parametrize("action", catalogue().values(), ids=lambda action: action.name)
def test_actionlint_knows_every_input_of_the_actions(action: ActionPin) -> None:
    inputs = "".join(f"          {name}: x\n" for name in sorted(action.inputs))
    text = workflow(f"uses: {action.name}@{action.major}\n        with:\n{inputs}")
    assert actionlint(text) == []


def test_actionlint_checks_the_inputs_of_common_actions() -> None:
    for name in ("actions/checkout", "actions/cache", "actions/upload-artifact"):
        text = workflow(f"uses: {name}@{pin(name).major}\n        with:\n          nonsense: x\n")
        assert any('input "nonsense"' in finding["message"] for finding in actionlint(text)), name


def test_tools_have_exact_versions_of_the_pinned_installer() -> None:
    assert load("tools")["install_action"] == pin("taiki-e/install-action").version
    for name, entry in tools().items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", entry.version), name
    assert tool("nextest").spec == f"nextest@{tool('nextest').version}"


def test_tools_that_are_built_have_exact_versions_and_no_binary() -> None:
    assert not built_tools().keys() & tools().keys()
    for entry in built_tools().values():
        assert re.fullmatch(r"[\w./-]+@v?\d+\.\d+\.\d+", entry.spec)
    assert built("actionlint").version in (ROOT / "noxfile.py").read_text("utf-8")


def test_tools_say_where_they_have_no_binary() -> None:
    hosts = {f"{entry.os}-{entry.arch}" for entry in runners().values()}
    assert {system for entry in tools().values() for system in entry.absent} <= hosts
    assert not tool("cargo-careful").available_on("linux", "arm64")
    assert tool("cargo-careful").available_on("linux", "x64")
    assert tool("nextest").available_on("windows", "arm64")


# Runners


def test_runners_that_end_have_a_date_and_a_replacement_that_works() -> None:
    for entry in runners().values():
        ends = entry.state in {State.DEPRECATED, State.REMOVED}
        assert (entry.ends is not None) == ends, entry.label
        assert entry.ends is None or re.fullmatch(r"\d{4}(-\d\d){0,2}", entry.ends), entry.label
        if ends or entry.state is State.MOVING or not entry.rust:
            assert entry.replacement, entry.label
        if entry.replacement:
            assert validate_label(entry.replacement) is None, entry.label
            assert runners()[entry.replacement].os is entry.os, entry.label


def test_runners_that_run_have_a_price_and_a_host() -> None:
    for entry in runners().values():
        assert (entry.dollars_per_minute is None) == (entry.state is State.REMOVED), entry.label
        assert entry.host, entry.label
    assert default_runner("linux").host == "x86_64-unknown-linux-gnu"


@pytest.mark.parametrize("system", System)
def test_default_runners_are_current(system: System) -> None:
    entry = default_runner(system)
    assert entry.os is system
    assert entry.state is State.CURRENT
    assert entry.known_to_actionlint


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("ubuntu-24.04", None),
        ("Ubuntu-24.04", None),
        ("ubuntu-22.04", None),
        ("big-runner.16_core", None),
        ("ubuntu-latest", "moves to another image"),
        ("macos-13", "was removed (2025-12)"),
        ("ubuntu-slim", "has no Rust"),
        ("${{ matrix.os }}", "is not a runner label"),
        ("a\nb", "is not a runner label"),
        ("x" * 101, "is not a runner label"),
        ("", "is not a runner label"),
    ],
)
def test_labels_are_judged(label: str, reason: str | None) -> None:
    found = validate_label(label)
    assert found == reason if reason is None else reason in (found or "")


def test_custom_labels_are_not_hosted_and_nothing_is_known_of_them() -> None:
    custom = runner("self-hosted")
    assert custom is not None
    assert (custom.hosted, custom.os, custom.arch, custom.host) == (False, None, None, None)


@pytest.mark.parametrize("label", runners())
def test_what_actionlint_says_of_a_label_is_recorded(label: str) -> None:
    findings = actionlint(workflow("run: exit", runs_on=label))
    assert [finding["kind"] for finding in findings if finding["kind"] == "runner-label"] == (
        [] if runners()[label].known_to_actionlint else ["runner-label"]
    )


# Native packages


def test_native_libraries_name_real_packages_systems_and_tools() -> None:
    for entry in libraries():
        assert entry.crates
        assert entry.packages or entry.tool or entry.heavy or entry.not_on, entry.crates
        assert all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", p) for p in entry.packages), entry.crates
        assert all(feature.count("/") == 1 for feature in entry.only | entry.unless), entry.crates
        assert System.LINUX not in entry.not_on, entry.crates
        assert entry.tool is None or entry.tool in tools(), entry.crates


def test_what_the_images_carry_is_not_installed() -> None:
    locked = frozenset({"openssl-sys", "libsqlite3-sys", "pq-sys", "libz-sys", "zstd-sys"})
    assert packages_for(locked, {}) == ()


def test_packages_follow_cargo_lock() -> None:
    found = packages_for(frozenset({"libudev-sys", "alsa-sys", "serde"}), {"cpal": NONE})
    assert [(p.crate, p.packages) for p in found] == [
        ("alsa-sys", ("libasound2-dev",)),
        ("libudev-sys", ("libudev-dev", "pkg-config")),
    ]
    assert not any(package.not_on for package in found)


def test_packages_follow_direct_dependencies_without_cargo_lock() -> None:
    (found,) = packages_for(NONE, {"rodio": NONE})
    assert (found.crate, found.packages, found.not_on) == ("rodio", ("libasound2-dev",), NONE)


def test_code_generators_count_only_as_direct_dependencies() -> None:
    assert packages_for(frozenset({"prost-build"}), {}) == ()
    (found,) = packages_for(NONE, {"prost-build": NONE})
    assert (found.packages, found.tool) == ((), "protoc")
    assert packages_for(frozenset({"protox"}), {"prost-build": NONE}) == ()


def test_features_that_bundle_the_library_need_no_package() -> None:
    locked = frozenset({"sdl2-sys"})
    assert packages_for(locked, {"sdl2": NONE})[0].packages == ("libsdl2-dev",)
    assert packages_for(locked, {"sdl2": frozenset({"bundled"})}) == ()


def test_features_that_link_one_more_library_need_its_package() -> None:
    found = packages_for(frozenset({"rdkafka-sys"}), {"rdkafka": frozenset({"gssapi"})})
    assert [(p.packages, p.heavy) for p in found] == [((), True), (("libsasl2-dev",), False)]


@pytest.mark.parametrize(
    ("direct", "systems"),
    [
        ({"alsa": NONE}, {System.MACOS, System.WINDOWS}),
        ({"openssl": NONE}, {System.WINDOWS}),
        ({"openssl": frozenset({"vendored"})}, set()),
        ({"native-tls": NONE}, set()),
        ({"diesel": frozenset({"postgres"})}, {System.MACOS, System.WINDOWS}),
        ({"diesel": frozenset({"sqlite"})}, set()),
        ({"libseccomp": NONE}, {System.MACOS, System.WINDOWS}),
    ],
)
def test_direct_dependencies_can_rule_systems_out(
    direct: dict[str, frozenset[str]], systems: set[System]
) -> None:
    locked = frozenset({"alsa-sys", "openssl-sys", "pq-sys", "libseccomp-sys"})
    found = {system for package in packages_for(locked, direct) for system in package.not_on}
    assert found == systems


def test_long_builds_are_marked() -> None:
    (found,) = packages_for(frozenset({"librocksdb-sys"}), {})
    assert found.heavy
    assert found.packages == ()


# Services


@pytest.mark.parametrize("service", services().values(), ids=lambda service: service.id)
def test_services_are_pinned_waited_for_and_found_by_tests(service: Service) -> None:
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", service.digest)
    assert service.digest_seen_in >= 2
    assert re.fullmatch(r"v?\d+(\.\d+)+[a-z-]*", service.tag)
    assert service.image == f"{service.repository}:{service.tag}@{service.digest}"
    assert service.health
    assert not set(service.health) & set('"$\\\n')
    assert service.ports
    published = [port.split(":")[0] for port in service.ports]
    urls = [value for value in service.test_env.values() if ":" in value]
    assert all(any(f":{port}" in url for port in published) for url in urls)
    assert service.test_env


def test_the_values_of_services_are_constants_for_tests() -> None:
    words = {"clickhouse", "mariadb", "mysql", "postgres"}
    secrets = {
        value
        for service in services().values()
        for name, value in service.env.items()
        if "PASSWORD" in name
    }
    assert secrets <= words
    assert not any(
        "${{" in value
        for service in services().values()
        for value in (*service.env.values(), *service.test_env.values())
    )


def container(service: Service) -> str:
    lines = [
        "    services:",
        f"      {service.id}:",
        f"        image: {service.image}",
        "        ports:",
        *(f'          - "{port}"' for port in service.ports),
        *(["        env:"] if service.env else []),
        *(f'          {name}: "{value}"' for name, value in service.env.items()),
        f"        options: '{service.options.replace(chr(39), chr(39) * 2)}'",
        "    env:",
        *(f'      {name}: "{value}"' for name, value in service.test_env.items()),
    ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("service", services().values(), ids=lambda service: service.id)
def test_actionlint_finds_nothing_in_a_job_with_the_service(service: Service) -> None:
    assert actionlint(workflow("run: cargo test", extra=container(service))) == []


def zizmor(folder: Path) -> subprocess.CompletedProcess[str]:
    program = find("zizmor")
    flags = ["--offline", "--no-config", "--strict-collection", "--persona", "auditor"]
    return subprocess.run(
        [program, *flags, "--no-progress", folder], capture_output=True, text=True, check=False
    )


def test_zizmor_finds_nothing_in_jobs_with_services(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    for service in services().values():
        text = workflow("run: cargo test", extra=container(service))
        (folder / f"{service.id}.yml").write_text(text)
    clean = zizmor(tmp_path)
    assert clean.returncode == 0, clean.stdout
    (folder / "redis.yml").write_text(text.replace(f"@{service.digest}", ""))
    assert "unpinned-images" in zizmor(tmp_path).stdout


@pytest.mark.parametrize(
    ("dependencies", "expected"),
    [
        ({"sqlx": frozenset({"postgres", "macros"})}, [("postgres", "sqlx with feature postgres")]),
        ({"sqlx": frozenset({"sqlite"})}, []),
        ({"diesel": frozenset({"mysql"})}, [("mysql", "diesel with feature mysql")]),
        (
            {"tokio-postgres": NONE, "redis": NONE},
            [("postgres", "tokio-postgres"), ("redis", "redis")],
        ),
        ({"tokio-postgres": NONE, "testcontainers": NONE}, []),
        ({"serde": NONE}, []),
    ],
)
def test_services_follow_dependencies(
    dependencies: dict[str, frozenset[str]], expected: list[tuple[str, str]]
) -> None:
    found = [(service.id, reason) for service, reason in services_for(dependencies)]
    assert found == [(name, f"depends on {crate}") for name, crate in expected]


def test_no_dependency_implies_two_services_on_one_port() -> None:
    for crate in {crate for service in services().values() for crate in service.crates}:
        implied = services_for({crate: NONE})
        ports = [port for service, _ in implied for port in service.ports]
        assert len(ports) == len(set(ports)), crate


# Environment


def test_variables_have_one_line_each() -> None:
    for name, meaning in environment().items():
        assert re.fullmatch(r"[A-Z][A-Z0-9_]*", name)
        assert "\n" not in meaning
        assert meaning.endswith(".")


def test_what_looks_like_a_credential_is_a_secret() -> None:
    for setting in (setting for settings in backends().values() for setting in settings):
        credential = re.search(
            r"PASSWORD|TOKEN|SECRET|ACCESS_KEY|GCS_KEY$|CONNECTION_STRING", setting.name
        )
        assert setting.secret == bool(credential), setting.name


def test_every_storage_of_sccache_names_what_it_cannot_do_without() -> None:
    assert backend("github") == ()
    for name in ("s3", "gcs", "azure", "redis", "webdav"):
        assert any(setting.required for setting in backend(name)), name
    with pytest.raises(KeyError):
        backend("floppy")
