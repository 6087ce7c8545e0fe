"""Pools and agents without files and processes."""

from __future__ import annotations

import numpy as np

from benchmarks.optimizer.pools import Pool, PoolSpec
from benchmarks.optimizer.process import AgentFailed, Took


def a_pool(m: int = 200, sigma: float = 0.1) -> Pool:
    """One input; the last rows are the best."""
    X = np.linspace(0.0, 1.0, m)[:, None]
    return Pool(PoolSpec("slope", "slope.csv", "y", "max", ("x",)), X, X[:, 0] ** 2, np.full(m, sigma))


class Scripted:
    """Asks for the rows of a list, and remembers what it was told and what was pending."""

    def __init__(self, rows: list[int], fails_after: int | None = None) -> None:
        self._rows, self._fails_after = iter(rows), fails_after
        self.told: list[tuple[int, float | None]] = []
        self.pending: list[list[int]] = []

    def tell(self, row: int, value: float | None) -> Took:
        self.told.append((row, value))
        return Took(0.1, 0.01)

    def ask(self, pending: list[int]) -> tuple[int, Took]:
        if self._fails_after == len(self.pending):
            raise AgentFailed("scripted: singular matrix")
        self.pending.append(pending)
        return next(self._rows), Took(1.0, 0.5)
