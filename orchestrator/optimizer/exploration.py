"""How far an upper confidence bound reaches above the mean, as the search goes on.

Notation
--------
t       number of the suggestion, from 1
T       suggestions that the budget allows
D       candidates
w       standard deviations above the mean

``constant``: w as it is given.

``decreasing``: w (1 - t / T), wide at first; the last film is the one of the largest mean.

``srinivas``: sqrt(beta_t / 5), beta_t = 2 log(D t^2 pi^2 / (6 delta)), delta = 0.1, slowly growing, so that the regret
of any number of films stays bounded (Srinivas, Krause, Kakade and Seeger, ICML 2010, theorem 1, and the fifth that
their experiments scale it by).
"""

from __future__ import annotations

import math

DELTA = 0.1
SCALED_BY = 5.0
SCHEDULES = ("constant", "decreasing", "srinivas")


def weight(schedule: str, given: float, number: int, budget: int | None, candidates: int) -> float:
    """w of suggestion `number` of `budget` (None: no end is known, and nothing decreases) among `candidates`."""
    t = max(number, 1)
    if schedule == "srinivas":
        return math.sqrt(2.0 * math.log(candidates * t**2 * math.pi**2 / (6.0 * DELTA)) / SCALED_BY)
    if schedule == "decreasing" and budget is not None:
        return given * max(1.0 - t / budget, 0.0)
    return given
