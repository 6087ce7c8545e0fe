"""The default score of candidates: the logarithm of the expected improvement, as a value that says what it goes by.

A domain that only calls it scores every row.  One that has all its rows at hand may look inside and pass over those
that cannot win (see `screen`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
