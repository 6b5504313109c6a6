"""Looks up the dependencies in the RustSec advisory database every week (cargo-deny).

On where there is a deny.toml: its `[advisories]` says what counts and what is ignored. It runs on a
schedule and not on pull requests, because an advisory appears when somebody publishes it, whatever
the change at hand does. Switched on without a deny.toml, one is written, as for the job `deny`.

Takes about half a minute; nothing is compiled.
"""

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

ID = "advisories"
TITLE = "Advisories"
WORKFLOW = "scheduled"

TROUBLES = (
    Trouble(
        symptom="`Look up the dependencies` fails without a change of the code",
        cause="A vulnerability was published, or a crate was yanked or given up.",
        fix="`cargo update -p NAME` where a mended version exists. If the code is not reached, put "
        "the advisory into `ignore` of deny.toml, with the reason.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where there is a deny.toml."""
    if found := given(project, *policy.PLACES):
        return Verdict(on=True, reason=f"`{found}` is there")
    return Verdict(on=False, reason="no deny.toml; switched on, it is written")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    toolchain = primary_toolchain(config)
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("Vulnerabilities are published when it suits nobody; this blocks nobody."),
        runner=linux_runner(config),
        timeout=10,
        env={"RUSTUP_TOOLCHAIN": toolchain},
        setup=Setup(cache=False, tools=(tool("cargo-deny"),)),
        details={
            "flags": Verbatim.words(workspace_flag(project), locked_flag(project)),
            "rustc": rustc_pattern(toolchain),
        },
        seeds=policy.seed(project),
        troubles=TROUBLES,
    )
