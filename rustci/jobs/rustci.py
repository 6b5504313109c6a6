"""Checks the workflows themselves: `rustci check`, with its findings beside the lines.

Off unless `jobs.rustci = true`: the version that wrote the workflows has to be on PyPI, from where
the job takes it. It fails when a change of the project (a raised `rust-version`, a new benchmark)
asks for an update of the workflows, and when an edit breaks one of the rules.
"""

from rustci import __version__
from rustci.jobs.base import Verdict, linux_runner
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Setup, Trouble

ID = "rustci"
TITLE = "Workflows"
WORKFLOW = "ci"

TROUBLES = (
    Trouble(
        symptom="`rustci check` fails on a pull request that changes no workflow",
        cause="The change asks for other workflows: a raised `rust-version`, a new member, "
        "benchmark or feature.",
        fix="Run `rustci update` and commit what it changes.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Only where it is asked for: it needs a released version of rustci."""
    return Verdict(on=False, reason="needs a release of rustci on PyPI")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("The workflows follow the project: this says when they no longer do."),
        runner=linux_runner(config),
        timeout=10,
        setup=Setup(rust=False, cache=False),
        details={"version": __version__},
        troubles=TROUBLES,
    )
