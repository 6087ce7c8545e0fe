"""TDK-Lambda GENESYS dc supply as a gun: a supply of current, brought to a power by its host.

RS-232 / RS-485, 9600 8N1; the first command is always the unit's address.  Every line carries a checksum.  The supply
knows voltage and current only, so that a power is set as a current, P / V, and corrected by the voltage that the
plasma takes; it drifts with that voltage until it is set again.  `voltage_limit_v` must suffice to strike.
Auto-restart is switched off: a mains dip must not light a plasma.

Source: TDK-Lambda GENESYS manual, serial communication; PyMeasure ``tdk`` and its tests.  Unverified on hardware: the
bits of the two registers.
"""

from __future__ import annotations

from typing import Any

from drivers.errors import Garbled, Refused, SettingError, WrongInstrument
from drivers.link import Link, SerialLink
from drivers.plasma import RelayShutterGun, SupplyStatus
from drivers.wire import genesys
from drivers.wire.errors import Malformed

FAULTS = {
    1: "mains failed",
    2: "over-temperature",
    3: "fold-back protection",
    4: "over-voltage protection",
    5: "shut off from the rear",
    7: "enable contact open",
}
"""Bit of the fault register -> what it says.  Bit 6 is the output switched off, and no fault."""
RUNNING = 0b11
"""Constant voltage or constant current, in the status register."""
LOCAL = 1 << 7
CORRECTIONS = 5
STEP_S = 2.0


class TdkGenesys(RelayShutterGun):
    """A gun.  `burning_v` is the voltage to expect of a plasma before there is one."""

    driver = "tdk-genesys"
    framing = staticmethod(genesys.LINE)

    def __init__(
        self,
        *args: Any,
        address: int = 6,
        voltage_limit_v: float = 600.0,
        burning_v: float = 400.0,
        current_limit_a: float = 2.6,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.address = int(address)
        self._voltage_limit_v = voltage_limit_v
        self._burning_v = burning_v
        self._current_limit_a = current_limit_a
        self._wanted_w: float | None = None

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        return SerialLink(address, baudrate=9600, timeout_s=timeout_s)

    # --- verbs, on the port's thread ------------------------------------------------------------------

    def identify(self) -> str:
        """Model and serial number; remote control, no auto-restart, the voltage limit.  `WrongInstrument`,
        `LinkError`."""
        try:
            self._address()
            who = self._query("IDN?")
        except Garbled as error:
            raise WrongInstrument(f"{error}; is this a GENESYS at address {self.address}?") from error
        if not who.upper().startswith("LAMBDA,GEN"):
            raise WrongInstrument(f"{self.name}: calls itself {who!r}, not LAMBDA,GEN")
        self._set("RMT", "REM")
        self._set("AST", "OFF")
        self._set("PV", f"{self._voltage_limit_v:g}")
        return f"{who}, serial {self._query('SN?')}, at most {self._voltage_limit_v:g} V, target {self.target}"

    def _set_point(self) -> float:
        """What the current set would be at the plasma's voltage, W."""
        current = self._number("PC?")
        return 0.0 if current == 0 else self._wanted_w or current * self._burning_v

    def _send_power(self, watts: float) -> float:
        state = self._state()
        burning = state.current > 0 and state.voltage > 0
        self._aim(watts / (state.voltage if burning else self._burning_v))
        self._wanted_w = float(watts)
        return self._wanted_w

    def _aim(self, current_a: float) -> None:
        if current_a > self._current_limit_a:
            raise SettingError(
                f"{self.name}: {current_a:.3g} A are needed and current_limit_a is {self._current_limit_a:g} A"
            )
        written = f"{current_a:.3f}"
        self._set("PC", written)
        if abs((accepted := self._number("PC?")) - float(written)) > 2e-3:
            raise Refused(f"{self.name}: {written} A were refused, the set point is {accepted:g} A")

    def _send_output(self, on: bool) -> None:
        self._set("OUT", "ON" if on else "OFF")

    def _strike(self) -> None:
        super()._strike()
        if self._wanted_w:
            self._follow(self._wanted_w)

    def _follow(self, watts: float) -> None:
        """Correct the current by the voltage that the plasma takes."""
        margin = max(1.0, self.tolerance * watts / 2)
        for _ in range(CORRECTIONS):
            reached, status = self._watch(lambda s: abs(s.power_w - watts) <= margin, within_s=STEP_S)
            if reached or not status.burning:
                break
            self._aim(watts / status.voltage_v)
        super()._follow(watts)

    def _status(self) -> SupplyStatus:
        state = self._state()
        words = [said for bit, said in FAULTS.items() if state.fault >> bit & 1]
        words += ["in local control"] if state.status & LOCAL else []
        return SupplyStatus(
            bool(state.status & RUNNING),
            round(state.voltage * state.current, 3),
            state.voltage,
            state.current,
            trouble=", ".join(words),
        )

    # --- wire -----------------------------------------------------------------------------------------

    def _state(self) -> genesys.Status:
        return self._ask(genesys.line("STT?"), lambda frame: genesys.parse_status(self._text(b"STT?", frame)))

    def _number(self, query: str) -> float:
        return self._ask(genesys.line(query), lambda frame: genesys.number(self._text(query.encode(), frame)))

    def _query(self, query: str) -> str:
        return self._ask(genesys.line(query), lambda frame: self._text(query.encode(), frame))

    def _address(self) -> None:
        """Whatever was half said before, an address begins anew; idempotent."""
        request = genesys.line(f"ADR {self.address}")
        self._ask(request, lambda frame: self._okay(request, frame))

    def _set(self, command: str, value: str) -> None:
        """A set is answered with OK.  If that is lost, ask what became of it."""
        request = genesys.line(f"{command} {value}")

        def obeyed() -> bool:
            now = self._query(f"{command}?")
            try:
                return genesys.number(now) == float(value)
            except (Malformed, ValueError):
                return now == value

        self._command(lambda: self._once(request, lambda frame: self._okay(request, frame)), obeyed)

    def _okay(self, request: bytes, frame: bytes) -> None:
        if (text := self._text(request, frame)) != "OK":
            raise Malformed(f"{text!r} after {request!r} is not OK")

    def _text(self, request: bytes, frame: bytes) -> str:
        text = genesys.parse(frame)
        if text in genesys.ERRORS:
            raise Refused(f"{self.name}: {request!r} was refused with {text}: {genesys.ERRORS[text]}")
        return text
