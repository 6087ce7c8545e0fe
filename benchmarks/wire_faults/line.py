"""A simulated instrument behind a TCP socket that can be made to fail."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from benchmarks.wire_faults.faults import Piece, pieces
from simulators.instrument import SimulatedInstrument


class Line:
    """While `fault` is set, the answer number `at` from then on suffers it, once; `struck` says that it has."""

    def __init__(self, instrument: SimulatedInstrument, rng: Random, timeout_s: float) -> None:
        self.instrument, self.timeout_s = instrument, timeout_s
        self.port = 0
        self.answers = 0
        self.struck = False
        self._rng = rng
        self._fault: tuple[str, int] | None = None
        self._pending: list[tuple[float, bytes]] = []
        self._earlier = b""
        self._last = b""

    def clean(self) -> None:
        """From now on nothing happens to an answer; what is late is still to come."""
        self._fault, self.answers = None, 0

    def spoil(self, kind: str, at: int) -> None:
        self._fault, self.answers, self.struck = (kind, at), 0, False

    def quiet(self) -> bool:
        """Whether nothing is on its way."""
        return not self._pending

    # --- on the serving thread ------------------------------------------------------------------------

    def serve(self, server: socket.socket, stop: int) -> None:
        while stop not in select.select([server, stop], [], [])[0]:
            host, _ = server.accept()
            with host:
                host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._pending.clear()
                host.sendall(self.instrument.greeting())
                if not self._converse(host, stop):
                    return

    def _converse(self, host: socket.socket, stop: int) -> bool:
        """Until the host leaves or the line drops; False if it is to stop."""
        while True:
            wait = max(0.0, self._pending[0][0] - time.monotonic()) if self._pending else None
            ready = select.select([host, stop], [], [], wait)[0]
            if stop in ready:
                return False
            try:
                if host in ready:
                    received = host.recv(4096)
                    if not received or not self._received(received):
                        return True
                while self._pending and self._pending[0][0] <= time.monotonic():
                    host.sendall(self._pending[0][1])
                    self._pending.pop(0)
            except OSError:
                return True

    def _received(self, received: bytes) -> bool:
        kind = self._kind()
        if kind == "lost":
            self._strike()
            return True
        answer = self.instrument.receive(received)
        if not answer:
            return True
        due = self._kind()
        self.answers += 1
        if due is None:
            self._send([Piece(0.0, answer)])
        else:
            self._strike()
            if due == "disconnect":
                return False
            self._send(pieces(due, answer, self._earlier or answer, self._rng, self.timeout_s))
        if answer != self._last:
            self._earlier, self._last = self._last, answer
        return True

    def _kind(self) -> str | None:
        return self._fault[0] if self._fault is not None and self.answers >= self._fault[1] else None

    def _strike(self) -> None:
        self._fault, self.struck = None, True

    def _send(self, what: list[Piece]) -> None:
        now = time.monotonic()
        self._pending += [(now + piece.after_s, piece.sent) for piece in what if piece.sent]
        self._pending.sort(key=lambda entry: entry[0])


@contextmanager
def served(line: Line) -> Iterator[None]:
    """`line` on a socket of its own, `line.port`, until the context ends."""
    stop_read, stop_write = os.pipe()
    with socket.create_server(("127.0.0.1", 0)) as server:
        line.port = int(server.getsockname()[1])
        thread = threading.Thread(target=line.serve, args=(server, stop_read), name="line", daemon=True)
        thread.start()
        try:
            yield
        finally:
            os.write(stop_write, b"x")
            thread.join(10)
            os.close(stop_read)
            os.close(stop_write)
