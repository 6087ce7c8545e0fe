"""PHYSBO's policy for several objectives on a pool, inputs centred as its manual has them; values are lists.

Option `score`: "HVPI", its default, "EHVI" or "TS".  It finds a reference point by itself.
"""

import numpy as np
import physbo
import wire


class Physbo(wire.Agent):
    def __init__(self, *given: object, reference: list[float], score: str = "HVPI", **options: object) -> None:
        super().__init__(*given, **options)
        self._score = score
        self._policy = physbo.search.discrete_multi.Policy(
            test_X=physbo.misc.centering(self.pool.X), num_objectives=len(reference)
        )
        self._policy.set_seed(self.seed)

    def tell(self, row: int, value: list[float]) -> None:
        super().tell(row, value)
        self._policy.write(np.array([row]), np.array([value]))

    def choose(self, pending: list[int]) -> int:
        self._policy.actions = np.flatnonzero(self.free(pending))
        chosen = self._policy.bayes_search(
            max_num_probes=1, simulator=None, score=self._score, num_rand_basis=0, interval=0, is_disp=False
        )
        return int(np.ravel(chosen)[0])


if __name__ == "__main__":
    wire.serve(Physbo)
