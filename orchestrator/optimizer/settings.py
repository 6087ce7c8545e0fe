"""What the optimizer is told of how to choose."""

from __future__ import annotations

from typing import Protocol


class Settings(Protocol):
    """How to choose; [optimizer] of a campaign file is one."""

    @property
    def method(self) -> str:
        """ "gp", or "random" for rows drawn at random."""

    @property
    def initial_samples(self) -> int:
        """Space-filling samples before the model decides, those observed before the campaign included."""

    @property
    def acquisition(self) -> str:
        """A key of `ACQUISITIONS`."""

    @property
    def exploration(self) -> str:
        """One of `exploration.SCHEDULES`, for "ucb"."""

    @property
    def exploration_weight(self) -> float:
        """Standard deviations that "ucb" is above the mean, to begin with."""

    @property
    def feasibility(self) -> str:
        """ "learned", or "off": failures say nothing of other candidates."""

    @property
    def replicate(self) -> str:
        """ "when_exhausted", or "by_value": also where it tells more than anything new."""
