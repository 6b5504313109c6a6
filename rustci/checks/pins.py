"""What: an action is not at a full commit, or at another than its comment says, or far behind.

Why: a tag can be moved under you, and a comment that lies hides an old or foreign commit. What is
known here comes with rustci: nobody is asked.

Fix: `rustci pins update` moves and pins them, `rustci pins check` asks GitHub about every commit.
An action that rustci does not know is only noted.

Example: `actions/checkout@v7`, or a commit of v6.0.2 behind which `# v7.0.1` stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from rustci import files, pins, refresh
from rustci.checks.base import Context, Finding, Level, WorkflowFile
from rustci.refresh import State, Verdict

ID = "pins"
TITLE = "An action is not pinned as it should be"
STALE = timedelta(days=180)
"""After this time a pin that is behind is an error, not a note."""
UPDATE = "rustci pins update"
BEHIND = frozenset({State.BEHIND, State.MAJOR_BEHIND})


def check(context: Context) -> Iterator[Finding]:
    """Yield the uses of actions that are not as they should be."""
    for file, verdict in _verdicts(context):
        if problem := _problem(verdict, context.today):
            yield _found(file, verdict, *problem)


def turning_days(context: Context) -> Iterator[date]:
    """Yield the days on which time alone changes what this rule says."""
    for _, verdict in _verdicts(context):
        if verdict.state in BEHIND and verdict.since:
            yield verdict.since + STALE


def _verdicts(context: Context) -> Iterator[tuple[WorkflowFile, Verdict]]:
    lock = files.read_text(context.root, pins.ACTIONS_LOCK)
    locked = pins.locked_by_gh(lock, [file.path for file in context.workflows])
    for file in context.workflows:
        for use in pins.find(file.text, file.path).uses if file.path not in locked else ():
            yield file, refresh.offline(use)


def _problem(verdict: Verdict, today: date) -> tuple[str, str, Level] | None:
    """Return what is wrong with a use, what mends it, and how much it weighs."""
    use, state = verdict.use, verdict.state
    match state:
        case State.UNPINNED:
            return f"`{use.action}@{use.ref}` is no full commit", UPDATE, Level.ERROR
        case State.MISMATCH:
            fix = "rustci pins check, then pin it by hand"
            return (
                f"the pin of `{use.action}` and its comment differ: {verdict.reason}",
                fix,
                Level.ERROR,
            )
        case State.BEHIND | State.MAJOR_BEHIND:
            old = verdict.since is not None and verdict.since + STALE <= today
            fix = f"{UPDATE} --major" if state is State.MAJOR_BEHIND else UPDATE
            problem = f"`{use.action}` is at {use.version}, and {verdict.newest} is out"
            return problem, fix, Level.ERROR if old else Level.NOTE
        case State.UNNAMED:
            return f"`{use.action}` has no version in its comment", UPDATE, Level.NOTE
        case State.UNKNOWN_ACTION:
            return f"rustci does not know `{use.action}`", "rustci pins check", Level.NOTE
    return None


def _found(file: WorkflowFile, verdict: Verdict, problem: str, fix: str, level: Level) -> Finding:
    return Finding(
        rule=ID,
        path=file.path,
        line=verdict.use.line,
        message=problem,
        fix=fix,
        level=Level.NOTE if file.adopted else level,
    )
