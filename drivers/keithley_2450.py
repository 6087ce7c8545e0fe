"""Keithley 2450 SourceMeter as a Hall meter: current through two contacts, voltage sensed at the other two.

Source: reference manual as cited by labmcp-keithley-smu and pymeasure (command set SCPI; LAN socket 5025).  Force HI
and LO go to the current contacts, sense HI and LO to the Hall contacts.  Unverified on hardware: whether the meter
bears a voltage between force and sense leads as large as half the compliance; keep `compliance_v` low.
"""

from __future__ import annotations

import math
from typing import Any

from drivers.errors import WrongInstrument
from drivers.hall_meter import KeithleyHallMeter
from drivers.wire import scpi


class Keithley2450(KeithleyHallMeter):
    """A reading is of `pairs` reversals, each of two readings of `nplc` power-line cycles."""

    driver = "keithley-2450"
    model = "2450"

    def __init__(self, *args: Any, nplc: float = 1.0, pairs: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not (0.01 <= nplc <= 10 and pairs >= 1):
            raise TypeError(f"nplc = {nplc:g}, pairs = {pairs}: give 0.01 to 10 cycles, and at least one pair")
        self._nplc, self._pairs = nplc, pairs

    def identify(self) -> str:
        identity = super().identify()
        (language,) = self._query("*LANG?")
        if language != "SCPI":
            raise WrongInstrument(
                f"{self.name}: speaks {language}, not SCPI; set its command set at the front panel and restart it"
            )
        return identity

    def drive(self, current_a: float) -> None:
        self._say(':SENS:FUNC "VOLT"', ":SENS:VOLT:RSEN ON", f":SENS:VOLT:NPLC {scpi.decimal(self._nplc)}")
        self._say(":SENS:VOLT:RANG:AUTO ON", ":SOUR:FUNC CURR", f":SOUR:CURR:RANG {current_a:.4E}")
        self._say(f":SOUR:CURR:VLIM {scpi.decimal(self._compliance_v)}", f":SOUR:CURR {current_a:.6E}")
        level, limit = self._query(":SOUR:CURR?", ":SOUR:CURR:VLIM?")
        self._same(level, current_a, "current")
        self._same(limit, self._compliance_v, "voltage limit")
        self._say(":OUTP ON")

    def rest(self) -> None:
        self._say(":SOUR:CURR 0", ":OUTP OFF")

    def measured(self, current_a: float) -> tuple[float, bool, str]:
        resistances = []
        for _ in range(self._pairs):
            there = (f":SOUR:CURR {current_a:.6E}", ":READ?", ":SOUR:CURR:VLIM:TRIP?")
            back = (f":SOUR:CURR {-current_a:.6E}", ":READ?", ":SOUR:CURR:VLIM:TRIP?", ":OUTP?")
            up, tripped, down, tripped_too, on = self._query(*there, *back)
            if not self._integer(on):
                return math.nan, False, "output went off"
            if self._integer(tripped) or self._integer(tripped_too):
                return math.nan, True, "voltage at its compliance: a contact is open"
            resistances.append((self._number(up) - self._number(down)) / (2 * current_a))
        return math.fsum(resistances) / len(resistances), False, ""
