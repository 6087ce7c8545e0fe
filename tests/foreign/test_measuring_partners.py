"""Magnets, meters and movers against drivers and simulators written by others, each in its own process.

Known deviations, with whose they are:

* pymeasure's ``Danfysik8500`` takes the first two characters of the answer to ``DA 0`` off, so ours answers with the
  channel and a blank.  That it is a blank is assumed.
* pymeasure's ``SR860`` sends ``Harm`` in mixed case; ours is deaf to case, as the manual says of the real one.
* ``lakeshore``'s ``Model643`` and ``Teslameter`` begin with an empty line, which ours ignores.
* pymeasure's ``Keithley2450`` has no property for four-wire sensing of a voltage; the test writes the command.
* labmcp's 2450 senses its resistor where the current flows, so its Hall resistance is that resistor.
* MultiPyVu's server in scaffolding mode ignores a second request that comes before the first is confirmed back; our
  driver keeps one in flight.  A client that goes without ``CLOSE`` leaves it busy; our link says it.
* labmcp's SR860 has a resonator for a sample, so values are compared with its own drive only.
"""

from __future__ import annotations

import pytest

from drivers.keithley_2450 import Keithley2450
from drivers.qd_multivu import QdMultiVu
from drivers.srs_sr860 import Sr860
from simulators.danfysik_8500 import Danfysik8500
from simulators.keithley_2450 import Keithley2450 as SimulatedKeithley2450
from simulators.keithley_6221 import Keithley6221 as SimulatedKeithley6221
from simulators.lakeshore_425 import Lakeshore425
from simulators.lakeshore_643 import Lakeshore643
from simulators.lakeshore_f71 import LakeshoreF71
from simulators.qd_multivu import QdMultiVu as SimulatedMultiVu
from simulators.srs_sr860 import Sr860 as SimulatedSr860
from simulators.ur_dashboard import UrDashboard
from simulators.zaber_gantry import ZaberGantry
from tests.drivers.magnetometer_fixtures import (
    Arm,
    Contacts,
    Detector,
    Magnet,
    Probe,
    a_clock,
    driven,
    on_pty,
    on_tcp,
    on_thread,
    on_visa,
)
from tests.foreign.partners import needs, run, serving

pytestmark = pytest.mark.foreign


def test_pymeasure_runs_our_sr860() -> None:
    needs("pymeasure")
    detector = Detector()
    script = """
        import json, sys
        from pymeasure.instruments.srs import SR860
        lockin = SR860(sys.argv[1], visa_library="@py", read_termination="\\n", write_termination="\\n")
        said = {"id": lockin.ask("*IDN?").strip()}
        lockin.sensitivity = 5e-3
        lockin.time_constant = 0.3
        lockin.filter_slope = 1
        lockin.internalfrequency = 121.98
        lockin.sine_voltage = 0.5
        lockin.input_range = "30M"
        said["sensitivity"], said["time_constant"] = lockin.sensitivity, lockin.time_constant
        said["slope"], said["sine"], said["range"] = lockin.filter_slope, lockin.sine_voltage, lockin.input_range
        said["x"], said["y"], said["magnitude"] = lockin.x, lockin.y, lockin.magnitude
        print(json.dumps(said))
    """
    with on_visa(SimulatedSr860(detector), a_clock()) as served:
        said = run(script, served.address)
    assert said["id"].startswith("Stanford_Research_Systems,SR860,")
    assert (said["sensitivity"], said["time_constant"], said["slope"]) == (5e-3, 0.3, 1)
    assert (said["sine"], said["range"]) == (0.5, "30M")
    assert detector.time_constant_s == 0.3
    assert (said["x"], said["y"]) == pytest.approx((1.25e-3, -2.5e-5))
    assert said["magnitude"] == pytest.approx(1.25025e-3, rel=1e-5)


LABMCP_SR860 = """
    import socket
    from labmcp_srs_lockin.simulator import SRSLockInSimulator
    lockin = SRSLockInSimulator("SR860", seed=1)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    client, _ = listener.accept()
    waiting = b""
    while received := client.recv(4096):
        waiting += received
        while b"\\n" in waiting:
            line, _, waiting = waiting.partition(b"\\n")
            reply = lockin.handle(line.decode("ascii"))
            if reply:
                client.sendall(reply.encode("ascii") + b"\\n")
"""


