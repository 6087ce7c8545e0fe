"""Stand-ins for the simulated world, and instruments put on real ports: pty, TCP and VISA sockets."""

from __future__ import annotations

import contextlib
import math
import os
import select
import socket
import threading
import time
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from drivers.instrument import Instrument
from drivers.link import Link, Port
from simulators.clock import ScaledClock
from simulators.instrument import SimulatedInstrument

SPEED = 200.0
EPOCH = 1.7e9


def a_clock(speed: float = SPEED) -> ScaledClock:
    return ScaledClock.starting_now(speed, lab_epoch=EPOCH)


# --- the world, in small -----------------------------------------------------------------------------------


@dataclass
class MagnetReading:
    on: bool
    current_a: float
    voltage_v: float


class Magnet:
    """A coil that follows at once, or not at all when `stuck_at` is set; remembers every command."""

    max_current_a = 12.0

    def __init__(self, clock: ScaledClock) -> None:
        self.clock = clock
        self.on = False
        self.setpoint = 0.0
        self.stuck_at: float | None = None
        self.commands: list[tuple[float, float]] = []
        self.switched: list[tuple[bool, float]] = []
        self.ramps: list[tuple[float, float]] = []
        self._rate: float | None = None
        self._from = self._to = self._since = 0.0

    def now(self) -> float:
        return self.clock.now()

    def set_output(self, on: bool) -> None:
        self.switched.append((on, self.setpoint))
        self.on = on

    def command(self, current_a: float) -> None:
        self.commands.append((self.clock.now(), current_a))
        self.setpoint = current_a

    def ramp(self, current_a: float, rate_a_s: float) -> None:
        """As a supply that ramps by itself: `setpoint` follows with lab time."""
        self.on = True
        self._from, self._since = self.present(), self.clock.now()
        self._to, self._rate = current_a, rate_a_s
        self.ramps.append((current_a, rate_a_s))

    def present(self) -> float:
        if self._rate is None:
            return self.setpoint
        travelled = self._rate * (self.clock.now() - self._since)
        way = self._to - self._from
        return self._to if travelled >= abs(way) else self._from + math.copysign(travelled, way)

    def read(self) -> MagnetReading:
        self.setpoint = self.present()
        current = self.setpoint if self.stuck_at is None else self.stuck_at
        return MagnetReading(self.on, current if self.on else 0.0, 0.5 * current if self.on else 0.0)


class Probe:
    field_t = 0.125

    def read_t(self) -> float:
        return self.field_t


class Detector:
    time_constant_s = 0.1
    x, y = 1.25e-3, -2.5e-5

    def read(self) -> tuple[float, float]:
        return self.x, self.y


class Contacts:
    """Four leads on a resistance that is seen across the current, with a thermal voltage that does not reverse."""

    ohm, thermal_v, open = 0.2, 3e-6, False

    def __init__(self, clock: ScaledClock) -> None:
        self.clock = clock
        self.sourced: list[float] = []

    def now(self) -> float:
        return self.clock.now()

    def source(self, current_a: float) -> None:
        self.sourced.append(current_a)

    def voltage(self, current_a: float) -> float:
        return current_a * self.ohm + self.thermal_v

    def needed_v(self, current_a: float) -> float:
        return math.inf if self.open else 100.0 * abs(current_a)

    def noise(self, sigma_v: float) -> float:
        return 0.0


class Arm:
    def __init__(self, clock: ScaledClock) -> None:
        self.clock = clock
        self.poses: list[tuple[float, tuple[float, ...]]] = []
        self.closed = False
        self.part_there = False
        self.holding = False

    def now(self) -> float:
        return self.clock.now()

    def move_to(self, pose: tuple[float, ...]) -> None:
        self.poses.append((self.clock.now(), tuple(pose)))

    def grip(self, closed: bool) -> None:
        self.closed = closed
        self.holding = closed and self.part_there


# --- ports ----------------------------------------------------------------------------------------------------


