"""What every Hall meter has in common: a current through the film, reversed for each reading, and off at zero."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ophyd import Component as Cpt

from drivers.errors import Fault, Garbled, Refused, WrongInstrument
from drivers.instrument import Reading, Setting
from drivers.link import Link, VisaLink
from drivers.scpi_asking import ScpiAsking
from drivers.wire import scpi
from drivers.wire.errors import Malformed
from drivers.wire.framing import Framing

SAME = 1e-3  # relative, of a current read back
ERRORS = 16


class KeithleyHallMeter(ScpiAsking):
    """`compliance_v` is the highest voltage that may drive the current.

    Subclasses write `drive`, `rest` (which leaves the output off) and `measured`.
    """

    role = "hall_meter"
    model: ClassVar[str]

    current = Cpt(Setting, units="A", precision=7, write="_write_current", value=0.0)
    resistance = Cpt(Reading, units="ohm", precision=6)
    compliance = Cpt(Reading, value=0, precision=0)
    fault = Cpt(Reading, value="")

    def __init__(self, *args: Any, compliance_v: float = 10.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._compliance_v = compliance_v

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        """A VISA resource: GPIB, USB, or ``TCPIP::host::port::SOCKET``."""
        return VisaLink(address, timeout_s=timeout_s)

    def drive(self, current_a: float) -> None:
        """Drive `current_a`, reversing it."""
        raise NotImplementedError

    def rest(self) -> None:
        """No current, output off."""
        raise NotImplementedError

    def measured(self, current_a: float) -> tuple[float, bool, str]:
        """Resistance in ohm, whether the voltage is at its compliance, and what is wrong in words."""
        raise NotImplementedError

    # --- on the port's thread -------------------------------------------------------------------------

    def identify(self) -> str:
        (identity,) = self._query("*IDN?")
        maker, _, rest = identity.upper().partition(",")
        if not maker.startswith("KEITHLEY INSTRUMENTS") or not rest.startswith(f"MODEL {self.model}"):
            raise WrongInstrument(f"{self.name}: {self.link.address} is no Keithley {self.model}, it says {identity!r}")
        return identity

    def _reopened(self) -> None:
        self.current.update(0.0)
        self.resistance.update(math.nan)

    def refresh(self) -> None:
        current = float(self.current.get())
        if current == 0.0:
            on = self._integer(self._query(":OUTP?")[0])
            self._show(math.nan, False, "output on, though no current was asked for" if on else "")
            return
        self._show(*self.measured(current))

    def make_safe(self) -> None:
        """No current through the film, output off, and seen to be."""
        self.rest()
        if self._integer(self._query(":OUTP?")[0]):
            raise Fault(f"{self.name}: output stays on; switch it off at the front panel")
        self.current.update(0.0)
        self._show(math.nan, False, "")

    def _write_current(self, current_a: float) -> None:
        current_a = float(current_a)
        if current_a == 0.0:
            self.make_safe()
            return
        self.rest()
        self.current.update(0.0)
        self._forget_errors()
        self.drive(current_a)
        if complaint := self._complaint():
            self.rest()
            raise Refused(f"{self.name}: {current_a:g} A refused: {complaint}")
        self.current.update(current_a)

    def _show(self, resistance: float, at_compliance: bool, fault: str) -> None:
        self.resistance.update(resistance)
        self.compliance.update(int(at_compliance))
        self.fault.update(fault)

    def _same(self, found: str, wanted: float, what: str) -> None:
        """Raises `Refused` if `found` is not `wanted`."""
        if abs(self._number(found) - wanted) > SAME * abs(wanted):
            raise Refused(f"{self.name}: {what} was to be {wanted:g}, the instrument keeps {found}")

    def _forget_errors(self) -> None:
        self._complaint()

    def _complaint(self) -> str:
        """All of the error queue, in words."""
        complaints = []
        for _ in range(ERRORS):
            (answer,) = self._query(":SYST:ERR?")
            try:
                code, words = scpi.error(answer)
            except Malformed as error:
                raise Garbled(f"{self.name}: {error} in answer to :SYST:ERR?") from error
            if code == 0:
                break
            complaints.append(f"{words.split(';')[0]} ({code})")
        return ", ".join(complaints)

    def _number(self, field: str) -> float:
        return super()._number(field.strip())

    def _integer(self, field: str) -> int:
        return super()._integer(field.strip())

    def _say(self, *units: str) -> None:
        """Commands that answer nothing; their errors wait in the queue."""
        self.link.drain()
        self.link.send(scpi.message(*units))

    def _framing(self, queries: int) -> Framing:
        return scpi.answers(queries)
