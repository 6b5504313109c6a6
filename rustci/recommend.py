"""The defaults that are read off the project, each with its reason.

One function per option. A rule without evidence says nothing, and the grammar's default holds. The
shares behind the rules are told in docs/explanation/defaults.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from rustci import access, runners, services
from rustci.config import Layer
from rustci.jobs.base import (
    all_features_problem,
    bare_metal,
    direct_features,
    has_doctest_target,
    native_packages,
    wasm_tested,
)
from rustci.jobs.features import counts, strategy
from rustci.jobs.load import USUAL_PATHS, servers, serving
from rustci.jobs.measuring import COUNTING, CRITERION, benches, benchmarked_with
from rustci.kinds import Value
from rustci.options import BRANCH, TRIPLE, Setting, Source
from rustci.project import DependencyKind, Package, Project, RustVersion, TargetKind

FIRST_CHECK = RustVersion.parse("1.16")
"""The release that brought `cargo check` (https://blog.rust-lang.org/2017/03/16/Rust-1.16/)."""
LISTING_HARNESSES = frozenset({"datatest-stable", "libtest-mimic"})
"""Crates whose test harness can list its cases, as nextest needs
(https://nexte.st/docs/design/custom-test-harnesses/)."""
PHONES: Mapping[str, str] = {
    "android": "aarch64-linux-android",
    "ios": "aarch64-apple-ios",
}
"""The target that stands for a system on which nobody develops."""

Advice = tuple[Value, str]
Rule = Callable[[Project], Advice | None]


def recommend(project: Project) -> Layer:
    """Return the DETECTED layer."""
    layer = {}
    for name, rule in RULES.items():
        if advice := rule(project):
            value, reason = advice
            layer[name] = Setting(value=value, source=Source.DETECTED, reason=reason)
    return layer


def channels(project: Project) -> Advice | None:
    """The toolchain file decides; else nightly for code that nothing else compiles."""
    file = project.toolchain
    if file and file.channel and file.channel != "stable":
        return (file.channel,), f"`{file.path}` pins it"
    for package in project.packages:
        if package.source.needs_nightly:
            return ("nightly",), f"`{package.name}` uses `#![feature(…)]`"
    return ("stable",), f"`{file.path}`" if file and file.channel else "no toolchain file"


def msrv(project: Project) -> Advice | None:
    """`rust-version` of Cargo.toml: one lane, or one for each version where packages differ."""
    versions = {package.rust_version for package in project.packages}
    if versions == {None}:
        return False, "no `rust-version` in Cargo.toml"
    if all(version is None or version < FIRST_CHECK for version in versions):
        return False, f"Cargo has `cargo check` since Rust {FIRST_CHECK}"
    if len(versions) == 1:
        return str(versions.pop()), "`rust-version` in Cargo.toml"
    found = ", ".join(str(version) for version in sorted(v for v in versions if v))
    return True, f"`rust-version` of each package: {found}"


def runner_labels(project: Project) -> tuple[tuple[str, ...], str]:
    """Linux, Windows and macOS, less those that the code or its dependencies rule out."""
    labels = {os: runners.default_runner(os).label for os in runners.System}
    if bare_metal(project):
        return (labels[runners.System.LINUX],), "`.cargo/config.toml` builds for bare metal"
    if found := _services(project):
        reason = f"service containers (`{found[0][0].id}`) run on Linux only"
        return (labels[runners.System.LINUX],), reason
    if services.starts_its_own(direct_features(project)):
        return (labels[runners.System.LINUX],), "testcontainers need Docker, which Linux has"
    reasons: list[str] = []
    for package in native_packages(project):
        if package.not_on & labels.keys():
            reasons.append(f"`{package.crate}` does not build everywhere")
            labels = {os: label for os, label in labels.items() if os not in package.not_on}
    for member in project.packages:
        if member.source.unix_only and runners.System.WINDOWS in labels:
            del labels[runners.System.WINDOWS]
            reasons.append(f"`{member.name}` calls Unix APIs outside any `cfg`")
    return tuple(labels.values()), "; ".join(reasons) or "nothing ties the code to one system"


def targets(project: Project) -> Advice | None:
    """What the toolchain file names, and what code or dependencies are there for, as Android."""
    if bare_metal(project):
        return None
    labels, _ = runner_labels(project)
    hosts = {known.host for label in labels if (known := runners.runner(label))}
    found: dict[str, str] = {}
    for triple, reason in _promised(project):
        if triple not in hosts:
            found.setdefault(triple, reason)
    return (tuple(found), "; ".join(dict.fromkeys(found.values()))) if found else None


def _promised(project: Project) -> Iterator[tuple[str, str]]:
    """Yield each target that something in the project is there for, with what that is."""
    if file := project.toolchain:
        yield from (
            (triple, f"`{file.path}` names it")
            for triple in file.targets
            if re.fullmatch(TRIPLE, triple)
        )
    published = [p for p in project.packages if p.library and p.publishable and not p.proc_macro]
    if published and all(package.source.no_std for package in published):
        yield "thumbv7em-none-eabi", f"`{published[0].name}` is `no_std`"
    for package in project.packages:
        if package.library and _uses_wasm(package):
            yield "wasm32-unknown-unknown", f"`{package.name}` depends on `wasm-bindgen`"
    for package in wasm_tested(project):
        yield "wasm32-unknown-unknown", f"`{package.name}` depends on `wasm-bindgen-test`"
    if not native_packages(project):
        # A native library is there for the runner's own system only.
        yield from _emulated(project)


def _emulated(project: Project) -> Iterator[tuple[str, str]]:
    for package in project.packages:
        if package.source.knows_byte_order:
            yield "s390x-unknown-linux-gnu", f"`{package.name}` has a `cfg` on the byte order"
        if package.source.knows_pointer_width:
            yield "i686-unknown-linux-gnu", f"`{package.name}` has a `cfg` on the pointer width"
        for dependency in package.dependencies:
            system = _only_system(dependency.target or "")
            if system in PHONES and dependency.kind is DependencyKind.NORMAL:
                reason = f"`{package.name}` depends on `{dependency.name}` on {system} alone"
                yield PHONES[system], reason


def _only_system(condition: str) -> str:
    """Return the operating system that a dependency is limited to; empty if it is not just one."""
    found: list[str] = re.findall(r'target_os\s*=\s*"(\w+)"', condition)
    return found[0] if len(found) == 1 and "not(" not in condition else ""


def _uses_wasm(package: Package) -> bool:
    return any(
        dependency.name == "wasm-bindgen" and not dependency.optional and not dependency.target
        for dependency in package.dependencies
        if dependency.kind is DependencyKind.NORMAL
    )


def sccache(project: Project) -> Advice | None:
    """Only where C or C++ takes minutes: elsewhere the plain cache is faster and simpler."""
    for package in native_packages(project):
        if package.heavy:
            return "github", f"`{package.crate}` compiles C or C++ for minutes"
    return False, "the plain cache is faster where little C is compiled"


def test_runner(project: Project) -> Advice | None:
    """nextest, unless a test has its own `main`: nextest could not list its cases."""
    for package, target in project.targets(TargetKind.TEST):
        listed = {dependency.name for dependency in package.dependencies} & LISTING_HARNESSES
        if not target.harness and not listed:
            return "cargo", f"test `{target.name}` of `{package.name}` has its own harness"
    return "nextest", "a process per test, and hanging tests are stopped"


def features(project: Project) -> Advice | None:
    """By the number of combinations: powerset, pairs, each, or nothing to combine."""
    counted = counts(project)
    if not counted:
        return "default", "no features"
    problem = all_features_problem(project)
    suffix = f"; tests take the default ones, as {problem}" if problem else ""
    plural = f"{sum(counted)} feature{'s' * (sum(counted) != 1)}"
    if strategy(project) == "powerset":
        return "powerset", plural + suffix
    return "each", f"{plural}: too many combinations for a powerset{suffix}"


def doctests(project: Project) -> Advice | None:
    """Only a library has documentation tests."""
    if has_doctest_target(project):
        return True, "there is a library"
    return False, "no library, so no documentation tests"


def service_names(project: Project) -> Advice | None:
    """By dependency, where there are integration tests that could use them."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for service, reason in _services(project):
        # Two databases want the same DATABASE_URL: the tests can only be meant for one at a time.
        if not taken & service.claims:
            found[service.id] = reason
            taken |= service.claims
    return (tuple(found), "; ".join(found.values())) if found else None


def _services(project: Project) -> tuple[tuple[services.Service, str], ...]:
    if not any(True for _ in project.targets(TargetKind.TEST)):
        return ()
    return services.services_for(direct_features(project))


def packages(project: Project) -> Advice | None:
    """Debian packages of native libraries that the runner images lack."""
    found = [package for package in native_packages(project) if package.packages]
    names = sorted({name for package in found for name in package.packages})
    return (tuple(names), "; ".join(package.reason for package in found)) if names else None


def coverage(project: Project) -> Advice | None:
    """The service that the repository already uses; else a report in the run."""
    if bare_metal(project):
        return False, "no test harness runs on bare metal"
    written = project.repository.written
    for workflow in project.repository.foreign_workflows:
        if workflow.coverage_service:
            return workflow.coverage_service, f"`{workflow.path}` uploads to it"
    if service := project.repository.coverage_service:
        return service, "in use when the workflows were written"
    for name in ("codecov.yml", ".codecov.yml", ".github/codecov.yml"):
        if name in project.repository.files - written:
            return "codecov", f"`{name}` is there"
    if not any(package.source.has_tests for package in project.packages):
        return False, "no tests"
    return "none", "measured in the run; no service is set up"


def bench_gate(project: Project) -> Advice | None:
    """On where benchmarks write figures that a gate can read."""
    if read := benchmarked_with(project, CRITERION | COUNTING):
        crate = next(d.name for d in read[0].dependencies if d.name in CRITERION | COUNTING)
        return True, f"`{read[0].name}` measures with `{crate}`"
    for package, name in benches(project):
        return (
            False,
            f"benchmark `{name}` of `{package.name}` does not use criterion, which it takes",
        )
    for package, target in project.targets(TargetKind.BENCH):
        return False, f"benchmark `{target.name}` of `{package.name}` needs nightly Rust"
    return False, "no benchmarks"


def bench_mode(project: Project) -> Advice | None:
    """Times with criterion, counts with gungraun or iai-callgrind, both where there are both."""
    timed, counted = benchmarked_with(project, CRITERION), benchmarked_with(project, COUNTING)
    if not counted:
        return None
    return "both" if timed else "counts", f"`{counted[0].name}` counts instructions"


def load_tool(project: Project) -> Advice | None:
    """Off: none of the repositories behind the defaults runs load tests."""
    if not servers(project):
        return None
    return False, "shared runners measure load roughly: wanted by whoever has a question for it"


def load_binary(project: Project) -> Advice | None:
    """The binary of the first server."""
    for package, _ in servers(project):
        name = serving(package).name
        return name, f"`{package.name}` listens on a socket"
    return None


def load_port(project: Project) -> Advice | None:
    """Where the first server listens, by a literal in its code."""
    for package, server in servers(project):
        if server.port:
            return server.port, f"`{package.name}` listens there"
    return None


def load_path(project: Project) -> Advice | None:
    """The first server's route, by a literal in its code; else what its kind usually has."""
    for package, server in servers(project):
        if server.path:
            return server.path, f"a route of `{package.name}`"
        usual = USUAL_PATHS[server.protocol or "http"]
        return usual, f"no route was found in `{package.name}`"
    return None


def load_health(project: Project) -> Advice | None:
    """The first server's route of that name."""
    for package, server in servers(project):
        if server.health:
            return server.health, f"a route of `{package.name}`"
    return None


def registries(project: Project) -> Advice | None:
    """Those that dependencies come from, unless the repository holds their sources."""
    found = access.registries(project)
    if not found:
        return None
    if access.vendored(project):
        return (), "the sources are in the repository"
    return found, f"dependencies come from `{found[0]}`"


def ssh(project: Project) -> Advice | None:
    """Whatever is fetched over ssh needs a key."""
    found = access.git_hosts(project, "ssh")
    if not found or access.vendored(project):
        return None
    return found, f"dependencies come from {found[0]} over ssh"


def https(project: Project) -> Advice | None:
    """Hosts that are no public forge: there most repositories can be read by everybody."""
    found = tuple(h for h in access.git_hosts(project, "https") if h not in access.PUBLIC_FORGES)
    if not found or access.vendored(project):
        return None
    return found, f"dependencies come from {found[0]}, which is no public forge"


def branch(project: Project) -> Advice | None:
    """The default branch of the remote, else the one that is checked out."""
    name = project.repository.default_branch
    return (name, "git") if name and re.fullmatch(BRANCH, name) else None


def directory(project: Project) -> Advice | None:
    """Where the workspace is."""
    return str(project.main.directory), "the Cargo workspace is there"


def dependabot(project: Project) -> Advice | None:
    """Unless another bot keeps the pins moving; a file that is there stays as it is."""
    if project.repository.renovate:
        return False, "Renovate is set up"
    if ".github/dependabot.yaml" in project.repository.files:
        return False, "`.github/dependabot.yaml` is there"
    return True, "keeps actions and dependencies moving, a week behind each release"


RULES: Mapping[str, Rule] = {
    "toolchains.channels": channels,
    "toolchains.msrv": msrv,
    "platforms.runners": runner_labels,
    "platforms.targets": targets,
    "cache.sccache": sccache,
    "tests.runner": test_runner,
    "tests.features": features,
    "tests.doctests": doctests,
    "tests.services": service_names,
    "tests.packages": packages,
    "coverage.service": coverage,
    "benchmarks.gate": bench_gate,
    "benchmarks.mode": bench_mode,
    "load.tool": load_tool,
    "load.binary": load_binary,
    "load.port": load_port,
    "load.path": load_path,
    "load.health": load_health,
    "access.registries": registries,
    "access.ssh": ssh,
    "access.https": https,
    "workflows.branch": branch,
    "workflows.directory": directory,
    "workflows.dependabot": dependabot,
}
