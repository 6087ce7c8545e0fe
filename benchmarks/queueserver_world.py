"""The simulated lab of a trial, and what its world log says became of films A and B."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.campaign.labspec import LabSpec
from orchestrator.lab import simulator_config
from orchestrator.service.children import Child
from simulators.clock import ScaledClock

START_S = 60.0
LOOK_S = 0.001
ALIVE_S = 0.5
FILMS = {"A": 1, "B": 2}
"""Film -> the cassette slot of its substrate."""


class TrialError(Exception):
    """A trial cannot be carried out; the message says what was missing."""


@dataclass(frozen=True)
class Film:
    """What the world saw of one film.  `place`: where its substrate is, "gripper" if the arm has it."""

    begun: int
    measured: int
    thickness_nm: float
    place: str

    @property
    def fate(self) -> str:
        """In words, for the table."""
        if not self.begun:
            return "not made" if self.place.startswith("cassette/") else f"not made, substrate in {self.place}"
        times = "once" if self.begun == 1 else f"**{self.begun} times**"
        made = f"deposited {times} ({self.thickness_nm:.0f} nm)"
        if self.measured:
            return f"{made}, measured" + (f" {self.measured} times" if self.measured > 1 else "")
        where = "" if self.place.startswith("cassette/") else f", left in {self.place}"
        return f"{made}, **never measured**{where}"


class World:
    """A fresh simulated lab, its clock running, and its log in `folder`.

    `events` holds what has been read of the log so far.
    """

    def __init__(self, lab: LabSpec, folder: Path, *, seed: int, speed: float) -> None:
        self.log = folder / "world.jsonl"
        self.events: list[dict[str, Any]] = []
        self._read = 0
        config = simulator_config(lab)
        for device in config["devices"].values():
            if device["driver"] == "lakeshore-475":
                # Seven bits and odd parity: a pseudo-terminal can be set to them once only.
                device["transport"] = "tcp"
        self._child = Child("simulated lab", ["simulators.serve"], folder / "simulators.log")
        try:
            self._child.tell({"clock": None, "seed": seed, "truth": None, "world": str(self.log), "config": config})
            self.addresses: dict[str, str] = self._child.hear(START_S)["addresses"]
            self.clock = ScaledClock.starting_now(speed)
            self._child.tell({"clock": self.clock.spec()})
            self._child.hear(START_S)
        except BaseException:
            self._child.close()
            raise

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.close()

    def look(self) -> list[dict[str, Any]]:
        """The events that came since the last look."""
        text = self.log.read_bytes()[self._read :] if self.log.exists() else b""
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        new = [json.loads(line) for line in whole.splitlines()]
        self.events += new
        return new

    def await_event(self, event: str, film: str, timeout_s: float, alive: Callable[[], None]) -> None:
        """Wait until the log has `event` of `film`; at most `timeout_s` real seconds.  Raises `TrialError`.

        `alive` raises if it is no use waiting.
        """
        until = time.monotonic() + timeout_s
        ask_again = 0.0
        while (now := time.monotonic()) < until:
            if any(new["event"] == event and new["substrate"] == FILMS[film] for new in self.look()):
                return
            if now > ask_again:
                alive()
                ask_again = time.monotonic() + ALIVE_S
            time.sleep(LOOK_S)
        raise TrialError(f"no {event} of film {film} within {timeout_s:g} s")

    def film(self, name: str) -> Film:
        """What became of a film so far."""
        self.look()
        slot = FILMS[name]
        of = [event for event in self.events if event.get("substrate") == slot]
        place = f"cassette/{slot}"
        for event in of:
            place = {"picked": "gripper", "placed": event.get("place")}.get(event["event"]) or place

        def count(kind: str) -> int:
            return sum(event["event"] == kind for event in of)

        return Film(count("film_begun"), count("measured"), self._thickness_nm(slot), place)

    def hazards(self) -> list[str]:
        """Kinds of hazard, one an occurrence."""
        self.look()
        return [event["kind"] for event in self.events if event["event"] == "hazard"]

    def _thickness_nm(self, slot: int) -> float:
        """How thick the film on a substrate is by now, finished or not."""
        self._child.tell({"summary": True})
        films = self._child.hear(START_S)["films"]
        return float(next((film["thickness_nm"] for film in films if film["substrate"] == slot), 0.0))
