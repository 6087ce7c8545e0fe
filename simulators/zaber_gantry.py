"""Three Zaber axes on one controller, with a gripper at its digital output, as seen from the wire.

Source: instruments.md 7.1 (Zaber's public ASCII protocol as zaber.serial speaks it).  Ids are echoed, and a reply
has a checksum if its command had one.
"""

from __future__ import annotations

import math
from typing import Protocol

from drivers.wire import zaber
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument


class Arm(Protocol):
    """The part of the world that the gripper is in."""

    @property
    def holding(self) -> bool: ...

    def now(self) -> float: ...

    def move_to(self, pose: tuple[float, ...]) -> None: ...

    def grip(self, closed: bool) -> None: ...


MICROSTEP_MM = 4.9609375e-4
SPEED_MM_S = 60.0
REACH_MM = (600.0, 600.0, 400.0)
ORIGIN_MM = (-300.0, -300.0, 0.0)
AXES = 3
ANGLES = (180.0, 0.0, 0.0)


class Axis:
    """One axis, in microsteps: a straight line in time from where it was to where it is sent."""

    def __init__(self, most: int, home: int) -> None:
        self.most = most
        self.here = self.target = home
        self.begun = 0.0
        self.homed = True
        self.warning = ""
        self.stalls = False

    def send(self, target: int, now: float) -> None:
        self.here, self.target, self.begun = self.at(now), target, now

    def at(self, now: float) -> int:
        way = self.target - self.here
        travelled = round(SPEED_MM_S / MICROSTEP_MM * max(0.0, now - self.begun))
        return self.target if travelled >= abs(way) else self.here + int(math.copysign(travelled, way))

    def ends(self) -> float:
        return self.begun + abs(self.target - self.here) * MICROSTEP_MM / SPEED_MM_S

    def halt(self, now: float) -> None:
        self.here = self.target = self.at(now)
        self.begun = now


