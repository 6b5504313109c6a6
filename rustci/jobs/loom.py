"""Tries every interleaving of threads, within bounds (loom).

On where a package depends on loom and a test calls it: those tests are compiled only under its
`cfg`, so no other run has them. The name of the `cfg` is that under which Cargo.toml has the
dependency (`loom`, or one of the project's own such as `crossbeam_loom`). Only the integration
tests that name loom run, and the library's own where its code calls `loom::model`: under the `cfg`
all others would run on loom's types outside of a model, and panic. Two preemptions an execution
find most faults, and end.

Optimised, as loom runs the code thousands of times; minutes for each model.
"""

import re

from rustci.jobs.base import Verdict, bare_metal, capped_lints, selected_features
from rustci.jobs.weekly import arguments, weekly_tests
from rustci.options import Config
from rustci.project import Package, Project
from rustci.workflow import Job, Trouble

ID = "loom"
TITLE = "Interleavings"
WORKFLOW = "scheduled"

PREEMPTIONS = "2"
CONDITION = re.compile(r'(?<!")\b(\w*loom)\b(?!")')
"""The `cfg` in the platform of a dependency."""

TROUBLES = (
    Trouble(
        symptom="The job runs into its time limit",
        cause="A model has too many threads or steps: interleavings grow exponentially.",
        fix="Make the model smaller, or bound it (`loom::model::Builder`, `LOOM_MAX_BRANCHES`).",
    ),
    Trouble(
        symptom="A dependency does not compile under the `cfg`",
        cause="`--cfg` reaches dependencies as well, and some have a `cfg(loom)` of their own.",
        fix="Give the `cfg` another name in Cargo.toml and the code, such as `myproject_loom`.",
    ),
)


def modelled(project: Project) -> tuple[Package, ...]:
    """Return the members that depend on loom and have tests that call it."""
    return tuple(
        package
        for package in project.packages
        if any(dependency.name == "loom" for dependency in package.dependencies)
        and (package.source.loom_tests or (package.library and package.source.models))
    )


def wanted(project: Project, config: Config) -> Verdict:
    """Where a package depends on loom and a test calls it."""
    found = modelled(project)
    if not found:
        return Verdict(on=False, possible=False, reason="no test calls loom")
    if project.cargo_config and project.cargo_config.rustflags:
        path = project.cargo_config.path
        reason = f"`{path}` has `rustflags`, which loom's `--cfg` in RUSTFLAGS would replace"
        return Verdict(on=False, possible=False, reason=reason)
    if bare_metal(project):
        return Verdict(on=False, reason="no test harness runs on bare metal")
    return Verdict(on=True, reason=f"tests of `{found[0].name}` call loom")


def condition(packages: tuple[Package, ...]) -> str:
    """Return the name of the `cfg` under which the first package has loom."""
    for package in packages:
        for dependency in package.dependencies:
            if dependency.name == "loom" and (found := CONDITION.search(dependency.target or "")):
                return found[1]
    return "loom"


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    packages = modelled(project)
    features = selected_features(project, config)
    targets = [f"--test={name}" for p in packages for name in p.source.loom_tests]
    if any(package.library and package.source.models for package in packages):
        targets.insert(0, "--lib")
    flags = f"--cfg {condition(packages)}"
    caps = capped_lints(project).get("RUSTFLAGS", "")
    return weekly_tests(
        project,
        config,
        id=ID,
        name=TITLE,
        why="Races show in interleavings that no ordinary run happens to meet.",
        limit=60,
        flags=(features.flags,),
        env={
            **features.env,
            "LOOM_MAX_PREEMPTIONS": PREEMPTIONS,
            "RUSTFLAGS": f"{flags} {caps}".strip(),
            "TARGETS": arguments(project, packages, *targets),
        },
        troubles=TROUBLES,
    )
