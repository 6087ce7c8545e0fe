"""What comes to the daemon's deciding thread, one after the other."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.campaign.actions import SearchRequest
from orchestrator.campaign.commands import Request

Answer = dict[str, Any]
"""A station's final word on a step: "state", "outcome", "error", "run_uids", "marks", and "evidence" if the step
was cut off by a death."""


@dataclass(frozen=True)
class StepCame:
    """A station's final word on a step."""

    step: str
    answer: Answer


@dataclass(frozen=True)
class SuggestionCame:
    number: int
    suggestion: dict[str, Any]


@dataclass(frozen=True)
class CommandCame:
    """`reply` has what its giver is told (`orchestrator.campaign.commands.answer`, or `search.answer`), or
    `CommandRefused`."""

    request: Request | SearchRequest
    reply: Future[dict[str, Any]]


@dataclass(frozen=True)
class AlertsSeen:
    """Somebody acknowledges what was alerted; `reply` has the version of its entry."""

    by: str
    reason: str
    key: str
    reply: Future[int]


@dataclass(frozen=True)
class StationTurned:
    """A station's worker is ``lost``, is ``back`` (a new one, safe), or is ``given up`` after too many deaths."""

    station: str
    turn: Literal["lost", "back", "given up"]
    reason: str


@dataclass(frozen=True)
class OptimizerTurned:
    """The same of the optimizer, which the night can do without."""

    turn: Literal["lost", "back", "given up"]
    reason: str


@dataclass(frozen=True)
class CalculationCame:
    """What to calculate next, or None: nothing is worth it until more is known.  `known` is what the choice took into
    account (`orchestrator.service.calculating.Known`)."""

    suggestion: dict[str, Any] | None
    known: Any


Happening = StepCame | SuggestionCame | CalculationCame | CommandCame | AlertsSeen | StationTurned | OptimizerTurned
