"""The surrogate with what judging it takes: its warping, and how far its fits can go."""

from __future__ import annotations

from orchestrator.optimizer import gp
from orchestrator.optimizer.surrogate import Surrogate


class AssessedSurrogate(Surrogate):
    """A `Surrogate` that is also asked how good it is."""

    @property
    def longest(self) -> tuple[float, ...]:
        """The largest lengthscale that a fit of each process can end at, in scaled inputs, (K,)."""
        return tuple(gp.LENGTHSCALE_SPAN * l0 for l0 in self._l0)
