"""Lake Shore 643 (and 648) electromagnet power supply.

Source: the maker's ``lakeshore`` package, em_power_supply.py (commands, bits of the error registers, ``*ESR?``
behind each message).  TCP 7777, GPIB, or USB serial 57600 7O1; replies end with CR LF.  Unverified on hardware.

The supply ramps by itself: its rate and its limits are set, and read back, before the first current.  It has no
output switch; its safe state is zero current.  It states its interlock chain bit by bit.
"""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple

from drivers.electromagnet import Electromagnet, Flowing
from drivers.errors import Fault, Garbled, NoReply, Refused, WrongInstrument
from drivers.link import Link, SerialLink, VisaLink, read_twice
from drivers.scpi_asking import ScpiAsking
from drivers.wire import scpi

MODELS = ("MODEL643", "MODEL648")
STATE = ("SETI?", "RDGI?", "RDGV?", "ERST?")
QUERY_ERROR, EXECUTION_ERROR, COMMAND_ERROR = 1 << 2, 1 << 4, 1 << 5  # *ESR?
HARDWARE = {
    0: "output control failure",
    1: "DAC processor does not respond",
    2: "output over-current",
    3: "output over-voltage",
    4: "supply over-temperature",
    5: "output stage protection",
}
OPERATIONAL = {
    0: "calibration error",
    1: "external program error",
    2: "supply temperature high",
    3: "line voltage low",
    4: "line voltage high",
    5: "magnet water flow",
    6: "supply water flow",
    7: "remote enable open",
}
SAME = 1e-3  # relative, of numbers read back


class State(NamedTuple):
    setpoint_a: float
    current_a: float
    voltage_v: float
    errors: str


class LakeShore643(Electromagnet, ScpiAsking):
    """`max_slew_a_s` becomes the supply's ramp rate, and the limit of any rate set at its front panel."""

    driver = "lakeshore-643"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepared = False

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        """A serial device (57600 7O1), or a VISA resource: GPIB, or ``TCPIP::host::7777::SOCKET``."""
        if address.startswith("/") or address.upper().startswith("COM"):
            return SerialLink(address, baudrate=57600, bytesize=7, parity="O", timeout_s=timeout_s)
        return VisaLink(address, timeout_s=timeout_s, termination="\r\n")

    # --- on the port's thread -------------------------------------------------------------------------

    def identify(self) -> str:
        (identity,) = self._query("*IDN?")
        maker, _, rest = identity.partition(",")
        if maker != "LSCI" or not rest.startswith(MODELS):
            raise WrongInstrument(f"{self.name}: {self.link.address} is no Lake Shore 643 or 648, it says {identity!r}")
        self._query("*ESR?")  # power-on, and whatever an earlier connection left
        return identity

    def _reopened(self) -> None:
        self._prepared = False

    def refresh(self) -> None:
        self._state()

    def make_safe(self) -> None:
        """Ramp to zero, whatever it was doing, and see that no current flows."""
        self._prepare()
        present = abs(self._state().current_a)
        self._set_current(0.0)
        self._settle(0.0, ramp_s=present / self._slew_a_s)
        self.current.update(0.0)

    def flowing(self) -> Flowing:
        state = self._state()
        if state.errors:
            raise Fault(f"{self.name}: {state.errors}; look at the supply and its water, then clear it there")
        return Flowing(state.current_a, state.voltage_v)

    def _write_current(self, target: float) -> None:
        act = f"ramp to {target:g} A"
        self.give_way(act)
        try:
            if not self._prepared:
                self._prepare()
            present = self.flowing().current_a
            self._set_current(float(target))
            self._settle(float(target), act, ramp_s=abs(target - present) / self._slew_a_s)
        except Exception:
            self._prepared = False
            raise
        self.current.update(float(target))

    def _prepare(self) -> None:
        """Programmed from here, no segments of ramps, the lab's rate and limits; all read back."""
        reach = max(abs(limit) for limit in self.limits["current"])
        rate = scpi.decimal(self._slew_a_s, 4)
        self._do("XPGM 0", "RSEG 0", f"LIMIT {scpi.decimal(reach, 4)},{rate}", f"RATE {rate}")
        program, segments, limits, found = read_twice(lambda: self._ask("XPGM?", "RSEG?", "LIMIT?", "RATE?"))
        taken = [self._number(part.strip()) for part in (program, segments, found, *limits.split(","))]
        wanted = [0.0, 0.0, self._slew_a_s, reach, self._slew_a_s]
        if len(taken) != len(wanted) or any(
            abs(a - b) > SAME * abs(b) + 1e-4 for a, b in zip(taken, wanted, strict=True)
        ):
            raise Refused(
                f"{self.name}: asked for internal program, no segments, {reach:g} A and {self._slew_a_s:g} A/s, "
                f"it keeps XPGM {program}, RSEG {segments}, LIMIT {limits}, RATE {found}"
            )
        self._prepared = True

    def _set_current(self, target: float) -> None:
        command = f"SETI {scpi.decimal(target, 4)}"
        with contextlib.suppress(NoReply, Garbled):  # was it carried out?  the set point tells
            self._do(command)
        setpoint = self._state().setpoint_a
        if abs(setpoint - target) > self._tolerance_a:
            raise Refused(f"{self.name}: {command} not taken over, set point is {setpoint:g} A")

    def _state(self) -> State:
        return read_twice(self._read_state)

    def _read_state(self) -> State:
        setpoint, current, voltage, errors = self._ask(*STATE)
        state = State(*(self._number(field) for field in (setpoint, current, voltage)), self._words(errors))
        self.actual_current.update(state.current_a)
        self.voltage.update(state.voltage_v)
        self.fault.update(state.errors)
        return state

    def _words(self, registers: str) -> str:
        """ERST?: hardware and operational errors."""
        try:
            hardware, operational = (scpi.integer(field.strip()) for field in registers.split(","))
        except ValueError as error:
            raise Garbled(f"{self.name}: {registers!r} in answer to ERST?") from error
        words = [word for bit, word in HARDWARE.items() if hardware >> bit & 1]
        words += [word for bit, word in OPERATIONAL.items() if operational >> bit & 1]
        return ", ".join(words)

    def _do(self, *commands: str) -> None:
        (events,) = self._ask(*commands, "*ESR?")
        if int(self._number(events)) & (QUERY_ERROR | EXECUTION_ERROR | COMMAND_ERROR):
            raise Refused(f"{self.name}: {';'.join(commands)} refused, *ESR? says {events}")
