"""Tries each property with many more cases every week (proptest, quickcheck).

On where a package depends on either: 10,000 cases find what 256 (proptest) or 100 (quickcheck) on
each change do not. Only the tests of those packages run, optimised. A failing case of proptest's is
kept as the artifact `property-regressions`: committed, every later run tries it first.

Takes an optimised build, and up to a hundred times as long as the properties take elsewhere.
"""

from rustci.jobs.base import Verdict, bare_metal, selected_features
from rustci.jobs.weekly import arguments, dependents, weekly_tests
from rustci.options import Config
from rustci.project import Project
from rustci.workflow import Job, Trouble

ID = "property"
TITLE = "Property tests"
WORKFLOW = "scheduled"

CASES = "10000"
VARIABLES = {"proptest": "PROPTEST_CASES", "quickcheck": "QUICKCHECK_TESTS"}
"""How each crate is told of the number of cases."""

TROUBLES = (
    Trouble(
        symptom="A property fails here and nowhere else",
        cause="A case was found that fewer tries missed.",
        fix="The log shows the smallest one. Of proptest's, unpack the artifact "
        "`property-regressions` over the checkout and commit what it holds "
        "(`proptest-regressions/`, `*.proptest-regressions`): every later run tries it first.",
    ),
    Trouble(
        symptom="A property runs no longer than before",
        cause="Its code sets the number of cases itself (`ProptestConfig::with_cases`, "
        "`QuickCheck::tests`), which outranks the variable.",
        fix="Leave the number out, or read it from the variable.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where a package depends on proptest or quickcheck."""
    for crate in VARIABLES:
        if found := dependents(project, crate):
            if bare_metal(project):
                return Verdict(on=False, reason="no test harness runs on bare metal")
            return Verdict(on=True, reason=f"`{found[0].name}` depends on `{crate}`")
    reason = "no package depends on proptest or quickcheck"
    return Verdict(on=False, possible=False, reason=reason)


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    features = selected_features(project, config)
    cases = {name: CASES for crate, name in VARIABLES.items() if dependents(project, crate)}
    packages = dependents(project, *VARIABLES)
    return weekly_tests(
        project,
        config,
        id=ID,
        name=TITLE,
        why="More cases than each change has time for find what it missed.",
        limit=60,
        flags=(features.flags,),
        env={**features.env, **cases, "TARGETS": arguments(project, packages, "--tests")},
        details={"regressions": "PROPTEST_CASES" in cases},
        troubles=TROUBLES,
    )
