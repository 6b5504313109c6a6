"""Runs the migrations of diesel, forth and back, and compares the schema in the code with them.

On where there is a diesel.toml and the database runs as a container. A migration that cannot be
taken back, and a `schema.rs` that was not printed again, turn it red.

Takes about three minutes, most of them to build diesel_cli.
"""

from dataclasses import replace

from rustci.jobs.base import (
    DATABASE,
    Verdict,
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

ID = "diesel"
TITLE = "Migrations"
WORKFLOW = "ci"

TROUBLES = (
    Trouble(
        symptom="`Check the schema` shows a difference",
        cause="A migration changed the tables, and the schema was not printed again.",
        fix="Run `diesel migration run` and commit the file that diesel.toml names.",
    ),
    Trouble(
        symptom="`Repeat every migration` fails",
        cause="A `down.sql` does not take back what its `up.sql` did.",
        fix="Write the missing statements; the log names the migration.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where there is a diesel.toml and a container for the database."""
    if project.database.diesel is None:
        return Verdict(on=False, possible=False, reason="there is no diesel.toml")
    if migrations_of(project, config) is None:
        reason = "no database in `tests.services` or among the features of `diesel`"
        return Verdict(on=False, possible=False, reason=reason)
    return Verdict(on=True, reason="`diesel.toml` is there")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    service = database_of(project, config)
    assert service  # noqa: S101 `wanted` says so
    toolchain, label = primary_toolchain(config), linux_runner(config)
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("Migrations run once in earnest; here they run forth and back first."),
        runner=label,
        timeout=minutes(20, project),
        env=lane_env(config, toolchain, **{DATABASE: service.test_env[DATABASE]}),
        services=containers((service,)),
        # diesel reads the database and its own files, and no manifest.
        setup=replace(
            setup(
                project,
                config,
                runners=(label,),
                migrations=migrations_of(project, config),
                cache=False,
            ),
            dependencies=False,
        ),
        variables=("DIESEL", "SCHEMA"),
        details={
            "rustc": rustc_pattern(toolchain),
            "folder": str(project.database.diesel),
            "schema": project.database.schema or "",
        },
        troubles=TROUBLES,
    )
