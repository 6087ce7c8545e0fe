"""One exchange in flight per port: serial (pyserial), plain TCP and VISA (pyvisa).

A `Link` moves bytes and knows nothing of their meaning.  A `Port` owns a link and the one thread that may
use it; every instrument on that port works through it, so a multi-step conversation (command, acknowledge,
enquiry) is never interleaved with another.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ClassVar, Protocol, TypeVar

import pyvisa
import serial

from drivers.errors import Fault, Garbled, Gone, NoReply
from drivers.wire.framing import Framing

T = TypeVar("T")

_CHUNK = 65536


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


def read_twice(read: Callable[[], T]) -> T:
    """`read`, once more if its answer is missing or garbled.  For reading only: an act is not repeated."""
    try:
        return read()
    except (NoReply, Garbled):
        return read()


def insist(act: Callable[[], Any]) -> None:
    """`act` states a safe target, and may be said again if its answer, or the act itself, was lost.

    Where commands have no answer, one that was lost shows as a `Fault`: nothing came of it.
    """
    try:
        act()
    except (NoReply, Garbled, Fault):
        act()


def listen_out(link: Link, quiet_s: float = 0.05) -> None:
    """Wait until nothing has come for `quiet_s` real seconds, and discard all that did: a late reply, the rest of a
    spoiled one.  Gives up listening to a line that is never quiet."""
    try:
        for _ in range(64):
            link.receive(len, timeout_s=quiet_s)
    except NoReply:
        link.drain()


class _Buffered:
    """Frames out of a byte stream, for links that can read what has arrived.

    `stirred_at` is when a call last showed life (monotonic, real s): one that waits for bytes stirs every
    `STIR_S`, one that hangs in the operating system or in a vendor's library does not.

    After a time-out an answer is *owed*: it may still come, and would be taken for that to the next question.  So for
    as long as the time-out again, `drain` waits for it and throws it away.
    """

    STIR_S = 0.5
    REST_S = 0.05

    def __init__(self, address: str, timeout_s: float) -> None:
        self.address = address
        self.timeout_s = timeout_s
        self.stirred_at = time.monotonic()
        self._buffer = b""
        self._owed_until = 0.0

    def receive(self, framing: Framing, timeout_s: float | None = None) -> bytes:
        patience = self.timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + patience
        while (length := framing(self._buffer) if self._buffer else None) is None:
            self.stirred_at = time.monotonic()
            remaining = deadline - self.stirred_at
            received = self._read_some(min(max(0.0, remaining), self.STIR_S))
            self._buffer += received
            if not received and remaining <= 0:
                if timeout_s is None:
                    self._owed_until = time.monotonic() + patience
                raise NoReply(f"{self.address}: no complete reply within {patience:g} s, received {self._buffer!r}")
        frame, self._buffer = self._buffer[:length], self._buffer[length:]
        return frame

    def drain(self) -> bytes:
        self.stirred_at = time.monotonic()
        stale, self._buffer = self._buffer + self._read_waiting(), b""
        return stale + self._read_owed()

    def _read_owed(self) -> bytes:
        stale = b""
        while (remaining := self._owed_until - time.monotonic()) > 0:
            if some := self._read_some(min(remaining, self.STIR_S)):
                stale += some
                self._owed_until = min(self._owed_until, time.monotonic() + self.REST_S)
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
        if os.path.realpath(address).startswith("/dev/pts/"):
            # A pseudo-terminal (socat, a terminal server's client) carries whole bytes.  Asked for a parity, it
            # obliges once and refuses from then on.
            bytesize, parity = 8, "N"
        try:
            # No time-out of pyserial's: every change of one sets the whole port up again, which is slow, and
            # refused by a pty that cannot do the parity asked for.
            self._serial = serial.serial_for_url(
                address, baudrate=baudrate, bytesize=bytesize, parity=parity, timeout=0
            )
        except (serial.SerialException, OSError, ValueError) as error:
            raise Gone(f"{address}: cannot open ({error}); check cable, power and the lab file") from error
        if isinstance(connection := getattr(self._serial, "_socket", None), socket.socket):
            # A short acknowledgement and the question after it would wait 40 ms for each other.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request: bytes) -> None:
        try:
            self._serial.write(request)
        except (serial.SerialException, OSError) as error:
            raise Gone(f"{self.address}: lost while sending {request!r} ({error})") from error

    def _read_some(self, timeout_s: float) -> bytes:
        try:
            if not select.select([self._serial.fileno()], [], [], timeout_s)[0]:
                return b""
            return bytes(self._serial.read(_CHUNK))
        except (serial.SerialException, OSError, ValueError) as error:  # ValueError: closed under us
            raise Gone(f"{self.address}: lost while receiving ({error})") from error

    def _read_waiting(self) -> bytes:
        received = b""
        while some := self._read_some(0.0):
            received += some
        return received

    def close(self) -> None:
        connection = getattr(self._serial, "_socket", None)
        self._serial.close()
        if connection is not None:  # pyserial leaves a socket open that the other side has left
            connection.close()


class TcpLink(_Buffered):
    """A plain TCP connection, ``tcp://host:port``, for instruments that speak first.

    (pyserial's ``socket://`` discards what has arrived by the time the port is open: a greeting is lost.)
    """

    def __init__(self, address: str, *, timeout_s: float = 1.0, connect_timeout_s: float = 5.0) -> None:
        super().__init__(address, timeout_s)
        host, separator, port = address.removeprefix("tcp://").rpartition(":")
        if not address.startswith("tcp://") or not separator or not port.isdigit():
            raise Gone(f"{address}: not an address; write tcp://host:port in the lab file")
        try:
            self._socket = socket.create_connection((host, int(port)), connect_timeout_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            raise Gone(f"{address}: cannot connect ({error}); check cable, power and the lab file") from error

    def send(self, request: bytes) -> None:
        try:
            self._socket.sendall(request)
        except OSError as error:
            raise Gone(f"{self.address}: lost while sending {request!r} ({error})") from error

    def _read_some(self, timeout_s: float) -> bytes:
        try:
            if not select.select([self._socket], [], [], timeout_s)[0]:
                return b""
            received = self._socket.recv(_CHUNK)
        except (OSError, ValueError) as error:  # ValueError: select on a socket closed under us
            raise Gone(f"{self.address}: lost while receiving ({error})") from error
        if not received:
            raise Gone(f"{self.address}: the instrument closed the connection")
        return received

    def _read_waiting(self) -> bytes:
        received = b""
        while some := self._read_some(0.0):
            received += some
        return received

    def close(self) -> None:
        self._socket.close()


class VisaLink(_Buffered):
    """A VISA message-based resource, by default through pyvisa-py (no vendor library needed).

    `address` is a VISA resource string, for instance ``TCPIP0::host::port::SOCKET`` or ``GPIB0::6::INSTR``.
    Streams (pyvisa-py sockets, serial ports) are read as bytes arrive, so a reply may come in pieces and
    stale bytes are dropped.  On buses that keep messages apart (GPIB, USB, VXI-11; unverified on hardware)
    a read takes one message, and after a missing reply `drain` clears the device.
    """

    STIR_S = float("inf")  # a message-based read that is cut short would lose its message

    _managers: ClassVar[dict[str, pyvisa.ResourceManager]] = {}

    def __init__(self, address: str, *, timeout_s: float = 1.0, termination: str = "\n", backend: str = "@py") -> None:
        super().__init__(address, timeout_s)
        try:
            if backend not in self._managers:
                self._managers[backend] = pyvisa.ResourceManager(backend)
            self._resource: Any = self._managers[backend].open_resource(address)
        except Exception as error:  # pyvisa-py raises bare Exception when a port will not open
            raise Gone(f"{address}: cannot open ({error}); check cable, power and the lab file") from error
        self._resource.read_termination = termination
        self._resource.write_termination = ""
        self._resource.timeout = 1000 * timeout_s
        self._unanswered = False
        self._socket = _socket_under(self._resource)
        if self._socket is not None and (errno := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
            self.close()
            raise Gone(f"{address}: cannot connect ({os.strerror(errno)}); check cable, power and the lab file")

    def send(self, request: bytes) -> None:
        try:
            if self._socket is None:
                self._resource.timeout = max(1.0, 1000 * self.timeout_s)  # the last read left what remained
            self._resource.write_raw(request)
        except (pyvisa.errors.Error, OSError) as error:
            raise Gone(f"{self.address}: lost while sending {request!r} ({error})") from error

    def receive(self, framing: Framing, timeout_s: float | None = None) -> bytes:
        try:
            return super().receive(framing, timeout_s)
        except NoReply:
            self._unanswered = True
            raise

    def _read_some(self, timeout_s: float) -> bytes:
        try:
            if self._socket is not None:
                return self._read_socket(timeout_s)
            self._resource.timeout = max(1.0, 1000 * timeout_s)
            if hasattr(self._resource, "bytes_in_buffer"):
                return self._resource.read_bytes(1) + self._read_serial()
            return bytes(self._resource.read_raw())
        except pyvisa.errors.VisaIOError as error:
            if error.error_code == pyvisa.constants.StatusCode.error_timeout:
                return b""
            raise Gone(f"{self.address}: lost while receiving ({error})") from error
        except (OSError, ValueError) as error:
            raise Gone(f"{self.address}: lost while receiving ({error})") from error

    def _read_owed(self) -> bytes:
        """An instrument on a bus that is told to talk and has nothing to say takes offence; it is cleared instead."""
        if self._socket is not None or hasattr(self._resource, "bytes_in_buffer"):
            return super()._read_owed()
        return b""

    def _read_socket(self, timeout_s: float) -> bytes:
        """What has arrived.  pyvisa-py alone waits for a terminator and does not see the peer leave."""
        assert self._socket is not None
        if not select.select([self._socket], [], [], timeout_s)[0]:
            return b""
        arrived = len(self._socket.recv(_CHUNK, socket.MSG_PEEK))
        if not arrived:
            raise Gone(f"{self.address}: the instrument closed the connection")
        return bytes(self._resource.read_bytes(arrived))

    def _read_serial(self) -> bytes:
        arrived = self._resource.bytes_in_buffer
        return bytes(self._resource.read_bytes(arrived)) if arrived else b""

    def _read_waiting(self) -> bytes:
        try:
            if self._socket is not None:
                received = b""
                while some := self._read_socket(0.0):
                    received += some
                return received
            if hasattr(self._resource, "bytes_in_buffer"):
                return self._read_serial()
            if self._unanswered:
                self._resource.clear()
                self._unanswered = False
        except (pyvisa.errors.Error, OSError, ValueError) as error:
            raise Gone(f"{self.address}: lost while receiving ({error})") from error
        return b""

    def close(self) -> None:
        self._resource.close()


def _socket_under(resource: Any) -> socket.socket | None:
    """The socket of a pyvisa-py ``TCPIP::SOCKET`` resource; None for other resources and libraries."""
    session = getattr(resource.visalib, "sessions", {}).get(resource.session)
    interface = getattr(session, "interface", None)
    return interface if isinstance(interface, socket.socket) else None


class Port:
    """A link and the single thread that may use it.  `open_link` opens another in its place."""

    def __init__(self, link: Link, open_link: Callable[[], Link] | None = None) -> None:
        self.link = link
        self._open_link = open_link
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=link.address)
        self._since: float | None = None

    def submit(self, conversation: Callable[[], T]) -> Future[T]:
        """Run `conversation` on the port's thread, after those submitted before it."""
        return self._thread.submit(self._converse, conversation)

    @property
    def busy_s(self) -> float:
        """Real seconds for which the conversation under way has lasted; 0 when there is none."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def still_s(self) -> float:
        """Real seconds since the conversation under way last showed life on the link; 0 when there is none."""
        busy_s = self.busy_s
        stirred_at = getattr(self.link, "stirred_at", float("-inf"))
        return min(busy_s, time.monotonic() - stirred_at)

    def _converse(self, conversation: Callable[[], T]) -> T:
        self._since = time.monotonic()
        try:
            return conversation()
        finally:
            self._since = None

    def reopen(self) -> None:
        """Close the link and open it anew; on the port's thread.  Raises `Gone`."""
        if self._open_link is None:
            raise Gone(f"{self.link.address}: cannot be opened anew from here")
        self.link.close()
        self.link = self._open_link()

    def close(self) -> None:
        """Let conversations under way finish, drop those waiting, close the link."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        self.link.close()
