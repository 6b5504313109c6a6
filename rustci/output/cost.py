"""What jobs cost, in words."""

from __future__ import annotations

from rustci.explanation import Cost, cost
from rustci.proposal import CONCURRENT, Proposal


def price(cost: Cost) -> str:
    """Return the cost in a sentence."""
    lanes = f"{cost.lanes} lane{'s' * (cost.lanes != 1)}"
    dollars = "depends on your runners" if cost.dollars is None else f"is ${cost.dollars:.2f}"
    return (
        f"{lanes}, at most {cost.minutes} minutes in all. Public repositories pay nothing; in a "
        f"private one that limit {dollars}."
    )


def crowd(found: Proposal) -> str | None:
    """Return a warning where a pull request starts more jobs than run at once, or None."""
    if found.jobs <= CONCURRENT:
        return None
    return (
        f"a pull request starts {found.jobs} jobs, of which GitHub's free plan runs {CONCURRENT} "
        f"at once: {price(cost(found.on_pull_requests))}"
    )
