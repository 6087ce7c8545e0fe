"""The class of a failure: from the type of what was raised, through a real plan, to the worker's answer."""

from __future__ import annotations

import inspect

import pytest
from ophyd.utils.errors import StatusTimeoutError

from drivers import errors
from drivers.errors import Fault, NoReply
from orchestrator.execution import faults
from orchestrator.execution.documents import DocumentLogError
from orchestrator.execution.faults import fault_of
from protocols import gates
from protocols.calibration import CrystalFailed
from tests.execution import bench
from tests.execution.test_worker import FILM, Station, step


@pytest.fixture
def made(tmp_path):
    stations = []

    def make(build=bench.chamber):
        folder = tmp_path / str(len(stations))
        folder.mkdir()
        stations.append(Station(folder, build))
        return stations[-1]

    yield make
    for station in stations:
        station.worker.close("test over")


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (errors.Gone("?"), "communication"),
        (errors.NoReply("?"), "communication"),
        (errors.Garbled("?"), "communication"),
        (errors.Refused("?"), "instrument"),
        (errors.WrongInstrument("?"), "instrument"),
        (errors.Fault("?"), "instrument"),
        (errors.Interrupted("?"), "instrument"),
        (errors.SettingError("?"), "limit"),
        (StatusTimeoutError("?"), "timeout"),
        (DocumentLogError("?"), "storage"),
        (gates.InterlockTripped("?"), "interlock"),
        (gates.PressureNotReached("?"), "vacuum"),
        (CrystalFailed("?"), "calibration"),
        (gates.NotHeld("?"), "robot"),
        (gates.DeviceWrong("?"), "instrument"),
        (gates.NotSecured("?"), "instrument"),
        (gates.ProtocolError("?"), "protocol"),
        (ZeroDivisionError("?"), "protocol"),
    ],
)
def test_the_type_tells_the_class(error, fault):
    assert fault_of(error) == fault


def test_every_error_of_drivers_and_protocols_has_been_thought_of():
    """`ProtocolError` itself, and an abort or a hold cut short, which are no faults, have no class of their own."""
    kinds = [kind for module in (errors, gates) for _, kind in inspect.getmembers(module, inspect.isclass)]
    told = tuple(kind for kind, _ in faults.CLASSES)
    left = {kind for kind in kinds if issubclass(kind, Exception) and not issubclass(kind, told)}
    assert left == {gates.Stopped, gates.Aborted, gates.HeldTooLong, gates.ProtocolError, gates.NotSecured}


def test_what_could_not_be_secured_has_the_class_of_what_came_before():
    def not_secured():
        try:
            raise NoReply("gun1: silent")
        except NoReply:
            raise gates.NotSecured("gun1.output not off")  # noqa: B904 - as a finalizer does

    with pytest.raises(gates.NotSecured) as caught:
        not_secured()
    assert fault_of(caught.value) == "communication"


# --- through the worker -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "verb", "error", "fault"),
    [
        ("argon", "flow", NoReply("argon: nothing"), "communication"),
        ("gun Fe", "output on", Fault("gun1: no plasma"), "instrument"),
        ("gun Fe", "power", errors.SettingError("gun1: 900 W is outside"), "limit"),
        ("gun Fe", "power", errors.Refused("gun1: no"), "instrument"),
    ],
)
def test_a_failed_deposition_says_which_class_of_fault_it_was(made, device, verb, error, fault):
    on = made()
    devices = {"argon": on.station.gas, "gun Fe": on.station.guns["Fe"]}
    devices[device].fails[verb] = error
    on.worker.start(step())
    answer = on.end()
    assert (answer["state"], answer["fault"]) == ("failed", fault)
    assert not answer["outcome"]["begun"]


def test_a_crystal_that_has_failed_is_a_fault_of_calibration(made):
    on = made()
    on.world.crystal_failed = True
    on.worker.start(step())
    assert on.end()["fault"] == "calibration"


def test_an_empty_place_is_a_fault_of_the_robot(made):
    on = made(bench.robot)
    on.worker.start(step(plan="transfer", source="cassette/2", destination="deposition"))
    answer = on.end()
    assert (answer["state"], answer["fault"]) == ("failed", "robot")


def test_lost_gas_is_a_fault_of_class_interlock(made):
    on = made()
    on.world.gas_lost_at_dose_nm = 8.0
    on.worker.start(step(**{**FILM, "thickness_nm": 400.0}))
    answer = on.end()
    assert (answer["fault"], answer["outcome"]["begun"]) == ("interlock", True)


def test_a_hold_that_lasts_too_long_is_nobody_s_fault(made):
    on = made()
    on.worker.start({**step(**{**FILM, "thickness_nm": 1e5}), "hold_limit_s": 600.0})
    on.until(lambda s: on.world.substrate_open)
    on.worker.hold("coffee")
    answer = on.end()
    assert (answer["state"], answer["fault"]) == ("aborted", "")


@pytest.mark.parametrize("end", ["well", "aborted"])
def test_what_ended_well_or_was_aborted_has_no_fault(made, end):
    on = made()
    on.worker.start(step())
    if end == "aborted":
        on.worker.abort("enough")
    assert on.end()["fault"] == ""


# --- reconnect ----------------------------------------------------------------------------------------------


def test_a_step_may_be_preceded_by_connecting_anew_what_does_not_answer(made):
    on = made()
    gun, others = on.station.guns["Fe"], [on.station.gas, on.station.gauge]
    gun.fails["refresh"] = errors.Gone("gun1: the port is gone")
    reopened = []
    for device in (gun, *others):
        device._reconnect = lambda device=device: (reopened.append(device), device.fails.clear())
    on.worker.start(step("s-1"))
    assert on.end("s-1")["fault"] == "communication"
    on.worker.start({**step("s-2"), "reconnect": True})
    assert on.end("s-2")["state"] == "done"
    assert reopened == [gun]


def test_what_cannot_be_connected_anew_is_named_and_nothing_is_begun(made):
    on = made()
    gun = on.station.guns["Fe"]
    gun.fails["refresh"] = errors.Gone("gun1: the port is gone")
    on.worker.start({**step(), "reconnect": True})
    answer = on.end()
    assert (answer["state"], answer["fault"]) == ("failed", "communication")
    assert "gun1 cannot be connected to again" in answer["error"]
    assert answer["run_uids"] == []
