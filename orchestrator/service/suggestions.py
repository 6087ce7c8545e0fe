"""The daemon's side of the optimizer: a process that may die or dawdle without stopping the night."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator import rpc
from orchestrator.campaign.spec import Campaign
from orchestrator.optimizer import fallback
from orchestrator.service.children import Child, ChildError

log = logging.getLogger(__name__)

START_S = 60.0


@dataclass(frozen=True)
class Question:
    """What a suggestion is decided by, besides the campaign and its seed."""

    number: int
    observations: list[dict[str, Any]]
    pending: list[dict[str, float]]
    made: list[dict[str, float]]


class Suggestions:
    """Asks the optimizer on a thread of its own; the answer comes in `on_answer(number, suggestion)`.

    If the optimizer cannot be reached, fails, or takes longer than `timeout_s` real seconds, the suggestion
    is a space-filling one (``method: "fallback"``) and carries the reason, and the night goes on.
    """

    def __init__(
        self,
        campaign: Campaign,
        folder: Path,
        token: str,
        on_answer: Callable[[int, dict[str, Any]], None],
        timeout_s: float = 30.0,
    ) -> None:
        self._campaign = campaign
        self._token = token
        self._on_answer = on_answer
        self._timeout_s = timeout_s
        self._child = Child("optimizer", ["orchestrator.optimizer.service"], folder / "optimizer.log")
        self._child.tell({"token": token})
        self._optimizer: Any = None

    def connect(self) -> None:
        """Wait until the optimizer can be reached, and tell it the campaign.  Raises `ChildError`."""
        uri = self._child.hear(START_S)["uri"]
        self._optimizer = rpc.connect(uri, self._token, timeout_s=self._timeout_s)
        self._optimizer.configure(self._campaign.model_dump(mode="json"))

    @property
    def pid(self) -> int:
        return self._child.pid

    def ask(self, question: Question) -> None:
        """Return at once; the answer follows."""
        threading.Thread(target=self._answer, args=(question,), name="suggest", daemon=True).start()

    def close(self) -> None:
        """End the optimizer; idempotent."""
        if self._optimizer is not None:
            self._optimizer.close()
        self._child.close()

    def _answer(self, question: Question) -> None:
        began = time.monotonic()
        try:
            suggestion = self._suggest(question)
        except (rpc.RpcError, ChildError) as error:
            log.exception("the optimizer failed; suggestion %d is a space-filling one", question.number)
            suggestion = fallback(self._campaign, question.made, question.pending, question.number).as_dict()
            suggestion["hyperparameters"] = {"reason": str(error)}
            suggestion["seconds"] = time.monotonic() - began
        self._on_answer(question.number, suggestion)

    def _suggest(self, question: Question) -> dict[str, Any]:
        """Bring the optimizer up to date, and ask.  One that forgot is told everything again."""
        known = self._optimizer.known()
        if known > len(question.observations):
            known = self._optimizer.reset()
        for observation in question.observations[known:]:
            known = self._optimizer.observe(observation, known)
        return dict(self._optimizer.suggest(question.pending, question.number, known))
