"""One search of a pool by one agent: what was asked for, what it was told, when the first good one came."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.optimizer.pools import Pool
from benchmarks.optimizer.process import AgentFailed, Took

MOST_GOOD = 0.5  # of the good rows may be in a region where nothing can be measured


@dataclass(frozen=True)
class Mode:
    """How measuring goes wrong.

    `noise`: every measurement is off by a draw of its row's repeat deviation.  `failures`: the share of
    measurements that yield nothing.  `pending`: results still outstanding whenever a row is asked for.  `region`: the
    share of rows, all close together, of which no measurement yields anything.
    """

    noise: bool = False
    failures: float = 0.0
    pending: int = 0
    region: float = 0.0

    @property
    def label(self) -> str:
        parts = ["noise"] * self.noise + [f"failures {self.failures:g}"] * (self.failures > 0)
        parts += [f"region {self.region:g}"] * (self.region > 0)
        return ", ".join([*parts, f"pending {self.pending}"] if self.pending else parts) or "plain"


@dataclass(frozen=True)
class Plan:
    """What all agents have in common; `first` shared random rows are part of the `budget`.

    A row is good if it is among the `best` of its pool; by default, among the best 1 %.
    """

    budget: int = 60
    first: int = 5
    mode: Mode = Mode()
    best: int | None = None


@dataclass(frozen=True)
class Outcome:
    """`experiments` to the first good row, None where there was none (or `error` says what went wrong).

    `rows` are those asked for, in order; `decisions` the seconds of each row that the agent chose.
    """

    experiments: int | None
    rows: tuple[int, ...]
    decisions: tuple[Took, ...]
    error: str | None = None


class Conversation(Protocol):
    """The verbs of `process.AgentProcess`."""

    def tell(self, row: int, value: float | None) -> Took: ...

    def ask(self, pending: list[int]) -> tuple[int, Took]: ...


class Measurements:
    """What experiments show.  The same row measured for the same time shows every agent the same."""

    def __init__(self, pool: Pool, seed: int, mode: Mode) -> None:
        self._pool, self._seed, self._mode = pool, seed, mode
        self._failing = failing_rows(pool, seed, mode.region)
        self._times: dict[int, int] = {}
        self.measured: set[int] = set()

    def __call__(self, row: int) -> float | None:
        """The value of `row`, or None: the measurement failed."""
        time = self._times[row] = self._times.get(row, 0) + 1
        rng = np.random.default_rng([self._seed, 2, row, time])
        failed, deviation = rng.random() < self._mode.failures, rng.standard_normal()
        if failed or self._failing[row]:
            return None
        self.measured.add(row)
        return float(self._pool.y[row] + self._mode.noise * deviation * self._pool.sigma[row])


def failing_rows(pool: Pool, seed: int, share: float) -> NDArray[np.bool_]:
    """Which rows (m,) can never be measured: `share` of them, those nearest to one drawn at random, of which most good
    rows are none."""
    rng, failing = np.random.default_rng([seed, 3]), np.zeros(len(pool.y), dtype=bool)
    span = np.ptp(pool.X, axis=0)
    unit = pool.X / np.where(span > 0, span, 1.0)
    while share > 0 and not failing.any():
        away = ((unit - unit[rng.integers(len(unit))]) ** 2).sum(axis=1)
        failing[np.argsort(away, kind="stable")[: math.ceil(share * len(away))]] = True
        if failing[pool.good].mean() >= MOST_GOOD:
            failing[:] = False
    return failing


def first_rows(pool: Pool, seed: int, count: int) -> list[int]:
    """The random rows that every agent begins with."""
    rows: list[int] = np.random.default_rng(seed).choice(len(pool.y), count, replace=False).tolist()
    return rows


def search(agent: Conversation, pool: Pool, seed: int, plan: Plan, *, own_start: bool = False) -> Outcome:
    """Until a measurement of a good row succeeds, or the budget is spent.  Results come in the order asked for.

    An agent that fails, or asks again for what it has been told without noise to average, ends its search.
    """
    good = pool.good if plan.best is None else pool.best(plan.best)
    measure, mode = Measurements(pool, seed, plan.mode), plan.mode
    rows: list[int] = []
    decisions: list[Took] = []
    pending: deque[int] = deque()
    first = [] if own_start else first_rows(pool, seed, min(plan.first, plan.budget))
    told = Took()
    try:
        while len(rows) < plan.budget:
            if len(rows) < len(first):
                row = first[len(rows)]
            else:
                row, took = agent.ask(list(pending))
                decisions.append(told + took)
                told = Took()
                _check(row, pool, pending, set() if mode.noise else measure.measured)
            rows.append(row)
            pending.append(row)
            outstanding = 0 if len(rows) <= len(first) or len(rows) == plan.budget else mode.pending
            while len(pending) > outstanding:
                done = pending.popleft()
                value = measure(done)
                if value is not None and good[done]:
                    return Outcome(len(rows) - len(pending), tuple(rows), tuple(decisions))
                told += agent.tell(done, value)
    except AgentFailed as error:
        return Outcome(None, tuple(rows), tuple(decisions), str(error))
    return Outcome(None, tuple(rows), tuple(decisions))


def _check(row: int, pool: Pool, pending: Collection[int], measured: Collection[int]) -> None:
    if not 0 <= row < len(pool.y):
        raise AgentFailed(f"there is no row {row}")
    if row in pending or row in measured:
        raise AgentFailed(f"row {row} was asked for twice")


def inputs_file(pool: Pool, folder: Path) -> Path:
    """The pool's inputs where agents can load them; written once."""
    path = folder / f"{pool.digest}.npy"
    if not path.exists():
        np.save(path, pool.X)
    return path