class ZaberGantry(SimulatedInstrument):
    """`stall` lets an axis get stuck half-way at its next motion; `displace` moves one by hand.

    The angles are those of the gripper, as it is mounted, and `origin_*_mm` where the zero of each axis is.
    """

    framing = staticmethod(zaber.FRAME)

    def __init__(
        self,
        arm: Arm,
        *,
        origin_x_mm: float = ORIGIN_MM[0],
        origin_y_mm: float = ORIGIN_MM[1],
        origin_z_mm: float = ORIGIN_MM[2],
        alpha: float = ANGLES[0],
        beta: float = ANGLES[1],
        gamma: float = ANGLES[2],
    ) -> None:
        super().__init__()
        self.arm = arm
        self._origin = (origin_x_mm, origin_y_mm, origin_z_mm)
        self._angles = (alpha, beta, gamma)
        homes = (0.5, 0.5, 1.0)
        self.axes = [
            Axis(round(reach / MICROSTEP_MM), round(part * reach / MICROSTEP_MM))
            for reach, part in zip(REACH_MM, homes, strict=True)
        ]
        self._outputs = dict.fromkeys((1, 2, 3, 4), False)
        self._maxspeed = 200000
        self._arrived = True

    def stall(self, axis: int) -> None:
        self.axes[axis - 1].stalls = True

    def lose_reference(self) -> None:
        """As after power has failed."""
        for axis in self.axes:
            axis.homed, axis.warning = False, "WR"

    def pose(self) -> tuple[float, ...]:
        now = self.arm.now()
        where = [axis.at(now) * MICROSTEP_MM for axis in self.axes]
        return (*(zero + mm for zero, mm in zip(self._origin, where, strict=True)), *self._angles)

    def due(self) -> float | None:
        """When the motion ends: it is silent then, but the gripper has arrived."""
        return None if self._arrived else max(axis.ends() for axis in self.axes)

    def speak(self) -> bytes:
        self._look()
        return b""

    def answer(self, message: bytes) -> bytes:
        if not message.startswith(b"/"):
            return b""
        try:
            command, sealed = zaber.parse_command(message)
        except Malformed:
            return b""  # also what has a bad checksum
        if command.device not in (0, 1):
            return b""
        self._look()
        accepted, words = self._obey(command)
        self._look()
        now = self.arm.now()
        chosen = self.axes if command.axis == 0 else self.axes[command.axis - 1 : command.axis]
        busy = any(axis.at(now) != axis.target for axis in chosen)
        warning = next((axis.warning for axis in chosen if axis.warning), "")
        told = zaber.Reply(1, command.axis, command.id, accepted, busy, warning, words)
        return zaber.reply(told, seal=sealed)

    def _look(self) -> None:
        """Stop what stalls, and let the gripper arrive when the last axis has."""
        now = self.arm.now()
        for axis in self.axes:
            halfway = axis.here + (axis.target - axis.here) // 2
            if axis.stalls and axis.target != axis.here and abs(axis.at(now) - axis.here) >= abs(halfway - axis.here):
                axis.halt(now)
                axis.warning, axis.stalls = "FS", False
        if not self._arrived and all(axis.at(now) == axis.target for axis in self.axes):
            self._arrived = True
            self.arm.move_to(self.pose())

    def _obey(self, command: zaber.Command) -> tuple[bool, str]:
        if command.axis > AXES:
            return False, "BADAXIS"
        chosen = self.axes if command.axis == 0 else [self.axes[command.axis - 1]]
        words = command.words.split()
        now = self.arm.now()
        match words:
            case []:
                return True, "0"
            case ["get", name]:
                return self._get(name, chosen)
            case ["set", "maxspeed", value] if value.isdigit():
                self._maxspeed = int(value)
                return True, "0"
            case ["home"]:
                for axis in chosen:
                    axis.homed, axis.warning = True, ""
                    self._send(axis, 0, now)
                return True, "0"
            case ["move", "abs" | "rel" as way, value] if value.lstrip("-").isdigit():
                return self._move(chosen, way, int(value), now)
            case ["stop"] | ["estop"]:
                for axis in chosen:
                    axis.halt(now)
                return True, "0"
            case ["warnings"]:
                flags = [axis.warning for axis in chosen if axis.warning]
                return True, " ".join([f"{len(flags):02d}", *flags])
            case ["warnings", "clear"]:
                for axis in chosen:
                    axis.warning = "" if axis.homed else "WR"
                return True, "0"
            case ["io", *rest]:
                return self._io(rest)
        return False, "BADCOMMAND"

    def _get(self, name: str, chosen: list[Axis]) -> tuple[bool, str]:
        now = self.arm.now()
        match name:
            case "pos":
                return True, " ".join(str(axis.at(now)) for axis in chosen)
            case "limit.max":
                return True, " ".join(str(axis.most) for axis in chosen)
            case "maxspeed":
                return True, " ".join(str(self._maxspeed) for _ in chosen)
            case "system.serial":
                return True, "52317"
            case "system.axiscount":
                return True, str(AXES)
            case "device.id" | "deviceid":
                return True, "30342"
            case "version":
                return True, "7.25"
        return False, "BADCOMMAND"

    def _move(self, chosen: list[Axis], way: str, value: int, now: float) -> tuple[bool, str]:
        for axis in chosen:
            target = value + (axis.at(now) if way == "rel" else 0)
            if not axis.homed:
                return False, "NOREF"
            if not 0 <= target <= axis.most:
                return False, "BADDATA"
            axis.warning = ""
            self._send(axis, target, now)
        return True, "0"

    def _send(self, axis: Axis, target: int, now: float) -> None:
        axis.send(target, now)
        self._arrived = False

    def _io(self, words: list[str]) -> tuple[bool, str]:
        match words:
            case ["get", "do", channel] if channel in ("1", "2", "3", "4"):
                return True, str(int(self._outputs[int(channel)]))
            case ["get", "di", channel] if channel in ("1", "2", "3", "4"):
                return True, str(int(channel == "1" and self.arm.holding))
            case ["set", "do", channel, value] if channel in ("1", "2", "3", "4") and value in ("0", "1"):
                self._outputs[int(channel)] = value == "1"
                if channel == "1":
                    self.arm.grip(value == "1")
                return True, "0"
        return False, "BADDATA"
