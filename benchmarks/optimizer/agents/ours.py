"""Nightshift's optimizer on a pool given as a table.  Option `start`: the first rows are its own choice.

Its Gaussian process takes any inputs; what a table needs beside it - the pool's scores, pending and failed rows
imagined, a space-filling start - is composed here of the optimizer's own parts.
"""

from __future__ import annotations

import numpy as np
import wire

from orchestrator.optimizer.acquisition import ACQUISITIONS
from orchestrator.optimizer.optimizer import FANTASIES, REPRESENTATIVES
from orchestrator.optimizer.start import CHOICES, REFERENCES, generator, uncovering
from orchestrator.optimizer.surrogate import Surrogate


class Nightshift(wire.Agent):
    def __init__(self, *given: object, acquisition: str = "log_ei", start: int = 0, **options: object) -> None:
        super().__init__(*given, **options)
        self._acquisition, self._start = ACQUISITIONS[acquisition], start
        self._model = Surrogate(self._some(np.random.default_rng(self.seed), REPRESENTATIVES))

    def tell(self, row: int, value: float | None) -> None:
        super().tell(row, value)
        if value is not None:
            self._model.add(self.pool.X[row], value, 0.0)

    def ask(self, pending: list[int]) -> int:
        asked = len(self.rows) + len(self.failed) + len(pending)
        rng = generator(self.seed, asked)
        if asked < self._start or not self._model.ready:
            return self._space_filling(pending, rng)
        return self._by_model(pending, rng)

    def _by_model(self, pending: list[int], rng: np.random.Generator) -> int:
        posterior = self._model.posterior()
        unknown = self._model.inputs(self.pool.X[[*pending, *self.failed]])
        imagined = self._model.given_pending(posterior, unknown, FANTASIES, rng)
        incumbent = imagined.predict(imagined.X)[0].max(axis=0)
        free = np.flatnonzero(self.free(pending))
        mean, sigma = imagined.predict(self._model.inputs(self.pool.X[free]))
        return int(free[np.argmax(self._acquisition(mean, sigma, incumbent))])

    def _space_filling(self, pending: list[int], rng: np.random.Generator) -> int:
        X, free = self.pool.unit, np.flatnonzero(self.free(pending))
        choices = free if len(free) <= CHOICES else rng.choice(free, CHOICES, replace=False)
        references = X[rng.choice(len(X), min(REFERENCES, len(X)), replace=False)]
        design = X[[*self.rows, *self.failed, *pending]]
        return int(choices[np.argmin(uncovering(references, X[choices], design))])

    def _some(self, rng: np.random.Generator, count: int) -> np.ndarray:
        X = self.pool.X
        return X if len(X) <= count else X[rng.choice(len(X), count, replace=False)]


if __name__ == "__main__":
    wire.serve(Nightshift)
