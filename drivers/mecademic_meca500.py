"""Mecademic Meca500 robot arm with its MEGP 25 gripper, over TCP port 10000.

Source: Meca500 programming manual (firmware 9.2 and 11.3): motion commands are queued and never acknowledged,
a motion is known to be done by its checkpoint alone; ``GetRtGripperState`` -> ``[2320][t,hp,dr,gc,go]``.
Unverified on hardware.

The robot pauses by itself when the connection breaks (mecademicpy's documentation), and holds at most one
motion of ours; ``ConnectionWatchdog`` would need the host to speak also between motions, and is left off.  An
error of the robot is never reset by this driver, but when an operator asks for it (`reset_error`).
"""

from __future__ import annotations

import math
import time
from typing import Any

from ophyd.status import DeviceStatus

from drivers.errors import Fault, Garbled, NoReply, Refused, WrongInstrument
from drivers.link import Link, TcpLink, read_twice
from drivers.mover import Mover
from drivers.wire import mecademic
from drivers.wire.errors import Malformed
from drivers.wire.mecademic import Message

ACTIVATED, ALREADY_ACTIVATED, HOMED, ALREADY_HOMED = 2000, 2001, 2002, 2003
ERROR_RESET, NO_ERROR, STATUS, PAUSED, RESUMED, CLEARED = 2005, 2006, 2007, 2042, 2043, 2044
SERIAL, SYNCHRONISED, CART_POSITION, TOOL_STATUS, GRIPPER_STATE = 2083, 2097, 2211, 2300, 2320
CONNECTED, IN_USE, CHECKPOINT, DISCARDED = 3000, 3001, 3030, 3040
FAILURES = {3005, 3006, 3025, 3027, 3029, 3037, 3041, 3046, 3049, 3050}
STOPS = {3032: "protective stop 2", 3069: "protective stop 1", 3070: "emergency stop"}  # [1] raised, [0] not

LAST_CHECKPOINT = 8000
LISTEN_S = 0.02  # real time between looks at whether the safe state has been asked for
SAME_ORIENTATION_DEG = 0.01


