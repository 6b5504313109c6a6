"""Symmetric distributions without a slowdown, drawn anew by seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from random import Random

from rustci.bench.signed_rank import p_above

NULLS: Mapping[str, Callable[[Random], float]] = {
    "normal": lambda draw: draw.gauss(0, 0.02),
    "Laplace": lambda draw: 0.02 * draw.expovariate(1) * draw.choice((1, -1)),
    "Cauchy": lambda draw: 0.01 * math.tan(math.pi * (draw.random() - 0.5)),
    "outliers": lambda draw: draw.gauss(0, 0.4 if draw.random() < 0.1 else 0.01),
}
ROUNDS = (10, 20, 40, 60)


def rejections(null: str, theta: float, draws: int, levels: tuple[float, ...]) -> dict[float, int]:
    """Return how often "the centre is at most θ" is rejected where θ is the centre."""
    draw = Random(f"{null}/{theta}")
    found = dict.fromkeys(levels, 0)
    for number in range(draws):
        rounds = ROUNDS[number % len(ROUNDS)]
        p = p_above([theta + NULLS[null](draw) for _ in range(rounds)], theta)
        for level in levels:
            found[level] += p <= level
    return found
