"""Lets release-plz keep a release pull request, and publish once that is merged.

On where `release-plz.toml` is there and no other workflow releases; that file stays as it is.
release-plz gets its token for crates.io by trusted publishing itself. A pull request that the
workflow's own token opens starts no CI ([what to do](../how-to/release.md)). It takes as long as
packaging does, on every push to the default branch.
"""

from dataclasses import replace

from rustci.existing import CiTask
from rustci.jobs.base import (
    Verdict,
    given,
    linux_runner,
    minutes,
    primary_toolchain,
    ready_made,
    rustc_pattern,
    settings_of_tools,
    setup,
)
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Permission, Trouble

ID = "release-plz"
TITLE = "Release pull request"
WORKFLOW = "release-plz"

TROUBLES = (
    Trouble(
        symptom="The release pull request has no checks",
        cause="GitHub starts no workflow for what a workflow's own token does.",
        fix="Give release-plz the token of a GitHub App, or close and reopen the pull request.",
    ),
    Trouble(
        symptom="`GitHub Actions is not permitted to create or approve pull requests`",
        cause="The repository does not let workflows open pull requests.",
        fix="Allow it under Settings → Actions → General.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where it is configured and nothing else releases."""
    if not any(package.on_crates_io for package in project.packages):
        return Verdict(on=False, possible=False, reason="nothing is published on crates.io")
    for workflow in project.repository.foreign_workflows:
        if CiTask.RELEASE in workflow.tasks:
            return Verdict(on=False, reason=f"`{workflow.path}` releases")
    if given(project, "release-plz.toml") or "release-plz" in settings_of_tools(project):
        return Verdict(on=True, reason="`release-plz.toml` is there")
    return Verdict(on=False, reason="no `release-plz.toml`")


def build(project: Project, config: Config) -> Job:
    """Return the job that keeps the pull request, after the one that releases."""
    release = _job(
        project,
        config,
        id="release-plz-release",
        name="Publish what is new",
        why="Publishes each version that is on the default branch and not on crates.io yet.",
        command="release",
        permissions=(
            _permission("contents", "write", "makes tags and releases"),
            _permission("pull-requests", "read", "looks for the merged release pull request"),
            _permission("id-token", "write", "proves to crates.io who asks"),
        ),
        environment="release",
    )
    return _job(
        project,
        config,
        id=ID,
        name=TITLE,
        why="Keeps a pull request with the next versions and the changelog.",
        command="release-pr",
        permissions=(
            _permission("contents", "write", "pushes its branch"),
            _permission("pull-requests", "write", "opens and refreshes the pull request"),
        ),
        needs=(release.id,),
        parts=(release,),
        troubles=TROUBLES,
    )


def _permission(scope: str, level: str, reason: str) -> Permission:
    return Permission(scope=Verbatim(scope), level=Verbatim(level), reason=Verbatim(reason))


def _job(
    project: Project,
    config: Config,
    *,
    id: str,  # noqa: A002
    name: str,
    why: str,
    command: str,
    permissions: tuple[Permission, ...],
    needs: tuple[str, ...] = (),
    environment: str | None = None,
    parts: tuple[Job, ...] = (),
    troubles: tuple[Trouble, ...] = (),
) -> Job:
    label, toolchain = linux_runner(config), primary_toolchain(config)
    compiling = setup(project, config, runners=(label,))
    return Job(
        id=id,
        name=name,
        why=Verbatim(why),
        runner=label,
        timeout=minutes(30, project),
        permissions=permissions,
        needs=needs,
        events=("push",),
        environment=environment,
        env={"RUSTUP_TOOLCHAIN": toolchain},
        setup=replace(ready_made(compiling), components=(), depth=0),
        variables=("GITHUB_TOKEN",),
        details={
            "command": Verbatim(command),
            "harden": config.release.harden,
            "rustc": rustc_pattern(toolchain),
        },
        parts=parts,
        troubles=troubles,
    )
