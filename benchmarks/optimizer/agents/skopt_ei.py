"""scikit-optimize: its Gaussian process and its EI, scored over the pool (its Optimizer knows no pools).

Pending rows are not asked for again and otherwise ignored.
"""

import warnings

import wire
from skopt.acquisition import gaussian_ei
from skopt.space import Space
from skopt.utils import cook_estimator


class Skopt(wire.Agent):
    def choose(self, pending: list[int]) -> int:
        X = self.pool.unit
        space = Space([(0.0, 1.0)] * X.shape[1])
        model = cook_estimator("GP", space=space, random_state=int(self.rng.integers(2**31)), noise="gaussian")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X[self.rows], [-value for value in self.values])  # it minimises
            scores = gaussian_ei(X, model, y_opt=-max(self.values))
        return self.best_free(scores, pending)


if __name__ == "__main__":
    wire.serve(Skopt)
