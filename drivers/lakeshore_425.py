"""Lake Shore 425 gaussmeter.

Source: pymeasure's driver (USB serial 57600 7O1, lines end with LF; ``UNIT``, ``RDGFIELD?``, ``RANGE``, ``AUTO``).
Unverified on hardware; the words it sends instead of a number on overload are assumed to be those of the 475.
"""

from __future__ import annotations

from drivers.lakeshore_gaussmeter import LakeShoreGaussmeter
from drivers.link import Link, SerialLink
from drivers.wire import scpi


class LakeShore425(LakeShoreGaussmeter):
    driver = "lakeshore-425"
    model = "425"
    end = "\n"
    framing = staticmethod(scpi.LF)

    @staticmethod
    def open_link(address: str, timeout_s: float = 1.0) -> Link:
        """57600 baud, 7 bits, odd parity, over USB."""
        return SerialLink(address, baudrate=57600, bytesize=7, parity="O", timeout_s=timeout_s)
