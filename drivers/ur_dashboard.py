"""Universal Robots arm through its dashboard server (TCP 29999), which starts taught programs.

Source: the dashboard commands of ur_rtde 1.6 and of the maker's client library (e-Series, 5.4 and later).
Unverified on hardware: the wording of refusals, and how soon after ``play`` the program's state is told.

Python never moves this arm freely.  For each pose of the lab file somebody teaches a program, whose name is the
pose's place in whole millimetres: ``nightshift/x120_y-42_z40.urp`` goes to (120, -42, 40), from wherever the arm may
be.  ``grip.urp`` closes the gripper and pauses if it feels no part; ``release.urp`` opens it; ``sense.urp`` moves
nothing, ends if a part is held, and pauses if none is.  The dashboard tells neither pose nor inputs, so the pose is
not known until the first program has ended, nor after one has failed.

A protective stop is never unlocked by this driver, nor the arm powered, but when an operator asks for it.
"""

from __future__ import annotations

import contextlib
import math
import time
from typing import Any

from ophyd import Component as Cpt
from ophyd.status import DeviceStatus

from drivers.errors import Fault, Garbled, NoReply, Refused, WrongInstrument
from drivers.instrument import Setting
from drivers.link import Link, TcpLink, exchange, read_twice
from drivers.mover import Mover, MoverPose
from drivers.wire import scpi
from drivers.wire.errors import Malformed

GREETING = "Universal Robots Dashboard Server"
LISTEN_S = 0.1
"""Lab seconds between looks at what runs."""
UNKNOWN = (math.nan,) * 6
SAFE = ("NORMAL", "REDUCED")
QUIET_LOOKS = 2
"""Looks in a row at a program that does not play, before it counts as ended."""


