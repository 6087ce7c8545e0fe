"""Who tries which of our instruments: the table of `docs/reference/instruments.md` is made from this.

A partner drives our simulator, or is a simulator that our driver talks to; each names the test in which it runs.
Published bytes name where they were published, and the test that holds us to them.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class Partner(NamedTuple):
    """Somebody else's code for an instrument of ours, named by its driver."""

    driver: str
    partner: str
    has_our: Literal["simulator", "driver"]
    test: str  # module and function


class Bytes(NamedTuple):
    """Byte strings of an instrument that others published."""

    driver: str
    published: str
    test: str


_CHAMBER = "tests.foreign.test_chamber_partners"
_MAGNETOMETER = "tests.foreign.test_magnetometer_partners"
_MEASURING = "tests.foreign.test_measuring_partners"
_POWER = "tests.foreign.test_power_partners"

PARTNERS = (
    Partner("aja-dcxs", "PyMeasure `DCXS`", "simulator", f"{_CHAMBER}.test_pymeasure_runs_our_dcxs"),
    Partner("tc-cxn", "PyMeasure `CXN`", "simulator", f"{_POWER}.test_pymeasure_runs_our_cxn"),
    Partner("tdk-genesys", "PyMeasure `TDK_Gen40_38`", "simulator", f"{_POWER}.test_pymeasure_runs_our_genesys"),
    Partner("alicat", "numat alicat", "simulator", f"{_CHAMBER}.test_numat_alicat_drives_our_alicat"),
    Partner("pfeiffer-tpg36x", "labmcp TPG 361, 362, 262", "driver", f"{_CHAMBER}.test_our_driver_reads_labmcps_tpg"),
    Partner("mks-937b", "PyMeasure `MKS937B`", "simulator", f"{_POWER}.test_pymeasure_reads_our_937b"),
    Partner("edwards-tic", "edwardsserial", "simulator", f"{_POWER}.test_edwardsserial_reads_our_tic"),
    Partner("edwards-tic-turbo", "edwardsserial", "simulator", f"{_POWER}.test_edwardsserial_drives_our_turbo_pump"),
    Partner(
        "pfeiffer-tc110",
        "pfeiffer-vacuum-protocol",
        "simulator",
        f"{_POWER}.test_pfeiffer_vacuum_protocol_reads_our_tc110",
    ),
    Partner("eurotherm-2400", "minimalmodbus", "simulator", f"{_POWER}.test_minimalmodbus_drives_our_eurotherm"),
    Partner(
        "eurotherm-2400",
        "pymodbus' server",
        "driver",
        f"{_POWER}.test_our_driver_reads_and_sets_registers_of_pymodbus_server",
    ),
    Partner("lakeshore-336", "PyMeasure `LakeShore3xx`", "simulator", f"{_POWER}.test_pymeasure_drives_our_336"),
    Partner("lakeshore-336", "lakeshore `Model336`", "simulator", f"{_POWER}.test_lake_shores_package_drives_our_336"),
    Partner("lakeshore-336", "labmcp 335, 336, 350", "driver", f"{_POWER}.test_our_driver_heats_labmcps_lake_shore"),
    Partner(
        "velleman-k8090", "PyMeasure `VellemanK8090`", "simulator", f"{_POWER}.test_pymeasure_switches_our_relay_card"
    ),
    Partner("inficon-sqm160", "PyMeasure `SQM160`", "simulator", f"{_CHAMBER}.test_pymeasure_reads_our_sqm160"),
    Partner("mecademic-meca500", "mecademicpy", "simulator", f"{_MAGNETOMETER}.test_mecademicpy_runs_our_meca500"),
    Partner("kepco-bop", "PyMeasure `KepcoBOP3612`", "simulator", f"{_MAGNETOMETER}.test_pymeasure_runs_our_kepco"),
    Partner("srs-sr830", "PyMeasure `SR830`", "simulator", f"{_MAGNETOMETER}.test_pymeasure_runs_our_sr830"),
    Partner("srs-sr830", "labmcp SR830", "driver", f"{_MAGNETOMETER}.test_our_driver_runs_labmcps_sr830"),
    Partner("srs-sr860", "PyMeasure `SR860`", "simulator", f"{_MEASURING}.test_pymeasure_runs_our_sr860"),
    Partner("srs-sr860", "labmcp SR860", "driver", f"{_MEASURING}.test_our_driver_runs_labmcps_sr860"),
    Partner(
        "lakeshore-425", "PyMeasure `LakeShore425`", "simulator", f"{_MEASURING}.test_pymeasure_runs_our_lakeshore_425"
    ),
    Partner(
        "lakeshore-f71",
        "lakeshore `Teslameter`",
        "simulator",
        f"{_MEASURING}.test_the_makers_package_runs_our_lakeshore_f71",
    ),
    Partner(
        "lakeshore-643",
        "lakeshore `Model643`",
        "simulator",
        f"{_MEASURING}.test_the_makers_package_runs_our_lakeshore_643",
    ),
    Partner("danfysik-8500", "PyMeasure `Danfysik8500`", "simulator", f"{_MEASURING}.test_pymeasure_runs_our_danfysik"),
    Partner(
        "keithley-6221-2182a", "PyMeasure `Keithley6221`", "simulator", f"{_MEASURING}.test_pymeasure_runs_our_6221"
    ),
    Partner("keithley-2450", "PyMeasure `Keithley2450`", "simulator", f"{_MEASURING}.test_pymeasure_runs_our_2450"),
    Partner("keithley-2450", "labmcp 2450", "driver", f"{_MEASURING}.test_our_driver_runs_labmcps_2450"),
    Partner("qd-multivu", "MultiPyVu's client", "simulator", f"{_MEASURING}.test_multipyvus_client_runs_our_server"),
    Partner("qd-multivu", "MultiPyVu's server", "driver", f"{_MEASURING}.test_our_driver_runs_multipyvus_own_server"),
    Partner("zaber-gantry", "zaber.serial", "simulator", f"{_MEASURING}.test_zaber_serial_runs_our_gantry"),
    Partner("zaber-gantry", "zaber-motion", "simulator", f"{_MEASURING}.test_the_makers_library_runs_our_gantry"),
    Partner("ur-dashboard", "ur_rtde `DashboardClient`", "simulator", f"{_MEASURING}.test_ur_rtde_runs_our_dashboard"),
)

