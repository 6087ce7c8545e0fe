"""Carry one sample from a place to another."""

from __future__ import annotations

from typing import Any

from bluesky.utils import Msg

from drivers.clock import Clock
from drivers.roles import Place, TransferStation
from protocols.gates import Plan, ProtocolError, in_run, take_event

PARK = "park"
"""A place, if the lab file names one, where the arm is out of every station's way."""


def transfer(station: TransferStation, clock: Clock, *, source: str, destination: str) -> Plan:
    """Pick the sample at `source`, place it at `destination`.  Outcome: moved, holding, at (last place).

    A failure leaves the gripper as it is: what it holds, it keeps.
    """
    carry = Carry(station, source, destination)
    yield Msg("record", None, carry.outcome())
    yield Msg("refresh", None, station.mover)
    yield from in_run(carry.sample())
    return carry.outcome()


class Carry:
    """One transfer."""

    def __init__(self, station: TransferStation, source: str, destination: str) -> None:
        self.mover = station.mover
        self.places = station.places
        self.source = self._place(source)
        self.destination = self._place(destination)
        if source == destination:
            raise ProtocolError(f"{source} is both source and destination")
        self.at = ""
        self.moved = self.picked = False

    def _place(self, name: str) -> Place:
        try:
            return self.places[name]
        except KeyError:
            raise ProtocolError(f"no place is called {name!r}; the lab has {', '.join(self.places)}") from None

    def sample(self) -> Plan:
        mover = self.mover
        if mover.holding.get():
            raise ProtocolError(
                f"{mover.name} already holds a part; find out which, take it out of the gripper and try again"
            )
        yield from self._pick()
        yield from self._put()
        yield from self._retire()
        yield from take_event([mover])

    def _pick(self) -> Plan:
        yield Msg("mark", None, "pick", place=self.source.name)
        yield from self._open()
        yield from self._approach(self.source)
        yield Msg("apply", None, (self.mover.pose, self.source.pose))
        yield Msg("apply", None, (self.mover.gripper, "closed"))
        if not (yield from self._holding()):
            yield from self._open()
            yield from self._approach(self.source)
            raise ProtocolError(
                f"{self.mover.name} gripped nothing at {self.source.name}; is there a sample, seated flat?"
            )
        self.picked = True
        yield Msg("record", None, self.outcome())
        yield from self._approach(self.source)
        if not (yield from self._holding()):
            raise ProtocolError(f"{self.mover.name} lost the sample while lifting it off {self.source.name}")

    def _put(self) -> Plan:
        yield from self._approach(self.destination)
        if not (yield from self._holding()):
            raise ProtocolError(
                f"{self.mover.name} lost the sample between {self.source.name} and {self.destination.name}"
            )
        yield Msg("mark", None, "place", place=self.destination.name)
        yield Msg("apply", None, (self.mover.pose, self.destination.pose))
        yield from self._open()
        self.moved = not (yield from self._holding())
        yield Msg("record", None, self.outcome())
        if not self.moved:
            raise ProtocolError(f"{self.mover.name} still holds the sample at {self.destination.name}; is it stuck?")
        yield from self._approach(self.destination)

    def _retire(self) -> Plan:
        """Leave the stations free: to the park place, or above the cassette."""
        if PARK in self.places:
            yield Msg("apply", None, (self.mover.pose, self.places[PARK].pose))
            return
        if self.destination.name.startswith("cassette/"):
            return
        slot = next((place for name, place in self.places.items() if name.startswith("cassette/")), None)
        if slot is not None:
            yield from self._approach(slot)

    def _approach(self, place: Place) -> Plan:
        x, y, z, *angles = place.pose
        yield Msg("apply", None, (self.mover.pose, (x, y, z + place.approach_mm, *angles)))
        self.at = place.name
        passed = yield Msg("gate", None, 0.0, None, f"{self.source.name} to {self.destination.name}")
        if passed.verdict == "hold":
            yield Msg("held")

    def _open(self) -> Plan:
        yield Msg("apply", None, (self.mover.gripper, "open"))

    def _holding(self) -> Plan:
        yield Msg("refresh", None, self.mover)
        return bool(self.mover.holding.get())

    def outcome(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "moved": self.moved,
            "holding": bool(self.picked and not self.moved),
            "source": self.source.name,
            "destination": self.destination.name,
            "at": self.at,
        }
