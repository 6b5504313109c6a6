"""The rule: when a benchmark is slower, when it is not, and when more rounds have to tell.

Every benchmark is screened; whatever that leaves open is looked at again after declared numbers of
rounds. Only those looks can fail a benchmark. They share `alpha`, and at each of them the
benchmarks share its part (Holm): no run fails by chance more often than `alpha`.

A noisy benchmark that a look leaves without a hint of a slowdown is given up: more rounds would be
spent on it in vain. Giving up fails nothing, so it takes nothing from `alpha`.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

from .settings import Settings
from .signed_rank import holm, noise, p_above, p_below

OPEN, OK, SLOWER, FASTER, UNSTABLE = "open", "ok", "slower", "faster", "unstable"
CONFIDENCE = 0.95
"""Of the bounds that are reported, and of "ok"."""
HOPE = 0.10
"""The p-value up to which a noisy benchmark is still measured on."""
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Decision:
    """What is known of one benchmark after a look."""

    state: str
    look: int
    p: float
    """The p-value of "slower by the tolerance at most"."""


def decide(
    measured: Mapping[Key, Sequence[tuple[int, float]]], settings: Settings, m: int
) -> dict[Key, Decision]:
    """Return the decision on each of up to `m` benchmarks from its (look, log ratio) pairs.

    A decision rests on what was measured up to its look; later rounds do not touch it.
    """
    found = {key: Decision(OPEN, 0, 1.0) for key in measured}
    for look in sorted({look for pairs in measured.values() for look, _ in pairs}):
        known = {
            key: [ratio for at, ratio in pairs if at <= look]
            for key, pairs in measured.items()
            if found[key].state == OPEN and any(at == look for at, _ in pairs)
        }
        found.update(_look(look, known, settings, m, [each.state for each in found.values()]))
    return found


def _look(
    look: int,
    known: Mapping[Key, Sequence[float]],
    settings: Settings,
    m: int,
    states: Sequence[str],
) -> dict[Key, Decision]:
    """Return the decisions of one look; `states` are those of all benchmarks before it."""
    tolerated = math.log1p(settings.tolerated)
    up = {key: p_above(ratios, tolerated) for key, ratios in known.items()}
    down = {key: p_below(ratios, -tolerated) for key, ratios in known.items()}
    deciding = look > settings.rounds
    share = settings.share if deciding else 0.0
    slower = holm(up, share, m - states.count(SLOWER))
    faster = holm(down, share, m - states.count(FASTER))

    def state(key: Key, ratios: Sequence[float]) -> str:
        if key in slower:
            return SLOWER
        if key in faster:
            return FASTER
        if within(ratios, settings) and median(ratios) > -tolerated:
            return OK
        if deciding and noise(ratios) > settings.unstable and up[key] > HOPE:
            return UNSTABLE
        return OPEN

    return {key: Decision(state(key, ratios), look, up[key]) for key, ratios in known.items()}


def within(ratios: Sequence[float], settings: Settings) -> bool:
    """Whether a slowdown of the target is ruled out and none beyond the tolerance is seen."""
    return (
        median(ratios) < math.log1p(settings.tolerated)
        and p_below(ratios, math.log1p(settings.target)) <= 1 - CONFIDENCE
    )


def confirmed(layouts: Sequence[float], settings: Settings) -> bool:
    """Whether a slowdown stays when both sides are linked anew; log ratios, one of each relink."""
    return median(layouts) > math.log1p(settings.tolerated)
