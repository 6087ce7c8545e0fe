"""What a driver's look at its instrument costs over the bare exchange of the same bytes, and whether a million
exchanges leave anything behind.

    python -m benchmarks.exchanges [--drivers NAME,...] [--looks 500]
    python -m benchmarks.exchanges --soak 1000000 [--drivers alicat]

A *look* is the driver's `refresh`, on its port's thread, as the monitor does it.  Its conversation with the simulated
instrument is recorded, and then the very same bytes are exchanged by pyserial alone (by pyvisa, by a socket, where the
driver goes by these): write, read as many bytes.  The simulated instrument is a thread of this process in both cases,
on a pseudo-terminal and behind TCP.
"""

from __future__ import annotations

import argparse
import os
import select
import socket
import statistics
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyvisa
import serial

from benchmarks.wire_faults import world
from drivers.errors import Gone
from drivers.link import Port, SerialLink, TcpLink, VisaLink
from orchestrator import lab
from simulators.instrument import SimulatedInstrument
from simulators.worldlog import WorldLog

TIMEOUT_S = 2.0
LOOKS_BEFORE = 20
Trace = list[tuple[bytes, bytes]]


class Served:
    """A simulated instrument; what it hears and answers is kept in `trace` while that is not None."""

    def __init__(self, instrument: SimulatedInstrument) -> None:
        self.instrument = instrument
        self.trace: Trace | None = None

    def answer(self, received: bytes) -> bytes:
        answer = self.instrument.receive(received)
        if self.trace is not None:
            self.trace.append((received, answer))
        return answer

    @contextmanager
    def on(self, transport: str) -> Iterator[int | str]:
        """Served until the context ends: the TCP port, or the path of the terminal."""
        stop_read, stop_write = os.pipe()
        if transport == "pty":
            host, ours = os.openpty()
            tty.setraw(ours)
            where: int | str = os.ttyname(ours)
            os.write(host, self.instrument.greeting())
            thread = threading.Thread(target=self._terminal, args=(host, stop_read), daemon=True)
        else:
            server = socket.create_server(("127.0.0.1", 0))
            where = int(server.getsockname()[1])
            thread = threading.Thread(target=self._socket, args=(server, stop_read), daemon=True)
        thread.start()
        try:
            yield where
        finally:
            os.write(stop_write, b"x")
            thread.join(10)
            for descriptor in (stop_read, stop_write, *((host, ours) if transport == "pty" else ())):
                os.close(descriptor)
            if transport != "pty":
                server.close()

    def _terminal(self, host: int, stop: int) -> None:
        while stop not in select.select([host, stop], [], [])[0]:
            os.write(host, self.answer(os.read(host, 4096)))

    def _socket(self, server: socket.socket, stop: int) -> None:
        while stop not in select.select([server, stop], [], [])[0]:
            client, _ = server.accept()
            with client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.sendall(self.instrument.greeting())
                while stop not in select.select([client, stop], [], [])[0]:
                    try:
                        if not (received := client.recv(4096)):
                            break
                        client.sendall(self.answer(received))
                    except OSError:
                        break  # it has gone
                else:
                    return


@contextmanager
def device(driver: str, where: int | str, clock: world.StillClock) -> Iterator[Any]:
    """`driver` at `where`, identified."""
    cls = world.driver_class(driver)
    address = where if isinstance(where, str) else world.address(driver, where)
    port = Port(cls.open_link(address, TIMEOUT_S))  # type: ignore[attr-defined]  # every driver has one
    try:
        found: Any = cls(port, name=world.NAME, clock=clock, **world.settings_for(driver))
        port.submit(found.identify).result(20)
        yield found
    finally:
        port.close()


