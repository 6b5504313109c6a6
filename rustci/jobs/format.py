"""Checks that the code is formatted: `cargo fmt --all --check`.

On for every project. With `warnings.format = "show"` a diff is printed and fails nothing: the
recommendation where no earlier workflow checked it. Where rustfmt.toml uses keys that only a
nightly rustfmt knows, the job takes the nightly toolchain. It compiles nothing and therefore keeps
no cache.
"""

from rustci.jobs.base import (
    SHOWN,
    Verdict,
    lane_env,
    linux_runner,
    primary_toolchain,
    rustc_pattern,
)
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Setup, Trouble

ID = "format"
TITLE = "Formatting"
WORKFLOW = "ci"

TROUBLES = (
    Trouble(
        symptom="`Check formatting` shows a diff",
        cause="The code was not formatted, or with another version of rustfmt.",
        fix="Run `cargo fmt --all` and commit. A toolchain pinned in `rust-toolchain.toml` makes "
        "everybody use the same rustfmt.",
    ),
    Trouble(
        symptom="Only Windows checkouts differ",
        cause="Git turned the line ends into CRLF.",
        fix="Add `* text=auto eol=lf` to `.gitattributes`.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Every project."""
    return Verdict(on=True, reason="every project")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    deny = config.warnings.format == "deny"
    unstable = project.repository.rustfmt_unstable
    toolchain = "nightly" if unstable else primary_toolchain(config)
    return Job(
        id=ID,
        name=TITLE,
        why=_why(unstable=bool(unstable), deny=deny),
        runner=linux_runner(config),
        timeout=10,
        env={
            key: value
            for key, value in lane_env(config, toolchain).items()
            if key == "RUSTUP_TOOLCHAIN"
        },
        setup=Setup(components=("rustfmt",), cache=False, dependencies=False),
        details={"rustc": rustc_pattern(toolchain), "deny": deny},
        troubles=TROUBLES,
    )


def _why(*, unstable: bool, deny: bool) -> Verbatim:
    if not deny:
        return Verbatim(f"Shows what rustfmt would change; {SHOWN.format('format')}")
    if unstable:
        return Verbatim("Nightly, because rustfmt.toml sets keys that stable rustfmt ignores.")
    return Verbatim("A diff here never reaches review.")
