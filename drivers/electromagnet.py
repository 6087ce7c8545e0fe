"""What every supply of an electromagnet has in common: the load is an inductor, so its current is only ever ramped."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ophyd import Component as Cpt
from ophyd.status import DeviceStatus

from drivers.errors import Fault
from drivers.instrument import Reading, Setting
from drivers.stoppable import Stoppable

POLLS = 20
NOTHING_A = 1e-6
"""Below this a difference is one of rounding, and no step that takes time."""


class Flowing(NamedTuple):
    """What the supply measures."""

    current_a: float
    voltage_v: float


class RampedCurrent(Setting):
    """Done when the supply measures the current; the time-out follows from the ramp."""

    def set(self, value: Any, *, timeout: float | None = None, **kwargs: Any) -> DeviceStatus:
        return super().set(value, timeout=self.parent.ramp_timeout_s if timeout is None else timeout)


class Electromagnet(Stoppable):
    """`max_slew_a_s` bounds the ramp.  `tolerance_a` is how closely the measured current must agree within
    `settle_s` of the ramp's end.

    Subclasses write `flowing`, and what `Instrument` asks for.
    """

    role = "magnet"

    current = Cpt(RampedCurrent, units="A", precision=3, write="_write_current", value=0.0)
    actual_current = Cpt(Reading, units="A", precision=3)
    voltage = Cpt(Reading, units="V", precision=2)
    fault = Cpt(Reading, value="")

    hint = "check leads and coil"
    """What to look at when the current does not flow."""

    def __init__(
        self,
        *args: Any,
        max_current_a: float = 12.0,
        max_slew_a_s: float = 1.0,
        tolerance_a: float = 0.02,
        settle_s: float = 10.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.limits.setdefault("current", (-max_current_a, max_current_a))
        self._slew_a_s = max_slew_a_s
        self._tolerance_a = tolerance_a
        self._settle_s = settle_s
        reach_a = max(abs(limit) for limit in self.limits["current"])
        self.ramp_timeout_s = 3 * 2 * reach_a / max_slew_a_s + settle_s + 30.0
        self.safe_timeout_s = self.ramp_timeout_s

    def flowing(self) -> Flowing:
        """Read current and voltage, and update their readings; on the port's thread.  Raises `Fault` on a trip."""
        raise NotImplementedError

    def _settle(self, target: float, act: str | None = None, ramp_s: float = 0.0) -> None:
        """Wait until `target` flows, at most `settle_s` after the `ramp_s` lab seconds that the ramp takes."""
        deadline = self.clock.now() + ramp_s + self._settle_s
        polls = 0
        while True:
            flowing = self.flowing()
            if abs(flowing.current_a - target) <= self._tolerance_a:
                return
            polls += 1
            if polls > POLLS and self.clock.now() > deadline:
                raise Fault(
                    f"{self.name}: {flowing.current_a:g} A at {flowing.voltage_v:g} V flow where {target:g} A were "
                    f"asked for; {self.hint}"
                )
            if act is not None:
                self.give_way(act)
            self.clock.sleep(0.1)


class SteppedElectromagnet(Electromagnet):
    """A supply that takes a set point at once: the ramp is in steps every `ramp_step_s` lab seconds (twice that at
    most), each acknowledged before the next.  Subclasses write `command`."""

    def __init__(self, *args: Any, ramp_step_s: float = 0.5, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._step_s = ramp_step_s
        self._commanded_a: float | None = None  # None: not known, ask
        self._commanded_at = 0.0

    def command(self, current_a: float) -> None:
        """State the set point and see that it was taken over.  Raises `Refused`, `Fault`."""
        raise NotImplementedError

    def _ramp(self, target: float, act: str | None = None) -> None:
        """Steps no larger than the slew limit times the lab time since the step before was acknowledged."""
        while self._commanded_a != target:
            if act is not None:
                self.give_way(act)
            assert self._commanded_a is not None
            missing = target - self._commanded_a
            pause = min(self._step_s, abs(missing) / self._slew_a_s)
            self.clock.sleep(self._commanded_at + pause - self.clock.now())
            reach = self._slew_a_s * min(self.clock.now() - self._commanded_at, 2 * self._step_s)
            near = abs(missing) <= max(reach, NOTHING_A)
            step = target if near else self._commanded_a + math.copysign(reach, missing)
            self.command(step)
            self._commanded_at = self.clock.now()
            self._commanded_a = step
