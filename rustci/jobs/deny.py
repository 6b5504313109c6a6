"""Holds the dependencies to a policy: licences, banned crates, sources (cargo-deny).

On where there is a deny.toml. Switched on without one, it is written: it allows the usual
permissive licences, those of the project's own packages, and the sources that Cargo.lock names;
from then on it is yours. Advisories are left to the weekly job `advisories`: a new one is no fault
of the change at hand, and must not block it.

Takes about half a minute; nothing is compiled.
"""

from rustci.jobs.base import LOCK_TROUBLE, Verdict
from rustci.jobs.cargo_deny import deny_job, verdict
from rustci.options import Config
from rustci.project import Project
from rustci.workflow import Job, Trouble

ID = "deny"
TITLE = "Dependency policy"
WORKFLOW = "ci"

TROUBLES = (
    Trouble(
        symptom="`rejected: license is not explicitly allowed`",
        cause="A dependency came with a licence that deny.toml does not allow.",
        fix="Decide: add it to `allow`, make an `[[licenses.exceptions]]` for that crate alone, or "
        "take another crate. `cargo deny list` shows who has which licence.",
    ),
    Trouble(
        symptom="`unlicensed` for a package of your own",
        cause="Its manifest has no `license`, and does not say `publish = false`.",
        fix="Add the one or the other.",
    ),
    Trouble(
        symptom="`source-not-allowed`",
        cause="A dependency comes from a git repository or registry that deny.toml does not name.",
        fix="Add its URL to `allow-git` or `allow-registry`, if you trust it.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where there is a deny.toml."""
    return verdict(project)


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    return deny_job(
        project,
        config,
        id=ID,
        name=TITLE,
        why="Licences and sources that nobody agreed to never reach review.",
        troubles=(*TROUBLES, LOCK_TROUBLE),
    )
