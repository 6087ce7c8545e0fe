"""What a plan may ask of a gun: the same of every make."""

from __future__ import annotations

import pytest

from drivers.errors import Fault, LinkError, SettingError
from tests.drivers.chamber_fixtures import TRANSPORTS, Gun, lab_clock
from tests.drivers.role_fixtures import bench, drivers_of, gun_bench

DRIVERS = drivers_of("gun")
every = pytest.mark.parametrize("driver", DRIVERS)


def a_gun(**how: object) -> Gun:
    return Gun(lab_clock(), **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("transport", TRANSPORTS)
@every
def test_a_plasma_from_strike_to_safe(driver: str, transport: str) -> None:
    with gun_bench(driver, a_gun(), transport, limits={"power": (0, 200)}) as b:
        gun, world = b.device, b.part
        gun.power.set(97).wait(20)
        assert not world.on
        gun.output.set("on").wait(20)
        assert world.on
        gun.shutter.set("open").wait(20)
        assert world.shutter_open
        gun.power.set(120).wait(20)
        assert world.read().power_w == pytest.approx(120, abs=5)
        gun.trigger().wait(10)
        assert (gun.output.get(), gun.shutter.get(), gun.fault.get()) == ("on", "open", "")
        assert gun.power.get() == 120
        assert gun.actual_power.get() == pytest.approx(120, abs=5)
        assert gun.voltage.get() > 100
        assert gun.current.get() == pytest.approx(gun.actual_power.get() / gun.voltage.get(), rel=0.05)
        for _ in range(2):
            gun.safe().wait(20)
            assert not world.on
            assert not world.shutter_open
            assert (gun.output.get(), gun.shutter.get()) == ("off", "closed")
        assert gun.fault.get() == ""


@every
def test_a_plasma_that_does_not_light_is_a_fault_and_switched_off(driver: str) -> None:
    with gun_bench(driver, a_gun(lights=False)) as b:
        b.device.power.set(30).wait(20)
        with pytest.raises(Fault, match=r"no plasma 10 s after switching on at 30 W.*switched off again"):
            b.device.output.set("on").wait(20)
        assert not b.part.on
        assert "no plasma" in b.device.fault.get()


@every
def test_a_trip_is_told(driver: str) -> None:
    with gun_bench(driver, a_gun()) as b:
        b.device.power.set(50).wait(20)
        b.device.output.set("on").wait(20)
        b.part.trip()
        b.device.trigger().wait(10)
        assert "tripped" in b.device.fault.get()
        assert b.device.output.get() == "off"
        b.device.safe().wait(20)
        b.device.output.set("on").wait(20)
        assert b.device.fault.get() == ""


@every
def test_without_a_power_nothing_is_switched_on(driver: str) -> None:
    with gun_bench(driver, a_gun()) as b:
        with pytest.raises(SettingError, match="set a power"):
            b.device.output.set("on").wait(20)
        assert not b.part.on


@every
def test_what_the_lab_file_forbids_sends_nothing(driver: str) -> None:
    with gun_bench(driver, a_gun(), limits={"power": (0, 200)}) as b:
        before = b.wire.heard
        for setting, value in ((b.device.power, 200.5), (b.device.power, -1), (b.device.shutter, "ajar")):
            with pytest.raises(SettingError):
                setting.set(value)
        assert b.wire.heard == before


@every
def test_it_closes_its_shutter_also_when_the_output_does_not_obey(driver: str) -> None:
    with gun_bench(driver, a_gun(), settle_s=1.0) as b:
        b.device.power.set(50).wait(20)
        b.device.output.set("on").wait(20)
        b.device.shutter.set("open").wait(20)
        b.part.obeys = False
        with pytest.raises(Fault, match="does not go off"):
            b.device.safe().wait(20)
        assert not b.part.shutter_open


@every
def test_whatever_happens_to_one_answer_of_a_set_the_gun_ends_where_it_says(driver: str) -> None:
    for lost in range(4):
        with gun_bench(driver, a_gun(), timeout_s=0.15) as b:
            spoils = iter([lambda a: a] * lost + [lambda a: b""])
            b.wire.spoil = lambda answer, spoils=spoils: next(spoils, lambda a: a)(answer)
            b.device.power.set(60).wait(20)
            assert b.part.power_setpoint_w == pytest.approx(60, abs=0.5)
            assert b.device.power.get() == 60


@every
def test_a_strike_that_nobody_can_see_is_switched_off(driver: str) -> None:
    """Requests arrive and are obeyed; no answer comes back."""
    with gun_bench(driver, a_gun(), timeout_s=0.1) as b:
        b.device.power.set(60).wait(20)
        b.wire.spoil = lambda answer: b""
        with pytest.raises(LinkError):
            b.device.output.set("on").wait(30)
        assert not b.part.on


@pytest.mark.parametrize("driver", [driver for driver in DRIVERS if driver != "aja-dcxs"])
def test_a_gun_without_a_relay_box_says_what_is_missing(driver: str) -> None:
    with bench(driver, a_gun()) as b, pytest.raises(SettingError, match="add a relay box"):
        b.device.shutter.set("open").wait(20)


@pytest.mark.parametrize("driver", [driver for driver in DRIVERS if driver != "aja-dcxs"])
def test_a_shutter_that_sticks_is_a_fault(driver: str) -> None:
    with gun_bench(driver, a_gun()) as b:
        b.others["relays"].wire.instrument.stuck = {3}
        with pytest.raises(Fault, match="relay 3 should be energised"):
            b.device.shutter.set("open").wait(20)
