"""A serial instrument for the tests of the server: says what it is, echoes, and rings when it is told to.

Run as a program, it serves like ``python -m simulators.serve``, with the driver "bell" among the others.
"""

from __future__ import annotations

import asyncio
import sys

from drivers.wire.framing import until
from simulators import serve
from simulators.instrument import SimulatedInstrument
from simulators.lab import SimulatedLab


class Bell(SimulatedInstrument):
    framing = staticmethod(until(b"\n"))

    def __init__(self, lab: SimulatedLab, tone: str = "ding") -> None:
        super().__init__()
        self.lab, self.tone = lab, tone
        self._rings: list[float] = []

    def greeting(self) -> bytes:
        super().greeting()
        return b"bell\n"

    def answer(self, message: bytes) -> bytes:
        match message.split():
            case [b"time?"]:
                return f"{self.lab.now():.6f}\n".encode()
            case [b"ring", after]:
                self._rings.append(self.lab.now() + float(after))
                return b""
            case _:
                return message

    def due(self) -> float | None:
        return min(self._rings, default=None)

    def speak(self) -> bytes:
        self._rings.remove(min(self._rings))
        return f"{self.tone}\n".encode()


def register() -> None:
    serve.DRIVERS["bell"] = serve.Served(__name__, "Bell", lambda lab, _: lab, options=("tone",))


if __name__ == "__main__":
    register()
    sys.exit(asyncio.run(serve.main()))
