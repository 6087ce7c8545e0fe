"""What the optimizer believed at the end of a journal: the model is made anew from it, as the optimizer's own is.

Notation
--------
m       candidates, or films of one random search
w       worlds: functions that agree with everything observed, each as likely as another
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import observations_for_model
from orchestrator.optimizer.making import make_optimizer
from orchestrator.optimizer.optimizer import RandomFilms
from orchestrator.optimizer.suggestion import Candidate
from orchestrator.report.facts import Night

Floats = NDArray[np.float64]
SEED = 20240214
"""Of what is drawn at random for a report: the same journal gives the same page."""


class NoBelief(Exception):
    """There is no model; the message says why, as the end of a sentence."""


class Belief:
    """The posterior given every observation that holds, and the space that it is about.

    Raises `NoBelief` if there are too few values, or if the campaign is of a form that cannot be read any more.
    """

    def __init__(self, night: Night) -> None:
        try:
            self.campaign = Campaign.model_validate(dict(night.campaign))
            self._optimizer = make_optimizer(self.campaign, observations_for_model(night.state))
            ready = self._optimizer.forecast([]) is not None
        except (ValueError, ArithmeticError) as error:  # pydantic's errors are ValueErrors
            raise NoBelief(f"the model cannot be made from this journal ({_first_line(error)})") from error
        if not ready:
            raise NoBelief("there are fewer than two values")

    def at(self, candidates: Sequence[Candidate]) -> tuple[Floats, Floats]:
        """Mean and standard deviation (m,) of the objective, in its unit, at `candidates`."""
        told = self._optimizer.forecast(candidates)
        assert told is not None
        return told

    def drawn(self, count: int) -> list[Candidate]:
        """At most `count` different candidates of the space, drawn at random."""
        return self._optimizer.drawn(count, SEED)

    def random_films(self, films: int, worlds: int) -> RandomFilms:
        """What films at random candidates would be (w, m), beside those of the night."""
        told = self._optimizer.random_films(films, worlds, SEED)
        assert told is not None
        return told


def believed(night: Night) -> Belief | str:
    """The belief, or why there is none."""
    if not night.state.observations:
        return "nothing has been observed"
    try:
        return Belief(night)
    except NoBelief as reason:
        return str(reason)


def campaign_of(night: Night) -> Campaign | None:
    """The campaign, if it is of a form that can be read."""
    try:
        return Campaign.model_validate(dict(night.campaign))
    except ValueError:
        return None


def candidate(composition: Mapping[str, float], settings: Mapping[str, Any] | None = None) -> Candidate:
    """A composition (fractions) with settings, as the model takes it."""
    return Candidate(dict(composition), dict(settings or {}))


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
