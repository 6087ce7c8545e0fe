"""PHYSBO: its policy on a pool, inputs centred as its manual has them.

Option `score`: "EI" or "TS"; `basis`: random features (0: the exact Gaussian process); `learn_every`: rows told
between two learnings of the hyper-parameters (by default 1: whenever asked, as in its interactive use).
Pending rows are not asked for again and otherwise ignored.
"""

import numpy as np
import physbo
import wire


class Physbo(wire.Agent):
    def __init__(
        self, *given: object, score: str = "EI", basis: int = 0, learn_every: int = 1, **options: object
    ) -> None:
        super().__init__(*given, **options)
        self._score, self._basis, self._learn_every = score, basis, learn_every
        self._policy = physbo.search.discrete.Policy(test_X=physbo.misc.centering(self.pool.X))
        self._policy.set_seed(self.seed)
        self._learned = 0

    def tell(self, row: int, value: float | None) -> None:
        super().tell(row, value)
        if value is not None:
            self._policy.write(np.array([row]), np.array([value]))

    def choose(self, pending: list[int]) -> int:
        due = not self._learned or len(self.rows) >= self._learned + self._learn_every
        self._learned = len(self.rows) if due else self._learned
        self._policy.actions = np.flatnonzero(self.free(pending))
        chosen = self._policy.bayes_search(
            max_num_probes=1,
            simulator=None,
            score=self._score,
            num_rand_basis=self._basis,
            interval=0 if due else -1,
            is_disp=False,
        )
        return int(chosen[0])


if __name__ == "__main__":
    wire.serve(Physbo)
