"""The optimizer alone, for a Bluesky user without a campaign: suggest and ingest, as Blop asks for them.

`PlainOptimizer` has the form of the protocols `Optimizer`, `CanRegisterSuggestions` and `TrialFaultAware` in
`blop.protocols` of Blop 1.2.0, and needs nothing of Blop.  A point is a mapping from the name of each degree of freedom
to its value; ``"_id"`` tells which suggestion it is.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal

from orchestrator.campaign.spec import OptimizerSettings
from orchestrator.optimizer.candidates import lattice
from orchestrator.optimizer.dofs import DOF, Dofs
from orchestrator.optimizer.optimizer import Optimizer
from orchestrator.optimizer.suggestion import Candidate

ID = "_id"
SIGMA = "_sigma"
"""Follows the objective's name where a point tells the standard deviation of its value."""

Point = Mapping[str, Any]


class PlainOptimizer:
    """Chooses values of `dofs` that make `objective` large, or small if `direction` is "min".

    Suggestions that are neither ingested nor registered as failures are pending, and count when the next are chosen:
    so do the first points of a batch for its others.  The same calls with the same `seed` give the same points.

    >>> from orchestrator.optimizer.dofs import Number
    >>> optimizer = PlainOptimizer([Number("x", 0, 1, step=0.25)], "y", initial_samples=2)
    >>> points = optimizer.suggest(3)
    >>> optimizer.ingest([{"_id": point["_id"], "y": -((point["x"] - 0.5) ** 2)} for point in points])
    >>> optimizer.get_best_points()[0][1]
    {'x': 0.5}
    """

    def __init__(
        self,
        dofs: Sequence[DOF],
        objective: str,
        *,
        direction: Literal["max", "min"] = "max",
        at_most: int | None = None,
        initial_samples: int = 6,
        acquisition: Literal["log_ei", "log_nei", "pi", "ucb", "thompson", "knowledge_gradient"] = "log_ei",
        seed: int = 0,
    ) -> None:
        """At most `at_most` fractions differ from 0; `initial_samples` fill the space before the model decides.

        Raises `ValueError` for degrees of freedom that are none, or an objective named like one of them.
        """
        self._dofs = Dofs(dofs, at_most)
        reserved = {ID, objective, objective + SIGMA}
        if clash := sorted(reserved.intersection(self._dofs.names)):
            raise ValueError(f"{', '.join(clash)}: a degree of freedom needs a name that says nothing else")
        if direction not in ("max", "min"):
            raise ValueError(f'direction is "max" or "min", not {direction!r}')
        chosen = OptimizerSettings(initial_samples=initial_samples, acquisition=acquisition)
        self._optimizer = Optimizer(lattice(self._dofs.space, chosen.max_pool), chosen, seed, direction)
        self._objective, self._sign = objective, 1.0 if direction == "max" else -1.0
        self._asked: dict[Hashable, Candidate] = {}  # everything that has an id
        self._pending: dict[Hashable, Candidate] = {}
        self._best: tuple[Any, Point, Point] | None = None
        self._given = self._told = 0

    def suggest(self, num_points: int | None = None) -> list[dict[str, Any]]:
        """`num_points` points (1 if None), each with an ``"_id"`` of its own.  Raises `ValueError` for less than 1."""
        count = 1 if num_points is None else num_points
        if count < 1:
            raise ValueError(f"num_points is at least 1, not {count}")
        return [self._suggest() for _ in range(count)]

    def ingest(self, points: Sequence[Point]) -> None:
        """Learn the objective of `points`, and its standard deviation if they tell it as ``OBJECTIVE_sigma``.

        Without the degrees of freedom a point is the suggestion that its ``"_id"`` names; with all of them it is where
        they say, suggested or not.  Raises `ValueError` before any is learnt if one cannot be.
        """
        for seen in [self._observation(point) for point in points]:
            self._learn(*seen)

    def get_best_points(self) -> list[tuple[Any, Point, Point]]:
        """The best value so far: id (None for a point of no suggestion), degrees of freedom, objective.  Empty while
        there is none."""
        return [] if self._best is None else [self._best]

    def register_suggestions(self, suggestions: Sequence[Point]) -> list[dict[str, Any]]:
        """`suggestions` of somebody else, with an ``"_id"`` each; pending from now on.  Raises `ValueError`."""
        return [self._registered(candidate) for candidate in [self._dofs.candidate(point) for point in suggestions]]

    def register_failures(self, suggestions: Sequence[Point]) -> None:
        """`suggestions` came to nothing: they are no longer pending, and are not suggested again.  Raises `ValueError`
        for an ``"_id"`` that is none."""
        for key in [self._known(suggestion) for suggestion in suggestions]:
            self._observe(key, self._asked[key], {"validity": "failed"})

    def _suggest(self) -> dict[str, Any]:
        chosen = self._optimizer.suggest(list(self._pending.values()), number=self._given)
        return self._registered(chosen.candidate)

    def _registered(self, candidate: Candidate) -> dict[str, Any]:
        key, self._given = self._given, self._given + 1
        self._asked[key] = self._pending[key] = candidate
        return {**self._dofs.point(candidate), ID: key}

    def _known(self, point: Point) -> Hashable:
        key: Hashable = point.get(ID)
        if key not in self._asked:
            raise ValueError(f"{ID} = {key!r} names no suggestion: give the one that came with it")
        return key

    def _observation(self, point: Point) -> tuple[Hashable, Candidate, float, float | None]:
        """Raises `ValueError`."""
        told = any(name in point for name in self._dofs.names)
        made = self._dofs.candidate(point) if told else self._asked[self._known(point)]
        self._dofs.space.round_to_lattice(made.at_percent(), made.settings)  # refuses what has no place in it
        value, sigma = point.get(self._objective), point.get(self._objective + SIGMA)
        if value is None or not math.isfinite(value):
            wrong = f"{self._objective} is a finite number, not {value!r}"
            raise ValueError(f"{wrong}: for a measurement without a value there is register_failures")
        if sigma is not None and not 0 <= sigma < math.inf:
            raise ValueError(f"{self._objective}{SIGMA} is a number of at least 0, not {sigma!r}")
        return point.get(ID), made, float(value), None if sigma is None else float(sigma)

    def _learn(self, key: Hashable, made: Candidate, value: float, sigma: float | None) -> None:
        self._observe(key, made, {"value": value, "sigma": sigma})
        best = None if self._best is None else self._best[2][self._objective]
        if best is None or self._sign * value > self._sign * best:
            self._best = key, self._dofs.point(made), {self._objective: value}

    def _observe(self, key: Hashable, made: Candidate, seen: Mapping[str, Any]) -> None:
        self._told += 1
        where = {"composition": made.composition, "settings": made.settings, "asked": self._asked.get(key)}
        self._optimizer.observe({"sample": self._told, **where, **seen})
        self._pending.pop(key, None)
