"""Finds dependencies that no code uses (cargo-shear, or cargo-machete).

On where a manifest holds settings for one of the two (`[package.metadata.cargo-machete]`): that one
is taken. Switched on elsewhere it is cargo-shear, which parses the code; cargo-machete searches its
text. Both err where only a build script or a macro names a crate, so nobody gets the job unasked.

Takes a few seconds; nothing is compiled.
"""

from rustci.jobs.base import (
    LOCK_TROUBLE,
    Verdict,
    linux_runner,
    locked_flag,
    primary_toolchain,
    rustc_pattern,
    settings_of_tools,
    tool,
)
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Setup, Trouble

ID = "unused"
TITLE = "Unused dependencies"
WORKFLOW = "ci"

TOOLS = ("cargo-shear", "cargo-machete")
"""The one to take where nothing speaks for the other stands first."""

TROUBLES = (
    Trouble(
        symptom="A dependency is called unused and is not",
        cause="Only generated code, a macro of another crate or a build script names it.",
        fix="Add it to `ignored` in `[package.metadata.cargo-shear]` (or `cargo-machete`).",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where a manifest has settings for cargo-shear or cargo-machete."""
    for name in TOOLS:
        if name in settings_of_tools(project):
            return Verdict(on=True, reason=f"a manifest has settings for {name}")
    return Verdict(on=False, reason="no manifest has settings for cargo-shear or cargo-machete")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    toolchain = primary_toolchain(config)
    chosen = next((name for name in TOOLS if name in settings_of_tools(project)), TOOLS[0])
    shear = chosen == TOOLS[0]
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("What nobody uses still has to be built, reviewed and updated."),
        runner=linux_runner(config),
        timeout=10,
        env={"RUSTUP_TOOLCHAIN": toolchain},
        setup=Setup(cache=False, tools=(tool(chosen),)),
        details={
            "command": Verbatim("shear --deny-warnings" if shear else "machete"),
            "flags": Verbatim.words(locked_flag(project) if shear else ""),
            "rustc": rustc_pattern(toolchain),
        },
        troubles=(*TROUBLES, *((LOCK_TROUBLE,) if shear else ())),
    )
