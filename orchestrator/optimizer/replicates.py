"""Whether to measure again what has been measured, rather than something new.

What is reported in the end is the measured candidate of the largest posterior mean, so a measurement is worth by how
much it raises that mean: the knowledge gradient (see `knowledge`) with the measured candidates for rows.  A new
candidate raises it by turning out better; repeating a measured one by telling which of the good ones really is.  Both
are of the same kind and in the same unit, and the larger decides.  Without noise a repeat is worth nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from orchestrator.optimizer.kernels import Array
from orchestrator.optimizer.knowledge import log_knowledge_gradient
from orchestrator.optimizer.mixture import Mixture, moments

BEST = 32  # measured candidates, by posterior mean: the others are not worth a repeat


def leading(belief: Mixture, measured: Array) -> NDArray[np.intp]:
    """Which of `measured` (k, d) could be repeated, best first, (at most `BEST`,)."""
    mean, _ = moments(*belief.predict(measured))
    return np.argsort(-mean, kind="stable")[:BEST]


def gains(belief: Mixture, leaders: Array, new: Array) -> Array:
    """Logarithms of what measuring each of `leaders` (k, d) once more, and then each of `new` (m, d), raises the best
    mean by, (k + m,)."""
    return log_knowledge_gradient(belief, np.concatenate([leaders, new]), leaders, of_measured=True)
