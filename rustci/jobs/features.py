"""Checks that the features compile alone and in combination (cargo-hack).

On with `tests.features = "each"` or `"powerset"`, or switched on by itself: then the number of
combinations decides. A powerset of more than 64 combinations is cut at
pairs (`--depth 2`): most breakage needs one feature or two. Features that need nightly Rust or are
private (`__name`) are left out; those that exclude one another are never combined.
"""

from rustci.jobs.base import (
    LOCK_TROUBLE,
    Verdict,
    capped_lints,
    lane_env,
    linux_runner,
    locked_flag,
    minutes,
    primary_toolchain,
    rustc_pattern,
    setup,
    skipped_features,
    tool,
    workspace_flag,
)
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Trouble

ID = "features"
TITLE = "Feature combinations"
WORKFLOW = "ci"

COMBINED = ("each", "powerset")
"""What `tests.features` says where combinations are to be checked."""
POWERSET_LIMIT = 64
"""Combinations up to which the whole powerset is checked; beyond, it is cut at pairs."""

PAIRS_LIMIT = 250
"""Pairs up to which all are checked; beyond, each feature alone."""

TROUBLES = (
    Trouble(
        symptom="One combination does not compile",
        cause="Code uses an item that another feature brings in.",
        fix="Gate the code on that feature too, or let the feature enable the other one. Run the "
        "command of the failing group locally: it stands in the log.",
    ),
)


def counts(project: Project) -> tuple[int, ...]:
    """Return how many features, `default` apart, each member with any has."""
    found = (len(package.features.keys() - {"default"}) for package in project.packages)
    return tuple(count for count in found if count)


def combinations(project: Project) -> int:
    """Return how many combinations of features there are, member by member."""
    return sum(2**count for count in counts(project))


def strategy(project: Project) -> str:
    """Return `powerset` where the combinations, or at least the pairs, can all be checked."""
    pairs = sum(count * (count + 1) // 2 for count in counts(project))
    few = combinations(project) <= POWERSET_LIMIT or pairs <= PAIRS_LIMIT
    return "powerset" if few else "each"


def wanted(project: Project, config: Config) -> Verdict:
    """Where a strategy asks for combinations and there are features."""
    if not any(package.features for package in project.packages):
        return Verdict(on=False, possible=False, reason="no package has features")
    if config.tests.features not in COMBINED:
        return Verdict(on=False, reason="`tests.features` is neither `each` nor `powerset`")
    return Verdict(on=True, reason=config.settings["tests.features"].reason)


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    toolchain = primary_toolchain(config)
    skipped = skipped_features(project)
    groups = sorted({g for p in project.packages for g in p.source.exclusive_features})
    env = {f"EXCLUSIVE_{n}": ",".join(group) for n, group in enumerate(groups, 1)}
    if skipped:
        env["SKIP"] = ",".join(skipped)
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("Users pick features that nobody here ever combined."),
        runner=linux_runner(config),
        timeout=minutes(30, project),
        env=lane_env(config, toolchain, **capped_lints(project), **env),
        setup=setup(project, config, runners=(linux_runner(config),), tools=(tool("cargo-hack"),)),
        details={
            "flags": Verbatim.words(
                workspace_flag(project),
                *_strategy(project, config),
                *(
                    f'--mutually-exclusive-features "$EXCLUSIVE_{n + 1}"'
                    for n in range(len(groups))
                ),
                '--skip "$SKIP"' if skipped else "",
                *_resolution(project),
            ),
            "rustc": rustc_pattern(toolchain),
        },
        troubles=(*TROUBLES, LOCK_TROUBLE),
    )


def _strategy(project: Project, config: Config) -> tuple[str, ...]:
    chosen = config.tests.features
    if (chosen if chosen in COMBINED else strategy(project)) == "each":
        return ("--each-feature",)
    whole = combinations(project) <= POWERSET_LIMIT
    return ("--feature-powerset",) if whole else ("--feature-powerset", "--depth 2")


def _resolution(project: Project) -> tuple[str, ...]:
    # Resolver 1 mixes the features of dev-dependencies in; cargo-hack then takes them out of the
    # manifests, after which the lock file no longer fits.
    return ("--no-dev-deps",) if project.main.resolver == "1" else (locked_flag(project),)
