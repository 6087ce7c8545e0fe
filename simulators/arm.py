"""The world's side of the robot: where the tool is and what it grips."""

from __future__ import annotations

import math
from collections.abc import Callable

from simulators.chamber import Chamber
from simulators.hazards import Hazards
from simulators.magnetometer import Magnetometer
from simulators.samples import Sample
from simulators.worldlog import WorldLog

Pose = tuple[float, float, float, float, float, float]
AT_PLACE_MM = 2.0  # the gripper's fingers are around what is there
IN_CHAMBER_MM = 20.0  # the arm is in the way of the flux; an approach pose 40 mm off is not


class Places:
    """What is where: cassette slots, the chamber's holder and the magnetometer's stage."""

    def __init__(
        self, poses: dict[str, Pose], samples: list[Sample], chamber: Chamber, magnetometer: Magnetometer
    ) -> None:
        self.poses = poses
        self._chamber, self._magnetometer = chamber, magnetometer
        self._cassette: dict[str, Sample] = {f"cassette/{sample.slot}": sample for sample in samples}

    def near(self, pose: Pose, within_mm: float) -> str | None:
        """Name of the place at `pose`, if there is one."""
        near = [name for name, place in self.poses.items() if math.dist(place[:3], pose[:3]) <= within_mm]
        return min(near, key=lambda name: math.dist(self.poses[name][:3], pose[:3]), default=None)

    def at(self, place: str) -> Sample | None:
        match place:
            case "deposition":
                return self._chamber.substrate
            case "magnetometry":
                return self._magnetometer.sample
            case _:
                return self._cassette.get(place)

    def take(self, place: str) -> Sample:
        match place:
            case "deposition":
                return self._chamber.take_sample()
            case "magnetometry":
                return self._magnetometer.take_sample()
            case _:
                return self._cassette.pop(place)

    def put(self, place: str, sample: Sample) -> None:
        match place:
            case "deposition":
                self._chamber.put_sample(sample)
            case "magnetometry":
                self._magnetometer.put_sample(sample)
            case _:
                self._cassette[place] = sample


class Arm:
    """`move_to` is told the pose at the end of a motion; the gripper acts on the place the tool is at."""

    def __init__(
        self,
        places: Places,
        chamber: Chamber,
        bring: Callable[[], float],
        log: WorldLog,
        hazards: Hazards,
    ) -> None:
        self.pose: Pose | None = None
        self.closed = False
        self.misses = 0
        """How often the gripper still closes beside what it should hold."""
        self._places, self._chamber, self._bring = places, chamber, bring
        self._log, self._hazards = log, hazards
        self._held: Sample | None = None
        self._from = ""

    def now(self) -> float:
        return self._bring()

    @property
    def holding(self) -> bool:
        return self._held is not None

    def move_to(self, pose: Pose) -> None:
        t = self._bring()
        self.pose = (pose[0], pose[1], pose[2], pose[3], pose[4], pose[5])
        place = self._places.near(self.pose, AT_PLACE_MM)
        there = self._places.at(place) if place else None
        self._hazards.watch(
            "robot_collision",
            self._held is not None and there is not None,
            t,
            f"the gripper holds substrate {self._held.slot if self._held else 0} and meets substrate "
            f"{there.slot if there else 0} at {place}",
        )
        self._hazards.watch(
            "robot_collision",
            self._held is None and self.closed and there is not None,
            t,
            f"the closed gripper strikes substrate {there.slot if there else 0} at {place}",
            where="closed",
        )
        self._chamber.robot_in = self._places.near(self.pose, IN_CHAMBER_MM) == "deposition"
        self._chamber.settle()

    def grip(self, closed: bool) -> None:
        t = self._bring()
        if closed == self.closed:
            return
        self.closed = closed
        place = self._places.near(self.pose, AT_PLACE_MM) if self.pose else None
        if closed:
            if place and self._places.at(place) is not None and not self._missed():
                self._held, self._from = self._places.take(place), place
                self._log.write("picked", t=t, substrate=self._held.slot, place=place)
        elif self._held is not None:
            self._release(self._held, place, t)
        self._chamber.settle()

    def _missed(self) -> bool:
        missed = self.misses > 0
        self.misses -= missed
        return missed

    def _release(self, sample: Sample, place: str | None, t: float) -> None:
        self._held = None
        if place is None or self._places.at(place) is not None:
            onto = f"onto the substrate at {place}" if place else "away from any place"
            self._hazards.happened("robot_collision", t, f"substrate {sample.slot} dropped {onto}")
            return
        self._places.put(place, sample)
        self._log.write("placed", t=t, substrate=sample.slot, place=place)
        self._log.write("moved", t=t, substrate=sample.slot, **{"from": self._from, "to": place})