PUBLISHED = (
    Bytes("aja-dcxs", "PyMeasure's tests", "tests.wire.test_dcxs"),
    Bytes("ae-cesar", "InstrumentKit's tests", "tests.drivers.test_supplies.test_published_packets_of_the_ae_bus"),
    Bytes("ae-pinnacle", "InstrumentKit's tests", "tests.drivers.test_supplies.test_published_packets_of_the_ae_bus"),
    Bytes("tc-cxn", "PyMeasure's tests", "tests.drivers.test_supplies.test_published_bytes_of_the_cxn"),
    Bytes("tdk-genesys", "GENESYS manual", "tests.drivers.test_supplies.test_published_bytes_of_the_genesys"),
    Bytes("alicat", "captured frames", "tests.wire.test_alicat"),
    Bytes("pfeiffer-tpg36x", "InstrumentKit's tests", "tests.wire.test_pfeiffer"),
    Bytes("mks-937b", "PyMeasure's tests", "tests.drivers.test_mks.test_published_bytes"),
    Bytes("mks-946", "PyMeasure's tests", "tests.drivers.test_mks.test_published_bytes"),
    Bytes("pfeiffer-tc110", "pfeifferpumps", "tests.drivers.test_roles_pump.test_published_telegrams"),
    Bytes("eurotherm-2400", "Modbus guides", "tests.drivers.test_roles_heater.test_published_modbus_frames"),
    Bytes("velleman-k8090", "PyMeasure's tests", "tests.drivers.test_roles_relays.test_published_bytes"),
    Bytes("inficon-sqm160", "PyMeasure's tests, SQC-310 manual", "tests.wire.test_sqm160"),
    Bytes("mecademic-meca500", "mecademicpy", "tests.wire.test_mecademic"),
    Bytes("kepco-bop", "PyMeasure's tests", "tests.drivers.test_kepco_bop"),
    Bytes("lakeshore-475", "InstrumentKit's tests", "tests.drivers.test_lakeshore_475"),
    Bytes("srs-sr830", "PyMeasure's tests", "tests.drivers.test_srs_sr830"),
    Bytes("qd-multivu", "captured from MultiPyVu 3.8.0", "tests.wire.test_multivu"),
    Bytes("zaber-gantry", "zaber.serial's documentation", "tests.wire.test_zaber"),
)
