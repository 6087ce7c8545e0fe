"""What the optimizer is told of how to choose."""

from __future__ import annotations

from typing import Protocol


class HowToGrow(Protocol):
    """How compositions are grown as a tree; amounts are at.%."""

    @property
    def screen(self) -> float:
        """Of each element in the base, to screen it."""

    @property
    def kept(self) -> int:
        """Elements that go on after the screening."""

    @property
    def step(self) -> float:
        """What a composition differs from the one it grew from."""

    @property
    def exploration(self) -> float:
        """Of the range of the values, the weight of the unexplored."""

    def root(self, elements: tuple[str, ...]) -> str:
        """The element from which all grows."""


class Settings(Protocol):
    """How to choose; [optimizer] of a campaign file is one."""

    @property
    def method(self) -> str:
        """ "gp", "growing" (see `growing`), or "random" for rows drawn at random."""

    @property
    def growing(self) -> HowToGrow:
        """For the method "growing"."""

    @property
    def initial_samples(self) -> int:
        """Space-filling samples before the model decides, those observed before the campaign included."""

    @property
    def acquisition(self) -> str:
        """A key of `ACQUISITIONS`."""

    @property
    def trade_off(self) -> str:
        """ "weights", or "random" for other ones each time, for "scalarised"."""

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
