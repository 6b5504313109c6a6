"""Lints every workflow of the repository, the hand-written ones too (actionlint, zizmor).

On where one of the two is configured (`zizmor.yml`, `.github/actionlint.yaml`): that one runs.
Switched on elsewhere both do. actionlint knows the syntax, expressions and shell scripts; zizmor
finds what an attacker could use. What rustci writes has no finding of either, but most hand-written
workflows have some (a median of 46 of zizmor's in the repositories behind the defaults), so nobody
gets the job unasked. Nothing is asked on the network, so only a change can turn it red.

Takes about a minute, most of it to build actionlint from the Go module proxy.
"""

from rustci import actions
from rustci.jobs.base import Verdict, given, linux_runner, tool
from rustci.options import Config
from rustci.project import Project
from rustci.quoting import Verbatim
from rustci.runners import runner
from rustci.workflow import Job, Setup, Trouble

ID = "workflows"
TITLE = "Workflow lint"
WORKFLOW = "ci"

CONFIGURED = {
    "actionlint": (".github/actionlint.yaml", ".github/actionlint.yml"),
    "zizmor": (".github/zizmor.yml", ".github/zizmor.yaml", "zizmor.yml", "zizmor.yaml"),
}
"""The files that configure each linter."""

TROUBLES = (
    Trouble(
        symptom="actionlint: `label … is unknown`",
        cause="It is the label of a runner of your own, or newer than actionlint.",
        fix="List it under `self-hosted-runner.labels` in `.github/actionlint.yaml`.",
    ),
    Trouble(
        symptom="zizmor finds something that you mean to do",
        cause="It cannot know why.",
        fix="Put it into `rules` of `.github/zizmor.yml`, or `# zizmor: ignore[RULE] why` beside "
        "the line.",
    ),
)


def linters(project: Project, config: Config) -> tuple[str, ...]:
    """Return which of the linters run: both for whoever asked for the job."""
    if config.jobs.get(ID):
        return tuple(CONFIGURED)
    return tuple(name for name, files in CONFIGURED.items() if given(project, *files))


def wanted(project: Project, config: Config) -> Verdict:
    """Where actionlint or zizmor is configured."""
    for files in CONFIGURED.values():
        if found := given(project, *files):
            return Verdict(on=True, reason=f"`{found}` is there")
    return Verdict(on=False, reason="neither actionlint nor zizmor is configured")


def build(project: Project, config: Config) -> Job:
    """Return the job."""
    chosen = linters(project, config)
    return Job(
        id=ID,
        name=TITLE,
        why=Verbatim("A workflow that is wrong, or open to attack, is code like any other."),
        runner=linux_runner(config),
        timeout=10,
        setup=Setup(rust=False, cache=False, tools=(tool("zizmor"),) if "zizmor" in chosen else ()),
        details={
            "actionlint": Verbatim(actions.built("actionlint").spec)
            if "actionlint" in chosen
            else "",
            "zizmor": "zizmor" in chosen,
            "new_labels": not all(map(_known, config.platforms.runners)),
        },
        troubles=TROUBLES,
    )


def _known(label: str) -> bool:
    """Whether actionlint's own list has the label."""
    known = runner(label)
    return known is not None and known.known_to_actionlint
