"""Compares the queries that sqlx saved in `.sqlx` with the database (`cargo sqlx prepare --check`).

On where `.sqlx` is committed and the database runs as a container. Every job then compiles with
`SQLX_OFFLINE=true`, against the saved data and without a database; this one creates the database
from `migrations/` and tells whether the data still fits it.

Takes about three minutes, most of them to build sqlx-cli in the release of the locked sqlx.
"""

from rustci.jobs.base import (
    DATABASE,
    LOCK_TROUBLE,
    Verdict,
    built_for,
    capped_lints,
    containers,
    database_of,
    lane_env,
    linux_runner,
    migrations_of,
    minutes,
    primary_toolchain,
    rustc_pattern,
    setup,
)
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Trouble

ID = "sqlx"
TITLE = "Saved queries"
WORKFLOW = "ci"

TROUBLES = (
    Trouble(
        symptom="`prepare check failed` or `no cached data for this query`",
        cause="A query or a migration changed, and `.sqlx` was not written again.",
        fix="Run `cargo sqlx prepare -- --all-targets` beside a database with all migrations (in a "
        "workspace with `--workspace`), and commit `.sqlx`.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where `.sqlx` is committed and there is a container for the database."""
    if project.database.queries is None:
        return Verdict(on=False, possible=False, reason="there is no `.sqlx` to compare")
    if database_of(project, config) is None:
        reason = "no database in `tests.services` or among the features of `sqlx`"
        return Verdict(on=False, possible=False, reason=reason)
    return Verdict(on=True, reason="`.sqlx` is there")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    service = database_of(project, config)
    assert service  # noqa: S101 `wanted` says so
    toolchain, label = primary_toolchain(config), linux_runner(config)
    queries = project.database.queries
    migrations = migrations_of(project, config)
    whole = str(queries) == "." and (len(project.packages) > 1 or project.main.virtual)
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("The other jobs trust the saved queries; here the database judges them."),
        runner=label,
        timeout=minutes(30, project),
        env=lane_env(
            config,
            toolchain,
            **capped_lints(project),
            **{DATABASE: service.test_env[DATABASE], "SQLX_OFFLINE": "false"},
        ),
        services=containers((service,)),
        setup=setup(project, config, runners=(label,), migrations=migrations),
        variables=("SQLX",),
        details={
            "rustc": rustc_pattern(toolchain),
            "folder": str(queries),
            "install": Verbatim("") if migrations else built_for(project, "sqlx", "sqlx-cli"),
            "features": Verbatim("postgres" if service.id == "postgres" else "mysql"),
            "flags": Verbatim.words("--workspace" if whole else "", "-- --all-targets"),
        },
        troubles=(*TROUBLES, LOCK_TROUBLE),
    )
