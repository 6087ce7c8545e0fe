"""A Universal Robots dashboard server as seen from the wire, over an arm that runs taught programs.

Source: instruments.md 7.8 (the commands of ur_rtde's DashboardClient and of the maker's client library).
"""

from __future__ import annotations

import re

from drivers.wire import scpi
from drivers.wire.errors import Malformed
from simulators.instrument import SimulatedInstrument
from simulators.zaber_gantry import Arm

ANGLES = (180.0, 0.0, 0.0)
MOTION_S = 3.0
GRIP_S = 1.0
POWER_S = 5.0

_PLACE = re.compile(r"x(-?\d+)_y(-?\d+)_z(-?\d+)")


class UrDashboard(SimulatedInstrument):
    """Every program of the right name has been taught, but those in `missing`.  `protective_stop` halts the arm."""

    framing = staticmethod(scpi.LF)

    def __init__(self, arm: Arm, *, folder: str = "nightshift", powered: bool = True) -> None:
        super().__init__()
        self.arm = arm
        self.missing: set[str] = set()
        self.remote = True
        self._folder = folder
        self._mode = "RUNNING" if powered else "POWER_OFF"
        self._changes: tuple[float, str] | None = None
        self._safety = "NORMAL"
        self._loaded = ""
        self._state = "STOPPED"
        self._ends = 0.0

    def protective_stop(self) -> None:
        self._look()
        self._safety = "PROTECTIVE_STOP"
        if self._state == "PLAYING":
            self._state = "PAUSED"

    def greeting(self) -> bytes:
        super().greeting()
        return b"Connected: Universal Robots Dashboard Server\n"

    def due(self) -> float | None:
        return self._ends if self._state == "PLAYING" else None

    def speak(self) -> bytes:
        self._look()
        return b""

    def answer(self, message: bytes) -> bytes:
        try:
            line = scpi.text(message)
        except Malformed:
            return b""
        self._look()
        return f"{self._obey(line)}\n".encode("ascii")

    def _obey(self, line: str) -> str:
        match line.split():
            case ["PolyscopeVersion"]:
                return "URSoftware 5.11.1.108318 (Mar 10 2021)"
            case ["get", "robot", "model"]:
                return "UR5"
            case ["get", "serial", "number"]:
                return "20215500123"
            case ["robotmode"]:
                return f"Robotmode: {self._mode}"
            case ["safetystatus"]:
                return f"Safetystatus: {self._safety}"
            case ["safetymode"]:
                return f"Safetymode: {self._safety}"
            case ["is", "in", "remote", "control"]:
                return str(self.remote).lower()
            case ["running"]:
                return f"Program running: {str(self._state == 'PLAYING').lower()}"
            case ["programState"]:
                return f"{self._state} {self._loaded.rpartition('/')[2] or '<unnamed>'}"
            case ["get", "loaded", "program"]:
                return f"Loaded program: /programs/{self._loaded}" if self._loaded else "No program loaded"
            case ["close", "safety", "popup"]:
                return "closing safety popup"
            case ["close", "popup"]:
                return "closing popup"
            case ["popup", *_]:
                return "showing popup"
            case ["addToLog", *_]:
                return "Added log message"
            case ["quit"]:
                return "Disconnected"
        return self._act(line)

    def _act(self, line: str) -> str:
        if not self.remote:
            return f"Failed to execute: {line}"
        match line.split():
            case ["load", path]:
                return self._load(path)
            case ["play"]:
                return self._play()
            case ["pause"] if self._state == "PLAYING":
                self._state = "PAUSED"
                return "Pausing program"
            case ["stop"] if self._state != "STOPPED":
                self._state = "STOPPED"
                return "Stopped"
            case ["power", "on"]:
                self._changes = (self.arm.now() + POWER_S, "IDLE")
                return "Powering on"
            case ["brake", "release"]:
                self._changes = (self.arm.now() + POWER_S, "RUNNING")
                return "Brake releasing"
            case ["power", "off"]:
                self._mode = "POWER_OFF"
                return "Powering off"
            case ["unlock", "protective", "stop"] if self._safety == "PROTECTIVE_STOP":
                self._safety, self._state = "NORMAL", "STOPPED"
                return "Protective stop releasing"
            case ["stop"] | ["pause"]:
                return f"Failed to execute: {line}"
        return f"could not understand: '{line}'"

    def _load(self, path: str) -> str:
        path = path.removeprefix("/programs/")
        name = path.removeprefix(f"{self._folder}/").removesuffix(".urp")
        known = name in ("grip", "release", "sense") or _PLACE.fullmatch(name)
        if not path.startswith(f"{self._folder}/") or not known or name in self.missing:
            return f"File not found: /programs/{path}"
        if self._state == "PLAYING":
            return f"Error while loading program: /programs/{path}"
        self._loaded, self._state = path, "STOPPED"
        return f"Loading program: /programs/{path}"

    def _play(self) -> str:
        if not self._loaded or self._mode != "RUNNING" or self._safety not in ("NORMAL", "REDUCED"):
            return "Failed to execute: play"
        self._state = "PLAYING"
        self._ends = self.arm.now() + (MOTION_S if _PLACE.search(self._loaded) else GRIP_S)
        return "Starting program"

    def _look(self) -> None:
        """Let a program end whose time has come, and the arm's power follow."""
        now = self.arm.now()
        if self._changes is not None and now >= self._changes[0]:
            self._mode, self._changes = self._changes[1], None
        if self._state == "PLAYING" and now >= self._ends:
            self._state = "STOPPED"
            self._finish(self._loaded.rpartition("/")[2].removesuffix(".urp"))

    def _finish(self, name: str) -> None:
        if found := _PLACE.fullmatch(name):
            self.arm.move_to((float(found[1]), float(found[2]), float(found[3]), *ANGLES))
        elif name in ("grip", "release"):
            self.arm.grip(name == "grip")
        if name in ("grip", "sense") and not self.arm.holding:
            self._state = "PAUSED"