class Meca500(Mover):
    """A motion of up to `linear_within_mm` that keeps the orientation is a straight line, as the last
    centimetres to a sample must be; longer ones move joint-wise.

    `home_on_demand`: the first motion activates and homes the robot.  Homing moves the joints a little and
    opens and closes the gripper, so with False that is left to a person.
    """

    driver = "mecademic-meca500"

    def __init__(
        self,
        *args: Any,
        linear_within_mm: float = 60.0,
        home_on_demand: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._linear_within_mm = linear_within_mm
        self._home_on_demand = home_on_demand
        self._greeted = False
        self._checkpoint = 0
        self._late = 0  # how often an answer has been missed; 0 when all have come
        self._stops: set[int] = set()
        self._failure = ""

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        """``tcp://host:10000``.  The robot takes one control connection."""
        return TcpLink(address, timeout_s=timeout_s)

    def reset_error(self) -> DeviceStatus:
        """Clear the robot's error, on an operator's word only."""
        return self.act(self._reset_error, timeout_s=10.0)

    # --- on the port's thread -------------------------------------------------------------------------

    def identify(self) -> str:
        greeting = self._greeting()
        (serial,) = self._query({"GetRobotSerial": SERIAL})
        self.refresh()
        return f"{greeting} {serial.text}".strip()

    def _reopened(self) -> None:
        self._greeted, self._late = False, 0

    def refresh(self) -> None:
        status, position, gripper, tool = self._query(
            {
                "GetStatusRobot": STATUS,
                "GetRtCartPos": CART_POSITION,
                "GetRtGripperState": GRIPPER_STATE,
                "GetRtExtToolStatus": TOOL_STATUS,
            }
        )
        _, *pose = self._numbers(position, 7)
        _, holding, _, closed, opened = self._numbers(gripper, 5)
        *_, tool_error, overheated = self._numbers(tool, 6)
        self.pose.update(tuple(pose))
        self.holding.update(int(holding))
        self.gripper.update("open" if opened else "closed" if closed or holding else "unknown")
        in_error = self._numbers(status, 7)[3]
        faults = [STOPS[code] for code in sorted(self._stops)]
        faults += [self._failure or "robot in error"] if in_error else []
        faults += ["gripper error"] if tool_error else []
        faults += ["gripper overheated"] if overheated else []
        self.fault.update(", ".join(faults))

    def make_safe(self) -> None:
        """Stop, forget what was queued, and see that nothing moves."""
        self._converse({"PauseMotion": PAUSED, "ClearMotion": CLEARED})
        deadline = time.monotonic() + self.clock.patience_s(10.0)
        while not self._numbers(self._query({"GetStatusRobot": STATUS})[0], 7)[6]:
            if time.monotonic() > deadline:
                raise Fault(f"{self.name}: still moves after PauseMotion; press the emergency stop")
            time.sleep(LISTEN_S)

    def _write_pose(self, pose: tuple[float, ...]) -> None:
        act = f"motion to {pose}"
        self.give_way(act)
        self._make_ready()
        present = self._position()
        straight = math.dist(present[:3], pose[:3]) <= self._linear_within_mm and all(
            abs(there - here) <= SAME_ORIENTATION_DEG for there, here in zip(pose[3:], present[3:], strict=True)
        )
        self._perform(mecademic.command("MoveLin" if straight else "MovePose", *pose), act)
        self.pose.update(self._position())

    def _write_gripper(self, state: str) -> None:
        act = f"gripper {state}"
        self.give_way(act)
        self._make_ready()
        self._perform(mecademic.command("GripperClose" if state == "closed" else "GripperOpen"), act)
        # The gripper's checkpoint is reached when its motion begins: its own state says when it ends.
        deadline = time.monotonic() + self.clock.patience_s(10.0)
        while True:
            (answer,) = self._query({"GetRtGripperState": GRIPPER_STATE})
            _, holding, reached, _, _ = self._numbers(answer, 5)
            if reached or (holding and state == "closed"):
                break
            if time.monotonic() > deadline:
                raise Fault(f"{self.name}: gripper does not get {state}; look for what blocks it")
            self.give_way(act)
            self.clock.sleep(0.1)
        self.gripper.update(state)
        self.holding.update(int(holding))

    def _make_ready(self) -> None:
        """Activated, homed, not paused.  Raises `Fault` if the robot is in error or stopped by its safety."""
        active, homed, _, in_error, paused, _, _ = self._numbers(self._query({"GetStatusRobot": STATUS})[0], 7)
        if self._stops or in_error:
            reasons = ", ".join(STOPS[code] for code in sorted(self._stops)) or self._failure
            raise Fault(f"{self.name}: {reasons or 'robot in error'}; look at the robot, then have its error reset")
        if not (active and homed):
            if not self._home_on_demand:
                raise Refused(f"{self.name}: not homed; home it with an empty gripper")
            self._converse({"ActivateRobot": (ACTIVATED, ALREADY_ACTIVATED)}, lab_s=30.0)
            self._converse({"Home": (HOMED, ALREADY_HOMED)}, lab_s=30.0)
        if paused:  # what an earlier session left in the queue must not be gone on with
            self._converse({"ClearMotion": CLEARED, "ResumeMotion": RESUMED})

    def _perform(self, motion: bytes, act: str) -> None:
        """Queue one motion and wait for the checkpoint behind it."""
        self._checkpoint = self._checkpoint % LAST_CHECKPOINT + 1
        mark = self._checkpoint
        self.link.send(motion + mecademic.command("SetCheckpoint", mark))
        deadline = time.monotonic() + self.clock.patience_s(60.0)
        while True:
            message = self._listen(LISTEN_S)
            if message is not None and message.code in (CHECKPOINT, DISCARDED) and message.text == str(mark):
                if message.code == CHECKPOINT:
                    return
                raise Fault(f"{self.name}: {act} was discarded by the robot")
            if message is not None and (message.code < 2000 or message.code in FAILURES):
                raise Fault(f"{self.name}: {act}: {message.text} [{message.code}]")
            if self._stops:
                raise Fault(f"{self.name}: {act}: {', '.join(STOPS[code] for code in sorted(self._stops))}")
            self.give_way(act)
            if time.monotonic() > deadline:
                raise NoReply(f"{self.name}: {act}: no checkpoint {mark} from {self.link.address} in time")

    def _position(self) -> tuple[float, ...]:
        (answer,) = self._query({"GetRtCartPos": CART_POSITION})
        return self._numbers(answer, 7)[1:]

    def _reset_error(self) -> None:
        self._converse({"ResetError": (ERROR_RESET, NO_ERROR)})
        self._failure = ""

    def _greeting(self) -> str:
        """The robot speaks first.  A second client hears that the robot is in use."""
        if self._greeted:
            return ""
        try:
            message = self._listen(self.link.timeout_s)
        except Garbled as error:
            raise WrongInstrument(f"{self.name}: {self.link.address} does not greet as a Meca500: {error}") from error
        if message is not None and message.code == IN_USE:
            raise Refused(f"{self.name}: {self.link.address} is controlled by another client; close it first")
        if message is None or message.code != CONNECTED or "Meca500" not in message.text:
            raise WrongInstrument(f"{self.name}: {self.link.address} does not greet as a Meca500, it says {message}")
        self._greeted = True
        return message.text

    def _query(self, questions: dict[str, int]) -> list[Message]:
        return read_twice(lambda: self._converse(questions))

    def _converse(self, requests: dict[str, Any], lab_s: float = 0.0) -> list[Message]:
        """Send `requests` together; their answers, each the first with a code expected for it.

        `lab_s` is how long the robot may take to do what it answers to.
        """
        if not self._greeted:
            self._greeting()
        self._catch_up()
        self.link.send(b"".join(mecademic.command(name) for name in requests))
        patience_s = self.link.timeout_s + (self.clock.patience_s(lab_s) if lab_s else 0.0)
        deadline = time.monotonic() + patience_s
        try:
            return [self._answer(name, codes, deadline) for name, codes in requests.items()]
        except (NoReply, Garbled):
            self._late += 1
            raise

    def _answer(self, name: str, codes: int | tuple[int, ...], deadline: float) -> Message:
        expected = codes if isinstance(codes, tuple) else (codes,)
        while True:
            message = self._listen(max(0.0, deadline - time.monotonic()))
            if message is None:
                raise NoReply(f"{self.name}: no answer to {name} from {self.link.address}")
            if message.code in expected:
                return message
            if message.code < 2000:
                raise Refused(f"{self.name}: {name} refused: {message.text} [{message.code}]")
            if message.code in FAILURES and name in ("ActivateRobot", "Home"):
                raise Fault(f"{self.name}: {name} failed: {message.text} [{message.code}]")

    def _catch_up(self) -> None:
        """Take note of what has come unasked.  After a missed answer, first let late ones pass."""
        if self._late:
            mark = Message(SYNCHRONISED, str(self._late))
            self.link.send(mecademic.command("SyncCmdQueue", self._late))
        deadline = time.monotonic() + (self.link.timeout_s if self._late else 0.0)
        while True:
            try:
                message = self._listen(max(0.0, deadline - time.monotonic()))
            except Garbled:
                continue
            if message is None and self._late:
                self._late += 1
                raise NoReply(f"{self.name}: {self.link.address} does not answer")
            if message is None:
                return
            if self._late and message == mark:
                self._late, deadline = 0, 0.0

    def _listen(self, timeout_s: float) -> Message | None:
        """The next message, None if there is none in time.  Keeps what it says about errors and stops."""
        try:
            frame = self.link.receive(mecademic.FRAME, timeout_s)
        except NoReply:
            return None
        try:
            message = mecademic.parse_message(frame)
        except Malformed as error:
            raise Garbled(f"{self.name}: {error}") from error
        if message.code in STOPS:
            change = self._stops.discard if message.text.strip() == "0" else self._stops.add
            change(message.code)
        elif message.code in FAILURES or (message.code < 2000 and message.code != 1011):
            self._failure = f"{message.text} [{message.code}]"
        return message

    def _numbers(self, message: Message, count: int) -> tuple[float, ...]:
        try:
            values = mecademic.numbers(message.text)
        except Malformed as error:
            raise Garbled(f"{self.name}: {error} in [{message.code}]") from error
        if len(values) != count:
            raise Garbled(f"{self.name}: {len(values)} values, {count} expected: {message}")
        return values