class UrDashboard(Mover):
    """`folder` is where the taught programs are, below ``/programs``."""

    driver = "ur-dashboard"

    pose = Cpt(MoverPose, units="mm, deg", write="_write_pose", timeout_s=120.0, value=UNKNOWN)
    gripper = Cpt(Setting, write="_write_gripper", choices=("open", "closed"), timeout_s=60.0, value="unknown")

    def __init__(
        self,
        *args: Any,
        folder: str = "nightshift",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._folder = folder.strip("/")
        self._greeted = False

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        """``tcp://host:29999``."""
        return TcpLink(address, timeout_s=timeout_s)

    def power_on(self) -> DeviceStatus:
        """Power the arm and release its brakes, on an operator's word only."""
        return self.act(self._power_on, timeout_s=120.0)

    def unlock_protective_stop(self) -> DeviceStatus:
        """On an operator's word only, who has looked at what stopped the arm."""
        return self.act(lambda: self._expect("unlock protective stop", "Protective stop releasing"), timeout_s=20.0)

    # --- on the port's thread -------------------------------------------------------------------------

    def identify(self) -> str:
        self._greeting()
        model, serial = self._query("get robot model"), self._query("get serial number")
        version = self._query("PolyscopeVersion")
        if "URSoftware" not in version:
            raise WrongInstrument(f"{self.name}: {self.link.address} runs no URSoftware, it says {version!r}")
        self.refresh()
        if not self.fault.get() and self._program_state() != "PLAYING":
            self.holding.update(int(self._play("sense", "a look at the gripper")))
        return f"{model} serial number {serial}, {version}"

    def _reopened(self) -> None:
        self._greeted = False
        self.pose.update(UNKNOWN)

    def refresh(self) -> None:
        mode, safety = self._told("robotmode", "Robotmode:"), self._told("safetystatus", "Safetystatus:")
        words = [] if safety in SAFE else [safety.lower().replace("_", " ")]
        words += [] if mode == "RUNNING" else [f"robot is {mode.lower().replace('_', ' ')}"]
        words += [] if self._query("is in remote control") == "true" else ["not in remote control"]
        self.fault.update(", ".join(words))

    def make_safe(self) -> None:
        """Stop the program, and see that none runs.  The gripper keeps what it holds."""
        self._query("stop")  # refused when none runs: what counts is the state behind it
        deadline = time.monotonic() + self.clock.patience_s(10.0)
        while self._told("running", "Program running:") != "false":
            if time.monotonic() > deadline:
                raise Fault(f"{self.name}: a program runs on after stop; press the emergency stop")
            self.clock.sleep(LISTEN_S)

    def _write_pose(self, pose: tuple[float, ...]) -> None:
        act = f"motion to {pose}"
        self.give_way(act)
        self.pose.update(UNKNOWN)
        if not self._play("x{:.0f}_y{:.0f}_z{:.0f}".format(*(round(c) + 0.0 for c in pose[:3])), act):
            raise Fault(f"{self.name}: {act}: the program paused on its way; look at the arm")
        self.pose.update(pose)

    def _write_gripper(self, state: str) -> None:
        act = f"gripper {state}"
        self.give_way(act)
        ended = self._play("grip" if state == "closed" else "release", act)
        self.gripper.update(state)
        self.holding.update(int(ended and state == "closed"))

    def _play(self, program: str, act: str) -> bool:
        """Run a taught program; True if it ended, False if it paused.  Raises `Fault`, `Refused`."""
        self._ready(act)
        path = f"{self._folder}/{program}.urp"
        answer = self._query(f"load {path}")
        if not answer.startswith("Loading program"):
            raise Refused(f"{self.name}: {act}: {answer}; teach a program and call it {path}")
        with contextlib.suppress(NoReply, Garbled):  # was it started?  its state tells
            self._expect("play", "Starting program")
        deadline = time.monotonic() + self.clock.patience_s(90.0)
        quiet = 0
        while True:
            self._ready(act)
            state = self._program_state()
            quiet = 0 if state == "PLAYING" else quiet + 1
            if quiet >= QUIET_LOOKS:
                break
            if time.monotonic() > deadline:
                raise Fault(f"{self.name}: {act}: program {path} does not end; look at the arm")
            self.give_way(act)
            self.clock.sleep(LISTEN_S)
        if state == "PAUSED":
            self._query("stop")
        return state == "STOPPED"

    def _ready(self, act: str) -> None:
        self.refresh()
        if wrong := self.fault.get():
            raise Fault(f"{self.name}: {act}: {wrong}; look at the robot, and at its pendant")

    def _program_state(self) -> str:
        answer = self._query("programState")
        state = answer.split()[0]
        if state not in ("STOPPED", "PLAYING", "PAUSED"):
            raise Garbled(f"{self.name}: {answer!r} in answer to programState")
        return state

    def _power_on(self) -> None:
        for command, reply, mode in (
            ("power on", "Powering on", "IDLE"),
            ("brake release", "Brake releasing", "RUNNING"),
        ):
            if self._told("robotmode", "Robotmode:") in (mode, "RUNNING"):
                continue
            self._expect(command, reply)
            deadline = time.monotonic() + self.clock.patience_s(60.0)
            while self._told("robotmode", "Robotmode:") != mode:
                if time.monotonic() > deadline:
                    raise Fault(f"{self.name}: does not get {mode} after {command}; look at its pendant")
                self.clock.sleep(LISTEN_S)
        self.refresh()

    def _expect(self, command: str, beginning: str) -> None:
        answer = self._ask(command)
        if not answer.startswith(beginning):
            raise Refused(f"{self.name}: {command} refused: {answer}")

    def _told(self, command: str, beginning: str) -> str:
        """What stands behind `beginning` in the answer."""
        answer = self._query(command)
        if not answer.startswith(beginning):
            raise Garbled(f"{self.name}: {answer!r} in answer to {command!r}")
        return answer.removeprefix(beginning).strip()

    def _greeting(self) -> None:
        """The server speaks first."""
        if self._greeted:
            return
        greeting = self.link.receive(scpi.LF)
        if GREETING.encode("ascii") not in greeting:
            raise WrongInstrument(f"{self.name}: {self.link.address} is no UR dashboard, it greets with {greeting!r}")
        self._greeted = True

    def _query(self, command: str) -> str:
        return read_twice(lambda: self._ask(command))

    def _ask(self, command: str) -> str:
        if not self._greeted:
            self._greeting()
        reply = exchange(self.link, f"{command}\n".encode("ascii"), scpi.LF)
        try:
            return scpi.text(reply)
        except Malformed as error:
            raise Garbled(f"{self.name}: {error} in answer to {command!r}") from error
