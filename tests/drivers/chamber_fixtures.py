"""Chamber instruments on a real wire: a small server, and stand-ins for the world behind them."""

from __future__ import annotations

import os
import select
import socket
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from drivers.errors import NoReply
from drivers.instrument import Instrument
from drivers.link import Port
from drivers.wire.framing import Framing
from simulators.clock import ScaledClock
from simulators.instrument import SimulatedInstrument

SPEED = 200.0
TRANSPORTS = ("pty", "tcp")


def lab_clock() -> ScaledClock:
    return ScaledClock.starting_now(SPEED, lab_epoch=1_000_000.0)


class Wire:
    """One simulated instrument served at `address`.

    `spoil` is what happens to its answers on the way; while `flowing` is cleared, the answers wait.
    """

    def __init__(self, instrument: SimulatedInstrument) -> None:
        self.instrument = instrument
        self.address = ""
        self.heard = b""
        self.spoil: Callable[[bytes], bytes] = lambda answer: answer
        self.flowing = threading.Event()
        self.flowing.set()

    def exchange(self, received: bytes) -> bytes:
        self.heard += received
        answer = self.instrument.receive(received)
        self.flowing.wait(10)
        return self.spoil(answer) if answer else b""


@contextmanager
def served(instrument: SimulatedInstrument, transport: str = "pty") -> Iterator[Wire]:
    """`instrument` on a raw pseudo-terminal or behind a TCP socket."""
    wire = Wire(instrument)
    stop_read, stop_write = os.pipe()
    serve = {"pty": _serve_pty, "tcp": _serve_tcp}[transport]
    ready = threading.Event()
    thread = threading.Thread(target=serve, args=(wire, stop_read, ready))
    thread.start()
    ready.wait(10)
    try:
        yield wire
    finally:
        wire.flowing.set()
        os.write(stop_write, b"x")
        thread.join(10)
        os.close(stop_read)
        os.close(stop_write)


def _serve_pty(wire: Wire, stop: int, ready: threading.Event) -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    wire.address = os.ttyname(slave)
    os.write(master, wire.instrument.greeting())
    ready.set()
    try:
        while stop not in (readable := select.select([master, stop], [], [])[0]):
            if readable:
                os.write(master, wire.exchange(os.read(master, 4096)))
    finally:
        os.close(master)
        os.close(slave)


def _serve_tcp(wire: Wire, stop: int, ready: threading.Event) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        wire.address = f"socket://127.0.0.1:{server.getsockname()[1]}"
        ready.set()
        while stop not in select.select([server, stop], [], [])[0]:
            host, _ = server.accept()
            with host:
                host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                host.sendall(wire.instrument.greeting())
                while stop not in select.select([host, stop], [], [])[0]:
                    if not (received := host.recv(4096)):
                        break
                    host.sendall(wire.exchange(received))
                else:
                    return


@contextmanager
def connected(
    driver: type[Instrument], wire: Wire, *, clock: Any = None, timeout_s: float = 0.3, **settings: Any
) -> Iterator[Any]:
    """`driver` on `wire`, identified."""
    port = Port(driver.open_link(wire.address, timeout_s))
    try:
        device = driver(port, name="device", clock=clock or lab_clock(), **settings)
        port.submit(device.identify).result(10)
        yield device
    finally:
        port.close()


def on_wire(device: Instrument, conversation: Callable[[], Any]) -> Any:
    """Run `conversation` where it belongs, and give back its result or error."""
    return device.port.submit(conversation).result(20)


class Babble:
    """A link on which each request is answered by the next of `answers`, whatever was asked."""

    address = "babble"
    timeout_s = 0.0

    def __init__(self, answers: list[bytes]) -> None:
        self._answers = iter(answers)
        self._buffer = b""

    def send(self, request: bytes) -> None:
        self._buffer += next(self._answers, b"")

    def receive(self, framing: Framing, timeout_s: float | None = None) -> bytes:
        length = framing(self._buffer) if self._buffer else None
        if length is None:
            raise NoReply(f"babble: received {self._buffer!r}")
        frame, self._buffer = self._buffer[:length], self._buffer[length:]
        return frame

    def drain(self) -> bytes:
        stale, self._buffer = self._buffer, b""
        return stale

    def close(self) -> None:
        self._buffer = b""


