"""Serves the whole simulated lab on the wire: ``python -m simulators.serve``.

Reads one JSON line on standard input::

    {"clock": {"speed", "lab_epoch", "monotonic_epoch"} or null for real time, "seed": int,
     "truth": path of a table or null for the formula, "world": path of the world log or null, "config": {...}}

    config = {"devices": {name: {"driver", "transport": "pty" | "tcp", "settings": {...}}},
              "targets": {gun: element}, "slots": [holding a bare substrate], "places": {name: pose},
              "magnetometer": {"quantity", "scale", "field_per_ampere_mt", "film_area_mm2"},
              "reference": {"slot", "value", "sigma"} of the specimen of known moment or rotation, if there is one,
              "chamber": {"pumping_speed_l_s", "tooling": {element: float}, "base_pressure_pa", "volume_l",
                          "full_scale_sccm"},
              "limits": {"magnet_current_a", "magnet_slew_a_s"}, "faults": [see simulators.faults]}

prints one line ``{"addresses": {name: address}}`` and serves until standard input ends or SIGTERM comes.
Further lines: ``{"clock": {...}}`` restarts lab time and is answered ``{"ok": true}``; ``{"summary": true}`` is
answered ``{"hazards": [...], "films": [...]}``.  What cannot be done is answered ``{"error": "..."}``; if that is
the first line, the exit code is 2.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulators.clock import ScaledClock
from simulators.faults import FaultyInstrument, wire_faults
from simulators.instrument import SimulatedInstrument
from simulators.lab import SimulatedLab
from simulators.ports import PtyPort, TcpPort
from simulators.truth import FormulaTruth, TableTruth
from simulators.worldlog import WorldLog

TICK_S = 0.05  # real seconds between looks at a world that nobody asks
VISA_SOCKET = "TCPIP0::127.0.0.1::{port}::SOCKET"
SERIAL_SOCKET = "socket://127.0.0.1:{port}"
TCP = "tcp://127.0.0.1:{port}"


@dataclass(frozen=True)
class Served:
    """How a driver's instrument is simulated: its class, and the part of the world it is wired to.

    `options` names the device settings that the class takes as keywords; one that is `clocked` takes a clock too.
    """

    module: str
    instrument: str
    part: Callable[[SimulatedLab, str], Any]
    transport: str = "pty"
    tcp_address: str = SERIAL_SOCKET
    options: tuple[str, ...] = ()
    clocked: bool = False

    def build(self, lab: SimulatedLab, name: str, settings: dict[str, Any]) -> SimulatedInstrument:
        """The instrument of device `name`.  Raises `KeyError` if the lab has no such part."""
        options: dict[str, Any] = {option: settings[option] for option in self.options if option in settings}
        if self.clocked:
            options["clock"] = lab
        make = getattr(importlib.import_module(self.module), self.instrument)
        made: SimulatedInstrument = make(self.part(lab, name), **options)
        return made


DRIVERS: dict[str, Served] = {
    "aja-dcxs": Served("simulators.aja_dcxs", "Dcxs", lambda lab, name: lab.chamber.guns[name], options=("model",)),
    "ae-cesar": Served("simulators.ae_bus", "Cesar", lambda lab, name: lab.chamber.guns[name], options=("address",)),
    "ae-pinnacle": Served(
        "simulators.ae_bus", "Pinnacle", lambda lab, name: lab.chamber.guns[name], options=("address",)
    ),
    "tc-cxn": Served("simulators.tc_cxn", "Cxn", lambda lab, name: lab.chamber.guns[name], clocked=True),
    "tdk-genesys": Served(
        "simulators.tdk_genesys", "Genesys", lambda lab, name: lab.chamber.guns[name], options=("address",)
    ),
    "alicat": Served("simulators.alicat", "Alicat", lambda lab, _: lab.chamber.gas, options=("unit",)),
    "pfeiffer-tpg36x": Served("simulators.pfeiffer_tpg", "Tpg36x", lambda lab, _: lab.chamber.gauge),
    "mks-937b": Served("simulators.mks_900", "Mks937b", lambda lab, _: lab.chamber.gauge, options=("address",)),
    "mks-946": Served("simulators.mks_900", "Mks946", lambda lab, _: lab.chamber.gas, options=("address", "channel")),
    "mks-647c": Served("simulators.mks_647c", "Mks647c", lambda lab, _: lab.chamber.gas, options=("channel",)),
    "edwards-tic": Served("simulators.edwards_tic", "TicGauge", lambda lab, _: lab.chamber.gauge),
    "edwards-tic-turbo": Served("simulators.edwards_tic", "TicTurbo", lambda lab, _: lab.turbo),
    "pfeiffer-tc110": Served("simulators.pfeiffer_tc110", "Tc110", lambda lab, _: lab.turbo, options=("address",)),
    "eurotherm-2400": Served(
        "simulators.eurotherm_2400", "Eurotherm2400", lambda lab, _: lab.heater, options=("address",)
    ),
    "eurotherm-2400-bisynch": Served(
        "simulators.eurotherm_2400", "Eurotherm2400Bisynch", lambda lab, _: lab.heater, options=("address",)
    ),
    "lakeshore-336": Served("simulators.lakeshore_336", "Lakeshore336", lambda lab, _: lab.heater),
    "velleman-k8090": Served("simulators.velleman_k8090", "K8090", lambda lab, _: lab.relays),
    "arduino-relays": Served("simulators.arduino_relays", "ArduinoRelays", lambda lab, _: lab.relays),
    "inficon-sqm160": Served("simulators.inficon_sqm160", "Sqm160", lambda lab, _: lab.chamber.crystal),
    "kepco-bop": Served("simulators.kepco_bop", "KepcoBop", lambda lab, _: lab.magnetometer.magnet, "tcp", VISA_SOCKET),
    "lakeshore-475": Served("simulators.lakeshore_475", "Lakeshore475", lambda lab, _: lab.magnetometer.probe),
    "srs-sr830": Served("simulators.srs_sr830", "Sr830", lambda lab, _: lab.magnetometer.detector, "tcp", VISA_SOCKET),
    "srs-sr860": Served("simulators.srs_sr860", "Sr860", lambda lab, _: lab.magnetometer.detector, "tcp", VISA_SOCKET),
    "lakeshore-425": Served("simulators.lakeshore_425", "Lakeshore425", lambda lab, _: lab.magnetometer.probe),
    "lakeshore-f71": Served(
        "simulators.lakeshore_f71", "LakeshoreF71", lambda lab, _: lab.magnetometer.probe, "tcp", TCP
    ),
    "lakeshore-643": Served(
        "simulators.lakeshore_643", "Lakeshore643", lambda lab, _: lab.magnetometer.magnet, "tcp", VISA_SOCKET
    ),
    "danfysik-8500": Served(
        "simulators.danfysik_8500",
        "Danfysik8500",
        lambda lab, _: lab.magnetometer.magnet,
        options=("full_scale_a",),
    ),
    "keithley-2450": Served(
        "simulators.keithley_2450", "Keithley2450", lambda lab, _: lab.magnetometer.contacts, "tcp", VISA_SOCKET
    ),
    "keithley-6221-2182a": Served(
        "simulators.keithley_6221", "Keithley6221", lambda lab, _: lab.magnetometer.contacts, "tcp", VISA_SOCKET
    ),
    "qd-multivu": Served(
        "simulators.qd_multivu",
        "QdMultiVu",
        lambda lab, _: lab.magnetometer.magnet,
        "tcp",
        TCP,
        options=("field_per_ampere_mt",),
    ),
    "zaber-gantry": Served(
        "simulators.zaber_gantry",
        "ZaberGantry",
        lambda lab, _: lab.arm,
        options=("origin_x_mm", "origin_y_mm", "origin_z_mm", "alpha", "beta", "gamma"),
    ),
    "ur-dashboard": Served(
        "simulators.ur_dashboard", "UrDashboard", lambda lab, _: lab.arm, "tcp", TCP, options=("folder",)
    ),
    "mecademic-meca500": Served("simulators.mecademic_meca500", "Meca500", lambda lab, _: lab.arm, "tcp", TCP),
}


class ServeError(ValueError):
    """A configuration that cannot be served; the message names the device and what would be right."""


class LabServer:
    """Every instrument of `config` on a port of its own."""

    def __init__(self, lab: SimulatedLab, config: dict[str, Any], seed: int) -> None:
        self.lab = lab
        self._config, self._seed = config, seed
        self._ports: list[PtyPort | TcpPort] = []

    async def start(self) -> dict[str, str]:
        """Open the ports; addresses by device.  Raises `ServeError`."""
        faults = wire_faults(self._config)
        addresses = {}
        for name, device in self._config.get("devices", {}).items():
            served = DRIVERS.get(device["driver"])
            if served is None:
                raise ServeError(
                    f"{name}: no simulator for driver {device['driver']!r}; there are {', '.join(sorted(DRIVERS))}"
                )
            instrument = self._instrument(name, device, served)
            mine = [fault for fault in faults if fault.device == name]
            if mine:
                instrument = FaultyInstrument(instrument, mine, self.lab, self._seed)
            transport = device.get("transport") or served.transport
            if transport == "pty":
                line = PtyPort(instrument, self.lab)
                self._ports.append(line)
                addresses[name] = line.address
            elif transport == "tcp":
                socket = TcpPort(instrument, self.lab)
                self._ports.append(socket)
                addresses[name] = served.tcp_address.format(port=await socket.open())
            else:
                raise ServeError(f'{name}: transport {transport!r}: must be "pty" or "tcp"')
        return addresses

    def restart(self, clock: ScaledClock) -> None:
        self.lab.restart(clock)
        for port in self._ports:
            port.attend()

    async def tick(self) -> None:
        """Look at the world now and then, so that its log tells of films and hazards in time."""
        while True:
            await asyncio.sleep(TICK_S)
            self.lab.now()

    def close(self) -> None:
        for port in self._ports:
            port.close()

    def _instrument(self, name: str, device: dict[str, Any], served: Served) -> SimulatedInstrument:
        try:
            return served.build(self.lab, name, device.get("settings") or {})
        except KeyError as error:
            raise ServeError(f'{name}: it has no target; give one in "targets"') from error


def make_clock(spec: dict[str, float] | None) -> ScaledClock:
    """From the three numbers of `ScaledClock.spec`; real time from now on if there are none."""
    return ScaledClock(**spec) if spec else ScaledClock(1.0, time.time(), time.monotonic())


def make_lab(request: dict[str, Any]) -> SimulatedLab:
    truth = TableTruth(request["truth"]) if request.get("truth") else FormulaTruth()
    return SimulatedLab(
        request["config"],
        make_clock(request.get("clock")),
        seed=int(request["seed"]),
        truth=truth,
        log=WorldLog(request.get("world")),
    )


async def serve(lines: asyncio.Queue[str | None]) -> int:
    """Serve the lab that the first of `lines` asks for until they end with None; the exit code."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lines.put_nowait, None)
    first = await lines.get()
    if first is None:
        return 0
    try:
        request = json.loads(first)
        lab = make_lab(request)
        server = LabServer(lab, request["config"], int(request["seed"]))
        addresses = await server.start()
    except (ValueError, TypeError, KeyError) as error:
        wrong = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        _say({"error": wrong})
        sys.stderr.write(f"simulators.serve: {wrong}\n")
        return 2
    _say({"addresses": addresses})
    gc.collect()
    gc.freeze()  # what is alive now stays: later collections are short
    ticking = asyncio.create_task(server.tick())
    while (line := await lines.get()) is not None:
        _say(_obey(line, server))
    ticking.cancel()
    lab.now()
    server.close()
    lab.log.close()
    return 0


def _obey(line: str, server: LabServer) -> dict[str, Any]:
    try:
        match json.loads(line):
            case {"clock": spec}:
                server.restart(make_clock(spec))
                return {"ok": True}
            case {"summary": True}:
                return server.lab.summary()
    except (ValueError, TypeError) as error:
        return {"error": f"{line.strip()!r}: {error}"}
    return {"error": f'{line.strip()!r}: give {{"clock": {{...}}}} or {{"summary": true}}'}


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _read_standard_input(loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[str | None]) -> None:
    # os.read, not sys.stdin: a thread blocked in a buffered reader cannot be left behind at exit.
    rest = b""
    while chunk := os.read(0, 65536):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            loop.call_soon_threadsafe(lines.put_nowait, line.decode())
    loop.call_soon_threadsafe(lines.put_nowait, None)


async def main() -> int:
    """The whole program; its exit code."""
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    threading.Thread(target=_read_standard_input, args=(loop, lines), daemon=True).start()
    return await serve(lines)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