def test_our_driver_runs_labmcps_sr860() -> None:
    needs("labmcp_srs_lockin")
    with (
        serving(LABMCP_SR860, "TCPIP0::127.0.0.1::{}::SOCKET") as served,
        driven(Sr860, served, timeout_s=5.0) as lockin,
    ):
        assert on_thread(lockin, lockin.identify) == "Stanford_Research_Systems,SR860,003456,v1.55"
        assert (lockin.sensitivity.get(), lockin.time_constant.get()) == (1.0, 0.1)
        for volts in (5e-4, 1e-3, 1e-9, 0.5):
            lockin.sensitivity.set(volts).wait(5)
            assert lockin.sensitivity.get() == volts
        for seconds in (1e-6, 0.3, 3e4, 1e-3):
            lockin.time_constant.set(seconds).wait(5)
            assert lockin.time_constant.get() == seconds
        lockin.trigger().wait(5)
        assert abs(lockin.x.get()) < 1e-6  # it wakes up with 1 nV of drive
        assert lockin.fault.get() == ""


def test_pymeasure_runs_our_lakeshore_425() -> None:
    needs("pymeasure")
    script = """
        import json, sys
        from pymeasure.instruments.lakeshore import LakeShore425
        meter = LakeShore425(sys.argv[1], visa_library="@py", read_termination="\\n", write_termination="\\n")
        meter.unit = "T"
        said = {"unit": meter.unit, "tesla": meter.field}
        meter.unit = "G"
        meter.auto_range()
        meter.dc_mode(wideband=False)
        said["gauss"], said["mode"] = meter.field, meter.mode
        meter.range = 3500
        said["range"] = meter.range
        print(json.dumps(said))
    """
    with on_visa(Lakeshore425(Probe()), a_clock()) as served:
        said = run(script, served.address)
    assert said == {"unit": "T", "tesla": 0.125, "gauss": 1250.0, "mode": [1, 0, 2], "range": 3500}


def test_the_makers_package_runs_our_lakeshore_f71() -> None:
    needs("lakeshore")
    script = """
        import json, sys
        from lakeshore import Teslameter
        meter = Teslameter(ip_address="127.0.0.1", tcp_port=int(sys.argv[1]))
        said = {"model": meter.model_number, "serial": meter.serial_number}
        meter.configure_field_units("TESLA")
        said["unit"], said["tesla"] = meter.get_field_units(), meter.get_dc_field()
        said["xyz"], said["temperature"] = meter.get_dc_field_xyz(), meter.get_temperature()
        meter.configure_field_measurement_setup(mode="DC", autorange=False, expected_field=1.5, averaging_samples=30)
        said["setup"] = meter.get_field_measurement_setup()
        status = meter.get_present_operation_status()
        said["status"] = [status.no_probe, status.overload]
        said["trouble"] = meter.get_present_questionable_status().to_integer()
        try:
            meter.command("SENSE:NONSENSE 1")
        except Exception as error:
            said["complaint"] = str(error)
        print(json.dumps(said))
    """
    with on_tcp(LakeshoreF71(Probe(), axes=3), a_clock(), "{}:{}") as served:
        said = run(script, served.address.rpartition(":")[2])
    assert said["model"] == "F71"
    assert (said["unit"], said["tesla"]) == ("TESLA", 0.125)
    assert said["xyz"] == [0.125, 0.0, 0.0, 0.125]
    assert said["setup"] == {"mode": "DC", "autorange": False, "expected_field": 1.5, "averaging_samples": 30}
    assert (said["status"], said["trouble"]) == ([False, False], 0)
    assert "Undefined header" in said["complaint"]


def test_the_makers_package_runs_our_lakeshore_643() -> None:
    needs("lakeshore")
    script = """
        import json, sys, time
        from lakeshore import Model643
        supply = Model643(ip_address="127.0.0.1", tcp_port=int(sys.argv[1]))
        said = {"model": supply.model_number}
        supply.set_limits(10, 5)
        supply.set_ramp_rate(2.5)
        supply.set_ramp_segments_enable(False)
        said["limits"], said["rate"] = supply.get_limits(), supply.get_ramp_rate()
        said["program"] = supply.get_programming_mode()
        supply.set_current(-1.5)
        said["setpoint"] = supply.get_current()
        until = time.monotonic() + 20
        while abs(supply.get_measured_current() + 1.5) > 0.001 and time.monotonic() < until:
            pass
        said["current"], said["voltage"] = supply.get_measured_current(), supply.get_measured_voltage()
        said["done"] = supply.get_operation_event_condition().ramp_done
        said["errors"] = [supply.get_hardware_error_condition().to_integer(),
                          supply.get_operational_error_condition().to_integer()]
        try:
            supply.set_current(11)
        except Exception as error:
            said["complaint"] = str(error)
        print(json.dumps(said))
    """
    clock = a_clock(20.0)
    coil = Magnet(clock)
    with on_tcp(Lakeshore643(coil), clock, "{}:{}") as served:
        said = run(script, served.address.rpartition(":")[2])
    assert said["model"] == "MODEL643"
    assert (said["limits"], said["rate"], said["program"]) == ([10.0, 5.0], 2.5, 0)
    assert (said["setpoint"], said["current"], said["voltage"]) == (-1.5, -1.5, -0.75)
    assert said["done"]
    assert said["errors"] == [0, 0]
    assert "Execution Error" in said["complaint"]
    assert coil.ramps == [(-1.5, 2.5)]


