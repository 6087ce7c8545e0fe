"""Nightshift's optimizer of several objectives on a pool given as a table; values are lists, larger the better."""

from __future__ import annotations

import wire

from orchestrator.campaign.spec import OptimizerSettings
from orchestrator.campaign.terms import Aim, Terms
from orchestrator.optimizer.domain import Feature
from orchestrator.optimizer.finite import Table
from orchestrator.optimizer.several import Several
from orchestrator.optimizer.suggestion import Candidate, Observation


class Nightshift(wire.Agent):
    def __init__(
        self,
        *given: object,
        reference: list[float],
        acquisition: str = "log_ei",
        trade_off: str = "weights",
        **options: object,
    ) -> None:
        super().__init__(*given, **options)
        fractions = set(self.pool.composition)
        features = [Feature(name, "fraction" if name in fractions else "number") for name in self.pool.features]
        settings = OptimizerSettings(acquisition=acquisition, trade_off=trade_off, initial_samples=1)
        aims = [Aim(f"objective {k}", "max", "1", reference=r) for k, r in enumerate(reference)]
        self._optimizer = Several(Table(self.pool.X, features), settings, self.seed, Terms(tuple(aims)))

    def tell(self, row: int, value: list[float]) -> None:
        super().tell(row, value)
        told = {f"objective {k}": {"validity": "valid", "value": y, "sigma": 0.0} for k, y in enumerate(value)}
        self._optimizer.observe(Observation(len(self.rows), value=value[0], row=row, outcomes=told))

    def ask(self, pending: list[int]) -> int:
        return self._optimizer.suggest([Candidate(row=row) for row in pending]).row


if __name__ == "__main__":
    wire.serve(Nightshift)
