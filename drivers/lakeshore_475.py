"""Lake Shore 475 DSP gaussmeter.

Source: model 475 user's manual, chapter 6 (``RDGFIELD?``, ``UNIT``, ``*IDN?``), and InstrumentKit's driver with
its tests.  Unverified on hardware; the words it sends instead of a number on overload are assumed.
"""

from __future__ import annotations

from drivers.lakeshore_gaussmeter import LakeShoreGaussmeter
from drivers.link import Link, SerialLink
from drivers.wire import scpi


class LakeShore475(LakeShoreGaussmeter):
    driver = "lakeshore-475"
    model = "475"
    end = "\r\n"
    framing = staticmethod(scpi.CR_LF)

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        """9600 baud, 7 bits, odd parity."""
        return SerialLink(address, baudrate=9600, bytesize=7, parity="O", timeout_s=timeout_s)
