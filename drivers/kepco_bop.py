"""Kepco BOP bipolar power supply with a BIT 4882 / 4886 card, or BOP-MG / BOP-1kW: a magnet's current.

Source: BOP operator manual (message syntax 3.6.4, status A.5, errors table B-5), BIT 4886 as driven by
pymeasure.  Unverified on hardware.

The load is an inductor.  The current is only ever ramped; the output is switched off at zero current and
never before.  ``*TST?`` and ``DIAG:TST?`` swing the output to its maximum and are not used.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from drivers.electromagnet import Flowing, SteppedElectromagnet
from drivers.errors import Fault, Garbled, NoReply, Refused, WrongInstrument
from drivers.link import Link, VisaLink, exchange, read_twice
from drivers.wire import scpi
from drivers.wire.errors import Malformed

STATE = (":CURR?", ":OUTP?", ":MEAS:CURR?", "VOLT?", "*ESR?")
"""One message: set point, output, measured current and voltage, events since the last time."""

ERRORS = 0b111100  # *ESR?: query, device, execution and command error

BIT_4882_PAUSE_S = 0.002


class State(NamedTuple):
    setpoint_a: float
    on: bool
    current_a: float
    voltage_v: float
    events: int


class KepcoBop(SteppedElectromagnet):
    """`compliance_v` must exceed L dI/dt + R I.  `read_delay_s` is real time between write and read: 2 ms for a
    BIT 4882 card, which `identify` sees to.
    """

    driver = "kepco-bop"

    def __init__(
        self,
        *args: Any,
        compliance_v: float = 20.0,
        read_delay_s: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._compliance_v = compliance_v
        self._read_delay_s = read_delay_s
        self.hint = f"check leads, coil and compliance ({compliance_v:g} V)"

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        """A VISA resource: GPIB, LAN (``TCPIP::host::port::SOCKET``) or serial 9600 8N1."""
        return VisaLink(address, timeout_s=timeout_s)

    # --- on the port's thread -------------------------------------------------------------------------

    def identify(self) -> str:
        pause, self._read_delay_s = self._read_delay_s, max(self._read_delay_s, BIT_4882_PAUSE_S)
        identity = self._query("*IDN?")
        if not identity.upper().startswith("KEPCO"):
            raise WrongInstrument(f"{self.name}: {self.link.address} is no Kepco BOP, it says {identity!r}")
        if "4882" not in identity:
            self._read_delay_s = pause
        self._query("*ESR?")  # power-on and whatever an earlier session left
        self.fault.update("")
        return identity

    def refresh(self) -> None:
        state = self._state()
        if state.events & ERRORS:
            self.fault.update(self._complaint())

    def make_safe(self) -> None:
        """Ramp to zero, see that no current flows, then switch the output off."""
        state = self._state()
        if state.on:
            if self._mode_is_current():
                self._commanded_a = state.setpoint_a
                self._ramp(0.0)
            else:
                self._do("VOLT 0")
            self._settle(0.0)
            self._do("OUTP 0")
            if self._query("OUTP?") != "0":
                raise Fault(f"{self.name}: output stays on after OUTP 0; switch it off at the front panel")
        self._commanded_a = None
        self.current.update(0.0)
        self.fault.update("")

    def _write_current(self, target: float) -> None:
        act = f"ramp to {target:g} A"
        self.give_way(act)
        try:
            if self._commanded_a is None:
                self._energise()
            self._ramp(float(target), act)
            self._settle(float(target), act)
        except Exception:
            self._commanded_a = None
            raise
        self.current.update(float(target))

    def _energise(self) -> None:
        """Current mode, output on; the current that then flows is where the ramp starts."""
        state = self._state()
        if not state.on:
            self._do("FUNC:MODE CURR", ":CURR 0", f":VOLT {scpi.decimal(self._compliance_v)}", ":OUTP 1")
            state = self._state()
        if not state.on or not self._mode_is_current():
            raise Fault(
                f"{self.name}: output is {'on' if state.on else 'off'} and not in current mode; "
                "bring it to its safe state and look at the supply's front panel"
            )
        self._commanded_a = state.setpoint_a
        self._commanded_at = self.clock.now()

    def command(self, current_a: float) -> None:
        command = f"CURR {scpi.decimal(current_a)}"
        try:
            state = self._take(*self._ask(command, *STATE))
        except (NoReply, Garbled):
            state = self._state()  # was it carried out?
        if state.events & ERRORS:
            complaint = self._complaint()
            self.fault.update(complaint)
            raise Refused(f"{self.name}: {command} refused: {complaint}")
        if not state.on:
            raise Fault(f"{self.name}: output went off during a ramp at {current_a:g} A; check its front panel")
        if abs(state.setpoint_a - current_a) > self._tolerance_a:
            raise Refused(f"{self.name}: {command} not taken over, set point is {state.setpoint_a:g} A")

    def flowing(self) -> Flowing:
        state = self._state()
        return Flowing(state.current_a, state.voltage_v)

    def _mode_is_current(self) -> bool:
        return self._query("FUNC:MODE?") == "1"

    def _do(self, *commands: str) -> None:
        """Commands that answer nothing, then whether they raised an error."""
        (events,) = self._ask(*commands, "*ESR?")
        if self._events(events) & ERRORS:
            raise Refused(f"{self.name}: {';'.join(commands)} refused: {self._complaint()}")

    def _complaint(self) -> str:
        """All of the error queue, in words."""
        complaints = []
        for _ in range(16):  # the queue holds 15
            code, words = self._next_error()
            if code == 0:
                break
            complaints.append(f"{words} ({code})")
        return ", ".join(complaints) or "an error it does not name"

    def _events(self, field: str) -> int:
        try:
            return scpi.integer(field)
        except Malformed as error:
            raise Garbled(f"{self.name}: {error} in answer to *ESR?") from error

    def _next_error(self) -> tuple[int, str]:
        answer = self._query("SYST:ERR?")
        try:
            return scpi.error(answer)
        except Malformed as error:
            raise Garbled(f"{self.name}: {error} in answer to SYST:ERR?") from error

    def _take(self, setpoint: str, on: str, current: str, voltage: str, events: str) -> State:
        try:
            state = State(
                scpi.number(setpoint),
                bool(scpi.integer(on)),
                scpi.number(current),
                scpi.number(voltage),
                scpi.integer(events),
            )
        except Malformed as error:
            raise Garbled(f"{self.name}: {error} in answer to its state") from error
        self.actual_current.update(state.current_a)
        self.voltage.update(state.voltage_v)
        return state

    def _state(self) -> State:
        return read_twice(lambda: self._take(*self._ask(*STATE)))

    def _query(self, query: str) -> str:
        (answer,) = read_twice(lambda: self._ask(query))
        return answer

    def _ask(self, *units: str) -> list[str]:
        message = scpi.message(*units)
        if self._read_delay_s:
            self.link.drain()
            self.link.send(message)
            time.sleep(self._read_delay_s)
            reply = self.link.receive(scpi.LF)
        else:
            reply = exchange(self.link, message, scpi.LF)
        try:
            return scpi.fields(reply, sum(unit.endswith("?") for unit in units))
        except Malformed as error:
            raise Garbled(f"{self.name}: {error} in answer to {message!r}") from error
