"""Lab time, as an injected object.

Everything that waits for the *lab* (a film growing, a field settling) waits on a clock.  Waiting for the
*machine* (bytes on a wire, a thread, a process) is in real seconds and needs no clock.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Lab time in seconds since 1970-01-01 UTC, and waits in lab seconds."""

    resolution_s: float
    """Lab seconds below which this clock cannot usefully pace a repeated task; 0 for real time."""

    def now(self) -> float:
        """Lab time, seconds since the epoch; never goes backwards."""

    def real_s(self, lab_s: float) -> float:
        """Real seconds in which `lab_s` lab seconds pass."""

    def sleep(self, lab_s: float) -> None:
        """Block this thread for `lab_s` lab seconds."""

    def patience_s(self, lab_s: float) -> float:
        """Real seconds to allow for something that takes the lab at most `lab_s`.

        The machine's own latency does not scale with lab time, so this is never shorter than it needs.
        """


class RealClock:
    """Lab time is real time: `lab_epoch`, the civil time at the start unless told otherwise, advanced by the monotonic
    clock.  Whatever is done to the machine's clock later changes nothing.

    The monotonic clock is shared by all processes of one machine, so clocks built from the same two numbers agree.
    """

    resolution_s = 0.0

    def __init__(self, lab_epoch: float | None = None, monotonic_epoch: float | None = None) -> None:
        begun = time.monotonic() if monotonic_epoch is None else monotonic_epoch
        self._offset = (time.time() if lab_epoch is None else lab_epoch) - begun

    def now(self) -> float:
        return self._offset + time.monotonic()

    def real_s(self, lab_s: float) -> float:
        return max(0.0, lab_s)

    def sleep(self, lab_s: float) -> None:
        if lab_s > 0:
            time.sleep(lab_s)

    def patience_s(self, lab_s: float) -> float:
        return lab_s
