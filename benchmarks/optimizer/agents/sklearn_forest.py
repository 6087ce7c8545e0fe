"""Expected improvement by scikit-learn's random forest: mean and spread are those of its trees.

Pending rows are not asked for again and otherwise ignored.
"""

import numpy as np
import wire
from improvement import expected_improvement
from sklearn.ensemble import RandomForestRegressor


class Forest(wire.Agent):
    def choose(self, pending: list[int]) -> int:
        X = self.pool.unit.astype(np.float32)  # what its trees work in
        model = RandomForestRegressor(random_state=int(self.rng.integers(2**31)))
        model.fit(X[self.rows], self.values)
        each = np.array([tree.predict(X) for tree in model.estimators_])
        return self.best_free(expected_improvement(each.mean(axis=0), each.std(axis=0), max(self.values)), pending)


if __name__ == "__main__":
    wire.serve(Forest)
