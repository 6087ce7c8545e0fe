"""What a plan may count on, whoever made the instrument: one contract a role, passed by every make of it."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_type_hints

import pytest

from drivers import roles
from drivers.errors import Fault, Interrupted, NoReply, Refused, SettingError, WrongInstrument
from drivers.instrument import Reading, Setting
from tests.drivers.magnetometer_fixtures import (
    Arm,
    Contacts,
    Detector,
    Magnet,
    Probe,
    Saying,
    Served,
    Silent,
    a_clock,
    driven,
    on_thread,
    until_true,
)
from tests.drivers.measuring import FIELD_METERS, HALL_METERS, LOOP_METERS, MAGNETS, MOVERS, Made

SLEW_A_S = 2.0
LIMIT_A = 10.0


@dataclass
class Bench:
    """A device, the part of the world at the other end of its wire, and the wire."""

    device: Any
    part: Any
    served: Served


@contextlib.contextmanager
def bench(made: Made, part: Any, clock: Any, **settings: Any) -> Iterator[Bench]:
    with (
        made.serve(made.simulated(part), clock) as served,
        driven(made.cls, served, **{**made.settings, **settings}) as device,
    ):
        yield Bench(device, part, served)


def each(makes: dict[str, Made]) -> Any:
    return pytest.mark.parametrize("made", makes.values(), ids=makes)


ROLES = [
    *((made, roles.Magnet, "magnet") for made in MAGNETS.values()),
    *((made, roles.FieldMeter, "field_meter") for made in FIELD_METERS.values()),
    *((made, roles.SignalMeter, "signal") for made in LOOP_METERS.values()),
    *((made, roles.HallMeter, "hall_meter") for made in HALL_METERS.values()),
    *((made, roles.Mover, "mover") for made in MOVERS.values()),
]
GREETS = (MOVERS["mecademic-meca500"], MOVERS["ur-dashboard"])
PARTS: dict[str, Any] = {
    "mover": Arm,
    "magnet": Magnet,
    "field_meter": lambda _: Probe(),
    "signal": lambda _: Detector(),
    "hall_meter": Contacts,
}
every = pytest.mark.parametrize(("made", "role", "name"), ROLES, ids=[made.driver for made, _, _ in ROLES])


# --- of every role ------------------------------------------------------------------------------------------


@every
def test_it_has_what_its_role_promises(made: Made, role: type, name: str) -> None:
    clock = a_clock()
    with bench(made, PARTS[name](clock), clock) as bench_:
        for attribute, kind in get_type_hints(role).items():
            if kind in (Setting, Reading):
                assert isinstance(getattr(bench_.device, attribute), kind), attribute
        assert made.cls.role == name
        assert isinstance(bench_.device.fault.get(), str)
        description = bench_.device.describe()
        assert all("units" in told for told in description.values())
        heard = bench_.served.heard
        assert bench_.device.read().keys() == description.keys()  # what a run engine asks of any device
        bench_.device.stop()  # at the end of every run, also a good one: it must not mean "off"
        assert bench_.served.heard == heard


@every
def test_it_says_who_it_is_and_stays_so_after_a_reconnection(made: Made, role: type, name: str) -> None:
    clock = a_clock()
    with bench(made, PARTS[name](clock), clock) as bench_:
        first = on_thread(bench_.device, bench_.device.identify)
        assert first
        bench_.device.trigger().wait(10)
        bench_.device.port._open_link = lambda: made.cls.open_link(bench_.served.address, 0.5)
        reconnect(bench_.device)
        assert first.endswith(on_thread(bench_.device, bench_.device.identify))  # a greeting is heard once


def reconnect(device: Any) -> None:
    """Some take one client at a time, and need a moment to see that the last one has gone."""
    until_true(lambda: _reconnected(device))


def _reconnected(device: Any) -> bool:
    with contextlib.suppress(Refused):
        device.reconnect().wait(20)
        return True
    return False


@every
def test_another_instrument_is_told(made: Made, role: type, name: str) -> None:
    with (
        made.serve(
            Saying(b"ACME,MODEL 1,0,0\r\n", first=b"ACME\r\n\0" if made in GREETS else b""), a_clock()
        ) as served,
        driven(made.cls, served, **made.settings) as device,
        pytest.raises(WrongInstrument),
    ):
        on_thread(device, device.identify)


@every
def test_silence_ends_in_time(made: Made, role: type, name: str) -> None:
    with made.serve(Silent(), a_clock()) as served, driven(made.cls, served, timeout_s=0.05, **made.settings) as device:
        with pytest.raises((NoReply, WrongInstrument)):  # WrongInstrument: it should have greeted
            on_thread(device, device.identify)
        with pytest.raises((NoReply, WrongInstrument)):
            device.trigger().wait(10)


@every
def test_no_act_blocks_its_caller(made: Made, role: type, name: str) -> None:
    clock = a_clock()
    with bench(made, PARTS[name](clock), clock) as bench_:
        with bench_.served.at_work():  # the instrument answers nothing meanwhile
            done = threading.Event()
            statuses: list[Any] = []

            def ask() -> None:
                statuses.extend([bench_.device.trigger(), bench_.device.safe()])
                done.set()

            threading.Thread(target=ask).start()
            assert done.wait(5)
        for status in statuses:
            status.wait(20)


# --- magnet -------------------------------------------------------------------------------------------------


@pytest.fixture
def magnet(made: Made) -> Iterator[Bench]:
    clock = a_clock()
    limits = {"current": (-LIMIT_A, LIMIT_A)}
    with bench(made, Magnet(clock), clock, limits=limits, max_slew_a_s=SLEW_A_S, settle_s=2.0) as bench_:
        on_thread(bench_.device, bench_.device.identify)
        yield bench_


@each(MAGNETS)
def test_a_current_is_done_when_it_flows(made: Made, magnet: Bench) -> None:
    for current in (5.0, -3.0, 0.25):
        magnet.device.current.set(current).wait(30)
        assert magnet.part.read().current_a == pytest.approx(current, abs=0.03)
        assert magnet.device.current.get() == current
        magnet.device.trigger().wait(10)
        assert magnet.device.actual_current.get() == pytest.approx(current, abs=0.03)
    assert magnet.device.fault.get() == ""


@each(MAGNETS)
def test_no_current_is_driven_faster_than_the_limit(made: Made, magnet: Bench) -> None:
    for current in (6.0, -6.0, 0.3):
        magnet.device.current.set(current).wait(30)
    steps = list(zip(magnet.part.commands, magnet.part.commands[1:], strict=False))
    for (earlier, before), (later, after) in steps:
        assert abs(after - before) <= SLEW_A_S * min(1.0, later - earlier) + 1e-3
    assert all(rate <= SLEW_A_S * 1.0001 for _, rate in magnet.part.ramps)
    assert len(steps) > 10 or magnet.part.ramps


@each(MAGNETS)
def test_safe_is_zero_current_and_can_be_said_twice(made: Made, magnet: Bench) -> None:
    magnet.device.current.set(4.0).wait(30)
    for _ in range(2):
        magnet.device.safe().wait(30)
        assert magnet.part.read().current_a == pytest.approx(0.0, abs=0.03)
    assert all(abs(setpoint) < 0.03 for on, setpoint in magnet.part.switched if not on)
    magnet.device.current.set(-1.0).wait(30)  # and afterwards it works again
    assert magnet.part.read().current_a == pytest.approx(-1.0, abs=0.03)


@each(MAGNETS)
def test_safe_breaks_off_a_ramp_and_what_is_queued_behind_it(made: Made) -> None:
    clock = a_clock(20.0)
    with bench(made, Magnet(clock), clock, max_slew_a_s=0.2) as magnet:
        long, queued = magnet.device.current.set(10.0), magnet.device.current.set(-10.0)
        until_true(lambda: magnet.part.read().current_a > 0.2)
        magnet.device.safe().wait(20)
        assert isinstance(long.exception(5), Interrupted)
        assert isinstance(queued.exception(5), Interrupted)
        assert magnet.part.read().current_a == pytest.approx(0.0, abs=0.03)


@each(MAGNETS)
def test_limits_are_checked_before_a_byte_is_sent(made: Made, magnet: Bench) -> None:
    before = magnet.served.heard
    for value in (LIMIT_A + 0.5, -LIMIT_A - 1, math.nan):
        with pytest.raises(SettingError):
            magnet.device.current.set(value)
    assert magnet.served.heard == before


@each(MAGNETS)
def test_a_current_that_does_not_flow_is_a_fault(made: Made, magnet: Bench) -> None:
    magnet.device.current.set(1.0).wait(30)
    magnet.part.stuck_at = 0.4
    with pytest.raises(Fault, match=r"0\.4 A .* where 2 A were asked"):
        magnet.device.current.set(2.0).wait(30)


# --- field meter --------------------------------------------------------------------------------------------


@pytest.fixture
def meter(made: Made) -> Iterator[Bench]:
    clock = a_clock()
    with bench(made, Probe(), clock) as bench_:
        on_thread(bench_.device, bench_.device.identify)
        yield bench_


@each(FIELD_METERS)
def test_a_field_is_in_millitesla_with_its_sign(made: Made, meter: Bench) -> None:
    for field_t in (0.125, -1.5, 0.0, 2.5e-5, -3e-3):
        meter.part.field_t = field_t
        meter.device.trigger().wait(5)
        assert meter.device.field.get() == pytest.approx(1e3 * field_t, rel=1e-5)
        assert meter.device.fault.get() == ""


@each(FIELD_METERS)
def test_a_field_beyond_the_range_is_no_number_and_a_fault(made: Made, meter: Bench) -> None:
    meter.part.field_t = 4.0
    meter.device.trigger().wait(5)
    assert math.isnan(meter.device.field.get())
    assert "overload" in meter.device.fault.get()
    meter.part.field_t = 0.1
    meter.device.trigger().wait(5)
    assert meter.device.field.get() == pytest.approx(100.0)
    assert meter.device.fault.get() == ""


# --- loop meter ---------------------------------------------------------------------------------------------


@pytest.fixture
def lockin(made: Made) -> Iterator[Bench]:
    clock = a_clock()
    with bench(made, Detector(), clock) as bench_:
        on_thread(bench_.device, bench_.device.identify)
        yield bench_


@each(LOOP_METERS)
def test_every_choice_of_sensitivity_and_time_constant_is_taken(made: Made, lockin: Bench) -> None:
    for setting in (lockin.device.sensitivity, lockin.device.time_constant):
        assert {1e-3, 1e-6}.issubset(lockin.device.sensitivity.choices)
        for value in setting.choices:
            setting.set(value).wait(5)
            assert setting.get() == value
        with pytest.raises(SettingError):
            setting.set(1.7e-3)
    lockin.device.time_constant.set(0.3).wait(5)
    assert lockin.part.time_constant_s == 0.3


@each(LOOP_METERS)
def test_x_and_y_are_in_volts(made: Made, lockin: Bench) -> None:
    lockin.device.sensitivity.set(5e-3).wait(5)
    lockin.device.trigger().wait(5)
    lockin.device.trigger().wait(5)
    assert lockin.device.x.get() == pytest.approx(1.25e-3)
    assert lockin.device.y.get() == pytest.approx(-2.5e-5)
    assert lockin.device.overload.get() == 0


@each(LOOP_METERS)
def test_an_overload_is_told_once_and_goes_with_less_sensitivity(made: Made, lockin: Bench) -> None:
    lockin.device.sensitivity.set(1e-3).wait(5)
    lockin.device.trigger().wait(5)
    assert lockin.device.overload.get() == 1
    lockin.device.sensitivity.set(5e-3).wait(5)
    lockin.device.trigger().wait(5)
    lockin.device.trigger().wait(5)
    assert lockin.device.overload.get() == 0


@each(LOOP_METERS)
def test_a_lost_reference_is_a_fault(made: Made, lockin: Bench) -> None:
    with lockin.served.at_work():
        lockin.served.instrument.unlock()  # type: ignore[attr-defined]
    lockin.device.trigger().wait(5)
    assert lockin.device.fault.get() == "reference unlocked"


# --- Hall meter ---------------------------------------------------------------------------------------------


@pytest.fixture
def hall(made: Made) -> Iterator[Bench]:
    clock = a_clock(20.0)
    with bench(made, Contacts(clock), clock, limits={"current": (0.0, 5e-3)}, compliance_v=10.0) as bench_:
        on_thread(bench_.device, bench_.device.identify)
        yield bench_


def read_resistance(hall: Bench) -> float:
    """Once there is a reading: delta mode needs three voltages first."""
    hall.device.clock.sleep(1.0)
    hall.device.trigger().wait(5)
    return float(hall.device.resistance.get())


@each(HALL_METERS)
def test_a_resistance_is_in_ohm_and_free_of_thermal_voltages(made: Made, hall: Bench) -> None:
    hall.device.current.set(1e-3).wait(10)
    for ohm in (0.2, -0.05, 3e-4, 0.0):
        hall.part.ohm = ohm
        assert read_resistance(hall) == pytest.approx(ohm, abs=1e-6)
        assert hall.device.fault.get() == ""
        assert hall.device.compliance.get() == 0
    assert hall.device.current.get() == 1e-3


@each(HALL_METERS)
def test_without_a_current_there_is_no_resistance(made: Made, hall: Bench) -> None:
    assert math.isnan(read_resistance(hall))
    assert hall.device.fault.get() == ""
    hall.device.current.set(2e-3).wait(10)
    assert not math.isnan(read_resistance(hall))
    hall.device.current.set(0.0).wait(10)
    assert math.isnan(read_resistance(hall))
    assert hall.part.sourced[-1] == 0.0


@each(HALL_METERS)
def test_safe_is_no_current_through_the_film(made: Made, hall: Bench) -> None:
    hall.device.current.set(1e-3).wait(10)
    assert hall.part.sourced[-1] != 0.0
    for _ in range(2):
        hall.device.safe().wait(10)
        assert hall.part.sourced[-1] == 0.0
        assert hall.device.current.get() == 0.0


@each(HALL_METERS)
def test_an_open_contact_is_told_and_never_a_zero(made: Made, hall: Bench) -> None:
    hall.part.open = True
    hall.device.current.set(1e-3).wait(10)
    assert math.isnan(read_resistance(hall))
    assert hall.device.compliance.get() == 1
    assert "contact is open" in hall.device.fault.get()


@each(HALL_METERS)
def test_a_current_beyond_the_films_limits_is_never_sent(made: Made, hall: Bench) -> None:
    before = hall.served.heard
    for current in (6e-3, -1e-3, math.nan):
        with pytest.raises(SettingError):
            hall.device.current.set(current)
    assert hall.served.heard == before


@each(HALL_METERS)
def test_an_output_that_went_off_by_itself_is_told(made: Made, hall: Bench) -> None:
    hall.device.current.set(1e-3).wait(10)
    with hall.served.at_work():
        hall.served.instrument.receive(b":OUTP OFF\n")
    assert math.isnan(read_resistance(hall))
    assert hall.device.fault.get()


# --- mover --------------------------------------------------------------------------------------------------

ABOVE = (180.0, 40.0, 150.0, 180.0, 0.0, 0.0)
DOWN = (180.0, 40.0, 110.0, 180.0, 0.0, 0.0)


@pytest.fixture
def mover(made: Made) -> Iterator[Bench]:
    clock = a_clock()
    with bench(made, Arm(clock), clock, limits={"pose_x": (-250.0, 250.0), "pose_z": (20.0, 300.0)}) as bench_:
        on_thread(bench_.device, bench_.device.identify)
        yield bench_


@each(MOVERS)
def test_a_pose_is_done_when_it_is_reached(made: Made, mover: Bench) -> None:
    for pose in (ABOVE, DOWN, ABOVE):
        mover.device.pose.set(pose).wait(30)
        assert mover.part.poses[-1][1] == pytest.approx(pose, abs=2e-3)
        assert mover.device.pose.get() == pytest.approx(pose, abs=2e-3)
    assert mover.device.fault.get() == ""


@each(MOVERS)
def test_the_gripper_tells_whether_it_holds(made: Made, mover: Bench) -> None:
    mover.device.pose.set(DOWN).wait(30)
    for there in (True, False):
        mover.part.part_there = there
        mover.device.gripper.set("closed").wait(30)
        mover.device.trigger().wait(10)
        assert (mover.part.closed, mover.device.holding.get()) == (True, int(there))
        mover.device.gripper.set("open").wait(30)
        mover.device.trigger().wait(10)
        assert (mover.part.closed, mover.device.holding.get(), mover.device.gripper.get()) == (False, 0, "open")


@each(MOVERS)
def test_a_pose_outside_the_workspace_is_never_sent(made: Made, mover: Bench) -> None:
    before = mover.served.heard
    for pose in ((300.0, *ABOVE[1:]), (180.0, 40.0, 5.0, 180.0, 0.0, 0.0), (math.nan, *ABOVE[1:]), ABOVE[:5], "home"):
        with pytest.raises(SettingError):
            mover.device.pose.set(pose)
    assert mover.served.heard == before


@each(MOVERS)
def test_safe_stands_still_keeps_what_is_held_and_breaks_off_a_motion(made: Made) -> None:
    clock = a_clock(5.0)
    with bench(made, Arm(clock), clock) as mover:
        on_thread(mover.device, mover.device.identify)
        mover.part.part_there = True
        mover.device.gripper.set("closed").wait(30)
        before = mover.served.heard
        long, queued = mover.device.pose.set(ABOVE), mover.device.pose.set(DOWN)
        until_true(lambda: len(mover.served.heard) > len(before) + 40)
        mover.device.safe().wait(20)
        assert isinstance(long.exception(10), Interrupted)
        assert isinstance(queued.exception(10), Interrupted)
        assert mover.part.holding
        mover.device.safe().wait(20)
        mover.device.pose.set(DOWN).wait(30)  # and afterwards it works again
        assert mover.part.poses[-1][1] == pytest.approx(DOWN, abs=2e-3)
