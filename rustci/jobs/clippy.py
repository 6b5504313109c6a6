"""Lints all targets with Clippy and denies its warnings.

On for every project. With `warnings.clippy = "show"` warnings are printed and fail nothing, with
`"shipped"` only libraries and binaries are linted: the recommendation where the workflows that were
there before were no stricter. Warnings are denied with `-- -D warnings`: that reaches the project's
own code only, rebuilds no dependency, replaces no `rustflags` of `.cargo/config.toml`, and bites on
every toolchain (`CARGO_BUILD_WARNINGS` is silently ignored before Rust 1.97). Source:
https://doc.rust-lang.org/clippy/continuous_integration/github_actions.html
"""

from rustci.jobs.base import (
    CACHE_TROUBLE,
    LOCK_TROUBLE,
    SHOWN,
    Verdict,
    all_targets_flags,
    lane_env,
    linux_runner,
    locked_flag,
    minutes,
    primary_toolchain,
    rustc_pattern,
    selected_features,
    setup,
    workspace_flag,
)
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Trouble

ID = "clippy"
TITLE = "Clippy"
WORKFLOW = "ci"

TROUBLES = (
    Trouble(
        symptom="`Run Clippy` turns red without a change of the code",
        cause="A new stable Rust brought new lints.",
        fix="Mend them, allow them in `[lints]` of Cargo.toml, or pin `toolchains.channels = "
        '["1.x"]` and move it when it suits you.',
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Every project."""
    return Verdict(on=True, reason="every project")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    toolchain = primary_toolchain(config)
    features = selected_features(project, config)
    flags = (
        workspace_flag(project),
        "" if config.warnings.clippy == "shipped" else all_targets_flags(project),
        features.flags,
        locked_flag(project),
    )
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim(
            "Catches suspicious, slow and unidiomatic code; a warning fails the job."
            if config.warnings.clippy != "show"
            else f"Shows suspicious, slow and unidiomatic code; {SHOWN.format('clippy')}"
        ),
        runner=linux_runner(config),
        timeout=minutes(20, project),
        env=lane_env(config, toolchain, **features.env),
        setup=setup(project, config, runners=(linux_runner(config),), components=("clippy",)),
        details={
            "flags": Verbatim.words(*flags),
            "rustc": rustc_pattern(toolchain),
            "deny": config.warnings.clippy != "show",
        },
        troubles=(*TROUBLES, LOCK_TROUBLE, CACHE_TROUBLE),
    )
