"""What the workflows that are already there hold the code to, as answers.

A stricter check than those of today may be red on the first push, and no file tells. Where the
project's own CI shows what it is held to, that goes into rustci.toml with the reason: the evidence
is gone once rustci's workflows are in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from rustci.config import Layer
from rustci.existing import CargoCall, CiTask, ExistingWorkflow
from rustci.jobs.base import all_features_problem
from rustci.jobs.features import counts
from rustci.kinds import Value
from rustci.options import SHARDS_LIMIT, Setting, Source
from rustci.project import Project, TargetKind

TESTS = frozenset({CiTask.TEST, CiTask.DOCTEST, CiTask.COVERAGE})
WARNINGS = {
    "warnings.format": (CiTask.FORMAT, "`cargo fmt --check`"),
    "warnings.clippy": (CiTask.CLIPPY, "Clippy"),
    "warnings.docs": (CiTask.DOC, "rustdoc"),
}
"""Which task of existing CI speaks for which option, and what it is called."""
Answer = tuple[str, Value, str]
"""An option, its value and the reason."""
Rule = Callable[[Project, tuple[ExistingWorkflow, ...]], Iterator[Answer]]


def precedents(project: Project) -> Layer:
    """Return the ADOPTED layer; empty where no workflow of today tells anything."""
    written = project.repository.written
    workflows = tuple(w for w in project.repository.workflows if str(w.path) not in written)
    if not any(workflow.tasks for workflow in workflows):
        return {}
    return {
        name: Setting(value=value, source=Source.ADOPTED, reason=reason)
        for rule in RULES.values()
        for name, value, reason in rule(project, workflows)
    }


def shown_warnings(project: Project, workflows: tuple[ExistingWorkflow, ...]) -> Iterator[Answer]:
    """Shown only where no workflow of today denies them."""
    whole = not any(workflow.unseen or workflow.problem for workflow in workflows)
    for name, (task, title) in WARNINGS.items():
        found = tuple(workflow for workflow in workflows if task in workflow.tasks)
        if not found and whole:
            yield name, "show", f"no workflow ran {title} before"
        elif found and task is not CiTask.FORMAT and not _denied(found, task):
            yield name, "show", f"`{found[0].path}` ran {title} without denying warnings"
        elif task is CiTask.CLIPPY and not _denied(found, task, with_tests=True):
            yield name, "shipped", f"`{found[0].path}` linted no tests"


def _denied(
    workflows: tuple[ExistingWorkflow, ...], task: CiTask, *, with_tests: bool = False
) -> bool:
    calls = _calls(workflows, task)
    # An action may deny by itself: only a command is known not to.
    return not calls or any(
        call.denies_warnings and (call.with_tests or not with_tests) for call in calls
    )


def default_features(project: Project, workflows: tuple[ExistingWorkflow, ...]) -> Iterator[Answer]:
    """The default ones where no workflow of today tests with all; combinations on their own."""
    calls = _calls(workflows, *TESTS)
    if not counts(project) or all_features_problem(project) or not calls:
        return
    if not any(call.all_features for call in calls):
        reason = "no workflow tested with `--all-features` before"
        yield "tests.features", "default", reason
        yield "jobs.features", True, "the features are still checked alone and in combination"


def shards(project: Project, workflows: tuple[ExistingWorkflow, ...]) -> Iterator[Answer]:
    """As many as the workflows of today make: how long the tests run, no file tells."""
    listed = all(target.harness for _, target in project.targets(TargetKind.TEST))
    for workflow in workflows:
        if listed and 1 < workflow.shards <= SHARDS_LIMIT:
            reason = f"`{workflow.path}` deals the tests out to {workflow.shards} jobs"
            yield "tests.shards", workflow.shards, reason
            return


def _calls(workflows: tuple[ExistingWorkflow, ...], *tasks: CiTask) -> tuple[CargoCall, ...]:
    return tuple(call for w in workflows for call in w.calls if call.task in tasks)


RULES: Mapping[str, Rule] = {
    "warnings.*": shown_warnings,
    "tests.features": default_features,
    "tests.shards": shards,
}
