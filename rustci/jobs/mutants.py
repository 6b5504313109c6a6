"""Changes the code in small ways and expects a test to fail: finds tests that assert nothing.

Off unless asked for (cargo-mutants): the tests run once for each change of the code, so it takes as
many times as long as they do. Worth it for libraries whose tests take less than a minute. Every
change tests the mutants of the lines that it touches; once a week all of them are, dealt out to
eight jobs. A mutant that no test notices makes the job red; the artifact `mutants` lists it.
"""

from dataclasses import replace

from rustci.jobs.base import (
    Verdict,
    bare_metal,
    capped_lints,
    has_tests,
    lane_env,
    linux_runner,
    locked_flag,
    minutes,
    primary_toolchain,
    rustc_pattern,
    selected_features,
    service_containers,
    service_env,
    setup,
    tool,
    workspace_flag,
)
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Matrix, Trouble

ID = "mutants"
TITLE = "Mutants"
WORKFLOW = "ci"

SHARDS = 8

TROUBLES = (
    Trouble(
        symptom="`MISSED` and a changed function",
        cause="The function may do something else, and no test notices.",
        fix="Test what it returns; or put `#[mutants::skip]` on it, if that does not matter.",
    ),
    Trouble(
        symptom="`FAILED   Unmutated baseline`",
        cause="The tests fail as they are.",
        fix="Mend what the job `test` tells first.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Only where it is asked for."""
    if bare_metal(project) or not has_tests(project):
        return Verdict(on=False, possible=False, reason="there are no tests that it could run")
    return Verdict(on=False, reason="runs the tests once for each small change of the code")


def build(project: Project, config: Config) -> Job:
    """Return the job of a change, with the weekly one."""
    features, toolchain = selected_features(project, config), primary_toolchain(config)
    label, nextest = linux_runner(config), config.tests.runner == "nextest"
    compiling = setup(
        project,
        config,
        runners=(label,),
        tools=(tool("cargo-mutants"), *((tool("nextest"),) if nextest else ())),
        cache=False,
    )
    job = Job(
        id=ID,
        name=TITLE,
        why=Verbatim("A test that stays green when the code is wrong asserts nothing."),
        runner=label,
        timeout=minutes(60, project),
        env=lane_env(
            config, toolchain, **capped_lints(project), **features.env, **service_env(config)
        ),
        services=service_containers(config),
        setup=replace(compiling, depth=2),
        details={
            "flags": Verbatim.words(
                workspace_flag(project),
                features.flags,
                "--cargo-arg=--locked" if locked_flag(project) else "",
                "--test-tool nextest" if nextest else "",
            ),
            "rustc": rustc_pattern(toolchain),
        },
        troubles=TROUBLES,
    )
    deep = replace(
        job,
        id="mutants-deep",
        workflow="scheduled",
        why=Verbatim("All of the code, whoever changed it last."),
        timeout=300,
        matrix=Matrix(axes={"shard": tuple(range(SHARDS))}),
        setup=compiling,
        details={**job.details, "shard": Verbatim(f"${{{{ matrix.shard }}}}/{SHARDS}")},
        variables=("SHARD",),
    )
    return replace(job, parts=(deep,))
