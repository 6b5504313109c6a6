"""Builds the documentation and denies rustdoc's warnings: broken links, bare URLs, bad code.

On where a member has a library. With `warnings.docs = "show"` warnings are printed and fail
nothing: the recommendation where earlier workflows did not deny them either. Only the project's own
crates are documented, a package on its own with the features that docs.rs shows. `RUSTDOCFLAGS`
carries the denial, so that every toolchain obeys it. Where `.cargo/config.toml` has `rustdocflags`,
which the variable would replace, `CARGO_BUILD_WARNINGS` carries it (Rust 1.97 and later).
"""

from rustci.jobs.base import (
    LOCK_TROUBLE,
    SHOWN,
    Features,
    Verdict,
    all_features_problem,
    lane_env,
    libraries,
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

ID = "docs"
TITLE = "Documentation"
WORKFLOW = "ci"

TROUBLES = (
    Trouble(
        symptom="`unresolved link to …`",
        cause="An intra-doc link names an item that is not in scope, or is behind a feature.",
        fix="Write the full path (``[`crate::Item`]``), or enable the feature for the docs.",
    ),
    Trouble(
        symptom="`public documentation for … links to private item`",
        cause="Readers of the published page could not follow the link.",
        fix="Make it plain code instead of a link, or the item public.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where there is a library to document."""
    found = libraries(project)
    if not found:
        return Verdict(on=False, reason="no library to document")
    return Verdict(on=True, reason=f"`{found[0].name}` is a library")


def documented_features(project: Project, config: Config) -> Features:
    """Return the features of docs.rs for a package on its own: its readers see that page.

    Several packages share one command, and with it the features of the tests.
    """
    selected = selected_features(project, config)
    published = project.packages[0].docs_rs if len(project.packages) == 1 else None
    if published is None or isinstance(config.tests.features, tuple):
        return selected
    if published.all_features and all_features_problem(project) is None:
        return Features(flags="--all-features")
    if published.features and "--all-features" not in selected.flags:
        return Features(
            flags='--features "$FEATURES"', env={"FEATURES": ",".join(published.features)}
        )
    return selected


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    toolchain = primary_toolchain(config)
    features = documented_features(project, config)
    flags = (workspace_flag(project), "--no-deps", features.flags, locked_flag(project))
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim(
            "Broken links and examples that do not parse would reach the readers first."
            if config.warnings.docs == "deny"
            else f"Shows broken links and examples that do not parse; {SHOWN.format('docs')}"
        ),
        runner=linux_runner(config),
        timeout=minutes(20, project),
        env=lane_env(config, toolchain, **features.env),
        setup=setup(project, config, runners=(linux_runner(config),)),
        variables=("RUSTDOCFLAGS", "CARGO_BUILD_WARNINGS"),
        details={
            "flags": Verbatim.words(*flags),
            "rustc": rustc_pattern(toolchain),
            "deny": config.warnings.docs == "deny",
            "variable": bool(project.cargo_config and project.cargo_config.rustdocflags),
        },
        troubles=(*TROUBLES, LOCK_TROUBLE),
    )
