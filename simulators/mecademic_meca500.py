"""A Meca500 as seen from its control port (TCP 10000), moving an arm.

Source: instruments.md 7.7; Meca500 programming manual 2.4 and 2.5; connect sequence and codes as read in
mecademicpy 3.0.3 (``mx_robot_def.py``, ``tests/robot_config/meca500_r3_v9.yml``).

Not modelled: joints (``MoveJoints`` and the joint readings), frames (``SetTrf``, ``SetWrf``), blending,
programs, the monitoring port.  A motion lasts as long as its distance at the velocities set.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Protocol

from drivers.wire import mecademic
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument
from simulators.motion import MotionQueue, Pose, Step


class Arm(Protocol):
    """The world's side: where the tool is, and what it grips."""

    @property
    def holding(self) -> bool: ...
    def now(self) -> float: ...
    def move_to(self, pose: Pose) -> None: ...
    def grip(self, closed: bool) -> None: ...


HOME: Pose = (190.0, 0.0, 308.0, 0.0, 90.0, 0.0)  # all joints at zero
SHOULDER: Pose = (0.0, 0.0, 135.0)
REACH_MM = 450.0  # with the gripper
RAMP_S = 0.1  # to speed up and slow down
ACTIVATION_S, HOMING_S, STROKE_S = 1.5, 4.0, 0.3
TOP_SPEED_MM_S = 1000.0  # of the tool, at SetJointVel(100)
CYCLE_S = 0.016  # of the monitoring
LAST_CHECKPOINT = 8191  # 1 to 8000 are for users; mecademicpy itself uses those above

TEXTS = {
    1001: "Empty command or command unrecognized.",
    1002: "Syntax error, symbol missing.",
    1003: "Argument error.",
    1005: "The robot is not activated.",
    1006: "The robot is not homed.",
    1011: "The robot is in error.",
    1016: "Destination out of reach.",
    2000: "Motors activated.",
    2001: "Motors already activated.",
    2002: "Homing done.",
    2003: "Homing already done.",
    2004: "Motors deactivated.",
    2005: "The error was reset.",
    2006: "There was no error to reset.",
    2042: "Motion paused.",
    2043: "Motion resumed.",
    2044: "The motion was cleared.",
    2054: "End of block is enabled.",
    2055: "End of block is disabled.",
    3000: "Connected to Meca500 R3 v9.1.147",
    3001: "Another user is already connected.",
    3005: "Motion error.",
    3012: "End of block.",
}
IN_ERROR_TOO = {"reseterror", "deactivaterobot", "clearmotion", "pausemotion", "resumemotion"}


