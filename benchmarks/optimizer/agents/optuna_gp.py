"""Optuna's GPSampler, which knows no pools: what it suggests is snapped to the nearest row not yet asked for.

It is told the row that was measured, at that row's inputs; rows under way are its running trials.
"""

import numpy as np
import optuna
import wire
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial


class Optuna(wire.Agent):
    def __init__(self, *given: object, **options: object) -> None:
        super().__init__(*given, **options)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.GPSampler(seed=self.seed, n_startup_trials=self.needs)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._space = {f"x{i}": FloatDistribution(0.0, 1.0) for i in range(self.pool.X.shape[1])}
        self._running: dict[int, optuna.Trial] = {}

    def tell(self, row: int, value: float | None) -> None:
        super().tell(row, value)
        running = self._running.pop(row, None)
        if running is not None:
            self._study.tell(running, state=TrialState.FAIL)
        if value is not None:
            at = dict(zip(self._space, self.pool.unit[row].tolist(), strict=True))
            self._study.add_trial(create_trial(params=at, distributions=self._space, value=value))

    def choose(self, pending: list[int]) -> int:
        trial = self._study.ask(self._space)
        point = np.array([trial.params[name] for name in self._space])
        row = self.best_free(-((self.pool.unit - point) ** 2).sum(axis=1), pending)
        self._running[row] = trial
        return row


if __name__ == "__main__":
    wire.serve(Optuna)
