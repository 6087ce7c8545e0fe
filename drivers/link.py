"""One exchange in flight per port: serial (pyserial) and VISA (pyvisa).

A `Link` moves bytes and knows nothing of their meaning.  A `Port` owns a link and the one thread that may
use it; every instrument on that port works through it, so a multi-step conversation (command, acknowledge,
enquiry) is never interleaved with another.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import pyvisa
import serial

from drivers.errors import Gone, NoReply
from drivers.wire.framing import Framing

T = TypeVar("T")


class Link(Protocol):
    """Bytes to and from one port.  Not thread-safe: use it on its `Port`'s thread only."""

    address: str
    timeout_s: float

    def send(self, request: bytes) -> None:
        """Write all of `request`.  Raises `Gone`."""

    def receive(self, framing: Framing, timeout_s: float | None = None) -> bytes:
        """The next frame.  Real seconds.  Raises `NoReply` (with what did come) or `Gone`."""

    def drain(self) -> bytes:
        """Discard and return whatever has been received and not read."""

    def close(self) -> None:
        """Close the port; idempotent."""


def exchange(link: Link, request: bytes, framing: Framing) -> bytes:
    """Discard stale input, send `request`, and return the reply frame.

    Stale input is dropped first, so that a reply which came too late is never taken for this one's.
    """
    link.drain()
    link.send(request)
    try:
        return link.receive(framing)
    except NoReply as error:
        raise NoReply(f"{error} after {request!r}") from error


class _Buffered:
    """Frames out of a byte stream, for links that can read what has arrived."""

    def __init__(self, address: str, timeout_s: float) -> None:
        self.address = address
        self.timeout_s = timeout_s
        self._buffer = b""

    def receive(self, framing: Framing, timeout_s: float | None = None) -> bytes:
        patience = self.timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + patience
        while (length := framing(self._buffer) if self._buffer else None) is None:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise NoReply(
                    f"{self.address}: no complete reply within {patience:g} s, received {self._buffer!r}"
                )
            self._buffer += self._read_some(remaining)
        frame, self._buffer = self._buffer[:length], self._buffer[length:]
        return frame

    def drain(self) -> bytes:
        stale, self._buffer = self._buffer + self._read_waiting(), b""
        return stale

    def _read_some(self, timeout_s: float) -> bytes:
        raise NotImplementedError

    def _read_waiting(self) -> bytes:
        raise NotImplementedError


class SerialLink(_Buffered):
    """A serial port, or whatever else pyserial opens by URL (``socket://host:port``).

    `address` is a pyserial URL or device path.  Raises `Gone` if it cannot be opened.
    """

    def __init__(
        self,
        address: str,
        *,
        baudrate: int = 9600,
        bytesize: int = 8,
        parity: str = "N",
        timeout_s: float = 1.0,
    ) -> None:
        super().__init__(address, timeout_s)
        try:
            self._serial = serial.serial_for_url(
                address, baudrate=baudrate, bytesize=bytesize, parity=parity, timeout=timeout_s
            )
        except (serial.SerialException, OSError, ValueError) as error:
            raise Gone(f"{address}: cannot open ({error}); check cable, power and the lab file") from error

    def send(self, request: bytes) -> None:
        try:
            self._serial.write(request)
        except (serial.SerialException, OSError) as error:
            raise Gone(f"{self.address}: lost while sending {request!r} ({error})") from error

    def _read_some(self, timeout_s: float) -> bytes:
        try:
            self._serial.timeout = timeout_s
            first = self._serial.read(1)
            return first + self._read_waiting() if first else b""
        except (serial.SerialException, OSError) as error:
            raise Gone(f"{self.address}: lost while receiving ({error})") from error

    def _read_waiting(self) -> bytes:
        received = b""
        try:
            # socket:// reports at most one waiting byte, so ask until there is none.
            while waiting := self._serial.in_waiting:
                received += self._serial.read(waiting)
        except (serial.SerialException, OSError) as error:
            raise Gone(f"{self.address}: lost while receiving ({error})") from error
        return received

    def close(self) -> None:
        self._serial.close()


class VisaLink(_Buffered):
    """A VISA message-based resource, by default through pyvisa-py (no vendor library needed).

    `address` is a VISA resource string, for instance ``TCPIP0::host::port::SOCKET`` or ``GPIB0::6::INSTR``.
    """

    _manager: pyvisa.ResourceManager | None = None

    def __init__(self, address: str, *, timeout_s: float = 1.0, backend: str = "@py") -> None:
        super().__init__(address, timeout_s)
        try:
            if VisaLink._manager is None:
                VisaLink._manager = pyvisa.ResourceManager(backend)
            self._resource: Any = VisaLink._manager.open_resource(address)
        except (pyvisa.errors.Error, OSError, ValueError) as error:
            raise Gone(f"{address}: cannot open ({error}); check cable, power and the lab file") from error
        self._resource.read_termination = "\n"
        self._resource.write_termination = ""
        self._resource.timeout = 1000 * timeout_s

    def send(self, request: bytes) -> None:
        try:
            self._resource.write_raw(request)
        except (pyvisa.errors.Error, OSError) as error:
            raise Gone(f"{self.address}: lost while sending {request!r} ({error})") from error

    def _read_some(self, timeout_s: float) -> bytes:
        try:
            self._resource.timeout = max(1.0, 1000 * timeout_s)
            return bytes(self._resource.read_raw())
        except pyvisa.errors.VisaIOError as error:
            if error.error_code == pyvisa.constants.StatusCode.error_timeout:
                return b""
            raise Gone(f"{self.address}: lost while receiving ({error})") from error
        except OSError as error:
            raise Gone(f"{self.address}: lost while receiving ({error})") from error

    def _read_waiting(self) -> bytes:
        return b""

    def close(self) -> None:
        self._resource.close()


class Port:
    """A link and the single thread that may use it."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=link.address)

    def submit(self, conversation: Callable[[], T]) -> Future[T]:
        """Run `conversation` on the port's thread, after those submitted before it."""
        return self._thread.submit(conversation)

    def close(self) -> None:
        """Let conversations under way finish, drop those waiting, close the link."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        self.link.close()
