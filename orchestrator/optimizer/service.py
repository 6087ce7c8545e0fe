"""The optimizer as a process of its own: ``python -m orchestrator.optimizer.service``.

Reads one JSON line ``{"token": ...}`` (and optionally ``"campaign": {...}``) on standard input, prints one JSON
line ``{"uri": ...}``, and serves the object `OptimizerService` until standard input ends.

The service keeps no memory that matters: it is what it was told since `configure`.  Whoever calls it says how
many observations it should know, and gets `StaleModel` when it knows another number (it was restarted, or
a call was lost half-way); then `reset` and `observe_all` bring it up to date.
"""

from __future__ import annotations

import os

if __name__ == "__main__":
    # One thread for linear algebra, said before numpy is first imported: the matrices are small, so a second
    # thread gains little here and takes a core away from the station workers that pace the instruments.
    for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
        os.environ[_variable] = "1"

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator import rpc
from orchestrator.campaign.spec import Campaign
from orchestrator.optimizer.hierarchical import HierarchicalOptimizer
from orchestrator.optimizer.making import make_optimizer
from orchestrator.optimizer.optimizer import Optimizer
from orchestrator.optimizer.several import Several

NAME = "optimizer"


class NotConfigured(RuntimeError):
    """Asked before `configure`: send the campaign first."""


class StaleModel(RuntimeError):
    """The service knows another number of observations than the caller: `reset`, then `observe_all`."""


class OptimizerService:
    """The optimizer's verbs for callers in other processes; everything is plain JSON values.

    Calls are carried out one at a time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._campaign: Campaign | None = None
        self._optimizer: Optimizer | None = None

    def configure(self, campaign: Mapping[str, Any]) -> int:
        """Start afresh for `campaign` (a Campaign as a dict).  Returns the number of observations known: 0."""
        with self._lock:
            self._campaign = Campaign.model_validate(campaign)
            self._optimizer = make_optimizer(self._campaign)
            return 0

    def reset(self) -> int:
        """Forget all observations.  Returns 0."""
        with self._lock:
            if self._campaign is None:
                raise NotConfigured("no campaign yet: call configure first")
            self._optimizer = make_optimizer(self._campaign)
            return 0

    def observe(self, observation: Mapping[str, Any], expected_count: int) -> int:
        """Learn one observation, the one after `expected_count` others.  Returns the number known now."""
        with self._lock:
            optimizer = self._up_to_date(expected_count)
            optimizer.observe(observation)
            return optimizer.observed

    def observe_all(self, observations: Sequence[Mapping[str, Any]]) -> int:
        """Learn `observations` in their order after a `reset`.  Returns the number known now."""
        with self._lock:
            optimizer = self._up_to_date(0)
            for observation in observations:
                optimizer.observe(observation)
            return optimizer.observed

    def suggest(
        self,
        pending: Sequence[Mapping[str, Any]],
        number: int,
        observed: int,
        vetoed: Sequence[Mapping[str, Any]] = (),
        withheld: Sequence[Mapping[str, Any]] = (),
    ) -> dict[str, Any]:
        """Suggestion `number` of the campaign, given the `observed` observations so far, as a dict.

        `pending`, `vetoed` and `withheld` are candidates, each with its "composition" (fractions) and "settings".
        """
        with self._lock:
            return self._up_to_date(observed).suggest(pending, number, vetoed, withheld).as_dict()

    def suggest_calculation(
        self,
        prices: Mapping[str, float],
        pending: Mapping[str, Sequence[Mapping[str, Any]]],
        number: int,
        observed: int,
    ) -> dict[str, Any]:
        """Calculation `number` of the campaign, at one of the virtual stations of `prices`, as a dict; empty if none is
        worth its price until more is known.  `pending` are being calculated, by station."""
        with self._lock:
            optimizer = self._up_to_date(observed)
            if not isinstance(optimizer, HierarchicalOptimizer):
                return {}
            found = optimizer.suggest_calculation(prices, pending, number)
            return {} if found is None else found.as_dict()

    def weigh(self, weights: Mapping[str, float]) -> None:
        """From now on the objectives that are named count so much against the others, until `configure` or `reset`."""
        with self._lock:
            if not isinstance(self._optimizer, Several):
                raise NotConfigured("no campaign of several objectives yet: call configure first")
            self._optimizer.weigh(weights)

    def diagnose(self, observed: int) -> dict[str, Any]:
        """How far the model of the `observed` observations can be trusted: a `Diagnosis` as a dict."""
        with self._lock:
            return self._up_to_date(observed).diagnose().as_dict()

    def prospects(self, improvement: float, observed: int) -> dict[str, Any]:
        """What could still be gained after the `observed` observations: `Prospects` as a dict, empty without a model.

        `improvement`, in the objective's unit, is what counts as one."""
        with self._lock:
            found = self._up_to_date(observed).prospects(improvement)
            return {} if found is None else found.as_dict()

    def chart(
        self, candidates: Sequence[Mapping[str, Any]], pending: Sequence[Mapping[str, Any]], number: int
    ) -> dict[str, Any]:
        """What the model expects of `candidates` by the observations it knows: a `Chart` as a dict, empty without a
        model.  It says how many they are: nobody brings the model up to date for a picture."""
        with self._lock:
            chart = None if self._optimizer is None else self._optimizer.chart(candidates, pending, number)
            return {} if chart is None else chart.as_dict()

    def alive(self) -> bool:
        """True, at once, whatever else is being computed."""
        return True

    def known(self) -> int:
        """How many observations the service knows."""
        with self._lock:
            return 0 if self._optimizer is None else self._optimizer.observed

    def _up_to_date(self, count: int) -> Optimizer:
        if self._optimizer is None:
            raise NotConfigured("no campaign yet: call configure first")
        if self._optimizer.observed != count:
            raise StaleModel(
                f"the optimizer knows {self._optimizer.observed} observations, the caller {count}: "
                "reset it and send them all"
            )
        return self._optimizer


def main() -> None:
    """Serve until standard input ends."""
    config = rpc.read_config()
    service = OptimizerService()
    if "campaign" in config:
        service.configure(config["campaign"])
    with rpc.serve({NAME: service}, config["token"]) as server:
        rpc.announce(server)
        rpc.await_orphaned()


if __name__ == "__main__":
    main()
