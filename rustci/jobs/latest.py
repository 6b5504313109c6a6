"""Tests with the newest dependencies that Cargo.toml allows, every week.

On where Cargo.lock is committed and a package is meant for crates.io: `cargo add` and `cargo
install` do not read that lock file, so users build what nobody here has built. Where nothing is
published everybody builds with the lock, and the update bot's pull requests test what moves. The
compiler is the newest stable one, as users have, unless the project needs nightly.

Takes a build of everything and a run of the tests.
"""

from rustci.jobs.base import (
    Verdict,
    bare_metal,
    experimental,
    has_doctest_target,
    primary_toolchain,
    selected_features,
    workspace_flag,
)
from rustci.jobs.weekly import weekly_tests
from rustci.options import Config
from rustci.project import Project
from rustci.workflow import Job, Trouble

ID = "latest"
TITLE = "Latest dependencies"
WORKFLOW = "scheduled"

TROUBLES = (
    Trouble(
        symptom="Only `latest` fails",
        cause="A new release of a dependency broke its users; `Take the newest dependencies` "
        "lists what moved.",
        fix="Adapt the code and run `cargo update`. Until then keep users from it: exclude the "
        'release in Cargo.toml (`"1.2, <1.7"`), and report it to the crate.',
    ),
    Trouble(
        symptom="`… requires rustc 1.x or newer`",
        cause="A dependency needs a newer Rust than stable, or `tests.packages` lacks something.",
        fix="The message names the dependency; wait for the next stable, or exclude the release.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where Cargo.lock is committed, and users of a package on crates.io build without it."""
    if not project.main.lockfile:
        reason = "no Cargo.lock is committed: every run takes the newest dependencies"
        return Verdict(on=False, possible=False, reason=reason)
    if bare_metal(project):
        return Verdict(on=False, reason="no test harness runs on bare metal")
    published = [package for package in project.packages if package.on_crates_io]
    if not published:
        return Verdict(on=False, reason="nothing is published: everybody builds with Cargo.lock")
    return Verdict(on=True, reason=f"users of `{published[0].name}` build without this Cargo.lock")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    primary = primary_toolchain(config)
    features = selected_features(project, config)
    doctests = has_doctest_target(project) and config.tests.doctests
    return weekly_tests(
        project,
        config,
        id=ID,
        name=TITLE,
        why="Users get the newest dependencies, whatever Cargo.lock says here.",
        limit=30,
        flags=(workspace_flag(project), features.flags, "" if doctests else "--tests"),
        toolchain=primary if experimental(primary) else "stable",
        locked=False,
        env=features.env,
        variables=("CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS",),
        troubles=TROUBLES,
    )
