"""What `rustci init --probe` does and finds, while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rustci.lanes import Result
from rustci.options import Source
from rustci.output.text import shown, visible
from rustci.probe import Probe
from rustci.proposal import Proposal

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {Result.GREEN: "green", Result.RED: "red", Result.NOT_RUN: "dim"}


def begun(out: Console) -> None:
    """Say what is about to be run."""
    out.print("Probing", style="bold")
    out.print(
        "  Runs the planned checks in a copy of the project: its build scripts, procedural macros "
        "and tests. Nothing of yours is changed, nothing is installed.",
        soft_wrap=True,
    )


def one(found: Probe, out: Console) -> None:
    """Print what became of one job, and what rustci makes of it."""
    for outcome in found.outcomes:
        cause = f"  {outcome.cause}" if outcome.cause else ""
        line = f"  {outcome.lane:<32} {outcome.result:<8} {outcome.seconds:>4} s{cause}"
        out.print(visible(line), style=STYLES[outcome.result], soft_wrap=True)
    if found.result is not Result.RED:
        return
    for line in found.outcomes[0].tail:
        out.print(visible(f"    {line}"), style="dim", soft_wrap=True)
    answers = ", ".join(f"{name} = {shown(value)}" for name, value in found.answers.items())
    verdict = f"therefore {answers}" if answers else "it stays, and will be red until it is mended"
    out.print(visible(f"  {found.job}: {verdict}"), soft_wrap=True)


def unknown(proposal: Proposal, out: Console) -> None:
    """Say of the checks that no workflow of today proves green, before they are written."""
    denied = [
        name
        for name in ("format", "clippy", "docs")
        if proposal.verdicts[name].on
        and proposal.config.settings[f"warnings.{name}"].source is Source.DEFAULT
    ]
    if denied and not proposal.project.repository.workflows:
        out.print(
            f"\nNot known: whether {', '.join(denied)} and the tests are green today, as no "
            "workflow runs them yet. `rustci init --probe` tries (it runs the project's code).",
            soft_wrap=True,
        )
