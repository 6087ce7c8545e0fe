"""The processes of a night: one worker for each station, those of the virtual stations that the campaign uses, and the
optimizer; launched together, ended together."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.spec import Campaign
from orchestrator.service.optimizing import OptimizerProcess
from orchestrator.service.spares import Spares
from orchestrator.service.workers import MODULE, WorkerStation

CALCULATOR = "orchestrator.virtual.worker"


class Crew:
    """Use it as a context.  Launching is in steps, so that all processes import at the same time: the constructor
    launches them, `await_started` waits for them, `connect` gives them addresses and clock."""

    def __init__(self, campaign: Campaign, lab: LabSpec, folder: Path) -> None:
        self._lab = lab
        token = secrets.token_hex(16)
        self._spares = Spares(MODULE, folder / "spare.log")
        self.stations = {name: WorkerStation(name, folder, token, self._spares) for name in lab.instruments}
        self._calculators = Spares(CALCULATOR, folder / "spare-calculator.log")
        self.calculators = {
            lane: WorkerStation(lane, folder, token, self._calculators, module=CALCULATOR)
            for lane in lab.lanes(campaign.virtual)
        }
        self.suggestions = OptimizerProcess(campaign, folder, token)
        self._started = False

    @property
    def _all(self) -> list[WorkerStation]:
        return [*self.stations.values(), *self.calculators.values()]

    def await_started(self) -> None:
        """Wait until every process has started; idempotent.  Raises `ChildError`."""
        if self._started:
            return
        for station in self._all:
            station.await_started()
        self.suggestions.connect()
        self._started = True

    def connect(self, addresses: dict[str, str], clock_spec: dict[str, Any] | None) -> None:
        """Let every station connect to its instruments (device name -> address) and make them safe.

        `clock_spec` is what the workers build our clock from; None for real time.  Raises `ChildError`, or
        `rpc.RpcError` if one dies while it starts.
        """
        lab = self._lab.model_dump(mode="json")
        for station in self._all:
            station.configure({"lab": lab, "addresses": addresses, "clock": clock_spec})
        for station in self._all:
            station.connect()
        self._spares.prepare()

    def close(self) -> None:
        """End every process; idempotent."""
        self._spares.close()
        self._calculators.close()
        for station in self._all:
            station.close()
        self.suggestions.close()

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
