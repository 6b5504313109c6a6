"""What the two jobs of cargo-deny share: when they are on, and all but the command."""

from __future__ import annotations

from rustci import policy
from rustci.jobs.base import (
    Verdict,
    given,
    linux_runner,
    locked_flag,
    primary_toolchain,
    rustc_pattern,
    tool,
    workspace_flag,
)
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Setup, Trouble


def verdict(project: Project) -> Verdict:
    """Where there is a deny.toml."""
    if found := given(project, *policy.PLACES):
        return Verdict(on=True, reason=f"`{found}` is there")
    return Verdict(on=False, reason="no deny.toml; switched on, it is written")


def deny_job(
    project: Project,
    config: Config,
    *,
    id: str,  # noqa: A002
    name: str,
    why: str,
    troubles: tuple[Trouble, ...],
) -> Job:
    """Return a job that runs cargo-deny, with a deny.toml where there is none."""
    toolchain = primary_toolchain(config)
    return Job(
        id=id,
        name=name,
        why=Verbatim(why),
        runner=linux_runner(config),
        timeout=10,
        env={"RUSTUP_TOOLCHAIN": toolchain},
        setup=Setup(cache=False, tools=(tool("cargo-deny"),)),
        details={
            "flags": Verbatim.words(workspace_flag(project), locked_flag(project)),
            "rustc": rustc_pattern(toolchain),
        },
        seeds=policy.seed(project),
        troubles=troubles,
    )
