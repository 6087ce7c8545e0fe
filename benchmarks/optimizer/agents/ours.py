"""Nightshift's optimizer on a pool given as a table.  Option `start`: the first rows are its own choice."""

from __future__ import annotations

import wire

from orchestrator.campaign.spec import OptimizerSettings
from orchestrator.optimizer.domain import Feature
from orchestrator.optimizer.finite import Table
from orchestrator.optimizer.optimizer import Optimizer
from orchestrator.optimizer.suggestion import Candidate, Observation


class Nightshift(wire.Agent):
    def __init__(self, *given: object, acquisition: str = "log_ei", start: int = 0, **options: object) -> None:
        super().__init__(*given, **options)
        fractions = set(self.pool.composition)
        features = [Feature(name, "fraction" if name in fractions else "number") for name in self.pool.features]
        settings = OptimizerSettings(acquisition=acquisition, initial_samples=max(start, 1))
        self._optimizer = Optimizer(Table(self.pool.X, features), settings, self.seed)

    def tell(self, row: int, value: float | None) -> None:
        super().tell(row, value)
        validity = "failed" if value is None else "valid"
        self._optimizer.observe(Observation(len(self.rows) + len(self.failed), value=value, validity=validity, row=row))

    def ask(self, pending: list[int]) -> int:
        return self._optimizer.suggest([Candidate(row=row) for row in pending]).row


if __name__ == "__main__":
    wire.serve(Nightshift)
