"""Publishes a version tag: to crates.io, and as a GitHub release with binaries.

Off unless asked for: nothing may be published before somebody set up the environment `release` and
trusted publishing ([how to](../how-to/release.md)); a workflow that already releases stays. A tag
`v1.2.3` releases only if that is the version of every package, CHANGELOG.md (where there is one)
has an entry for it, no published package takes a dependency from git, and `ci.yml` was green on the
default branch for that very commit. Then follow `cargo publish` with a token that lives for 30
minutes, and the GitHub release: a draft that shows only once all archives, their checksums and
attestations are there. The archives hold the binaries, README and licences; `cargo auditable` puts
the list of dependencies into each binary.

Pull requests that change a manifest, the changelog or the workflow run everything but the
publishing, without a secret. No cache is read: a poisoned one would be released.
"""

from dataclasses import replace

from rustci.errors import ConfigError
from rustci.existing import CiTask
from rustci.jobs.base import (
    Verdict,
    given,
    linux_runner,
    locked_flag,
    minutes,
    package_specs,
    primary_toolchain,
    ready_made,
    rustc_pattern,
    setup,
    tool,
)
from rustci.options import Config
from rustci.project import Package, Project, RustVersion, TargetKind
from rustci.quoting import Verbatim
from rustci.workflow import CONTENTS_READ, Job, Matrix, Permission, Setup, Trouble

ID = "release"
TITLE = "GitHub release"
WORKFLOW = "release"

ENVIRONMENT = "release"
"""The protected environment that crates.io is told to trust."""
WHOLE_WORKSPACES = RustVersion(1, 90)
"""The Cargo that publishes a workspace in order (https://blog.rust-lang.org/2025/09/18/Rust-1.90.0/)."""
RUNNERS = {
    "aarch64-apple-darwin": "macos-15",
    "aarch64-pc-windows-msvc": "windows-11-arm",
    "aarch64-unknown-linux-gnu": "ubuntu-24.04-arm",
    "aarch64-unknown-linux-musl": "ubuntu-24.04-arm",
    "x86_64-apple-darwin": "macos-15",
    "x86_64-pc-windows-msvc": "windows-2025",
    "x86_64-unknown-linux-gnu": "ubuntu-24.04",
    "x86_64-unknown-linux-musl": "ubuntu-24.04",
}
"""Where each target is built."""

VERIFY_TROUBLES = (
    Trouble(
        symptom="`The tag … is not the version …`",
        cause="The tag was pushed before the version in Cargo.toml was raised, or names another.",
        fix="Delete the tag, raise the version, and tag the commit that raised it.",
    ),
    Trouble(
        symptom="`CI … was not green` or `no CI run`",
        cause="The tagged commit failed `ci.yml` on the default branch, or never was on it.",
        fix="Merge first, wait for CI, then tag that commit; after a flake re-run CI, then this.",
    ),
)
PUBLISH_TROUBLES = (
    Trouble(
        symptom="`Get a token for crates.io` fails with a 4xx",
        cause="crates.io trusts another repository, workflow file or environment; or the crate was "
        "never published, and its first version has to be pushed by hand.",
        fix="Compare the crate's trusted publisher with `release.yml` and environment `release`.",
    ),
    Trouble(
        symptom="`crate … already exists on crates.io index` after a failed run",
        cause="Publishing a workspace is no transaction: the packages before the fault are out.",
        fix="Publish the rest by hand with `cargo publish -p NAME`, or release the next version.",
    ),
    Trouble(
        symptom="`all dependencies must have a version requirement specified when publishing`",
        cause="A path dependency has no version.",
        fix="Give it the `version` beside its `path`.",
    ),
)


def published(project: Project) -> tuple[Package, ...]:
    """Return the packages that go to crates.io."""
    return tuple(package for package in project.packages if package.on_crates_io)


def with_binaries(project: Project) -> tuple[Package, ...]:
    """Return the packages whose binaries are released: those for users if there are any."""
    found = tuple(p for p in project.packages if p.of_kind(TargetKind.BIN))
    return tuple(package for package in found if package.publishable) or found


def wanted(project: Project, config: Config) -> Verdict:
    """Only where it is asked for, and something can be released."""
    if not (released := (*published(project), *with_binaries(project))):
        return Verdict(on=False, possible=False, reason="nothing is published, no binary")
    if len({package.version for package in released}) > 1:
        reason = "the packages have different versions, and one tag names one"
        return Verdict(on=False, possible=False, reason=reason)
    if given(project, "dist-workspace.toml") or "dist" in project.main.metadata:
        return Verdict(on=False, reason="dist writes the release workflow")
    for workflow in project.repository.foreign_workflows:
        if CiTask.RELEASE in workflow.tasks:
            return Verdict(on=False, reason=f"`{workflow.path}` releases")
    return Verdict(on=False, reason="publishing has to be set up first")