def test_pymeasure_runs_our_danfysik() -> None:
    needs("pymeasure")
    script = """
        import json, sys
        from pymeasure.instruments.danfysik import Danfysik8500
        supply = Danfysik8500("ASRL" + sys.argv[1] + "::INSTR", visa_library="@py")
        said = {"id": supply.id, "enabled": [supply.is_enabled()]}
        supply.remote()
        supply.current_ppm = 0
        supply.enable()
        said["enabled"].append(supply.is_enabled())
        supply.polarity = -1
        said["polarity"] = supply.polarity
        supply.wait_for_ready(delay=0.01)
        supply.current = 4.0
        said["ppm"], said["current"], said["setpoint"] = supply.current_ppm, supply.current, supply.current_setpoint
        said["status"] = supply.status
        supply.current = 0
        supply.disable()
        said["enabled"].append(supply.is_enabled())
        print(json.dumps(said))
    """
    clock = a_clock()
    coil = Magnet(clock)
    with on_pty(Danfysik8500(coil), clock) as served:
        said = run(script, served.address)
    assert "DANFYSIK" in said["id"]
    assert said["enabled"] == [False, True, False]
    assert (said["ppm"], said["polarity"]) == (25000, -1)
    assert said["current"] == pytest.approx(-4.0)
    assert said["setpoint"] == pytest.approx(4.0)
    assert said["status"] == ["Main Power ON", "Polarity Reversed"]
    assert -4.0 in [current for _, current in coil.commands]


# --- Hall meters --------------------------------------------------------------------------------------------


def test_pymeasure_runs_our_6221() -> None:
    needs("pymeasure")
    script = """
        import json, sys, time
        from pymeasure.instruments.keithley import Keithley6221
        source = Keithley6221(sys.argv[1], visa_library="@py", read_termination="\\n", write_termination="\\n")
        said = {"id": source.id, "connected": bool(source.delta_connected)}
        source.delta_unit = "V"
        source.source_compliance = 5
        source.delta_high_source = 1e-3
        source.delta_delay = 2e-3
        source.delta_cycles = "INF"
        source.delta_compliance_abort_enabled = True
        said["high"], said["low"] = source.delta_high_source, source.delta_low_source
        said["abort"] = source.delta_compliance_abort_enabled
        source.delta_arm()
        source.delta_start()
        until = time.monotonic() + 20
        reading = source.delta_sense
        while not isinstance(reading, list) and time.monotonic() < until:
            reading = source.delta_sense
        said["reading"] = reading
        source.delta_abort()
        said["error"] = str(source.next_error)
        print(json.dumps(said))
    """
    clock = a_clock(20.0)
    contacts = Contacts(clock)
    with on_visa(SimulatedKeithley6221(contacts), clock) as served:
        said = run(script, served.address)
    assert said["id"].startswith("KEITHLEY INSTRUMENTS INC.,MODEL 6221")
    assert said["connected"]
    assert (said["high"], said["low"], said["abort"]) == (1e-3, -1e-3, True)
    assert said["reading"][0] == pytest.approx(2e-4, rel=1e-6)
    assert "No error" in said["error"]
    assert contacts.sourced[-1] == 0.0


