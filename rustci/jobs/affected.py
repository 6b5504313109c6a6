"""Selects the packages that a pull request affects; the jobs then compile and test those alone.

Offered for workspaces of four or more members, and off until you switch it on (`jobs.affected`). In
replayed histories of axum, clap, cargo and tokio the rules below took everything for each pull
request, as long as `tests.affected_paths` did not say what the files outside of the packages belong
to. The reason shows how far a change reaches on average; a small share promises much.

A package is affected where one of its files changed, one of a package that it depends on, or one
that its files name (`include_str!("../../x")`, links, programs of other members that its tests
start). Everything is tested where that cannot be told: a manifest or Cargo.lock changed (features
are unified over all packages), `.cargo/`, `.github/` or the toolchain file, the build script of a
package that others depend on, a file that belongs to no package, a label `ci:full` when the run
starts, and any error. `tests.affected_paths` says what the files outside of the packages belong to,
and what no text search can see.

Narrowed are the jobs that otherwise say `--workspace`: tests (sharded too), Clippy, documentation,
features, MSRV and further targets. Coverage is not, as the figure of a part means nothing. With
fewer packages cargo may enable fewer features than for the whole workspace; the full runs keep
that promise.

Takes one job of about half a minute before the others start.
"""

from dataclasses import replace

from rustci.errors import ConfigError
from rustci.jobs.base import Verdict, linux_runner, primary_toolchain, rustc_pattern
from rustci.options import Config
from rustci.project import DependencyKind, Package, Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Setup, Trouble

ID = "affected"
TITLE = "Affected packages"
WORKFLOW = "ci"

OFFERED = 4
"""Members from which it is possible."""
NARROWED = frozenset(
    {"clippy", "docs", "test", "test-archive", "doctest", "msrv", "features", "targets"}
)
"""The jobs that take other packages where they would take the workspace."""
NONE = "needs.affected.outputs.packages != 'none'"

TROUBLES = (
    Trouble(
        symptom="A pull request tests more packages than it should",
        cause="The summary of `Affected packages` names the file that decided. Files outside of "
        "the packages affect all of them.",
        fix='Tell what the file belongs to: `tests.affected_paths = ["docs/=", '
        '"schemas/=api:client"]`; after the sign stand the packages, or none.',
    ),
    Trouble(
        symptom="A package does not compile on pull requests, and does with `--workspace`",
        cause="It uses a feature that only another member enables.",
        fix="Enable the feature in its own Cargo.toml: whoever builds the package alone needs it.",
    ),
    Trouble(
        symptom="`main` is red although the pull request was green",
        cause="A package reads something that no text search sees, or features met that the pull "
        "request did not build together.",
        fix="Name the path and the package in `tests.affected_paths`, and give the label "
        "`ci:full` to pull requests that should test everything.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where somebody asks for it, in a workspace of some members."""
    members = len(project.packages)
    if members < OFFERED:
        reason = f"a workspace of fewer than {OFFERED} members"
        return Verdict(on=False, possible=False, reason=reason)
    if isinstance(config.tests.features, tuple):
        reason = "`tests.features` names features, which not every package has"
        return Verdict(on=False, possible=False, reason=reason)
    reached = reach(project.packages)
    reason = f"a change to one of {members} members reaches {reached:.0%} of them on average"
    return Verdict(on=False, reason=reason)


def reach(packages: tuple[Package, ...]) -> float:
    """Return the share of the packages that a change to one of them affects, on average."""
    names = {package.name for package in packages}
    needs: dict[str, set[str]] = {package.name: set() for package in packages}
    tested_with: dict[str, set[str]] = {package.name: {package.name} for package in packages}
    for package in packages:
        for dependency in package.dependencies:
            dev = dependency.kind is DependencyKind.DEV
            (tested_with if dev else needs)[package.name].add(dependency.name)
    below = {name: _below(name, needs) for name in names}
    inputs = (set().union(*(below[n] for n in tested_with[name] & names)) for name in names)
    return sum(map(len, inputs)) / len(names) ** 2


def _below(name: str, needs: dict[str, set[str]]) -> set[str]:
    seen, waiting = {name}, [name]
    while waiting:
        new = needs[waiting.pop()] & needs.keys() - seen
        seen |= new
        waiting += new
    return seen


def build(project: Project, config: Config) -> Job:
    """Return the job. Raises ConfigError for a path of a package that is none."""
    names = {package.name for package in project.packages}
    for text in config.tests.affected_paths:
        for name in filter(None, text.partition("=")[2].split(":")):
            if name not in names:
                raise ConfigError(
                    f"`tests.affected_paths` names `{name}`, which is no member",
                    where=config.settings["tests.affected_paths"].where,
                    hint=f"members are {', '.join(sorted(names))}",
                )
    paths = " ".join(config.tests.affected_paths)
    toolchain = primary_toolchain(config)
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("A pull request runs only what it can break; whatever is unclear runs all."),
        runner=linux_runner(config),
        timeout=10,
        outputs={
            name: Verbatim(f"${{{{ steps.affected.outputs.{name} }}}}")
            for name in ("packages", "doctests")
        },
        env={"RUSTUP_TOOLCHAIN": toolchain} | ({"AFFECTED_PATHS": paths} if paths else {}),
        # GitHub's merge of the pull request, and the base that it was merged into.
        setup=Setup(depth=2, cache=False),
        details={"rustc": rustc_pattern(toolchain)},
        programs=("affected",),
        troubles=TROUBLES,
    )


def narrow(job: Job) -> Job:
    """Return a job that takes the affected packages, if it would take all of the workspace."""
    flags = job.details.get("flags")
    if job.id not in NARROWED or not isinstance(flags, str) or "--workspace" not in flags:
        return job
    before = f"!cancelled() && {NONE}" if job.condition else NONE
    env = {"SCOPE": Verbatim("${{ needs.affected.outputs.packages }}")}
    if job.details.get("nextest") and job.id == "test":
        # An affected package may have no tests; the whole workspace has some.
        whole = "needs.affected.outputs.packages == '--workspace'"
        env["NEXTEST_NO_TESTS"] = Verbatim(f"${{{{ {whole} && 'fail' || 'pass' }}}}")
    return replace(
        job,
        needs=(ID, *job.needs),
        condition=Verbatim(before),
        env={**job.env, **env},
        details={**job.details, "flags": Verbatim(flags.replace("--workspace", '"${scope[@]}"'))},
        narrowed=True,
    )