def babbled(driver: type[Instrument], answers: list[bytes], **settings: Any) -> Any:
    """`driver` on a `Babble`; its conversations are run on the test's own thread."""
    return driver(SimpleNamespace(link=Babble(answers)), name="device", clock=lab_clock(), **settings)


# --- stand-ins for the world --------------------------------------------------------------------------


class Gun:
    """Lights `strike_s` lab seconds after switching on if it `lights`, and follows its set point at once."""

    def __init__(self, clock: ScaledClock, *, lights: bool = True, strike_s: float = 0.5) -> None:
        self.clock = clock
        self.lights = lights
        self.strike_s = strike_s
        self.power_setpoint_w = 0.0
        self.follows = 1.0
        self.shutter_open = False
        self.shutter_stuck = False
        self.obeys = True
        self.on = False
        self.tripped = False
        self._since = 0.0

    def set_power(self, watts: float) -> None:
        self.power_setpoint_w = watts

    def set_output(self, on: bool) -> None:
        if self.obeys:
            self.on, self._since = on, self.clock.now()
            self.tripped = self.tripped and on

    def set_shutter(self, open_: bool) -> None:
        if not self.shutter_stuck:
            self.shutter_open = open_

    def trip(self) -> None:
        self.on, self.tripped = False, True

    def read(self) -> SimpleNamespace:
        lit = self.on and self.lights and self.clock.now() >= self._since + self.strike_s
        power = self.power_setpoint_w * self.follows if lit else 0.0
        voltage = 420.0 if lit else 950.0 if self.on else 0.0
        return SimpleNamespace(
            on=self.on,
            lit=lit,
            power_w=power,
            voltage_v=voltage,
            current_a=power / 420.0,
            tripped=self.tripped,
        )


@dataclass
class Gas:
    full_scale_sccm: float = 100.0
    setpoint_sccm: float = 0.0

    def set_flow(self, sccm: float) -> None:
        self.setpoint_sccm = sccm

    def read(self) -> SimpleNamespace:
        return SimpleNamespace(flow_sccm=self.setpoint_sccm, pressure_psia=29.4, temperature_c=22.0)


@dataclass
class Vacuum:
    pressure_pa: float = 0.5

    def read_pa(self) -> float:
        return self.pressure_pa


@dataclass
class Quartz:
    substrate_shutter_open: bool = False
    shutter_stuck: bool = False
    mass: float = 100.0
    rate: float = 0.0
    failed: bool = False

    def set_substrate_shutter(self, open_: bool) -> None:
        if not self.shutter_stuck:
            self.substrate_shutter_open = open_

    def read(self) -> SimpleNamespace:
        return SimpleNamespace(
            frequency_hz=0.0 if self.failed else 5_950_000.0 - 81.5 * self.mass,
            life_pct=0.0 if self.failed else 92.5,
            areal_mass_ug_cm2=self.mass,
            areal_rate_ug_cm2_s=0.0 if self.failed else self.rate,
            failed=self.failed,
        )


class Panel:
    """What hangs on a relay box."""

    def __init__(self) -> None:
        self.on: set[int] = set()
        self.inputs = [True] * 4

    def set_relay(self, number: int, on: bool) -> None:
        (self.on.add if on else self.on.discard)(number)


class Pump:
    """A turbo pump that is at once as fast as it is told."""

    def __init__(self) -> None:
        self.running = True
        self.trouble = ""
        self.bearing_c = 38.0

    def set_running(self, on: bool) -> None:
        self.running = on

    def read(self) -> SimpleNamespace:
        return SimpleNamespace(
            running=self.running and not self.trouble,
            speed=1.0 if self.running and not self.trouble else 0.0,
            power_w=18.0 if self.running else 0.0,
            bearing_c=self.bearing_c,
            trouble=self.trouble,
        )


class Holder:
    """A heated holder that is at once where it is told."""

    def __init__(self) -> None:
        self.target_c = 25.0
        self.heating = False
        self.broken = False

    def set_target(self, celsius: float) -> None:
        self.target_c = celsius

    def set_heating(self, on: bool) -> None:
        self.heating = on

    def read(self) -> SimpleNamespace:
        return SimpleNamespace(
            temperature_c=self.target_c if self.heating else 25.0,
            power=0.4 if self.heating else 0.0,
            broken=self.broken,
        )
