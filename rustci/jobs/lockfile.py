"""Checks that the committed Cargo.lock still fits every Cargo.toml.

On where Cargo.lock is committed. Takes seconds, and says in one line what `--locked` in the other
jobs would say after their set-up.
"""

from rustci.jobs.base import (
    LOCK_TROUBLE,
    Verdict,
    linux_runner,
    primary_toolchain,
    rustc_pattern,
)
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Setup

ID = "lockfile"
TITLE = "Lock file"
WORKFLOW = "ci"


def wanted(project: Project, config: Config) -> Verdict:
    """Where Cargo.lock is committed."""
    if not project.main.lockfile:
        return Verdict(on=False, possible=False, reason="Cargo.lock is not committed")
    return Verdict(on=True, reason="Cargo.lock is committed")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    toolchain = primary_toolchain(config)
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("A stale Cargo.lock means that nobody built what was reviewed."),
        runner=linux_runner(config),
        timeout=10,
        env={"RUSTUP_TOOLCHAIN": toolchain},
        setup=Setup(cache=False),
        details={"rustc": rustc_pattern(toolchain)},
        troubles=(LOCK_TROUBLE,),
    )
