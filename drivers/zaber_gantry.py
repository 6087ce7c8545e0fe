"""Three Zaber axes and a gripper on the digital output of their controller: a mover that keeps its orientation.

Source: Zaber's public ASCII protocol, as zaber.serial 0.9.1 speaks it.  115200 8N1, or ``tcp://host:55550`` of an
X-MCC.  Unverified on hardware: the warning flags' meanings, and ``io set do`` and ``io get di`` for the gripper.

A move is answered at once and goes on by itself; an empty command tells whether it is over.  Upwards comes first,
then sideways, then down, so that nothing is dragged across what stands there.  A stalled or unreferenced axis is
never homed by this driver, but when an operator asks for it (`home`): what the gripper holds may be in the way.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Sequence
from typing import Any

from ophyd import Component as Cpt
from ophyd.status import DeviceStatus

from drivers.errors import Fault, Garbled, NoReply, Refused, SettingError, WrongInstrument
from drivers.link import Link, SerialLink, TcpLink, exchange, read_twice
from drivers.mover import Mover, MoverPose
from drivers.wire import zaber
from drivers.wire.errors import Malformed

LISTEN_S = 0.1
"""Lab seconds between looks at a motion."""
SAME_DEG = 0.01
LINEAR = (1, 2, 3)
WARNINGS = {
    "FD": "driver disabled",
    "FF": "driver fault",
    "FS": "stalled, and stopped",
    "FE": "limit switch error",
    "FZ": "encoder fault",
    "FQ": "encoder fault",
    "FO": "driver disabled for over-temperature or voltage",
    "WL": "unexpected limit switch",
    "WV": "supply voltage out of range",
    "WT": "controller too warm",
    "WM": "displaced while it stood still",
    "WR": "no reference position: home it",
    "WH": "not homed: home it",
    "NC": "moved by hand",
}
FATAL = {"FD", "FF", "FS", "FE", "FZ", "FQ", "FO", "WR", "WH", "WL"}


class ZaberGantry(Mover):
    """`device` is the controller's address; its axes 1, 2, 3 are x, y, z.  `microstep_um` is the size of a microstep of
    each (`microstep_x_um`...), `origin_x_mm`... where its zero is.  `alpha`, `beta`, `gamma` are the angles that the
    gripper always has.  `gripper_output` closes the gripper; `part_input` is 1 while it holds a part."""

    driver = "zaber-gantry"

    pose = Cpt(MoverPose, units="mm, deg", write="_write_pose", timeout_s=120.0, value=(math.nan,) * 6)

    def __init__(
        self,
        *args: Any,
        device: int = 1,
        microstep_x_um: float = 0.49609375,
        microstep_y_um: float = 0.49609375,
        microstep_z_um: float = 0.49609375,
        origin_x_mm: float = 0.0,
        origin_y_mm: float = 0.0,
        origin_z_mm: float = 0.0,
        alpha: float = 180.0,
        beta: float = 0.0,
        gamma: float = 0.0,
        gripper_output: int = 1,
        part_input: int = 1,
        grip_s: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._device = device
        self._microstep_mm = tuple(1e-3 * size for size in (microstep_x_um, microstep_y_um, microstep_z_um))
        self._origin_mm = (origin_x_mm, origin_y_mm, origin_z_mm)
        self._angles = (alpha, beta, gamma)
        self._output, self._input = gripper_output, part_input
        self._grip_s = grip_s
        self._id = 0

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        """A serial device (115200 8N1), or ``tcp://host:55550``."""
        if address.startswith("tcp://"):
            return TcpLink(address, timeout_s=timeout_s)
        return SerialLink(address, baudrate=115200, timeout_s=timeout_s)

    def home(self) -> DeviceStatus:
        """Reference every axis, the vertical one first, on an operator's word only."""
        return self.act(self._home, timeout_s=180.0)

    # --- on the port's thread -------------------------------------------------------------------------

    def identify(self) -> str:
        try:
            serial, kind = self._query("get system.serial").words, self._query("get device.id").words
            axes = int(self._query("get system.axiscount").words)
        except (Refused, ValueError) as error:
            raise WrongInstrument(f"{self.name}: {self.link.address} is no Zaber controller: {error}") from error
        except Garbled as error:
            raise WrongInstrument(f"{self.name}: {self.link.address} does not speak Zaber ASCII: {error}") from error
        if axes < len(LINEAR):
            raise WrongInstrument(f"{self.name}: device {self._device} has {axes} axes, a gantry needs {len(LINEAR)}")
        return f"Zaber device {kind}, serial number {serial}, {axes} axes"

    def refresh(self) -> None:
        replies = [self._query("get pos", axis) for axis in LINEAR]
        self._show(replies)
        held, closed = self._bit("di", self._input), self._bit("do", self._output)
        self.holding.update(int(held))
        self.gripper.update("closed" if closed else "open")

    def make_safe(self) -> None:
        """Stop every axis, and see that they stand.  The gripper keeps what it holds."""
        self._query("stop")
        self._await("a stop", None, 10.0)

    def _write_pose(self, pose: tuple[float, ...]) -> None:
        act = f"motion to {pose}"
        self.give_way(act)
        if any(abs(a - b) > SAME_DEG for a, b in zip(pose[3:], self._angles, strict=True)):
            raise SettingError(f"{self.name}: a gantry cannot turn to {pose[3:]}; its gripper is at {self._angles}")
        present = self._ready(act)
        rises = pose[2] >= present[2]
        for axes in ((3,), (1, 2)) if rises else ((1, 2), (3,)):
            self.give_way(act)
            for axis in axes:
                self._act(f"move abs {self._steps(axis, pose[axis - 1])}", axis)
            self._await(act, act, 60.0)
        self._arrived(pose, act)

    def _write_gripper(self, state: str) -> None:
        act = f"gripper {state}"
        self.give_way(act)
        wanted = state == "closed"
        self._act(f"io set do {self._output} {int(wanted)}")
        if self._bit("do", self._output) != wanted:
            raise Fault(f"{self.name}: output {self._output} of the gripper does not switch")
        self.clock.sleep(self._grip_s)
        self.gripper.update(state)
        self.holding.update(int(self._bit("di", self._input)))

    def _ready(self, act: str) -> tuple[float, ...]:
        """Where it is.  Raises `Fault` if it may not move."""
        replies = [self._query("get pos", axis) for axis in LINEAR]
        self._show(replies)
        bad = [f"axis {reply.axis}: {WARNINGS[reply.warning]}" for reply in replies if reply.warning in FATAL]
        if bad:
            raise Fault(f"{self.name}: {act}: {', '.join(bad)}; look at the axis, then home it")
        return tuple(self.pose.get()[:3])

    def _arrived(self, pose: tuple[float, ...], act: str) -> None:
        replies = [self._query("get pos", axis) for axis in LINEAR]
        self._show(replies)
        for axis, reply in zip(LINEAR, replies, strict=True):
            if int(reply.words) != self._steps(axis, pose[axis - 1]):
                what = WARNINGS.get(reply.warning, "no warning")
                raise Fault(f"{self.name}: {act}: axis {axis} stands at {self._mm(axis, reply):.3f} mm ({what})")

    def _await(self, what: str, act: str | None, lab_s: float) -> None:
        """Until no axis moves; raises `Fault` on a stall or a time-out."""
        deadline = time.monotonic() + self.clock.patience_s(lab_s)
        while True:
            reply = self._query("")
            if reply.warning in FATAL and act is not None:
                raise Fault(f"{self.name}: {what}: {WARNINGS[reply.warning]}; look at the axes")
            if not reply.busy:
                return
            if time.monotonic() > deadline:
                raise Fault(f"{self.name}: {what} does not end; look at the axes")
            if act is not None:
                self.give_way(act)
            self.clock.sleep(LISTEN_S)

    def _home(self) -> None:
        for axis in reversed(LINEAR):
            self._query("home", axis)
            self._await("homing", None, 60.0)
        self.refresh()

    def _show(self, replies: Sequence[zaber.Reply]) -> None:
        try:
            where = [self._mm(axis, reply) for axis, reply in zip(LINEAR, replies, strict=True)]
        except ValueError as error:
            raise Garbled(f"{self.name}: {error} in answer to get pos") from error
        self.pose.update((*where, *self._angles))
        words = [f"axis {reply.axis}: {WARNINGS[reply.warning]}" for reply in replies if reply.warning in WARNINGS]
        self.fault.update(", ".join(words))

    def _mm(self, axis: int, reply: zaber.Reply) -> float:
        return self._origin_mm[axis - 1] + int(reply.words) * self._microstep_mm[axis - 1]

    def _steps(self, axis: int, where_mm: float) -> int:
        return round((where_mm - self._origin_mm[axis - 1]) / self._microstep_mm[axis - 1])

    def _bit(self, kind: str, channel: int) -> bool:
        words = self._query(f"io get {kind} {channel}").words
        if words not in ("0", "1"):
            raise Garbled(f"{self.name}: {words!r} in answer to io get {kind} {channel}")
        return words == "1"

    def _act(self, words: str, axis: int = 0) -> None:
        """Whoever says it reads back what has become of it, so a lost answer is no failure."""
        with contextlib.suppress(NoReply, Garbled):
            self._ask(words, axis)

    def _query(self, words: str, axis: int = 0) -> zaber.Reply:
        return read_twice(lambda: self._ask(words, axis))

    def _ask(self, words: str, axis: int) -> zaber.Reply:
        self._id = self._id % 99 + 1
        line = zaber.command(self._device, axis, self._id, words)
        try:
            reply = zaber.parse_reply(exchange(self.link, line, zaber.FRAME))
        except Malformed as error:
            raise Garbled(f"{self.name}: {error} in answer to {line!r}") from error
        if (reply.device, reply.axis, reply.id) != (self._device, axis, self._id):
            raise Garbled(f"{self.name}: {reply} answers something else than {line!r}")
        if not reply.accepted:
            raise Refused(f"{self.name}: {words} refused: {reply.words}")
        return reply
