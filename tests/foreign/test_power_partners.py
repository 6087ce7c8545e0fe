"""Vacuum, gas, power and heat: our simulators against drivers by others, our drivers against their simulators.

Each partner talks over a real pseudo-terminal.  Copyleft drivers run in processes of their own and are never imported.

Known deviations, with whose they are:

* PyMeasure `MKS937B` gives a pressure that is a word (``ATM``, ``LO<E-11``) as that word.  Theirs.
* PyMeasure `CXN` encodes bytes above 7F as UTF-8, so that it can set no power whose low byte is above 127.  Theirs.
* PyMeasure `TDK_Lambda_Base` writes no checksum; ours always does, and the simulator takes both.
* PyMeasure `VellemanK8090` breaks where a switch changes nothing and is not answered.  Theirs; not used here.
* edwardsserial's setter of a turbo's standby sends ``?C908``, which no TIC knows.  Theirs; not used here.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import Any

import pytest

from drivers.errors import NoReply, Refused
from drivers.eurotherm_2400 import Eurotherm2400Modbus
from drivers.lakeshore_336 import LakeShore336
from simulators import (
    edwards_tic,
    eurotherm_2400,
    lakeshore_336,
    mks_900,
    pfeiffer_tc110,
    tc_cxn,
    tdk_genesys,
    velleman_k8090,
)
from tests.drivers.chamber_fixtures import Gun, Holder, Panel, Pump, Vacuum, Wire, connected, lab_clock, on_wire, served

pytestmark = pytest.mark.foreign


# --- PyMeasure reads our 937B -----------------------------------------------------------------------------


@pytest.fixture
def mks937b() -> Iterator[Any]:
    mksinst = pytest.importorskip("pymeasure.instruments.mksinst")
    with served(mks_900.Mks937b(Vacuum())) as wire:
        instrument = mksinst.mks937b.MKS937B(f"ASRL{wire.address}::INSTR", visa_library="@py", timeout=2000)
        yield instrument
        instrument.adapter.close()


def test_pymeasure_reads_our_937b(mks937b: Any) -> None:
    assert mks937b.serial == "0937150001"
    assert mks937b.ch_1.pressure == pytest.approx(0.5 / 133.3224, rel=5e-3)
    assert mks937b.ch_2.pressure == "NOGAUGE"
    assert mks937b.ch_1.ion_gauge_status == "Good"
    for unit in ("PASCAL", "mBAR", "TORR"):
        mks937b.unit = unit
        assert mks937b.unit == unit
    mks937b.ch_1.power_enabled = False
    assert mks937b.ch_1.power_enabled is False
    assert mks937b.ch_1.ion_gauge_status == "Off"


# --- PyMeasure drives our CXN -----------------------------------------------------------------------------


def test_pymeasure_runs_our_cxn() -> None:
    tcpowerconversion = pytest.importorskip("pymeasure.instruments.tcpowerconversion")
    gun = Gun(lab_clock(), strike_s=0.0)
    with served(tc_cxn.Cxn(gun, lab_clock(), tick=lambda: 0.0)) as wire:
        cxn = tcpowerconversion.CXN(f"ASRL{wire.address}::INSTR", visa_library="@py", timeout=2000)
        try:
            assert cxn.id == "AG 0313 GTC"
            assert cxn.firmware_version == "UI 1.4, RF 2.7"
            with pytest.raises(ValueError, match="invalid reply"):
                cxn.setpoint = 100  # nobody has requested control
            cxn.request_control()
            cxn.setpoint = 100
            assert cxn.setpoint == 100
            cxn.rf_enabled = True
            assert (cxn.rf_enabled, gun.on) == (True, True)
            assert cxn.power == (101.0, 1.0, 100.0)
            assert cxn.dc_voltage == 168
            assert cxn.tuner == "digital tuner"
            assert cxn.temperature == 31.4
            assert cxn.frequency == 13_560_000
            assert cxn.power_limit == 300
            cxn.ping()
            cxn.release_control()
            assert not gun.on
            assert cxn.setpoint == 0
        finally:
            cxn.adapter.close()


# --- PyMeasure drives our GENESYS -------------------------------------------------------------------------


def test_pymeasure_runs_our_genesys() -> None:
    tdk = pytest.importorskip("pymeasure.instruments.tdk.tdk_gen40_38")
    gun = Gun(lab_clock(), strike_s=0.0)
    with served(tdk_genesys.Genesys(gun)) as wire:
        supply = tdk.TDK_Gen40_38(f"ASRL{wire.address}::INSTR", visa_library="@py", timeout=2000)
        try:
            assert supply.id == ["LAMBDA", "GEN600-2.6"]
            supply.remote = "REM"
            assert supply.remote == "REM"
            supply.voltage_setpoint_values = [0, 600]
            supply.voltage_setpoint, supply.current_setpoint = 600, 0.25
            assert (supply.voltage_setpoint, supply.current_setpoint) == (600, 0.25)
            supply.auto_restart_enabled = False
            assert supply.auto_restart_enabled is False
            supply.output_enabled = True
            assert (supply.output_enabled, gun.on) == (True, True)
            assert supply.mode == "CC"
            assert (supply.voltage, supply.current) == (420, 0.25)
            assert supply.status[:2] == ["MV(420.000)", "PV(600.000)"]
            supply.output_enabled = False
            assert not gun.on
        finally:
            supply.adapter.close()


# --- PyMeasure and k8090 drive our relay card -------------------------------------------------------------


def test_pymeasure_switches_our_relay_card() -> None:
    velleman = pytest.importorskip("pymeasure.instruments.velleman")
    panel = Panel()
    with served(velleman_k8090.K8090(panel)) as wire:
        card = velleman.VellemanK8090(f"ASRL{wire.address}::INSTR", visa_library="@py", timeout=500)
        try:
            assert card.version == (10, 1)
            card.switch_on = [1, 3]
            assert panel.on == {1, 3}
            assert int(card.status[1]) == 0b101
            card.switch_off = [3]
            assert panel.on == {1}
        finally:
            card.adapter.close()


# --- edwardsserial drives our TIC -------------------------------------------------------------------------


def test_edwardsserial_reads_our_tic() -> None:
    tic = pytest.importorskip("edwardsserial.tic")
    with served(edwards_tic.TicGauge(Vacuum())) as wire:
        gauge = tic.TIC(wire.address).gauge1
        assert gauge.pressure == 0.5
        assert (gauge.unit, gauge.state, gauge.type) == ("Pa", "11: On", "15: WRG")
        gauge.off()
        assert gauge.pressure is None
        assert gauge.state == "5: Off"
        gauge.on()
        wire.instrument.alert = 15
        with pytest.raises(Warning, match="Filament Fail"):  # warnings are errors here
            _ = gauge.state


def test_edwardsserial_drives_our_turbo_pump() -> None:
    tic = pytest.importorskip("edwardsserial.tic")
    serial_protocol = pytest.importorskip("edwardsserial.serial_protocol")
    pump = Pump()
    with served(edwards_tic.TicTurbo(pump)) as wire:
        turbo = tic.TIC(wire.address).turbo_pump
        assert (turbo.state, turbo.speed, turbo.power, turbo.normal) == ("4: Running", 100.0, 18.0, True)
        assert turbo.type == "3: EXT75DX"
        turbo.off()
        assert not pump.running
        assert turbo.state == "0: Stopped"
        wire.instrument.parallel = True
        with pytest.raises(serial_protocol.ErrorResponse, match="error code 5"):
            turbo.on()


# --- pfeiffer-vacuum-protocol reads our TC 110 ------------------------------------------------------------


def test_pfeiffer_vacuum_protocol_reads_our_tc110() -> None:
    protocol = pytest.importorskip("pfeiffer_vacuum_protocol.pfeiffer_vacuum_protocol")
    serial = pytest.importorskip("serial")
    with served(pfeiffer_tc110.Tc110(Pump())) as wire, serial.Serial(wire.address, timeout=2) as port:
        assert protocol.read_error_code(port, 1) == protocol.ErrorCode.NO_ERROR
        assert protocol.read_software_version(port, 1) == (1, 3, 0)
        wire.instrument.turbo.trouble = "Err002"
        assert protocol.read_error_code(port, 1) == protocol.ErrorCode.DEFECTIVE_MEMORY
        with pytest.raises(ValueError, match="undefined parameter number"):
            protocol.read_pressure(port, 1)


# --- minimalmodbus reads our Eurotherm --------------------------------------------------------------------


def test_minimalmodbus_drives_our_eurotherm() -> None:
    minimalmodbus = pytest.importorskip("minimalmodbus")
    holder = Holder()
    with served(eurotherm_2400.Eurotherm2400(holder)) as wire:
        unit = minimalmodbus.Instrument(wire.address, 1)
        unit.serial.timeout = 2
        try:
            assert unit.read_register(1, 1) == 25.0
            assert unit.read_register(122) == 0x2400
            unit.write_register(26, 350.5, 1, functioncode=6, signed=True)
            unit.write_register(276, 1, functioncode=6)
            unit.write_registers(273, [0])
            assert holder.heating
            assert holder.target_c == 350.5
            assert unit.read_registers(1, 5) == [3505, 0, 400, 400, 3505]
            with pytest.raises(minimalmodbus.IllegalRequestError):
                unit.read_register(9999)
            with pytest.raises(minimalmodbus.IllegalRequestError):
                unit.write_register(2, 2000, 1, functioncode=6, signed=True)
        finally:
            unit.serial.close()


# --- our driver reads pymodbus' own server ----------------------------------------------------------------

MODBUS_SERVER = """
import asyncio, sys
from pymodbus.server import StartAsyncSerialServer
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext

