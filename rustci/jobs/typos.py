"""Finds spelling mistakes in code and text (typos).

On where there is a configuration for it: `_typos.toml`, `typos.toml`, `.typos.toml` or
`[workspace.metadata.typos]`. Elsewhere it would find words that are right here, names above all,
and fail the first run; so nobody gets it unasked. 26 % of the repositories behind the defaults run
it.

Takes a few seconds.
"""

from rustci.jobs.base import Verdict, given, linux_runner, settings_of_tools, tool
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Setup, Trouble

ID = "typos"
TITLE = "Spelling"
WORKFLOW = "ci"

FILES = ("_typos.toml", "typos.toml", ".typos.toml")

TROUBLES = (
    Trouble(
        symptom="`Check the spelling` does not know a name or a term",
        cause="It looks like a mistake in English.",
        fix="Add it to `[default.extend-words]` of `_typos.toml`, or the file to "
        "`[files] extend-exclude`. `typos --write-changes` mends the others.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Where there is a configuration for typos."""
    if found := given(project, *FILES):
        return Verdict(on=True, reason=f"`{found}` is there")
    if "typos" in settings_of_tools(project):
        return Verdict(on=True, reason="a manifest has settings for typos")
    return Verdict(on=False, reason="no `_typos.toml`")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("Mistakes in names live on in the API."),
        runner=linux_runner(config),
        timeout=10,
        setup=Setup(rust=False, cache=False, tools=(tool("typos"),)),
        troubles=TROUBLES,
    )