def test_pymeasure_runs_our_2450() -> None:
    needs("pymeasure")
    script = """
        import json, sys
        from pymeasure.instruments.keithley import Keithley2450
        meter = Keithley2450(sys.argv[1], visa_library="@py", read_termination="\\n", write_termination="\\n")
        said = {"id": meter.id}
        meter.source_mode = "current"
        meter.source_current_range = 1e-2
        meter.compliance_voltage = 5
        meter.write(":SENS:FUNC 'VOLT'")
        meter.write(":SENS:VOLT:RSEN ON")
        meter.voltage_nplc = 2
        meter.source_current = 1e-3
        meter.enable_source()
        said["mode"], said["on"], said["limit"] = meter.source_mode, meter.source_enabled, meter.compliance_voltage
        said["there"] = meter.voltage
        meter.source_current = -1e-3
        said["back"] = meter.voltage
        meter.source_current = 0.5
        said["complaint"] = str(meter.next_error)
        meter.disable_source()
        said["off"] = meter.source_enabled
        print(json.dumps(said))
    """
    clock = a_clock()
    contacts = Contacts(clock)
    with on_visa(SimulatedKeithley2450(contacts), clock) as served:
        said = run(script, served.address)
    assert said["id"].startswith("KEITHLEY INSTRUMENTS,MODEL 2450")
    assert (said["mode"], said["on"], said["off"], said["limit"]) == ("current", True, False, 5.0)
    assert (said["there"] - said["back"]) / 2e-3 == pytest.approx(0.2)
    assert "out of range" in said["complaint"]
    assert contacts.sourced[-1] == 0.0


LABMCP_2450 = """
    import socket
    from labmcp_keithley_smu.simulator import make_simulator
    meter = make_simulator("2450", resistance_ohm=1000.0, seed=1)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    client, _ = listener.accept()
    waiting = b""
    while received := client.recv(4096):
        waiting += received
        while b"\\n" in waiting:
            line, _, waiting = waiting.partition(b"\\n")
            reply = meter.handle(line.decode("ascii"))
            if reply:
                client.sendall(reply.encode("ascii") + b"\\n")
"""


def test_our_driver_runs_labmcps_2450() -> None:
    needs("labmcp_keithley_smu")
    with (
        serving(LABMCP_2450, "TCPIP0::127.0.0.1::{}::SOCKET") as served,
        driven(Keithley2450, served, timeout_s=5.0) as meter,
    ):
        assert "MODEL 2450" in on_thread(meter, meter.identify)
        meter.current.set(1e-3).wait(10)
        meter.trigger().wait(5)
        assert meter.resistance.get() == pytest.approx(1000.0, rel=0.01)  # its resistor, at all four leads
        assert meter.fault.get() == ""
        meter.current.set(0.05).wait(10)  # 50 V over its resistor, where 10 V are allowed
        meter.trigger().wait(5)
        assert meter.compliance.get() == 1
        meter.safe().wait(10)
        assert meter.current.get() == 0.0


# --- movers -------------------------------------------------------------------------------------------------


def test_zaber_serial_runs_our_gantry() -> None:
    needs("zaber.serial")
    script = """
        import json, sys
        from zaber.serial import AsciiDevice, AsciiSerial
        port = AsciiSerial(sys.argv[1], 115200, 2)
        device = AsciiDevice(port, 1)
        axis = device.axis(1)
        said = {"status": device.get_status(), "serial": device.send("get system.serial").data}
        axis.home()
        axis.poll_until_idle()
        axis.move_abs(100000)
        axis.poll_until_idle()
        said["position"] = axis.get_position()
        axis.move_rel(-2500)
        axis.poll_until_idle()
        said["moved"] = axis.get_position()
        said["rejected"] = [axis.send("move abs 99999999").reply_flag, axis.send("move abs 99999999").data]
        axis.stop()
        said["speed"] = device.send("get maxspeed").data
        print(json.dumps(said))
    """
    clock = a_clock()
    with on_pty(ZaberGantry(Arm(clock)), clock) as served:
        said = run(script, served.address)
    assert (said["status"], said["serial"]) == ("IDLE", "52317")
    assert (said["position"], said["moved"]) == (100000, 97500)
    assert said["rejected"] == ["RJ", "BADDATA"]