def build(project: Project, config: Config) -> Job:
    """Return the job that makes the GitHub release, after those that it waits for."""
    verify = _verify(project, config)
    binaries = (_binaries(project, config),) if with_binaries(project) else ()
    publish = (_publish(project, config, (verify, *binaries)),) if published(project) else ()
    parts = (verify, *binaries, *publish)
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("Only this job may write, and it runs none of the project's code."),
        runner=linux_runner(config),
        timeout=15,
        permissions=(
            _permission("contents", "write", "makes the release"),
            *(
                (
                    _permission("id-token", "write", "signs the attestations"),
                    _permission("attestations", "write", "keeps them"),
                )
                if binaries
                else ()
            ),
        ),
        needs=tuple(part.id for part in parts),
        events=("push",),
        setup=Setup(rust=False, cache=False),
        details={"binaries": bool(binaries), "harden": config.release.harden},
        variables=("GH_REPO", "GH_TOKEN"),
        parts=parts,
    )


def _permission(scope: str, level: str, reason: str) -> Permission:
    return Permission(scope=Verbatim(scope), level=Verbatim(level), reason=Verbatim(reason))


def _toolchain(config: Config) -> str:
    """Return the primary toolchain; stable where that could not publish a workspace."""
    primary = primary_toolchain(config)
    old = primary[0].isdigit() and RustVersion.parse(primary) < WHOLE_WORKSPACES
    return "stable" if old else primary


def _setup(project: Project, config: Config, *tools: str) -> Setup:
    compiling = setup(project, config, runners=(linux_runner(config),))
    return replace(ready_made(compiling, *tools), components=())


def _verify(project: Project, config: Config) -> Job:
    toolchain = _toolchain(config)
    released = (*published(project), *with_binaries(project))
    flags = Verbatim.words(locked_flag(project))
    return Job(
        id="verify",
        name="Verify the release",
        why=Verbatim("Tag, version, changelog and CI have to agree before anything is published."),
        runner=linux_runner(config),
        timeout=max(60, minutes(20, project)),
        permissions=(CONTENTS_READ, _permission("actions", "read", "asks how CI ended")),
        env={
            "RUSTUP_TOOLCHAIN": toolchain,
            "PACKAGES": " ".join(dict.fromkeys(package.name for package in released)),
        },
        setup=_setup(project, config),
        variables=("BRANCH", "CHECKS", "TOKEN"),
        details={
            "branch": config.workflows.branch,
            "changelog": given(project, "CHANGELOG.md") is not None,
            "crates": bool(published(project)),
            "flags": flags,
            "harden": config.release.harden,
            "rustc": rustc_pattern(toolchain),
        },
        troubles=VERIFY_TROUBLES,
    )


def _binaries(project: Project, config: Config) -> Job:
    toolchain = _toolchain(config)
    packages = with_binaries(project)
    unknown = [target for target in config.release.targets if target not in RUNNERS]
    if unknown:
        raise ConfigError(
            f"`release.targets` names `{unknown[0]}`, for which there is no runner",
            where=config.settings["release.targets"].where,
            hint=f"known are {', '.join(RUNNERS)}",
        )
    targets = config.release.targets
    base = _setup(project, config, tool("cargo-auditable"))
    linux = any("linux" in target for target in targets)
    musl = ("musl-tools",) if any("musl" in target for target in targets) else ()
    return Job(
        id="binaries",
        name="Binaries",
        why=Verbatim("Each target on a runner of its own system; no cache that could be poisoned."),
        runner=Verbatim("${{ matrix.runner }}"),
        timeout=minutes(45, project),
        env={
            "RUSTUP_TOOLCHAIN": toolchain,
            "TARGET": Verbatim("${{ matrix.target }}"),
            "NAME": packages[0].name,
            "PACKAGES": package_specs(project, packages),
        },
        matrix=Matrix(
            axes={"target": targets},
            include=tuple({"target": target, "runner": RUNNERS[target]} for target in targets),
        ),
        setup=replace(
            base,
            packages=tuple(dict.fromkeys((*base.packages, *musl))) if linux else (),
            packages_on_linux_only=True,
        ),
        details={
            "flags": Verbatim.words(locked_flag(project)),
            "harden": config.release.harden,
            "rustc": rustc_pattern(toolchain),
        },
    )


def _publish(project: Project, config: Config, before: tuple[Job, ...]) -> Job:
    toolchain = _toolchain(config)
    return Job(
        id="publish",
        name="crates.io",
        why=Verbatim("The environment decides who may release; the token lives for 30 minutes."),
        runner=linux_runner(config),
        timeout=minutes(30, project),
        permissions=(
            CONTENTS_READ,
            _permission("id-token", "write", "proves to crates.io who asks"),
        ),
        needs=tuple(job.id for job in before),
        events=("push",),
        environment=ENVIRONMENT,
        env={"RUSTUP_TOOLCHAIN": toolchain},
        setup=_setup(project, config),
        variables=("CARGO_REGISTRY_TOKEN",),
        details={
            "flags": Verbatim.words(locked_flag(project)),
            "harden": config.release.harden,
            "rustc": rustc_pattern(toolchain),
        },
        troubles=PUBLISH_TROUBLES,
    )