registers = {1: 251, 3: 0, 4: 0, 26: 0, 75: 0, 122: 0x2400, 273: 1, 276: 0, 525: 1}
block = ModbusSequentialDataBlock(1, [registers.get(address, 0) for address in range(600)])
context = ModbusServerContext(devices={1: ModbusDeviceContext(hr=block)}, single=False)
asyncio.run(StartAsyncSerialServer(context, port=sys.argv[1], baudrate=9600))
"""


def test_our_driver_reads_and_sets_registers_of_pymodbus_server() -> None:
    """It holds registers and has no controller behind them."""
    with joined() as (theirs, ours), running(MODBUS_SERVER, theirs):
        wire = Wire(instrument=None)
        wire.address = ours
        with patiently(Eurotherm2400Modbus, wire) as heater:
            heater.temperature.set(312.5).wait(20)
            heater.heating.set("on").wait(20)
            heater.trigger().wait(20)
            assert heater.actual_temperature.get() == 25.1
            assert (heater.temperature.get(), heater.heating.get()) == (312.5, "on")
            heater.safe().wait(20)
            assert heater.heating.get() == "off"
            with pytest.raises(Refused, match="exception"):
                on_wire(heater, lambda: heater._register(9999))


# --- PyMeasure and Lake Shore's own package drive our 336 -------------------------------------------------


def test_pymeasure_drives_our_336() -> None:
    lakeshore3xx = pytest.importorskip("pymeasure.instruments.lakeshore.lakeshore3xx")
    holder = Holder()
    with served(lakeshore_336.Lakeshore336(holder)) as wire:
        controller = lakeshore3xx.LakeShore3xx(f"ASRL{wire.address}::INSTR", visa_library="@py", timeout=2000)
        try:
            assert controller.id == "LSCI,MODEL336,LSA1234/LSO5678,2.9"
            controller.output_1.setpoint = 573.15
            assert controller.output_1.setpoint == 573.15
            controller.output_1.range = "high"
            assert controller.output_1.range == "high"
            assert holder.heating
            assert holder.target_c == pytest.approx(300)
            assert controller.input_A.kelvin == pytest.approx(573.15)
            assert controller.input_A.celsius == pytest.approx(300)
            assert controller.output_1.output == 40
            controller.output_1.range = "off"
            assert controller.output_1.range == "off"
            assert not holder.heating
        finally:
            controller.adapter.close()


LAKESHORE = """
import json, sys
from lakeshore import Model336