def timed(action: Callable[[], Any], times: int) -> float:
    """Median seconds of `action`."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def bare(link: type, address: str, trace: Trace) -> tuple[Callable[[], None], Callable[[], None]]:
    """What exchanges the bytes of `trace` without us, and what closes it."""
    if issubclass(link, VisaLink):
        resource: Any = pyvisa.ResourceManager("@py").open_resource(address)
        resource.timeout = 1000 * TIMEOUT_S

        def by_visa() -> None:
            for request, answer in trace:
                resource.write_raw(request)
                resource.read_bytes(len(answer)) if answer else None

        return by_visa, resource.close
    if issubclass(link, TcpLink):
        host, _, number = address.removeprefix("tcp://").rpartition(":")
        connection = socket.create_connection((host, int(number)), TIMEOUT_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while select.select([connection], [], [], 0.2)[0]:
            connection.recv(4096)  # what it says first

        def by_socket() -> None:
            for request, answer in trace:
                connection.sendall(request)
                left = len(answer)
                while left:
                    left -= len(connection.recv(left))

        return by_socket, connection.close
    port = serial.serial_for_url(address, timeout=TIMEOUT_S)

    def by_serial() -> None:
        for request, answer in trace:
            port.write(request)
            port.read(len(answer)) if answer else None

    return by_serial, port.close


def measure(driver: str, transport: str, looks: int) -> tuple[int, float, float] | None:
    """Exchanges of a look, and median seconds of one exchange: the driver's, and bare.  None if the driver does not go
    by that transport."""
    clock = world.StillClock()
    served = Served(world.instrument(driver, clock, WorldLog()))
    with served.on(transport) as where:
        try:
            with device(driver, where, clock) as found:
                kind = type(found.port.link)
                if transport == "pty" and not issubclass(kind, SerialLink):
                    return None
                address = found.port.link.address

                def look() -> None:
                    found.port.submit(found.refresh).result(20)

                for _ in range(LOOKS_BEFORE):
                    look()
                served.trace = []
                look()
                trace, served.trace = [(a, b) for a, b in served.trace if a], None
                ours = timed(look, looks)
        except Gone:
            if transport == "pty":
                return None  # it goes by VISA or plain TCP
            raise
        exchange, close = bare(kind, address, trace)
        try:
            for _ in range(LOOKS_BEFORE):
                exchange()
            theirs = timed(exchange, looks)
        finally:
            close()
    return len(trace), ours / len(trace), theirs / len(trace)


def soak(driver: str, exchanges: int) -> None:
    """Print memory and open files while a driver makes so many exchanges."""
    clock = world.StillClock()
    served = Served(world.instrument(driver, clock, WorldLog()))
    with served.on("pty") as where, device(driver, where, clock) as found:
        served.trace = []
        found.port.submit(found.refresh).result(20)
        each, served.trace = len(served.trace), None
        begun, done, looks = time.perf_counter(), 0, 0
        print(f"{driver}, {each} exchanges a look\n{'exchanges':>12}{'MiB':>8}{'files':>7}{'exchanges/s':>13}")
        for tenth in range(1, 11):
            while done < exchanges * tenth / 10:
                found.port.submit(found.refresh).result(20)
                looks, done = looks + 1, done + each
            with open("/proc/self/statm") as file:
                pages = int(file.read().split()[1])
            rate = done / (time.perf_counter() - begun)
            print(f"{done:>12}{pages * 4096 / 2**20:>8.1f}{len(os.listdir('/proc/self/fd')):>7}{rate:>13.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drivers", default="")
    parser.add_argument("--looks", type=int, default=500)
    parser.add_argument("--soak", type=int, default=0)
    args = parser.parse_args()
    drivers = [name for name in args.drivers.split(",") if name]
    if args.soak:
        for driver in drivers or ["alicat"]:
            soak(driver, args.soak)
        return
    head = f"{'driver':24}{'by':>5}{'a look':>8}{'ours, ms':>10}{'bare, ms':>10}{'more, ms':>10}{'looks/s':>9}"
    print(head)
    with world.without_noise():
        for driver in drivers or sorted(lab.DRIVERS):
            for transport in ("pty", "tcp"):
                found = measure(driver, transport, args.looks)
                if found is None:
                    continue
                each, ours, theirs = found
                print(
                    f"{driver:24}{transport:>5}{each:>8}{1e3 * ours:>10.3f}{1e3 * theirs:>10.3f}"
                    f"{1e3 * (ours - theirs):>10.3f}{1 / (ours * each):>9.0f}"
                )


if __name__ == "__main__":
    main()
