"""What every simulated instrument is to the server that puts it on the wire."""

from __future__ import annotations

from drivers.wire.framing import Framing, split


class SimulatedInstrument:
    """One instrument's side of the wire: bytes in, bytes out, at the lab time of the call.

    Subclasses set `framing` (how a host's message ends) and write `answer`.  An instrument that also speaks
    unasked overrides `greeting`, `due` and `speak`.
    """

    framing: Framing

    def __init__(self) -> None:
        self._buffer = b""

    def greeting(self) -> bytes:
        """What it says when a host connects."""
        self._buffer = b""
        return b""

    def receive(self, received: bytes) -> bytes:
        """Take bytes from the host; the bytes it answers with at once."""
        messages, self._buffer = split(self._buffer + received, self.framing)
        return b"".join(self.answer(message) for message in messages)

    def answer(self, message: bytes) -> bytes:
        """The reply to one complete message, b"" if it has none."""
        raise NotImplementedError

    def due(self) -> float | None:
        """Lab time at which it will next speak unasked, None if it will not."""
        return None

    def speak(self) -> bytes:
        """What it says unasked now; called once lab time has reached `due`."""
        return b""
