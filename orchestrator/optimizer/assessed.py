"""The surrogate with what judging it takes: its warping, and how far its fits can go."""

from __future__ import annotations

from orchestrator.optimizer import gp
from orchestrator.optimizer.surrogate import Floats, Surrogate


class AssessedSurrogate(Surrogate):
    """A `Surrogate` that is also asked how good it is."""

    @property
    def longest(self) -> tuple[float, ...]:
        """The largest lengthscale that a fit of each process can end at, in scaled inputs, (K,)."""
        return tuple(gp.LENGTHSCALE_SPAN * l0 for l0 in self._l0)

    def inward(self, y: Floats) -> Floats:
        """Warped targets of values of the objective (larger is better, its unit), any shape."""
        return self._warping.inward(y)

    def outward(self, t: Floats) -> Floats:
        """Values of the objective of warped targets, any shape."""
        return self._warping.outward(t)
