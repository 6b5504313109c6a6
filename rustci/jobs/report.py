"""Opens an issue when scheduled checks fail, keeps it current, and closes it when they pass again.

On wherever something is scheduled: nobody looks at runs that no change started, and a red pull
request would blame whoever comes next. There is one issue, told by its title; a further failure
adds a comment. Runs by hand report nothing.
"""

from rustci.jobs.base import Verdict, linux_runner
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.workflow import Job, Permission, Setup, Trouble

ID = "report"
TITLE = "Report"
WORKFLOW = "scheduled"

TROUBLES = (
    Trouble(
        symptom="`Open, refresh or close the issue` fails with `403`",
        cause="The repository has no issues, or its organisation lets workflows only read.",
        fix="Switch issues on under Settings → General, or set `jobs.report = false`.",
    ),
    Trouble(
        symptom="Scheduled runs stopped without a word",
        cause="GitHub switches schedules off in public repositories without activity for 60 days.",
        fix="Enable the workflow again under Actions.",
    ),
)


def wanted(project: Project, config: Config) -> Verdict:
    """Wherever something is scheduled."""
    return Verdict(on=True, reason="nobody watches scheduled runs")


def build(project: Project, config: Config) -> Job:
    """Return the job; the plan fills in what it needs."""
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("One issue says what is red, instead of the next pull request."),
        runner=linux_runner(config),
        timeout=5,
        permissions=(
            Permission(
                scope=Verbatim("issues"),
                level=Verbatim("write"),
                reason=Verbatim("opens, refreshes and closes the issue"),
            ),
        ),
        condition=Verbatim("always() && github.event_name == 'schedule'"),
        setup=Setup(rust=False, cache=False),
        variables=("GH_REPO", "GH_TOKEN", "NEEDS", "RUN", "TITLE"),
        last=True,
        troubles=TROUBLES,
    )
