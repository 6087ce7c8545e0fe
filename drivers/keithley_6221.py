"""Keithley 6221 current source with a 2182A nanovoltmeter at its serial port, in delta mode, as a Hall meter.

Source: pymeasure's keithley6221.py and qcodes' drivers.  Delta mode reverses the current without end and gives the
voltage of one direction, freed of thermal voltages and their drift by three readings of alternate sign.  GPIB, or
TCP 1394.  Unverified on hardware: ``SOUR:DELT:ARM?``, and that ``SENS:DATA?`` gives a reading and its time.
"""

from __future__ import annotations

import math
from typing import Any

from drivers.errors import Refused, WrongInstrument
from drivers.hall_meter import KeithleyHallMeter
from drivers.wire import scpi


class Keithley6221(KeithleyHallMeter):
    """`delay_s` passes between a reversal and its reading.  A reading that stays the same for `stale_s` lab seconds is
    none."""

    driver = "keithley-6221-2182a"
    model = "6221"

    def __init__(self, *args: Any, delay_s: float = 0.002, stale_s: float = 5.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._delay_s = delay_s
        self._stale_s = stale_s
        self._stamp = math.nan
        self._stamped_at = 0.0

    def identify(self) -> str:
        identity = super().identify()
        (present,) = self._query(":SOUR:DELT:NVPR?")
        if not self._integer(present):
            raise WrongInstrument(
                f"{self.name}: finds no 2182A at its serial port; check the RS-232 and trigger-link cables, and the "
                f"2182A's baud rate (19200)"
            )
        return identity

    def drive(self, current_a: float) -> None:
        self._say(":UNIT:VOLT:DC V", ":FORM:ELEM READ,TST", f":SOUR:CURR:COMP {scpi.decimal(self._compliance_v)}")
        self._say(f":SOUR:DELT:HIGH {current_a:.6E}", f":SOUR:DELT:DEL {scpi.decimal(self._delay_s)}")
        self._say(":SOUR:DELT:COUN INF", ":SOUR:DELT:CAB ON")
        high, low, limit = self._query(":SOUR:DELT:HIGH?", ":SOUR:DELT:LOW?", ":SOUR:CURR:COMP?")
        self._same(high, current_a, "current")
        self._same(low, -current_a, "reversed current")
        self._same(limit, self._compliance_v, "compliance")
        self._say(":SOUR:DELT:ARM")
        if not self._integer(self._query(":SOUR:DELT:ARM?")[0]):
            raise Refused(f"{self.name}: delta mode does not arm: {self._complaint() or 'no error is queued'}")
        self._say(":INIT:IMM")
        self._stamp, self._stamped_at = math.nan, self.clock.now()

    def rest(self) -> None:
        self._say(":SOUR:SWE:ABOR")
        self._say(":OUTP OFF")

    def measured(self, current_a: float) -> tuple[float, bool, str]:
        reading, armed = self._query(":SENS:DATA?", ":SOUR:DELT:ARM?")
        if not self._integer(armed):
            return math.nan, True, "delta mode was broken off: the compliance was reached, a contact is open"
        fields = reading.split(",")
        if len(fields) < 2:
            return math.nan, False, ""  # the first three readings are not in yet
        voltage, stamp = self._number(fields[0]), self._number(fields[1])
        now = self.clock.now()
        if stamp != self._stamp:
            self._stamp, self._stamped_at = stamp, now
        elif now - self._stamped_at > self._stale_s:
            return math.nan, False, f"no new reading for {now - self._stamped_at:.0f} s"
        return voltage / current_a, False, ""
