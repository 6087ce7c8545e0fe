"""What every magnetron supply has in common: striking, following a power, going off, and saying what is wrong.

A driver of one make adds how its supply is spoken to.  `RelayShutterGun` is for supplies that have no shutter of
their own: a relay of the station's relay box drives it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from ophyd import Component as Cpt

from drivers.asking import Asking
from drivers.clock import Clock
from drivers.errors import Fault, LinkError, SettingError
from drivers.instrument import Reading, Setting
from drivers.link import Port, insist

POLL_S = 0.2
"""Lab seconds between looks at the plasma."""
RELAY_PATIENCE_S = 15.0
"""Real seconds for a relay box to switch a shutter, behind whatever it is doing."""


class Supply(Protocol):
    """What a supply says of itself at one moment; its text goes into messages."""

    on: bool
    power_w: float
    voltage_v: float
    current_a: float

    @property
    def burning(self) -> bool: ...

    @property
    def faulty(self) -> bool: ...


@dataclass(frozen=True)
class SupplyStatus:
    """A supply that names its troubles in words; `trouble` is "" when there is none."""

    on: bool
    power_w: float
    voltage_v: float
    current_a: float
    trouble: str = ""
    note: str = ""

    @property
    def burning(self) -> bool:
        """A plasma draws current and power; an open circuit has voltage only."""
        return self.on and self.power_w > 0 and self.voltage_v > 0 and self.current_a > 0

    @property
    def faulty(self) -> bool:
        return bool(self.trouble)

    def __str__(self) -> str:
        words = [
            f"output {'on' if self.on else 'off'}, {self.power_w:g} W, {self.voltage_v:g} V, {self.current_a:g} A",
            self.note,
            self.trouble,
        ]
        return ", ".join(word for word in words if word)


class PlasmaGun(Asking):
    """A gun.  `target` is the element mounted; `strike_s` and `settle_s` are lab seconds.

    Subclasses write, on the port's thread: `_status`, `_set_point`, `_send_power` (which returns the watts the supply
    accepted), `_send_output`, `_drive_shutter` and `_show_shutter`.
    """

    role = "gun"

    power = Cpt(Setting, units="W", precision=0, write="_write_power", timeout_s=180.0)
    output = Cpt(Setting, value="unknown", choices=("on", "off"), write="_write_output", timeout_s=60.0)
    shutter = Cpt(Setting, value="unknown", choices=("open", "closed"), write="_write_shutter")
    actual_power = Cpt(Reading, units="W", precision=0)
    voltage = Cpt(Reading, units="V", precision=0)
    current = Cpt(Reading, units="A", precision=3)
    fault = Cpt(Reading, value="")

    def __init__(
        self,
        port: Port,
        *,
        name: str,
        clock: Clock,
        limits: dict[str, tuple[float, float]] | None = None,
        target: str,
        strike_s: float = 10.0,
        settle_s: float = 60.0,
        tolerance: float = 0.05,
        max_power_w: float = 1000.0,
    ) -> None:
        super().__init__(port, name=name, clock=clock, limits={"power": (0.0, max_power_w)} | (limits or {}))
        self.target = target
        self.strike_s = strike_s
        self.settle_s = settle_s
        self.tolerance = tolerance
        self._wanted_on = False

    # --- one make's own -------------------------------------------------------------------------------

    def _status(self) -> Supply:
        raise NotImplementedError

    def _set_point(self) -> float:
        """The supply's set point, W."""
        raise NotImplementedError

    def _send_power(self, watts: float) -> float:
        raise NotImplementedError

    def _send_output(self, on: bool) -> None:
        raise NotImplementedError

    def _drive_shutter(self, state: str) -> None:
        """Bring the shutter to `state` and see that it is there.  Raises `Fault`."""
        raise NotImplementedError

    def _show_shutter(self, status: Any) -> None:
        """Update the reading `shutter`."""
        raise NotImplementedError

    # --- verbs, on the port's thread ------------------------------------------------------------------

    def refresh(self) -> None:
        status = self._status()
        self._show(status)
        self.fault.update(self._complaint(status))

    def make_safe(self) -> None:
        """Output off, shutter closed; the shutter is closed also when the output does not obey."""
        try:
            self._switch_off()
        finally:
            insist(lambda: self._drive_shutter("closed"))

    def _write_power(self, watts: float) -> None:
        """With the output on, wait until the plasma takes this power."""
        accepted = self._send_power(watts)
        self.power.update(float(accepted))
        if self._status().on:
            self._follow(accepted)

    def _write_output(self, state: str) -> None:
        if state == "off":
            self._switch_off()
        else:
            self._strike()

    def _write_shutter(self, state: str) -> None:
        self._drive_shutter(state)

    # --- plasma ---------------------------------------------------------------------------------------

    def _strike(self) -> None:
        set_point = self._set_point()
        if set_point == 0:
            raise SettingError(f"{self.name}: set a power before switching on; the set point is 0 W")
        self._wanted_on = True
        try:
            self._send_output(True)
            burning, status = self._watch(lambda s: s.burning, within_s=self.strike_s)
        except LinkError:  # it may be on, and nobody sees what it does
            insist(lambda: self._send_output(False))
            raise
        if not burning:
            self._give_up(f"no plasma {self.strike_s:g} s after switching on at {set_point:g} W", status)
        self.fault.update(self._complaint(status))

    def _follow(self, watts: float) -> None:
        margin = max(2.0, self.tolerance * watts)
        reached, status = self._watch(lambda s: abs(s.power_w - watts) <= margin, within_s=self.settle_s)
        if watts > 0 and not status.burning:
            self._give_up(f"the plasma went out on the way to {watts:g} W", status)
        self.fault.update(self._complaint(status))
        if not reached:
            raise Fault(f"{self.name}: {watts:g} W not reached within {self.settle_s:g} s: {status}")

    def _give_up(self, what: str, status: Supply) -> None:
        """Switch off again, and say why."""
        complaint = f"{what}: {status}"
        self._switch_off()
        self.fault.update(complaint)
        raise Fault(f"{self.name}: {complaint}; switched off again. Check gas pressure, target and interlock chain")

    def _switch_off(self) -> None:
        self._wanted_on = False
        insist(self._say_off)

    def _say_off(self) -> None:
        self._send_output(False)
        off, status = self._watch(lambda s: not s.on, within_s=5.0)
        self.fault.update(self._complaint(status))
        if not off:
            raise Fault(f"{self.name}: the output does not go off: {status}; switch it off by hand")

    def _watch(self, reached: Callable[[Any], bool], *, within_s: float) -> tuple[bool, Any]:
        """Look until `reached`, a trip, or the time is over; never without a look after the deadline."""
        deadline = self.clock.now() + within_s
        while True:
            looked_at = self.clock.now()
            status = self._status()
            self._show(status)
            if reached(status):
                return True, status
            if looked_at >= deadline or (status.faulty and not status.on):
                return False, status
            self.clock.sleep(POLL_S)

    def _show(self, status: Supply) -> None:
        self.actual_power.update(float(status.power_w))
        self.voltage.update(float(status.voltage_v))
        self.current.update(float(status.current_a))
        self.output.update("on" if status.on else "off")
        self._show_shutter(status)

    def _complaint(self, status: Supply) -> str:
        if self._wanted_on and not status.on:
            return f"tripped: {status}"
        if status.faulty:
            return f"fault: {status}"
        if self._wanted_on and not status.burning and self.power.get() != 0:
            return f"no plasma: {status}"
        return ""


