"""What the server sees of the daemon: read on any thread, and never in the deciding thread's way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from drivers.clock import Clock
from orchestrator.campaign.actions import SearchRequest
from orchestrator.campaign.commands import Request
from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState
from orchestrator.console.maps import Chart
from orchestrator.console.shapes import Live, LiveStation, Reading
from orchestrator.journal import Journal
from orchestrator.service.alerts.courier import label
from orchestrator.service.home import Routes


@dataclass(frozen=True)
class Post:
    """Where it is written what became of each alert, and what the channels are called that are told at once, and when
    nobody acknowledges.  Their URLs, which hold passwords, are not known here."""

    outbox: Path
    channels: tuple[str, ...] = ()
    escalation: tuple[str, ...] = ()

    @classmethod
    def of(cls, outbox: Path, routes: Routes) -> Self:
        names = [label(number, url) for number, url in enumerate([*routes.channels, *routes.escalation], 1)]
        first = len(routes.channels)
        return cls(outbox, tuple(names[:first]), tuple(names[first:]))


class Heard(Protocol):
    """What a station's worker said of itself, and when by the monotonic clock."""

    @property
    def at(self) -> float: ...

    @property
    def status(self) -> Mapping[str, Any]: ...


class Deciding(Protocol):
    """A daemon.  `state` is never changed once it can be seen here: a new one takes its place.  `decided_s` is None
    for one that decides nothing."""

    @property
    def campaign(self) -> Campaign: ...

    @property
    def lab(self) -> LabSpec: ...

    @property
    def state(self) -> CampaignState: ...

    @property
    def decided_s(self) -> float | None: ...

    def command(self, request: Request) -> Future[dict[str, Any]]: ...

    def act(self, request: SearchRequest) -> Future[dict[str, Any]]: ...

    def acknowledge(self, by: str, reason: str, key: str = "") -> Future[int]: ...


@dataclass(frozen=True)
class Source:
    """A daemon and what is known of its lab.

    `journal` is a connection of the console's own.  `heard` tells what each station's worker said last, and `chart`
    asks the optimizer for a picture (it may block, and raise `rpc.RpcError`).  Without a `clock` lab time stands still.
    `read_only` says why nothing can be commanded; "": it can.  `post` is None where nothing is known of alerts.
    """

    daemon: Deciding
    journal: Journal
    clock: Clock | None
    simulated: bool
    heard: Callable[[], Mapping[str, Heard | None]]
    chart: Chart
    read_only: Callable[[], str] = lambda: ""
    post: Post | None = None

    @property
    def state(self) -> CampaignState:
        return self.daemon.state

    def now(self) -> float:
        """Lab time, as the daemon would say it."""
        time = self.daemon.state.time
        return time if self.clock is None else max(time, self.clock.now())


def live(source: Source) -> Live:
    """Clocks, liveness and readings, now."""
    return Live(
        server_time=time.time(),
        lab_time=source.now(),
        rate=0.0 if source.clock is None else 1 / source.clock.real_s(1.0),
        decided_s=source.daemon.decided_s,
        stations={name: _station(heard, source.daemon.lab, name) for name, heard in source.heard().items()},
    )


def _station(heard: Heard | None, lab: LabSpec, name: str) -> LiveStation:
    told: Mapping[str, Any] = heard.status if heard is not None else {}
    progress = told.get("progress") or {}
    return LiveStation(
        heard_s=None if heard is None else time.monotonic() - heard.at,
        state=told.get("state"),
        fraction=progress.get("fraction"),
        text=progress.get("text") or "",
        waiting_on=told.get("waiting_on") or "",
        hold_reason=told.get("hold_reason"),
        abort_reason=told.get("abort_reason"),
        troubles=[*told.get("faults", ()), *told.get("blocked", ())],
        devices=_by_device(told.get("readings") or {}, lab.instruments[name].devices),
    )


def _by_device(readings: Mapping[str, Mapping[str, Any]], devices: Iterable[str]) -> dict[str, dict[str, Reading]]:
    """A signal's name begins with its device's."""
    found: dict[str, dict[str, Reading]] = {}
    for device in devices:
        prefix = f"{device}_"
        for name, told in readings.items():
            if name.startswith(prefix):
                reading = Reading(value=told["value"], unit=told["unit"])
                found.setdefault(device, {})[name.removeprefix(prefix)] = reading
    return found
