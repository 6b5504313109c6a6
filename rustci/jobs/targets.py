"""Checks that the libraries compile for target triples on which no tests can run.

On where `platforms.targets` names any: bare metal (read off `#![no_std]`), WebAssembly without
tests of its own, and whatever `rustci/data/targets.toml` does not list; with
`jobs.cross = false` the targets of `cross` as well. Nothing is linked or run, so no cross compiler
is needed as long as no build script compiles C.

Each package is checked alone, for Cargo unites the features of those that it builds together: one
that needs `std` would hide that another does not do without. A feature `alloc` is checked as well.
"""

from rustci.jobs.base import (
    LOCK_TROUBLE,
    WASM,
    Verdict,
    capped_lints,
    further_targets,
    lane_env,
    libraries,
    linux_runner,
    locked_flag,
    may_fail,
    minutes,
    package_specs,
    primary_toolchain,
    rustc_pattern,
    setup,
    wasm_tested,
)
from rustci.options import Config
from rustci.project import Package, Project
from rustci.quoting import Verbatim
from rustci.runners import runner
from rustci.targets import Target, Way
from rustci.targets import targets as known_targets
from rustci.workflow import Job, Matrix, Trouble

ID = "targets"
TITLE = "Further targets"
WORKFLOW = "ci"

TROUBLES = (
    Trouble(
        symptom="`can't find crate for std`",
        cause="A dependency pulls in the standard library through its default features.",
        fix="Set `default-features = false` on it and enable `std` from your own `std` feature.",
    ),
)


def chosen(project: Project, config: Config) -> tuple[Target, ...]:
    """Return the targets that are only checked: no other job compiles for them."""
    tested = WASM if wasm_tested(project) and config.jobs.get("wasm", True) else ""
    crossed = config.jobs.get("cross", True)
    return tuple(
        found
        for found in further_targets(config)
        if found.triple != tested and not (crossed and found.way is not Way.CHECK)
    )


def wanted(project: Project, config: Config) -> Verdict:
    """Where further targets are named that no tests can be run on."""
    found = chosen(project, config)
    if not found:
        reason = "`platforms.targets` names none that is only checked"
        return Verdict(on=False, possible=False, reason=reason)
    reason = config.settings["platforms.targets"].reason
    if strange := [f"`{one.triple}`" for one in found if one.triple not in known_targets()]:
        reason += f"; nothing is known of {', '.join(strange)}, so no tests are tried there"
    return Verdict(on=True, reason=reason)


def checked(project: Project) -> tuple[Package, ...]:
    """Return what is checked: the `no_std` libraries if there are any, else every library."""
    found = tuple(p for p in libraries(project) if not p.proc_macro) or project.packages
    return tuple(package for package in found if package.source.no_std) or found


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    toolchain = primary_toolchain(config)
    packages = checked(project)
    lanes = chosen(project, config)
    bare = any(package.source.no_std == "conditional" for package in packages)
    # Without the names where they can be done without: a dependency may be called the same.
    whole = packages == project.packages and len(packages) == 1
    alloc = tuple(package for package in packages if bare and "alloc" in package.features)
    flags = ("--no-default-features" if bare else "", locked_flag(project))
    labels = tuple(dict.fromkeys(_runner(found, config) for found in lanes))
    rows = may_fail(
        tuple({"target": found.triple, "runner": _runner(found, config)} for found in lanes), config
    )
    optional = "experimental" in rows[0]
    several = len(labels) > 1
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("These targets are promised, and no test lane compiles for them."),
        runner=Verbatim("${{ matrix.runner }}") if several else labels[0],
        timeout=minutes(20, project),
        env=lane_env(
            config,
            toolchain,
            **capped_lints(project),
            TARGET=Verbatim("${{ matrix.target }}"),
            **({} if whole else {"PACKAGES": package_specs(project, packages)}),
            **({"PACKAGES_ALLOC": package_specs(project, alloc)} if alloc else {}),
        ),
        matrix=Matrix(include=rows, title=("target",))
        if several or optional
        else Matrix(axes={"target": tuple(found.triple for found in lanes)}),
        experimental=optional,
        setup=setup(project, config, runners=labels, key="${{ matrix.target }}"),
        details={
            "by_package": not whole,
            "alloc": bool(alloc),
            "flags": Verbatim.words(*flags),
            "rustc": rustc_pattern(toolchain),
        },
        troubles=(*TROUBLES, LOCK_TROUBLE),
    )


def _runner(found: Target, config: Config) -> str:
    """Return where a target is checked: wherever the other jobs run, if Linux will do."""
    known = runner(found.runner)
    return linux_runner(config) if known and known.os == "linux" else found.runner
