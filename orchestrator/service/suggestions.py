"""What the daemon asks of the optimizer, whether it is a process or an object beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from orchestrator.service.happenings import OptimizerTurned

OnAnswer = Callable[[int, dict[str, Any]], None]
"""Takes the number of a suggestion and the suggestion; may be called on any thread."""


@dataclass(frozen=True)
class Question:
    """What a suggestion is decided by, besides the campaign and its seed.

    `pending`, `made`, `vetoed` and `withheld` are candidates: what was asked for, composition and settings.  What is
    `vetoed` is not wanted; what is `withheld` came to nothing so often that it is not to be suggested again.
    `weights` are those of the objectives that operators gave others.
    """

    number: int
    observations: list[dict[str, Any]]
    pending: list[dict[str, Any]]
    made: list[dict[str, Any]]
    vetoed: list[dict[str, Any]] = field(default_factory=list)
    withheld: list[dict[str, Any]] = field(default_factory=list)
    weights: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class CalculationQuestion:
    """What is to be calculated as number `number`, by one of the virtual stations of `prices`; `pending` are candidates
    that are being calculated, by station."""

    number: int
    observations: list[dict[str, Any]]
    prices: dict[str, float]
    pending: dict[str, list[dict[str, Any]]]


class Suggestions(Protocol):
    """Whoever suggests compositions.  There is always an answer, if need be a space-filling one."""

    def watch(self, on_turn: Callable[[OptimizerTurned], None]) -> None:
        """From now on keep the optimizer alive; `on_turn` may be called on any thread."""

    def ask(self, question: Question, on_answer: OnAnswer) -> None:
        """Return at once; the answer follows in `on_answer`."""

    def ask_calculation(
        self, question: CalculationQuestion, on_answer: Callable[[dict[str, Any] | None], None]
    ) -> None:
        """Return at once; the answer, None for nothing, follows in `on_answer`."""
