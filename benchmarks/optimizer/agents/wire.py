"""An agent's end of the conversation: JSON lines on stdin and stdout, the pool's inputs in a .npy file.

    {"begin": {"pool": {"file": "x.npy", "features": ["Fe", ...], "composition": ["Fe", ...]},
               "seed": 3, "budget": 60, "options": {}}}
    {"tell": [17, 0.42]}        row 17 was measured; null instead of a value: the measurement failed
    {"ask": [17, 3]}            the next row to measure, while rows 17 and 3 are under way
    {"peak": null}              the most memory this process has had so far

Every line is answered by one line with the seconds that it took, `wall` and `cpu`, and `row` or `peak_bytes`;
or by {"error": "..."}.  Values are larger the better, whatever the pool's own direction.  An agent's process
serves one search after another.  Whatever else the agent's libraries print goes to stderr.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import time
import traceback
from functools import cached_property
from typing import Any

import numpy as np


class Pool:
    """`X` (m, d): the inputs of every experiment that can be asked for, as the lab gives them."""

    def __init__(self, file: str, features: list[str], composition: list[str]) -> None:
        self.file, self.features, self.composition = file, features, composition
        self.X = np.load(file)

    def __len__(self) -> int:
        return len(self.X)

    @cached_property
    def unit(self) -> np.ndarray:
        """`X` with each input on [0, 1]."""
        span = np.ptp(self.X, axis=0)
        return (self.X - self.X.min(axis=0)) / np.where(span > 0, span, 1.0)


class Agent:
    """One search.  Subclasses choose; what was told is kept here."""

    needs = 2
    """Values that `choose` cannot do without; until then rows are drawn at random."""

    def __init__(self, pool: Pool, seed: int, budget: int, **options: Any) -> None:
        self.pool, self.seed, self.budget, self.options = pool, seed, budget, options
        self.rng = np.random.default_rng([seed, 1])
        self.rows: list[int] = []  # measured, in order, and their values
        self.values: list[float] = []
        self.failed: list[int] = []

    @classmethod
    def pool_of(cls, pool: Pool) -> Pool:
        """`pool` with whatever is worth preparing once for many searches."""
        return pool

    def tell(self, row: int, value: float | None) -> None:
        if value is None:
            self.failed.append(row)
        else:
            self.rows.append(row)
            self.values.append(value)

    def ask(self, pending: list[int]) -> int:
        if len(self.values) < self.needs:
            return int(self.rng.choice(np.flatnonzero(self.free(pending))))
        return int(self.choose(pending))

    def choose(self, pending: list[int]) -> int:
        raise NotImplementedError

    def free(self, pending: list[int]) -> np.ndarray:
        """Which rows (m,) are neither measured nor failed nor pending."""
        free = np.ones(len(self.pool), dtype=bool)
        free[[*self.rows, *self.failed, *pending]] = False
        return free

    def best_free(self, scores: np.ndarray, pending: list[int]) -> int:
        """The free row of the largest score (m,); of equals one at random."""
        scores = np.where(self.free(pending), scores, -np.inf)
        return int(self.rng.choice(np.flatnonzero(scores == scores.max())))


def serve(agent: type[Agent]) -> None:
    """Answer until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    conversation = Conversation(agent)
    for line in sys.stdin:
        ((verb, given),) = json.loads(line).items()
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            said = getattr(conversation, verb)(given)
        except Exception:  # noqa: BLE001 - the border of the process: the runner is told, and decides
            said = {"error": traceback.format_exc(limit=-3)}
        took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        answers.write(json.dumps({**took, **said}) + "\n")


class Conversation:
    """The verbs of the lines; each returns what the answer says."""

    def __init__(self, agent: type[Agent]) -> None:
        self._kind = agent
        self._pool: Pool | None = None
        self._agent: Agent | None = None

    def begin(self, given: dict[str, Any]) -> dict[str, Any]:
        if self._pool is None or self._pool.file != given["pool"]["file"]:
            self._pool = self._kind.pool_of(Pool(**given["pool"]))
        random.seed(given["seed"])
        np.random.seed(given["seed"])  # some libraries draw from nowhere else
        self._agent = self._kind(self._pool, given["seed"], given["budget"], **given["options"])
        return {}

    def tell(self, given: list[Any]) -> dict[str, Any]:
        self._begun().tell(*given)
        return {}

    def ask(self, given: list[int]) -> dict[str, Any]:
        return {"row": int(self._begun().ask(given))}

    def peak(self, given: None) -> dict[str, Any]:
        return {"peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}

    def _begun(self) -> Agent:
        if self._agent is None:
            raise RuntimeError("no search has begun")
        return self._agent
