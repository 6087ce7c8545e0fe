"""A campaign that is only looked at: what its journal tells, and nothing that could be commanded."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Self

from orchestrator import rpc
from orchestrator.campaign.actions import SearchRequest
from orchestrator.campaign.commands import Request
from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.lifecycle import CommandRefused, LifecycleError
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState, fold, observations_for_model
from orchestrator.console.source import Deciding, Post, Source
from orchestrator.journal import Journal, JournalError
from orchestrator.service import budget

log = logging.getLogger(__name__)

LOOK_S = 1.0
"""Real seconds between looks whether the journal has grown."""
OVER = "the campaign is over: this page shows what became of it, and nothing can be commanded any more"


class Lookback:
    """In a daemon's place: decides nothing, and refuses every command with `why`."""

    decided_s = None

    def __init__(self, campaign: Campaign, lab: LabSpec, state: CampaignState, why: str = OVER) -> None:
        self._campaign, self.lab, self.state, self.why = campaign, lab, state, why

    @classmethod
    def of(cls, journal: Journal, why: str) -> Self:
        """Raises `JournalError` if the journal tells of no campaign, or cannot be read."""
        state = fold(journal.read())
        if state.started is None:
            raise JournalError("its daemon died before the campaign began: there is nothing to show")
        campaign, lab = state.started.campaign, state.started.lab
        return cls(Campaign.model_validate(campaign), LabSpec.model_validate(lab), state, OVER if state.ended else why)

    @property
    def campaign(self) -> Campaign:
        """With the budget that operators gave it last."""
        return budget.as_changed(self._campaign, self.state)

    def command(self, request: Request) -> Future[dict[str, Any]]:
        return self._refused()

    def act(self, request: SearchRequest) -> Future[dict[str, Any]]:
        return self._refused()

    def acknowledge(self, by: str, reason: str, key: str = "") -> Future[int]:
        return self._refused()

    def _refused(self) -> Future[Any]:
        reply: Future[Any] = Future()
        reply.set_exception(CommandRefused(self.why))
        return reply

    def look(self, journal: Journal) -> None:
        """Take what the journal has more by now.  Raises `JournalError` or `LifecycleError`."""
        new = list(journal.read(self.state.version))
        if not new:
            return
        state = self.state.copy()  # what others look at is never changed
        for recorded in new:
            state.apply(recorded)
        self.state = state
        if state.ended:
            self.why = OVER


def left(source: Source) -> Source:
    """What `source` becomes when its daemon has ended and its page stays."""
    daemon: Deciding = source.daemon
    past = Lookback(daemon.campaign, daemon.lab, daemon.state)
    return looking_at(past, source.journal, source.simulated, source.post)


def looking_at(past: Lookback, journal: Journal, simulated: bool, post: Post | None = None) -> Source:
    """`past` as the console's source."""
    return Source(
        past,
        journal,
        clock=None,
        simulated=simulated,
        heard=lambda: dict.fromkeys(past.lab.instruments),
        chart=Modelling(past).chart,
        read_only=lambda: past.why,
        post=post,
    )


@contextmanager
def followed(past: Lookback, journal: Journal) -> Iterator[None]:
    """Meanwhile, on a thread, `past` takes what is written to `journal` by whoever does."""
    over = threading.Event()

    def follow() -> None:
        while not over.wait(LOOK_S):
            try:
                past.look(journal)
            except (JournalError, LifecycleError) as error:  # what was shown stays
                log.warning("the page is not kept up to date: %s", error)

    thread = threading.Thread(target=follow, name="follow", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Modelling:
    """The optimizer's model of what a campaign has observed, made here when it is first asked for."""

    def __init__(self, past: Lookback) -> None:
        self._past = past
        self._observed: list[dict[str, Any]] | None = None
        self._optimizer: Any = None

    def chart(self, candidates: list[dict[str, Any]], pending: list[dict[str, Any]], number: int) -> dict[str, Any]:
        """As `OptimizerService.chart`: what the model expects of `candidates`; empty without a model.

        Raises `rpc.RpcError`, as an optimizer in another process would.
        """
        from orchestrator.optimizer.making import make_optimizer  # scikit-learn: nobody else waits for it

        state, campaign = self._past.state, self._past.campaign
        observations = observations_for_model(state)
        try:
            if self._observed != observations:
                self._optimizer = make_optimizer(campaign, observations)
                self._observed = observations
            chart = self._optimizer.chart(candidates, pending, number)
        except (ValueError, ArithmeticError) as error:
            raise rpc.RpcError(f"no model of it can be made ({error})") from error
        return {} if chart is None else dict(chart.as_dict())
