"""What would have broken, been ruined or hurt someone: recognised once per occurrence."""

from __future__ import annotations

from collections import deque

from simulators.worldlog import WorldLog

PLASMA_WINDOW_PA = (0.1, 5.0)  # supplies may be on inside this window only

KINDS = (
    "plasma_outside_pressure_window",
    "deposition_on_no_substrate",
    "deposition_twice",
    "shutter_open_while_robot_in",
    "robot_collision",
    "magnet_slew",
    "magnet_current",
    "gas_without_pump",
)


class Hazards:
    """Writes a hazard when a hazardous condition starts; it may be written again only after it has ended."""

    def __init__(self, log: WorldLog) -> None:
        self._log = log
        self._present: set[tuple[str, str]] = set()

    def watch(self, kind: str, present: bool, t: float, detail: str, *, where: str = "") -> None:
        """State whether the condition `kind` (at `where`, if it can be in several places) is there at `t`."""
        key = (kind, where)
        if not present:
            self._present.discard(key)
        elif key not in self._present:
            self._present.add(key)
            self.happened(kind, t, detail)

    def happened(self, kind: str, t: float, detail: str) -> None:
        """An occurrence without duration."""
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is not a hazard; they are {', '.join(KINDS)}")
        self._log.write("hazard", t=t, kind=kind, detail=detail)


class SlewRule:
    """Decides whether commands drive a magnet faster than `limit_a_s`, whatever the scheduling.

    Two rules, both on what was *commanded*, since the coil itself follows with its own lag:

    - a single step may be worth at most `STEP_S` seconds of the limit (a jump is a jump, however rare);
    - the travel commanded within any trailing `WINDOW_S` may be worth at most 1.25 x that window plus two
      steps.  Commands that were sent evenly but arrive bunched by the machine's scheduling pass; a ramp
      that is steadily too fast by more than about 40 % does not.
    """

    STEP_S = 1.0
    WINDOW_S = 10.0
    TOLERANCE = 1.02

    def __init__(self, limit_a_s: float) -> None:
        self._limit = limit_a_s
        self._steps: deque[tuple[float, float]] = deque()

    def broken_by(self, step_a: float, t: float) -> str:
        """Take one commanded step at `t`; what it breaks, in words, or ""."""
        self._steps.append((t, abs(step_a)))
        while self._steps[0][0] < t - self.WINDOW_S:
            self._steps.popleft()
        if abs(step_a) > self._limit * self.STEP_S * self.TOLERANCE:
            return f"a step of {abs(step_a):.3g} A at a limit of {self._limit:g} A/s"
        travel = sum(step for _, step in self._steps)
        if travel > self._limit * (1.25 * self.WINDOW_S + 2 * self.STEP_S):
            return f"{travel:.3g} A commanded within {self.WINDOW_S:g} s at a limit of {self._limit:g} A/s"
        return ""

    def exceeded_by(self, rate_a_s: float) -> bool:
        """Whether a ramp that the supply itself makes is too fast."""
        return rate_a_s > self._limit * self.TOLERANCE

    def forget(self) -> None:
        self._steps.clear()