class Served:
    """An instrument on a port, in a thread of its own; `heard` is every byte it was sent."""

    def __init__(self, instrument: SimulatedInstrument, clock: ScaledClock) -> None:
        self.instrument = instrument
        self.clock = clock
        self.heard = b""
        self.address = ""
        self.mangle: Callable[[bytes], bytes] = lambda reply: reply
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._client: Any = None

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Hold the instrument still while the test looks at it or does something to it."""
        with self._lock:
            yield

    def hang_up(self) -> None:
        self._stop.set()

    def _wait_s(self) -> float:
        due = self.instrument.due()
        return 0.01 if due is None else min(0.01, self.clock.real_s(due - self.clock.now()))

    def _attend(self, fd: Any, read: Callable[[], bytes], write: Callable[[bytes], object]) -> None:
        while not self._stop.is_set():
            ready, _, _ = select.select([fd], [], [], self._wait_s())
            with self._lock:
                reply = b""
                if ready:
                    received = read()
                    if not received:
                        return
                    self.heard += received
                    reply = self.instrument.receive(received)
                due = self.instrument.due()
                if due is not None and due <= self.clock.now():
                    reply += self.instrument.speak()
                reply = self.mangle(reply) if reply else reply
            if reply:
                write(reply)


@contextlib.contextmanager
def on_tcp(
    instrument: SimulatedInstrument,
    clock: ScaledClock,
    form: str = "socket://{}:{}",
    where: tuple[str, int] = ("127.0.0.1", 0),
) -> Iterator[Served]:
    """One client at a time; a second one hears `busy`, if the instrument says such a thing."""
    served = Served(instrument, clock)
    listener = socket.create_server(where)
    listener.settimeout(0.02)
    served.address = form.format(*listener.getsockname())
    threads: list[threading.Thread] = []
    clients: list[socket.socket] = []

    def attend(client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client, contextlib.suppress(OSError):
            with served.at_work():
                greeting = instrument.greeting()
            if greeting:
                client.sendall(greeting)
            served._attend(client, lambda: client.recv(4096), client.sendall)
        clients.remove(client)

    def accept() -> None:
        while not served._stop.is_set():
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            if clients and hasattr(instrument, "busy"):
                client.sendall(instrument.busy())
                client.close()
                continue
            clients.append(client)
            threads.append(threading.Thread(target=attend, args=(client,)))
            threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield served
    finally:
        served.hang_up()
        acceptor.join()
        for thread in threads:
            thread.join()
        listener.close()


def on_visa(instrument: SimulatedInstrument, clock: ScaledClock) -> Any:
    return on_tcp(instrument, clock, "TCPIP0::{}::{}::SOCKET")


def on_meca_tcp(instrument: SimulatedInstrument, clock: ScaledClock) -> Any:
    return on_tcp(instrument, clock, "tcp://{}:{}")


@contextlib.contextmanager
def on_pty(instrument: SimulatedInstrument, clock: ScaledClock) -> Iterator[Served]:
    served = Served(instrument, clock)
    ours, theirs = os.openpty()
    for end in (ours, theirs):
        tty.setraw(end)
    served.address = os.ttyname(theirs)
    thread = threading.Thread(
        target=served._attend, args=(ours, lambda: os.read(ours, 4096), lambda reply: os.write(ours, reply))
    )
    thread.start()
    try:
        yield served
    finally:
        served.hang_up()
        thread.join()
        os.close(theirs)
        os.close(ours)


class Silent(SimulatedInstrument):
    """Something that listens and never answers."""

    framing = staticmethod(lambda buffer: len(buffer) or None)

    def answer(self, message: bytes) -> bytes:
        return b""


class Saying(SimulatedInstrument):
    """Something that gives one answer to everything, and greets with `first`."""

    framing = staticmethod(lambda buffer: len(buffer) or None)

    def __init__(self, answer: bytes, first: bytes = b"") -> None:
        super().__init__()
        self._answer, self._first = answer, first

    def greeting(self) -> bytes:
        super().greeting()
        return self._first

    def answer(self, message: bytes) -> bytes:
        return self._answer


@contextlib.contextmanager
def driven(
    cls: type[Instrument], served: Served, *, link: Link | None = None, timeout_s: float = 0.5, **settings: Any
) -> Iterator[Any]:
    """The driver at that address, as a station would build it."""
    port = Port(link or cls.open_link(served.address, timeout_s))
    try:
        yield cls(port, name="device", clock=served.clock, **settings)
    finally:
        port.close()


def on_thread(device: Instrument, conversation: Callable[[], Any]) -> Any:
    """Do something on the port's thread and wait for it."""
    return device.port.submit(conversation).result(timeout=20)


def until_true(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("did not come about")
        time.sleep(0.001)


def close(a: float, b: float, relative: float = 1e-3) -> bool:
    return math.isclose(a, b, rel_tol=relative, abs_tol=1e-9)
