"""The processes of one night: found by a mark in their environment, which children inherit; Linux only."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

VARIABLE = "NIGHTSHIFT_CHAOS"
MODULES = {
    "tests.chaos.night": "daemon",
    "orchestrator.execution.worker": "worker",
    "orchestrator.optimizer.service": "optimizer",
}


@dataclass(frozen=True)
class Member:
    """`role` is daemon, worker, optimizer or other; `station` is the worker's, once it has opened its log."""

    pid: int
    role: str
    station: str = ""


class Family:
    """Every process that has `mark` in its environment, whoever its parent is now."""

    def __init__(self, mark: str) -> None:
        self._needle = f"{VARIABLE}={mark}".encode()

    def members(self) -> list[Member]:
        """Those alive now (a zombie is not)."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it ended while we looked, or is another user's
                if self._needle in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(_member(folder))
        return found

    def choose(self, target: str, pick: float) -> list[Member]:
        """Whom `target` means now; `pick` in [0, 1) decides which worker."""
        members = self.members()
        if target == "all":
            return members
        fit = sorted((m for m in members if m.role == target), key=lambda m: (m.station, m.pid))
        return [fit[int(pick * len(fit))]] if fit else []

    def kill(self, victims: list[Member], pick: float, *, everybody: bool) -> None:
        """SIGKILL to `victims`, in an order drawn by `pick`; `everybody`: and to whom they started meanwhile."""
        Random(pick).shuffle(victims)
        while victims:
            send(victims, signal.SIGKILL)
            for victim in victims:
                _await_end(victim.pid)
            victims = self.members() if everybody else []

    def gone(self, patience_s: float) -> bool:
        """Wait until nobody is left; False if that takes longer."""
        deadline = time.monotonic() + patience_s
        while self.members():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def send(members: list[Member], number: signal.Signals) -> None:
    for member in members:
        with suppress(ProcessLookupError):
            os.kill(member.pid, number)


def alive(pid: int) -> bool:
    return state(pid) not in ("", "Z", "X")


def state(pid: int) -> str:
    """The kernel's letter for a process (R, S, T, Z...), or "" if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def _await_end(pid: int) -> None:
    """Return when a killed process has let go of its files."""
    while alive(pid):
        time.sleep(0.002)


def _member(folder: Path) -> Member:
    command = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
    role = next((role for module, role in MODULES.items() if module in command), "other")
    return Member(int(folder.name), role, _station(folder) if role == "worker" else "")


def _station(folder: Path) -> str:
    """Whose document log a worker has open."""
    ending = ".documents.db"
    for link in (folder / "fd").iterdir():
        with suppress(OSError):
            name = Path(os.readlink(link)).name
            if name.endswith(ending):
                return name.removesuffix(ending)
    return ""
