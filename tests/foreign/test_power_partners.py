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

from collections.abc import Iterator
from typing import Any

import pytest

from simulators import edwards_tic, mks_900, pfeiffer_tc110, tc_cxn, tdk_genesys, velleman_k8090
from tests.drivers.chamber_fixtures import Gun, Panel, Pump, Vacuum, lab_clock, served

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
