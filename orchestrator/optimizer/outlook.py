"""What several quantities are expected to be while something is pending, each by beliefs of its own.

Notation
--------
m       candidates, X (m, d) their inputs
q       fantasies of what is pending (one where nothing is)
K       processes of each quantity; K q columns, those of the first process first
t, y    a quantity as its processes see it, and in its unit with its sign
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from orchestrator.campaign.terms import Aim, Limit
from orchestrator.optimizer.kernels import Array
from orchestrator.optimizer.mixture import Mixture, moments
from orchestrator.optimizer.situation import Situation

Belief = tuple[Array, Array]
Look = Callable[[Array], Mapping[str, Belief]]
"""Gives means and standard deviations of t of every quantity, (m, columns) each, at inputs (m, d)."""


@dataclass(frozen=True)
class Quantity:
    """What a model is of: `sign` is -1 where less is better; `low` and `high` are its limits as signed values."""

    name: str
    unit: str
    sign: float
    low: float
    high: float

    @classmethod
    def of(cls, aim: Aim | None, limit: Limit | None) -> Quantity:
        """An objective, a limited quantity, or both."""
        told = aim or limit
        assert told is not None
        sign = aim.sign if aim else 1.0
        ends = sorted((sign * limit.low, sign * limit.high)) if limit else [-np.inf, np.inf]
        return cls(told.quantity, told.unit, sign, ends[0], ends[1])

    @property
    def limited(self) -> bool:
        return self.low > -np.inf or self.high < np.inf


@dataclass(frozen=True)
class Outlook(Situation):
    """`beliefs` of every quantity while something is pending, and the inputs of the `films` that they know of, (k, d);
    `weights` are of the trade-off that is sought, and `best` is the incumbent of one objective beside limits."""

    beliefs: Mapping[str, Mixture] = field(default_factory=dict)
    films: Array = field(default_factory=lambda: np.empty((0, 0)))
    weights: tuple[float, ...] = ()
    best: Array | None = None

    @property
    def fantasies(self) -> int:
        return int(self.belief.parts[0].alpha.shape[1])

    def predicted(self, X: Array) -> dict[str, Belief]:
        """A `Look` at all columns."""
        return {name: belief.predict(X) for name, belief in self.beliefs.items()}

    def in_fantasy(self, f: int) -> Look:
        """At the columns of one fantasy: of every process one."""

        def look(X: Array) -> dict[str, Belief]:
            return {name: (_columns(mean, f, self), _columns(sigma, f, self)) for name, (mean, sigma) in
                    self.predicted(X).items()}  # fmt: skip

        return look

    def as_one(self, X: Array) -> dict[str, Belief]:
        """At one normal distribution in place of all columns."""
        told = {name: moments(mean, sigma) for name, (mean, sigma) in self.predicted(X).items()}
        return {name: (mean[:, None], sigma[:, None]) for name, (mean, sigma) in told.items()}

    @property
    def incumbent(self) -> Array:
        """With one objective: the largest posterior mean of a film that keeps the limits, (c,)."""
        assert self.best is not None
        return self.best


def _columns(values: Array, f: int, outlook: Outlook) -> Array:
    """Of all columns (m, K q) those of fantasy `f`, (m, K)."""
    found: Array = values[:, f :: outlook.fantasies]
    return found
