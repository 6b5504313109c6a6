"""What a gate can be told, with the defaults that the measured study supports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Settings:
    """How to measure and how to judge."""

    target: float = 0.05
    """The slowdown that must be found, as a fraction: 0.05 is 5 %."""
    tolerance: Optional[float] = None
    """The slowdown that is put up with; half the target unless given."""
    alpha: float = 0.05
    """How often a run without any slowdown may fail, over all its benchmarks together."""
    rounds: int = 10
    """Rounds of the screening, in which every benchmark is measured."""
    looks: tuple[int, ...] = (20, 40, 60)
    """The rounds after which suspects are judged again; nothing is decided in between."""
    unstable: float = 0.10
    """Noise above which a benchmark is given up without a hint of a slowdown: the robust standard
    deviation of the log ratios."""
    budget: float = 600.0
    """Seconds of measuring; builds do not count."""
    layouts: int = 5
    """Relinks that have to confirm a failure; 0 turns that off."""
    warm_up: float = 0.1
    """Seconds of warm-up in each process."""
    measurement: float = 0.3
    """Seconds of measuring in each process."""
    samples: int = 30
    """Samples in each process; the least of them stands for the process."""
    strict: bool = False
    """Whether an inconclusive benchmark fails the run."""
    require_same: bool = False
    """Whether a benchmark that base has and head lacks fails the run."""
    advisory: bool = False
    """Whether a regression is only reported: exit 0 in place of 1."""

    @property
    def tolerated(self) -> float:
        """The tolerance in force."""
        return self.target / 2 if self.tolerance is None else self.tolerance

    @property
    def share(self) -> float:
        """What each look may spend of `alpha`."""
        return self.alpha / len(self.looks)

    def wrong(self) -> str:
        """Say what nothing can be judged by; empty where all is well."""
        if not 0 < self.target <= 10:
            return f"`target` is {self.target}, not above 0 and up to 10 (1,000 %)"
        if not 0 <= self.tolerated <= self.target:
            return f"`tolerance` is {self.tolerated}, not between 0 and the target"
        if not 0 < self.alpha < 1:
            return f"`alpha` is {self.alpha}, not between 0 and 1"
        if self.rounds < 1:
            return f"`rounds` is {self.rounds}, not a number above 0"
        if not self.looks or list(self.looks) != sorted(set(self.looks)):
            return "`looks` are not numbers of rounds, each greater than the one before"
        return ""