class Meca500(SimulatedInstrument):
    """One control connection at a time: a server gives `busy` to a second client and hangs up."""

    framing = staticmethod(mecademic.host_frame)

    def __init__(self, arm: Arm, *, reach_mm: float = REACH_MM) -> None:
        super().__init__()
        self.arm = arm
        self._motion = MotionQueue(HOME, arm.move_to, self._emptied)
        self._reach_mm = reach_mm
        self._activated = self._homed = self._error = False
        self._end_of_block = True
        self._active_at = -math.inf  # may be in the future: Home is then taken too, and waits for it
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._said: list[bytes] = []
        self._monitored: float | None = None  # when the next cycle is due
        self._velocity = {"joint": 25.0, "linear": 150.0, "angular": 45.0}
        self._gripper_moving = self._closed = False

    # --- what the server asks -------------------------------------------------------------------------

    def greeting(self) -> bytes:
        super().greeting()
        now = self.arm.now()
        self._motion.advance(now)
        if not self._motion.idle:  # it pauses when a connection breaks; here, at the latest at the next
            self._motion.pause(now)
        self._said.clear()
        self._monitored = None
        return mecademic.message(3000, TEXTS[3000])

    def busy(self) -> bytes:
        """What a second client hears."""
        return mecademic.message(3001, TEXTS[3001])

    def due(self) -> float | None:
        if self._said:
            return -math.inf
        times = [t for t, _ in self._later] + [self._motion.due(), self._monitored]
        return min((t for t in times if t is not None), default=None)

    def speak(self) -> bytes:
        self._advance(self.arm.now())
        return self._flush()

    def answer(self, message: bytes) -> bytes:
        now = self.arm.now()
        self._advance(now)
        try:
            command = mecademic.parse_command(message)
        except Malformed:
            self._say(1002)
            return self._flush()
        if command is not None:
            self._obey(command.name, command.arguments, now)
            self._advance(now)
        return self._flush()

    # --- what happens to it ---------------------------------------------------------------------------

    def trip(self, code: int = 3005, text: str = TEXTS[3005]) -> None:
        """Stop with an error, as a jam or a joint limit does."""
        self._motion.clear(self.arm.now())
        self._error = True
        self._said.append(mecademic.message(code, text))
        self._report()

    # --- commands -------------------------------------------------------------------------------------

    def _obey(self, name: str, arguments: tuple[str, ...], now: float) -> None:
        known = getattr(self, f"_do_{name}", None)
        if known is None:
            return self._ask(name)
        if self._error and name not in IN_ERROR_TOO:
            return self._say(1011)
        try:
            numbers = [float(argument) for argument in arguments]
            inspect.signature(known).bind(now, *numbers)
        except (TypeError, ValueError):
            return self._say(1003)
        return known(now, *numbers) if all(map(math.isfinite, numbers)) else self._say(1003)

    def _ask(self, name: str) -> None:
        now, motion = self.arm.now(), self._motion
        flags = (self._activated, self._homed, 0, self._error, motion.paused, motion.idle, not motion.moving)
        stamp, pose = _stamp(now), motion.where(now)
        holding = self.arm.holding
        gripper = (stamp, holding, not self._gripper_moving, self._closed and not holding, not self._closed)
        answers: dict[str, tuple[int, str]] = {
            "getstatusrobot": (2007, _listed(flags)),
            "getrobotserial": (2083, "m500-00247"),
            "getfwversion": (2081, "v9.1.147"),
            "getfwversionfull": (2082, "9.1.147.1213"),
            "getproducttype": (2084, "Meca500"),
            "getrealtimemonitoring": (2117, ""),
            "getmonitoringinterval": (2116, f"{CYCLE_S:g}"),
            "getpose": (2027, _listed(pose)),
            "getrtcartpos": (2211, _listed((stamp, *pose))),
            "getrttargetcartpos": (2201, _listed((stamp, *pose))),
            "getrtgripperstate": (2320, _listed(gripper)),
            "getstatusgripper": (2079, _listed((1, self._homed, holding, not self._gripper_moving, 0, 0))),
            "getrtexttoolstatus": (2300, _listed((stamp, 0, 10, self._homed, 0, 0))),
        }
        if name in answers:
            code, text = answers[name]
            self._said.append(mecademic.message(code, text))
        else:
            self._say(1001)

    def _do_activaterobot(self, now: float) -> None:
        if self._activated:
            return self._say(2001)
        self._active_at = now + ACTIVATION_S
        return self._later.append((self._active_at, self._be_activated))

    def _do_home(self, now: float) -> None:
        if not self._activated and now >= self._active_at:
            return self._say(1005)
        if self._homed:
            return self._say(2003)
        return self._later.append((max(now, self._active_at) + HOMING_S, self._be_homed))

    def _do_deactivaterobot(self, now: float) -> None:
        self._motion.clear(now)
        self._motion.resume(now)
        self._activated = self._homed = False
        self._say(2004)
        self._report()

    def _do_reseterror(self, now: float) -> None:
        self._say(2005 if self._error else 2006)
        self._error = False
        self._report()

    def _do_pausemotion(self, now: float) -> None:
        self._motion.pause(now)
        self._say(2042)
        self._report()

    def _do_resumemotion(self, now: float) -> None:
        if not self._error:
            self._motion.resume(now)
        self._say(2043)
        self._report()

    def _do_clearmotion(self, now: float) -> None:
        self._motion.clear(now)
        self._say(2044)
        self._report()

    def _do_movepose(self, now: float, *pose: float) -> None:
        self._move(pose, lambda: TOP_SPEED_MM_S * self._velocity["joint"] / 100)

    def _do_movelin(self, now: float, *pose: float) -> None:
        self._move(pose, lambda: self._velocity["linear"])

    def _do_gripperopen(self, now: float) -> None:
        self._queue_gripper(False)

    def _do_gripperclose(self, now: float) -> None:
        self._queue_gripper(True)

    def _do_delay(self, now: float, seconds: float) -> None:
        if self._may_move():
            self._motion.add(Step(lambda: seconds), now)

    def _do_setcheckpoint(self, now: float, mark: float) -> None:
        if not 1 <= mark <= LAST_CHECKPOINT or mark != int(mark):
            return self._say(1003)
        said = mecademic.message(3030, str(int(mark)))
        if self._may_move():
            self._motion.add(Step(lambda: 0.0, lambda: self._said.append(said)), now)
        return None

    def _do_setjointvel(self, now: float, percent: float) -> None:
        self._queue_velocity("joint", percent, 0.001, 100.0)

    def _do_setcartlinvel(self, now: float, speed: float) -> None:
        self._queue_velocity("linear", speed, 0.001, 1000.0)

    def _do_setcartangvel(self, now: float, speed: float) -> None:
        self._queue_velocity("angular", speed, 0.001, 300.0)

    def _do_seteob(self, now: float, on: float) -> None:
        self._end_of_block = bool(on)
        self._say(2054 if on else 2055)

    def _do_setrtc(self, now: float, seconds: float) -> None:
        """Its calendar; not answered."""

    def _do_synccmdqueue(self, now: float, mark: float) -> None:
        self._said.append(mecademic.message(2097, str(int(mark))))

    def _do_connectionwatchdog(self, now: float, seconds: float) -> None:
        self._said.append(mecademic.message(2177, str(int(seconds > 0))))

    def _do_setctrlportmonitoring(self, now: float, on: float) -> None:
        self._said.append(mecademic.message(2096, str(int(on))))
        self._monitored = now + CYCLE_S if on else None
        self._report()

    # --- motion ---------------------------------------------------------------------------------------

    def _may_move(self) -> bool:
        if not self._activated or not self._homed:
            self._say(1005 if not self._activated else 1006)
            return False
        return True

    def _move(self, pose: Pose, speed: Callable[[], float]) -> None:
        if len(pose) != 6:
            return self._say(1003)
        if not self._may_move():
            return None
        if math.dist(pose[:3], SHOULDER) > self._reach_mm:
            return self.trip(1016, TEXTS[1016])

        def duration() -> float:
            here = self._motion.pose
            turn = max(abs(there - at) for there, at in zip(pose[3:], here[3:], strict=True))
            slowest = max(math.dist(pose[:3], here[:3]) / speed(), turn / self._velocity["angular"])
            return slowest + RAMP_S if slowest else 0.0

        return self._motion.add(Step(duration, target=pose), self.arm.now())

    def _queue_gripper(self, closed: bool) -> None:
        """In the queue it takes no time: what follows does not wait for the fingers."""
        if self._may_move():
            self._motion.add(Step(lambda: 0.0, lambda: self._stroke(closed)), self.arm.now())

    def _stroke(self, closed: bool) -> None:
        self._gripper_moving = True
        self._later.append((self.arm.now() + STROKE_S, lambda: self._end_stroke(closed)))

    def _end_stroke(self, closed: bool) -> None:
        self._gripper_moving, self._closed = False, closed
        self.arm.grip(closed)

    def _queue_velocity(self, kind: str, value: float, low: float, high: float) -> None:
        if not low <= value <= high:
            return self._say(1003)
        if self._may_move():
            self._motion.add(Step(lambda: 0.0, lambda: self._velocity.update({kind: value})), self.arm.now())
        return None

    def _be_activated(self) -> None:
        self._activated = True
        self._say(2000)
        self._report()

    def _be_homed(self) -> None:
        self._homed = True
        self._say(2002)
        self._report()

    def _advance(self, now: float) -> None:
        """Everything that has come about by `now`, in its order."""
        for late in sorted((entry for entry in self._later if entry[0] <= now), key=lambda entry: entry[0]):
            self._later.remove(late)
            late[1]()
        self._motion.advance(now)
        if self._monitored is not None and self._monitored <= now:
            self._said.append(mecademic.message(2211, _listed((_stamp(now), *self._motion.where(now)))))
            self._monitored = now + CYCLE_S

    def _emptied(self) -> None:
        if self._end_of_block:
            self._say(3012)
        self._report()

    # --- speech ---------------------------------------------------------------------------------------

    def _say(self, code: int) -> None:
        self._said.append(mecademic.message(code, TEXTS[code]))

    def _report(self) -> None:
        """Its status, to a client that asked to be told."""
        if self._monitored is not None:
            self._ask("getstatusrobot")

    def _flush(self) -> bytes:
        said, self._said = b"".join(self._said), []
        return said


def _listed(values: tuple[float, ...]) -> str:
    return ",".join(f"{value:.6g}" if isinstance(value, float) else str(int(value)) for value in values)


def _stamp(now: float) -> int:
    """Its clock, in microseconds."""
    return int(1e6 * (now % 1e6))
