"""Carry one sample from a place to another; bring the arm out of every station's way.

The robot picks with the mark ``pick``, and places with the mark ``place``, each before the act.  A transfer that
was cut off with the sample in the gripper is gone on with from the place ``gripper``.
"""

from __future__ import annotations

import math
from typing import Any

from bluesky.utils import Msg

from drivers.clock import Clock
from drivers.roles import Mover, Place, TransferStation
from protocols.gates import NotHeld, Plan, ProtocolError, in_run, take_event

PARK = "park"
"""A place, if the lab file names one, where the arm is out of every station's way."""
GRIPPER = "gripper"
"""What a sample's place is called when the robot has picked it and not placed it."""
AT_PLACE_MM = 20.0
"""Horizontally, how near the arm is to a place that it is in, or on its way into or out of."""


def transfer(station: TransferStation, clock: Clock, *, source: str, destination: str) -> Plan:
    """Pick the sample at `source`, place it at `destination`.  Outcome: moved, holding, at (last place).

    `source` may be the gripper, which then holds the sample already.  A failure leaves the gripper as it is: what
    it holds, it keeps.
    """
    carry = Carry(station, source, destination)
    yield Msg("record", None, carry.outcome())
    yield Msg("refresh", None, station.mover)
    yield from in_run(carry.sample())
    return carry.outcome()


def retire(station: TransferStation, clock: Clock) -> Plan:
    """With an empty gripper, leave whatever place the arm is in, and then the stations.  Outcome: retired."""
    mover = station.mover
    yield Msg("record", None, {"retired": False})
    yield Msg("refresh", None, mover)

    def body() -> Plan:
        if mover.holding.get():
            raise NotHeld(f"{mover.name} holds a part; find out which, and take it out of the gripper")
        yield Msg("apply", None, (mover.gripper, "open"))
        yield from rise(mover, station.places)
        yield from leave_stations(mover, station.places)
        yield from take_event([mover])

    yield from in_run(body())
    return {"retired": True}


def rise(mover: Mover, places: dict[str, Place]) -> Plan:
    """Straight up out of the place that the arm is in, if it is in one; its readings are fresh."""
    x, y, z, *angles = mover.pose.get()
    for place in places.values():
        top = place.pose[2] + place.approach_mm
        if math.dist((x, y), place.pose[:2]) <= AT_PLACE_MM and place.pose[2] - AT_PLACE_MM <= z < top:
            yield Msg("apply", None, (mover.pose, (x, y, top, *angles)))
            return


def leave_stations(mover: Mover, places: dict[str, Place]) -> Plan:
    """To the park place, or above the cassette."""
    if PARK in places:
        yield Msg("apply", None, (mover.pose, places[PARK].pose))
        return
    slot = next((place for name, place in places.items() if name.startswith("cassette/")), None)
    if slot is not None:
        yield Msg("apply", None, (mover.pose, above(slot)))


def above(place: Place) -> tuple[float, ...]:
    """The pose from which the arm comes down to `place`."""
    x, y, z, *angles = place.pose
    return (x, y, z + place.approach_mm, *angles)


class Carry:
    """One transfer."""

    def __init__(self, station: TransferStation, source: str, destination: str) -> None:
        self.mover = station.mover
        self.places = station.places
        self.source = source
        self.destination = self._place(destination)
        if source != GRIPPER:
            self._place(source)
        if source == destination:
            raise ProtocolError(f"{source} is both source and destination")
        self.at = ""
        self.moved = False
        self.picked = source == GRIPPER
        self.gripping: bool | None = None

    def _place(self, name: str) -> Place:
        try:
            return self.places[name]
        except KeyError:
            raise ProtocolError(f"no place is called {name!r}; the lab has {', '.join(self.places)}") from None

    def sample(self) -> Plan:
        if self.source == GRIPPER:
            yield from self._go_on()
        else:
            yield from self._pick(self.places[self.source])
        yield from self._put()
        yield from self._retire()
        yield from take_event([self.mover])

    def _go_on(self) -> Plan:
        """The sample is in the gripper already, wherever the arm stopped."""
        if not (yield from self._holding()):
            raise NotHeld(f"{self.mover.name} should hold the sample, and holds nothing; look for it")
        yield from rise(self.mover, self.places)

    def _pick(self, source: Place) -> Plan:
        if self.mover.holding.get():
            raise NotHeld(
                f"{self.mover.name} already holds a part; find out which, take it out of the gripper and try again"
            )
        yield Msg("mark", None, "pick", place=source.name)
        yield from self._open()
        yield from self._approach(source)
        yield Msg("apply", None, (self.mover.pose, source.pose))
        yield Msg("apply", None, (self.mover.gripper, "closed"))
        if not (yield from self._holding()):
            yield from self._open()
            yield from self._approach(source)
            raise NotHeld(f"{self.mover.name} gripped nothing at {source.name}; is there a sample, seated flat?")
        self.picked = True
        yield Msg("record", None, self.outcome(), synced=True)
        yield from self._approach(source)
        if not (yield from self._holding()):
            raise NotHeld(f"{self.mover.name} lost the sample while lifting it off {source.name}")

    def _put(self) -> Plan:
        yield from self._approach(self.destination)
        if not (yield from self._holding()):
            raise NotHeld(f"{self.mover.name} lost the sample between {self.source} and {self.destination.name}")
        yield Msg("mark", None, "place", place=self.destination.name, pose=list(self.destination.pose))
        yield Msg("apply", None, (self.mover.pose, self.destination.pose))
        yield from self._open()
        self.moved = not (yield from self._holding())
        yield Msg("record", None, self.outcome(), synced=True)
        if not self.moved:
            raise NotHeld(f"{self.mover.name} still holds the sample at {self.destination.name}; is it stuck?")
        yield from self._approach(self.destination)

    def _retire(self) -> Plan:
        """Leave the stations free."""
        if PARK in self.places or not self.destination.name.startswith("cassette/"):
            yield from leave_stations(self.mover, self.places)

    def _approach(self, place: Place) -> Plan:
        yield Msg("apply", None, (self.mover.pose, above(place)))
        self.at = place.name
        passed = yield Msg("gate", None, 0.0, None, f"{self.source} to {self.destination.name}")
        if passed.verdict == "hold":
            yield Msg("held")

    def _open(self) -> Plan:
        yield Msg("apply", None, (self.mover.gripper, "open"))

    def _holding(self) -> Plan:
        yield Msg("refresh", None, self.mover)
        self.gripping = bool(self.mover.holding.get())
        yield Msg("record", None, self.outcome())
        return self.gripping

    def outcome(self) -> dict[str, Any]:
        """JSON-able.  `holding`: picked and not placed; `gripping`: what the gripper's sensor said last."""
        return {
            "moved": self.moved,
            "holding": self.picked and not self.moved,
            "gripping": self.gripping,
            "source": self.source,
            "destination": self.destination.name,
            "at": self.at,
        }
