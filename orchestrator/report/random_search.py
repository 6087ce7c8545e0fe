"""Random search over the same space, under what the model believes at the end of the night: what the night is held
against.

Notation
--------
w       worlds: functions that agree with everything observed, each as likely as another (draws of the posterior)
m       films of one search, in a random order

Two comparisons.  Best so far as it would be *shown*, noise included, is drawn beside the night's.  How many films
random search needs is told of *true* values: in each world, until one of its films is as good as the best that the
night has made in that world, or worse by no more than the standard uncertainty of a value: nobody could tell them
apart.  So neither side gains by luck with noise.

Every film of a random search counts as made and measured, also where the night's own failed: the comparison errs on the
side of random search.  It is conditional on the model: a peak that nobody has come near is in few worlds.  How many
times as many experiments another strategy needs is what Liang and others call acceleration (npj Comput. Mater. 7, 188,
2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import numpy as np

from orchestrator.campaign.state import Direction
from orchestrator.optimizer.optimizer import RandomFilms
from orchestrator.report.belief import Belief, Floats
from orchestrator.report.facts import Night

WORLDS = 300
MOST_FILMS = 1000
LOW, HIGH = 0.1, 0.9


@dataclass(frozen=True)
class RandomSearch:
    """`low`, `middle`, `high`: best so far, as shown, after 1, 2... films of a random search, in the objective's unit:
    quantiles over the worlds.

    `films`: how many the night has to its name.  `as_good`: the share of searches with as many films that have one as
    good as the night's best, to within `resolution`.  `needed`: films that half of the searches have one with; None if
    they need more than `most`.
    """

    low: Floats
    middle: Floats
    high: Floats
    films: int
    as_good: float
    needed: int | None
    most: int
    resolution: float

    @property
    def acceleration(self) -> float:
        """How many times as many films random search needs, or needs more than."""
        return (self.most if self.needed is None else self.needed) / self.films


def held_against(night: Night, belief: Belief | str) -> RandomSearch | str:
    """The comparison, or why there is none; `belief` may be why."""
    if night.several:
        return "there are several objectives"
    if night.state.terms.limits:
        return "random search does not know of limits"
    if night.top is None:
        return "no value is valid"
    if isinstance(belief, str):
        return belief
    films = sum(bool(sample.film or sample.observation) for sample in night.samples)
    return searched(belief.random_films(MOST_FILMS, WORLDS), films, night.direction, resolution(night))


def resolution(night: Night) -> float:
    """The standard uncertainty of the night's median valid value, in its unit."""
    sigmas = [o.sigma for o in night.state.observations if o.validity == "valid" and o.sigma is not None]
    return median(sigmas) if sigmas else 0.0


def searched(random: RandomFilms, films: int, direction: Direction, resolution: float) -> RandomSearch:
    """Of `random` films against a night of `films`, at least one."""
    better = np.maximum if direction == "max" else np.minimum
    true = better.accumulate(random.true, axis=1)
    best = random.best[:, np.newaxis]
    reached = (true >= best - resolution if direction == "max" else true <= best + resolution).mean(axis=0)
    by_half = np.flatnonzero(reached >= 0.5)
    most = random.true.shape[1]
    shown = better.accumulate(random.shown[:, : min(films, most)], axis=1)
    low, middle, high = np.quantile(shown, (LOW, 0.5, HIGH), axis=0)
    return RandomSearch(
        low=low,
        middle=middle,
        high=high,
        films=films,
        as_good=float(reached[min(films, most) - 1]),
        needed=int(by_half[0]) + 1 if len(by_half) else None,
        most=most,
        resolution=resolution,
    )
