"""The default score of candidates: the logarithm of the expected improvement, as a value that says what it goes by.

A domain that only calls it scores every row.  One that has all its rows at hand may look inside and pass over those
that cannot win (see `screen`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from orchestrator.optimizer.acquisition import log_expected_improvement
from orchestrator.optimizer.kernels import Array
from orchestrator.optimizer.mixture import Mixture


@dataclass(frozen=True)
class Improvement:
    """Over `best` (c,), an incumbent for each column of `belief`; `inputs` scales features as the processes take them,
    row by row."""

    belief: Mixture
    best: Array
    inputs: Callable[[Array], Array]

    def __call__(self, X: Array) -> Array:
        """Scores (m,) of features `X` (m, d)."""
        return self.of(*self.belief.predict(self.inputs(X)))

    def of(self, mean: Array, sigma: Array) -> Array:
        """Scores (m,) of posterior means and standard deviations (m, c).  Larger ones never score less."""
        return log_expected_improvement(mean, sigma, self.best)

    def bound(self, above: Array, log_sigma: Array) -> Array:
        """At least the logarithm of the expected improvement of one column, for means so many standard deviations
        `above` the incumbent, any shape.

        With z for `above`, phi(z) + z Phi(z) <= max(z, 0) + phi(z) / (1 + z^2), by the lower bound x / (1 + x^2) of
        Mills' ratio (Gordon, Ann. Math. Stat. 12, 364, 1941), and for z > 0 that is less than z + 0.4.
        """
        squares = np.square(above)
        log_h = -0.5 * squares
        log_h -= np.log1p(squares, out=squares)
        log_h -= _LOG_SQRT_2PI
        high = above > 0
        log_h[high] = np.log(above[high] + 0.4)
        log_h += log_sigma
        return log_h


_LOG_SQRT_2PI = 0.5 * np.log(2.0 * np.pi)