def test_the_makers_library_runs_our_gantry() -> None:
    needs("zaber_motion")
    script = """
        import json, sys
        from zaber_motion.ascii import Connection
        with Connection.open_tcp("127.0.0.1", int(sys.argv[1])) as connection:
            said = {"serial": connection.generic_command("get system.serial", 1).data}
            connection.generic_command("home", 1, 2)
            while connection.generic_command("", 1, 2).status == "BUSY":
                pass
            connection.generic_command("move abs 50000", 1, 2)
            while connection.generic_command("", 1, 2).status == "BUSY":
                pass
            reply = connection.generic_command("get pos", 1, 2)
            said["position"], said["warning"] = reply.data, reply.warning_flag
            try:
                connection.generic_command("nonsense", 1)
            except Exception as error:
                said["complaint"] = type(error).__name__
        print(json.dumps(said))
    """
    clock = a_clock()
    with on_tcp(ZaberGantry(Arm(clock)), clock, "{}:{}") as served:
        said = run(script, served.address.rpartition(":")[2])
    assert said == {"serial": "52317", "position": "50000", "warning": "--", "complaint": "BadCommandException"}


def test_ur_rtde_runs_our_dashboard() -> None:
    needs("dashboard_client")
    script = """
        import json, sys, time
        import dashboard_client
        robot = dashboard_client.DashboardClient("127.0.0.1", int(sys.argv[1]))
        robot.connect()
        said = {"version": robot.polyscopeVersion(), "mode": robot.robotmode(), "safety": robot.safetystatus()}
        said["remote"], said["running"] = robot.isInRemoteControl(), robot.running()
        robot.loadURP("nightshift/x120_y-42_z40.urp")
        said["loaded"] = robot.getLoadedProgram()
        robot.play()
        said["playing"] = robot.running()
        until = time.monotonic() + 20
        while robot.running() and time.monotonic() < until:
            pass
        said["state"] = robot.programState()
        try:
            robot.loadURP("nightshift/nowhere.urp")
        except Exception as error:
            said["complaint"] = str(error)
        robot.disconnect()
        print(json.dumps(said))
    """
    clock = a_clock(5.0)
    arm = Arm(clock)
    with on_tcp(UrDashboard(arm), clock, "{}:{}") as served:
        said = run(script, served.address.rpartition(":")[2])
    assert "5.11" in said["version"]
    assert "RUNNING" in said["mode"]
    assert "NORMAL" in said["safety"]
    assert (said["remote"], said["running"], said["playing"]) == (True, False, True)
    assert "x120_y-42_z40" in said["loaded"]
    assert said["state"].startswith("STOPPED")
    assert arm.poses[-1][1] == (120.0, -42.0, 40.0, 180.0, 0.0, 0.0)


# --- MultiVu ------------------------------------------------------------------------------------------------

MULTIPYVU = """
    import contextlib, io, socket, sys, time
    import MultiPyVu
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with contextlib.redirect_stdout(sys.stderr):
        server = MultiPyVu.Server(flags=["-s", "ppms"], host="127.0.0.1", port=port)
        server.open()
    print(port, flush=True)
    time.sleep(120)
"""


def test_our_driver_runs_multipyvus_own_server() -> None:
    needs("MultiPyVu")
    with (
        serving(MULTIPYVU, "tcp://127.0.0.1:{}") as served,
        driven(QdMultiVu, served, timeout_s=5.0, field_per_ampere_mt=1000.0, max_slew_a_s=0.05) as magnet,
    ):
        assert on_thread(magnet, magnet.identify).startswith("PPMS MultiVuServer")
        magnet.trigger().wait(10)
        assert magnet.actual_current.get() == 0.0
        magnet.current.set(0.1).wait(40)  # 1000 Oe at 500 Oe/s
        assert magnet.actual_current.get() == pytest.approx(0.1, abs=0.005)
        magnet.safe().wait(40)
        assert magnet.actual_current.get() == pytest.approx(0.0, abs=0.005)


def test_multipyvus_client_runs_our_server() -> None:
    needs("MultiPyVu")
    script = """
        import contextlib, json, sys
        import MultiPyVu
        with contextlib.redirect_stdout(sys.stderr):
            with MultiPyVu.Client(host="127.0.0.1", port=int(sys.argv[1])) as client:
                said = {"name": client.instrument_name, "before": client.get_field()}
                client.set_field(1000, 500, client.field.approach_mode.linear)
                field, state = client.get_field()
                while state == "Ramping":
                    field, state = client.get_field()
                said["after"] = (field, state)
        print(json.dumps(said))
    """
    clock = a_clock(20.0)
    coil = Magnet(clock)
    with on_tcp(SimulatedMultiVu(coil), clock, "{}:{}") as served:
        said = run(script, served.address.rpartition(":")[2])
    assert said["name"] == "PPMS"
    assert said["before"] == [0.0, "Holding (driven)"]
    assert said["after"] == [1000.0, "Holding (driven)"]
    assert coil.ramps == [(0.1, 0.05)]
