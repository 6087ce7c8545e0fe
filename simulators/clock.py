"""Lab time that passes faster than real time, the same in every process of a rehearsal."""

from __future__ import annotations

import time

MACHINE_LATENCY_S = 5.0
PACE_S = 0.02


class ScaledClock:
    """Lab time = `lab_epoch` + `speed` x (monotonic - `monotonic_epoch`).

    The monotonic clock is shared by all processes of one machine, so clocks built from the same three
    numbers agree.  `resolution_s` is the lab time of a 20 ms tick: a monitor that would poll faster than
    that in a rehearsal only burns the processor.
    """

    def __init__(self, speed: float, lab_epoch: float, monotonic_epoch: float) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be positive, not {speed}")
        self.speed = speed
        self.lab_epoch = lab_epoch
        self.monotonic_epoch = monotonic_epoch
        self.resolution_s = PACE_S * speed

    @classmethod
    def starting_now(cls, speed: float, lab_epoch: float | None = None) -> ScaledClock:
        return cls(speed, time.time() if lab_epoch is None else lab_epoch, time.monotonic())

    def spec(self) -> dict[str, float]:
        """The three numbers another process builds the same clock from."""
        return {
            "speed": self.speed,
            "lab_epoch": self.lab_epoch,
            "monotonic_epoch": self.monotonic_epoch,
        }

    def now(self) -> float:
        return self.lab_epoch + self.speed * (time.monotonic() - self.monotonic_epoch)

    def real_s(self, lab_s: float) -> float:
        return max(0.0, lab_s) / self.speed

    def sleep(self, lab_s: float) -> None:
        if lab_s > 0:
            time.sleep(lab_s / self.speed)

    def patience_s(self, lab_s: float) -> float:
        return lab_s / self.speed + MACHINE_LATENCY_S
