"""Holds the tests to their heap budgets (dhat), each in a process of its own.

On where an integration test calls dhat. What runs beside a test in the same process allocates on
the same counters, so each gets its own: with nextest a process per test, with cargo one per file
and its tests one after another. The features that bring dhat in (`dhat…`, or whatever enables it)
are switched on; the profile is that of `cargo test`, where budgets are usually taken from.

Counts do not depend on the machine; they may differ between compilers. Takes a build of those
tests.
"""

from rustci.jobs.base import Verdict, bare_metal, tool
from rustci.jobs.weekly import arguments, weekly_tests
from rustci.options import Config
from rustci.project import Package, Project, TargetKind
from rustci.workflow import Job, Trouble

ID = "heap"
TITLE = "Heap budgets"
WORKFLOW = "scheduled"

TROUBLES = (
    Trouble(
        symptom="`dhat: assertion failed`",
        cause="The code allocates more than the test allows.",
        fix="Open `dhat-heap.json` of the artifact `heap-profiles` in "
        "https://nnethercote.github.io/dh_view/dh_view.html: it shows where. Mend that, or raise "
        "the budget. A file holds the last test of its package unless each has a `file_name`.",
    ),
    Trouble(
        symptom="The numbers changed with a new compiler",
        cause="The standard library allocates differently, or the optimiser does.",
        fix="Leave a tenth of room in the budget, or pin the toolchain.",
    ),
)


def budgeted(project: Project) -> tuple[Package, ...]:
    """Return the members with integration tests that call dhat."""
    return tuple(
        package
        for package in project.packages
        if package.source.heap_tests
        and any(dependency.name == "dhat" for dependency in package.dependencies)
    )


def features(package: Package) -> tuple[str, ...]:
    """Return the features that a package's heap tests need, sorted."""
    enabling = {
        name
        for name, enabled in package.features.items()
        if name.startswith("dhat") or {"dhat", "dep:dhat"} & set(enabled)
    }
    required = {
        name
        for target in package.of_kind(TargetKind.TEST)
        if target.name in package.source.heap_tests
        for name in target.required_features
    }
    return tuple(sorted(enabling | required))


def wanted(project: Project, config: Config) -> Verdict:
    """Where an integration test calls dhat."""
    found = budgeted(project)
    if not found:
        return Verdict(on=False, possible=False, reason="no integration test calls dhat")
    if bare_metal(project):
        return Verdict(on=False, reason="no test harness runs on bare metal")
    reason = f"test `{found[0].source.heap_tests[0]}` of `{found[0].name}` calls dhat"
    return Verdict(on=True, reason=reason)


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    packages = budgeted(project)
    nextest = config.tests.runner == "nextest"
    chosen = ",".join(f"{p.name}/{feature}" for p in packages for feature in features(p))
    tests = (f"--test={name}" for package in packages for name in package.source.heap_tests)
    return weekly_tests(
        project,
        config,
        id=ID,
        name=TITLE,
        why="Counted allocations tell more of memory than any measured size.",
        limit=30,
        flags=('--features "$FEATURES"' if chosen else "",),
        env={
            **({"FEATURES": chosen} if chosen else {}),
            "TARGETS": arguments(project, packages, *tests),
        },
        tools=(tool("nextest"),) if nextest else (),
        details={"nextest": nextest},
        troubles=TROUBLES,
    )