host, port = sys.argv[1].removeprefix("socket://").split(":")
with Model336(ip_address=host, tcp_port=int(port)) as controller:
    said = [controller.serial_number, controller.get_celsius_reading("A")]
    controller.command("SETP 1,573.15")
    controller.command("RANGE 1,3")
    said += [controller.query("SETP? 1"), controller.query("RANGE? 1"), controller.get_celsius_reading("A")]
    said += [controller.get_heater_output(1)]
print(json.dumps(said))
"""


def test_lake_shores_package_drives_our_336() -> None:
    skip_without("lakeshore")
    holder = Holder()
    with served(lakeshore_336.Lakeshore336(holder), "tcp") as wire:
        done = subprocess.run(
            [sys.executable, "-c", LAKESHORE, wire.address], capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 0, done.stderr
    serial, cold, set_point, heater_range, hot, output = json.loads(done.stdout)
    assert serial == "LSA1234"
    assert (cold, set_point, heater_range) == (25.0, "+573.1500", "3")
    assert hot == pytest.approx(300)
    assert output == 40
    assert holder.heating


# --- our driver heats labmcp's 336 ------------------------------------------------------------------------

LABMCP_336 = """
import os, sys
from labmcp_lakeshore.simulator import LakeShoreSimulator

simulator = LakeShoreSimulator(sys.argv[2], speed=200.0)
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
buffer = b""
print("ready", flush=True)
while True:
    buffer += os.read(port, 4096)
    while b"\\n" in buffer:
        line, buffer = buffer.split(b"\\n", 1)
        answer = simulator.handle(line.decode().strip())
        if answer is not None:
            os.write(port, answer.encode() + b"\\r\\n")
