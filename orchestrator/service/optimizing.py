"""The optimizer as a process of its own, which may die or dawdle without stopping the night."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator import rpc
from orchestrator.campaign.spec import Campaign
from orchestrator.optimizer import fallback
from orchestrator.service.children import Child
from orchestrator.service.happenings import OptimizerTurned
from orchestrator.service.suggestions import CalculationQuestion, OnAnswer, Question
from orchestrator.service.supervision import Restarts, Supervisor

log = logging.getLogger(__name__)

START_S = 60.0
CALL_S = 10.0
CHART_S = 30.0


class OptimizerProcess:
    """Asks the optimizer on a thread of its own: launched here, then `connect`, `watch`.

    If the optimizer is being started again, fails, or takes longer than `timeout_s` real seconds, the suggestion is a
    space-filling one (``method: "fallback"``) and carries the reason, and the night goes on.  One that was started
    again is told every observation anew.
    """

    def __init__(
        self, campaign: Campaign, folder: Path, token: str, timeout_s: float = 30.0, restarts: Restarts | None = None
    ) -> None:
        self._campaign = campaign
        self._token = token
        self._timeout_s = timeout_s
        self._told: list[dict[str, Any]] = []
        self._one_at_a_time = threading.Lock()  # bringing it up to date, and asking
        self._log = folder / "optimizer.log"
        self._process = Supervisor("the optimizer", self._launch, self._take_up, self._probe, restarts)

    def connect(self) -> None:
        """Wait until the optimizer can be reached, and tell it the campaign.  Raises `ChildError` or `RpcError`."""
        self._process.connect()

    def watch(self, on_turn: Callable[[OptimizerTurned], None]) -> None:
        self._process.watch(lambda turn, reason: on_turn(OptimizerTurned(turn, reason)))

    @property
    def pid(self) -> int:
        return self._process.child.pid

    def ask(self, question: Question, on_answer: OnAnswer) -> None:
        threading.Thread(target=self._answer, args=(question, on_answer), name="suggest", daemon=True).start()

    def ask_calculation(
        self, question: CalculationQuestion, on_answer: Callable[[dict[str, Any] | None], None]
    ) -> None:
        threading.Thread(
            target=self._answer_calculation, args=(question, on_answer), name="suggest calculation", daemon=True
        ).start()

    def _answer_calculation(
        self, question: CalculationQuestion, on_answer: Callable[[dict[str, Any] | None], None]
    ) -> None:
        try:
            with self._one_at_a_time:
                optimizer = self._process.remote.within(self._timeout_s)
                known = self._bring_up_to_date(optimizer, question.observations)
                told = (question.prices, question.pending, question.number, known)
                found = dict(optimizer.suggest_calculation(*told))
        except rpc.RpcError:
            log.warning("nothing is calculated: the optimizer cannot be asked", exc_info=True)
            found = {}
        on_answer(found or None)

    def chart(self, candidates: list[dict[str, Any]], pending: list[dict[str, Any]], number: int) -> dict[str, Any]:
        """What the model expects of `candidates`, for a picture: see `OptimizerService.chart`.  Blocks while the
        optimizer is at work.  Raises `rpc.RpcError`."""
        return dict(self._process.remote.within(CHART_S).chart(candidates, pending, number))

    def close(self) -> None:
        """End the optimizer; idempotent."""
        self._process.close()

    def _launch(self) -> Child:
        child = Child("the optimizer", ["orchestrator.optimizer.service"], self._log)
        child.tell({"token": self._token})
        return child

    def _take_up(self, child: Child) -> rpc.Remote:
        optimizer = rpc.connect(child.hear(START_S)["uri"], self._token, timeout_s=CALL_S)
        optimizer.configure(self._campaign.model_dump(mode="json"))
        return optimizer

    def _probe(self, optimizer: rpc.Remote) -> str:
        optimizer.alive()
        return ""

    def _answer(self, question: Question, on_answer: OnAnswer) -> None:
        began = time.monotonic()
        try:
            with self._one_at_a_time:
                suggestion = self._suggest(self._process.remote.within(self._timeout_s), question)
        except rpc.RpcError as error:
            log.warning("suggestion %d is a space-filling one", question.number, exc_info=True)
            suggestion = fallback(
                self._campaign, question.made, question.pending, question.number, question.vetoed
            ).as_dict()
            suggestion["hyperparameters"] = {"reason": str(error)}
            suggestion["seconds"] = time.monotonic() - began
        on_answer(question.number, suggestion)

    def _suggest(self, optimizer: rpc.Remote, question: Question) -> dict[str, Any]:
        """Bring the optimizer up to date, and ask.  One that forgot, or knows what was withdrawn since, is told
        everything again."""
        known = self._bring_up_to_date(optimizer, question.observations)
        if question.weights:
            optimizer.weigh(question.weights)
        told = (question.pending, question.number, known, question.vetoed, question.withheld)
        suggestion = dict(optimizer.suggest(*told))
        return {**suggestion, "assessment": self._assess(optimizer, known)}

    def _bring_up_to_date(self, optimizer: rpc.Remote, observations: list[dict[str, Any]]) -> int:
        """How many observations it knows then."""
        known: int = optimizer.known()
        if self._told[:known] != observations[:known]:
            known = optimizer.reset()
        self._told = list(observations)
        for observation in observations[known:]:
            known = optimizer.observe(observation, known)
        return known

    def _assess(self, optimizer: rpc.Remote, known: int) -> dict[str, Any] | None:
        """How far the model can be trusted; None if it does not say so, which is no reason to go without it."""
        try:
            stopping = self._campaign.stopping
            prospects = optimizer.prospects(stopping.improvement, known) if stopping.by_model else {}
            return {**optimizer.diagnose(known), **prospects}
        except rpc.RpcError:
            log.warning("the model after %d observations was not assessed", known, exc_info=True)
            return None
