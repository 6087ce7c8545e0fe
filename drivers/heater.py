"""What substrate heaters have in common: a set point, heating on or off, and a temperature."""

from __future__ import annotations

from typing import Any

from ophyd import Component as Cpt

from drivers.asking import Asking
from drivers.errors import Refused
from drivers.instrument import Reading, Setting
from drivers.link import insist

NOT_MORE_C = 0.6
"""How far a controller may round a set point."""


class Heater(Asking):
    """Subclasses write, on the port's thread: `identify`, `refresh`, `_send_temperature`, `_set_point_c` and
    `_send_heating`."""

    role = "heater"

    temperature = Cpt(Setting, units="degC", precision=1, write="_write_temperature")
    heating = Cpt(Setting, value="unknown", choices=("on", "off"), write="_write_heating")
    actual_temperature = Cpt(Reading, units="degC", precision=1)
    power = Cpt(Reading, units="%", precision=1)
    fault = Cpt(Reading, value="")

    def __init__(self, *args: Any, max_temperature_c: float = 600.0, **kwargs: Any) -> None:
        kwargs["limits"] = {"temperature": (0.0, max_temperature_c)} | (kwargs.get("limits") or {})
        super().__init__(*args, **kwargs)

    # --- one make's own -------------------------------------------------------------------------------

    def _send_temperature(self, celsius: float) -> None:
        raise NotImplementedError

    def _set_point_c(self) -> float:
        raise NotImplementedError

    def _send_heating(self, on: bool) -> None:
        """Bring it about and see that it is so.  Raises `Refused`."""
        raise NotImplementedError

    # --- verbs, on the port's thread ------------------------------------------------------------------

    def make_safe(self) -> None:
        """No power to the heater.  How hot it still is, nobody can change."""
        insist(lambda: self._send_heating(False))
        self.refresh()

    def _write_temperature(self, celsius: float) -> None:
        self._command(lambda: self._send_temperature(celsius), lambda: self._near(celsius))
        if not self._near(celsius):
            raise Refused(f"{self.name}: {celsius:g} degC was refused, the set point is {self._set_point_c():g} degC")
        self.refresh()

    def _write_heating(self, state: str) -> None:
        self._send_heating(state == "on")
        self.refresh()

    def _near(self, celsius: float) -> bool:
        return abs(self._set_point_c() - celsius) <= NOT_MORE_C