"""


@pytest.mark.parametrize(("model", "strongest"), [("335", 3), ("336", 3), ("350", 5)])
def test_our_driver_heats_labmcps_lake_shore(model: str, strongest: int) -> None:
    """A cryostat at 4.2 K: colder than any substrate, and heated all the same."""
    skip_without("labmcp_lakeshore")
    with joined() as (theirs, ours), running(LABMCP_336, theirs, model, ready=True):
        wire = Wire(instrument=None)
        wire.address = ours
        with patiently(LakeShore336, wire, limits={"temperature": (-273, 100)}, heater_range=strongest) as heater:
            assert f"MODEL{model}" in on_wire(heater, heater.identify)
            heater.trigger().wait(20)
            assert heater.actual_temperature.get() == pytest.approx(4.2 - 273.15, abs=0.1)
            assert (heater.heating.get(), heater.fault.get()) == ("off", "")
            heater.temperature.set(-223.15).wait(20)
            heater.heating.set("on").wait(20)
            assert heater.temperature.get() == pytest.approx(-223.15, abs=0.01)
            assert heater.heating.get() == "on"
            until(lambda: heater.trigger().wait(20) or heater.actual_temperature.get() > -260)
            heater.safe().wait(20)
            assert heater.heating.get() == "off"
            with pytest.raises(Refused, match="was refused"):
                on_wire(heater, lambda: heater._write_temperature(5000.0))


# --- what runs in processes of its own --------------------------------------------------------------------


def skip_without(module: str) -> None:
    """Skip if `module` is not installed; it is never imported here."""
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed")


@contextmanager
def joined() -> Iterator[tuple[str, str]]:
    """The names of two raw pseudo-terminals, what is written to one being read at the other."""
    pairs = [os.openpty() for _ in range(2)]
    for _, slave in pairs:
        tty.setraw(slave)
    (first, _), (second, _) = pairs
    stop_read, stop_write = os.pipe()

    def carry() -> None:
        while stop_read not in (readable := select.select([first, second, stop_read], [], [])[0]):
            for end in readable:
                os.write(second if end == first else first, os.read(end, 4096))

    thread = threading.Thread(target=carry)
    thread.start()
    try:
        yield os.ttyname(pairs[0][1]), os.ttyname(pairs[1][1])
    finally:
        os.write(stop_write, b"x")
        thread.join(10)
        for end in (*pairs[0], *pairs[1], stop_read, stop_write):
            os.close(end)


@contextmanager
def running(script: str, *arguments: str, ready: bool = False) -> Iterator[None]:
    """`script` in a process of its own; wait for its first line if it says when it is `ready`."""
    process = subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        if ready:
            assert process.stdout.readline()
        yield
    finally:
        process.kill()
        process.stdout.close()
        process.wait(10)


@contextmanager
def patiently(driver: Any, wire: Wire, **settings: Any) -> Iterator[Any]:
    """`driver`, connected once the other side has started and answers."""
    deadline = time.monotonic() + 40
    with ExitStack() as stack:
        while True:
            try:
                device = stack.enter_context(connected(driver, wire, timeout_s=1.0, **settings))
                break
            except NoReply:
                if time.monotonic() > deadline:
                    raise
        yield device


def until(holds: Any) -> None:
    deadline = time.monotonic() + 40
    while not holds():
        assert time.monotonic() < deadline
