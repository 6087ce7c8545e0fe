"""Telling stations what the operator wants, until they do it.

A call may be lost, or come before the step that it is about: what is wanted of a station follows from the
campaign's mode, and is said again until the station's state agrees.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from orchestrator import rpc
from orchestrator.campaign.lifecycle import Command, Mode
from orchestrator.service.stations import Station

log = logging.getLogger(__name__)

GOING_ON = ("running", "waiting")
ACTIVE = (*GOING_ON, "holding", "held")

OF_MODE = {
    Mode.HOLDING: Command.HOLD,
    Mode.HELD: Command.HOLD,
    Mode.RUNNING: Command.RESUME,
    Mode.STOPPING: Command.RESUME,  # a held station finishes its film, then stops
    Mode.ABORTING: Command.ABORT,
}


def wanted(mode: Mode, state: str) -> Command | None:
    """What to tell a station that carries out a step and is in `state`; None if that is as it should be."""
    match mode:
        case Mode.HOLDING | Mode.HELD if state in GOING_ON:
            return Command.HOLD
        case Mode.RUNNING | Mode.STOPPING if state in ("holding", "held"):
            return Command.RESUME
        case Mode.ABORTING if state in ACTIVE:
            return Command.ABORT
    return None


class Orders:
    """Speaks to `stations`; one that cannot be reached is spoken to again, or is replaced by a worker at rest."""

    def __init__(self, stations: Mapping[str, Station]) -> None:
        self._stations = stations
        self._reason = ""
        self._unheard: set[str] = set()

    def give(self, mode: Mode, reason: str, names: Iterable[str]) -> None:
        """Tell the stations `names` what a campaign that has just come to `mode` means for them."""
        self._reason = reason
        for name in names:
            if (order := OF_MODE.get(mode)) is not None:
                self._tell(name, order)

    def keep(self, mode: Mode, names: Iterable[str]) -> bool:
        """See that the stations `names`, which have steps under way, do what `mode` asks; whether all are held."""
        if mode in (Mode.RUNNING, Mode.STOPPING):
            names = self._unheard & set(names)
        all_held = True
        for name in names:
            try:
                state = self._stations[name].status()["state"]
            except rpc.RpcError:
                all_held = False
                continue
            all_held = all_held and state == "held"
            self._unheard.discard(name)
            if (order := wanted(mode, state)) is not None:
                self._tell(name, order)
        return all_held

    def _tell(self, name: str, order: Command) -> None:
        station = self._stations[name]
        try:
            match order:
                case Command.HOLD:
                    station.hold(self._reason)
                case Command.RESUME:
                    station.resume()
                case Command.ABORT:
                    station.abort(self._reason)
        except rpc.RpcError as error:
            log.warning("station %s did not take %s: %s", name, order, error)
            self._unheard.add(name)
