"""What became of the repositories, as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rustci.lanes import Outcome, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One repository: its lanes, or why `init` refused it."""

    repository: str
    outcomes: tuple[Outcome, ...] = ()
    refused: str = ""

    @property
    def verdict(self) -> str:
        """`green` where no lane that ran is red."""
        if self.refused:
            return "refused"
        found = Counter(outcome.result for outcome in self.outcomes)
        if found[Result.RED]:
            return "red"
        return "green" if found[Result.GREEN] else "nothing run"


def markdown(trials: Iterable[Trial]) -> str:
    """Return the table repository x lane, the rates first."""
    known = list(trials)
    return "\n".join([*_rates(known), "", *_table(known), ""])


def _rates(trials: list[Trial]) -> Iterator[str]:
    verdicts = Counter(trial.verdict for trial in trials)
    results = Counter(outcome.result for trial in trials for outcome in trial.outcomes)
    ran = results[Result.GREEN] + results[Result.RED]
    yield f"Repositories without a red job: {verdicts['green']} of {len(trials)}."
    yield f"Green jobs: {results[Result.GREEN]} of {ran} executed; "
    yield f"{results[Result.NOT_RUN]} more could not be run here."


def _table(trials: list[Trial]) -> Iterator[str]:
    yield "| Repository | Job | Result | Seconds | Cause |"
    yield "|---|---|---|---:|---|"
    for trial in trials:
        if trial.refused:
            yield f"| {trial.repository} | `init` | refused | | {_cell(trial.refused)} |"
        for found in trial.outcomes:
            cells = (trial.repository, found.lane, found.result, found.seconds, _cell(found.cause))
            yield f"| {' | '.join(map(str, cells))} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