class RelayShutterGun(PlasmaGun):
    """A gun whose shutter hangs on relay `shutter_relay` of the station's relay box: energised is open."""

    def __init__(self, *args: Any, shutter_relay: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shutter_relay = int(shutter_relay)
        self._relays: Any = None

    def attach(self, relays: Any) -> None:
        """`relays` (a `drivers.roles.Relays`) drives the shutter from now on.  Raises `SettingError`."""
        relays.claim(self.shutter_relay)
        self._relays = relays

    def _drive_shutter(self, state: str) -> None:
        if self._relays is None or not self.shutter_relay:
            raise SettingError(
                f"{self.name}: this supply has no shutter of its own; add a relay box to the station and give the "
                "gun's shutter_relay in the lab file"
            )
        switch = partial(self._relays.switch, self.shutter_relay, state == "open")
        try:
            self._relays.port.submit(switch).result(RELAY_PATIENCE_S)
        except TimeoutError as error:
            raise Fault(
                f"{self.name}: {self._relays.name} did not switch relay {self.shutter_relay} within "
                f"{RELAY_PATIENCE_S:g} s; look at its cable, and close the shutter by hand"
            ) from error
        self.shutter.update(state)

    def _show_shutter(self, status: Any) -> None:
        """As the relay box was last read; its own monitor keeps that fresh."""
        if self._relays is not None and self.shutter_relay:
            closed_contacts = self._relays.closed_contacts()
            if closed_contacts is not None:
                self.shutter.update("open" if self.shutter_relay in closed_contacts else "closed")
