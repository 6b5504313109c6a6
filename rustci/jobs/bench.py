"""Compiles every benchmark and runs it once, so that none rots.

On where there are benchmarks with a harness of their own. No time is measured: what is found is a
benchmark that does not compile, panics, or hangs. Those of the built-in harness need nightly Rust.
"""

from rustci.errors import Location, ProjectError
from rustci.jobs.base import (
    LOCK_TROUBLE,
    Verdict,
    capped_lints,
    lane_env,
    linux_runner,
    locked_flag,
    minutes,
    package_specs,
    primary_toolchain,
    rustc_pattern,
    selected_features,
    setup,
    workspace_flag,
)
from rustci.jobs.measuring import benches
from rustci.options import Config
from rustci.project import Package, Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Trouble

ID = "bench"
TITLE = "Benchmarks"
WORKFLOW = "ci"

TROUBLES = (
    Trouble(
        symptom="A benchmark hangs or runs for minutes",
        cause="Its `main` does not know the test mode, in which criterion and divan run once.",
        fix="Set `test = false` on that `[[bench]]`, or return early when `--bench` is not among "
        "the arguments.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where there are benchmarks that stable Rust compiles."""
    found = benches(project)
    if not found:
        reason = "no `[[bench]]` with `harness = false` (criterion, divan)"
        return Verdict(on=False, possible=False, reason=reason)
    plural = "s" * (len(found) != 1)
    return Verdict(on=True, reason=f"{len(found)} benchmark{plural} (`{found[0][1]}`)")


def build(project: Project, config: Config) -> Job:
    """Return the job. Raises ProjectError for a benchmark that no shell word can name."""
    toolchain = primary_toolchain(config)
    features = selected_features(project, config)
    found = benches(project)
    names = {package.name for package, _ in found}
    packages = tuple(package for package in project.packages if package.name in names)
    # Without the names where they can be done without: a dependency may be called the same.
    whole = packages == project.packages
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("Each benchmark is compiled and run once; nothing is measured here."),
        runner=linux_runner(config),
        timeout=minutes(30, project),
        env=lane_env(
            config,
            toolchain,
            **capped_lints(project),
            **({} if whole else {"PACKAGES": package_specs(project, packages)}),
            BENCHES=_names(found),
            **features.env,
        ),
        setup=setup(project, config, runners=(linux_runner(config),)),
        details={
            "by_package": not whole,
            "flags": Verbatim.words(
                workspace_flag(project) if whole else '"${packages[@]/#/--package=}"',
                '"${benches[@]/#/--bench=}"',
                features.flags,
                locked_flag(project),
            ),
            "rustc": rustc_pattern(toolchain),
        },
        troubles=(*TROUBLES, LOCK_TROUBLE),
    )


def _names(found: tuple[tuple[Package, str], ...]) -> str:
    """Return the names with blanks between, as the script takes them apart."""
    for package, name in found:
        if len(name.split()) != 1:
            raise ProjectError(
                f"benchmark {name!r} of `{package.name}` has a blank in its name",
                where=Location(str(package.manifest_path)),
                hint="rename it, or set `jobs.bench = false`",
            )
    return " ".join(dict.fromkeys(name for _, name in found))
