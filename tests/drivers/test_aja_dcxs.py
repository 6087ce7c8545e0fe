"""The DCXS driver against its simulator, over real wires."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.aja_dcxs import AjaDcxs
from drivers.errors import Fault, LinkError, NoReply, Refused, SettingError, WrongInstrument
from simulators import aja_dcxs
from tests.drivers.chamber_fixtures import (
    TRANSPORTS,
    Gun,
    Vacuum,
    Wire,
    babbled,
    connected,
    lab_clock,
    on_wire,
    served,
)


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def gun() -> Gun:
    return Gun(lab_clock())


@pytest.fixture
def wire(gun: Gun) -> Iterator[Wire]:
    with served(aja_dcxs.Dcxs(gun, active_gun=3)) as wire:
        yield wire


@pytest.fixture
def supply(wire: Wire, gun: Gun) -> Iterator[AjaDcxs]:
    with connected(AjaDcxs, wire, clock=gun.clock, target="Fe", limits={"power": (0, 200)}) as supply:
        yield supply


def test_a_deposition_on_either_wire(gun: Gun, transport: str) -> None:
    with (
        served(aja_dcxs.Dcxs(gun, active_gun=2), transport) as wire,
        connected(AjaDcxs, wire, clock=gun.clock, target="Fe") as supply,
    ):
        supply.power.set(30).wait(10)
        supply.output.set("on").wait(10)
        supply.power.set(100).wait(10)
        supply.shutter.set("open").wait(10)
        supply.trigger().wait(10)
        read = {key.removeprefix("device_"): value["value"] for key, value in supply.read().items()}
        assert gun.shutter_open
        supply.safe().wait(10)
    assert read == {
        "power": 100,
        "output": "on",
        "shutter": "open",
        "actual_power": 100,
        "voltage": 420,
        "current": pytest.approx(100 / 420, abs=0.001),
        "fault": "",
    }
    assert not gun.on
    assert not gun.shutter_open


def test_it_says_who_it_is(supply: AjaDcxs) -> None:
    assert on_wire(supply, supply.identify) == "DCXS750-4, firmware 1.04, gun 3, target Fe"


def test_power_is_whole_watts_and_the_rounded_value_is_what_it_reports(supply: AjaDcxs, gun: Gun) -> None:
    supply.power.set(37.4).wait(10)
    assert (supply.power.get(), gun.power_setpoint_w) == (37, 37)


def test_a_value_outside_the_limits_never_reaches_the_wire(supply: AjaDcxs, wire: Wire) -> None:
    before = wire.heard
    with pytest.raises(SettingError, match="outside the limits 0 to 200 W"):
        supply.power.set(201)
    with pytest.raises(SettingError, match="not one of"):
        supply.output.set("ON")
    assert wire.heard == before


def test_no_plasma_is_a_fault_that_names_what_was_read_and_switches_off(supply: AjaDcxs, gun: Gun) -> None:
    gun.lights = False
    supply.power.set(30).wait(10)
    with pytest.raises(Fault, match=r"no plasma 10 s after .* 30 W: output on, 0 W, 950 V, 0 A"):
        supply.output.set("on").wait(10)
    assert not gun.on
    assert supply.output.get() == "off"
    assert "no plasma" in supply.fault.get()
    gun.lights = True
    supply.output.set("on").wait(10)
    assert supply.fault.get() == ""


def test_switching_on_without_a_set_point_is_refused(supply: AjaDcxs, gun: Gun) -> None:
    with pytest.raises(SettingError, match="set a power"):
        supply.output.set("on").wait(10)
    assert not gun.on


def test_a_trip_shows_at_the_next_look(supply: AjaDcxs, gun: Gun) -> None:
    supply.power.set(50).wait(10)
    supply.output.set("on").wait(10)
    gun.trip()
    supply.trigger().wait(10)
    assert supply.fault.get().startswith("tripped: output off, 0 W, 0 V, 0 A, fault code b'1'")
    assert supply.output.get() == "off"


def test_a_plasma_that_goes_out_while_the_power_changes_is_a_fault(supply: AjaDcxs, gun: Gun) -> None:
    supply.power.set(50).wait(10)
    supply.output.set("on").wait(10)
    gun.lights = False
    with pytest.raises(Fault, match="went out on the way to 80 W"):
        supply.power.set(80).wait(10)
    assert not gun.on


def test_power_that_does_not_follow_is_a_fault(wire: Wire, gun: Gun) -> None:
    with connected(AjaDcxs, wire, clock=gun.clock, target="Fe", settle_s=5.0) as supply:
        supply.power.set(50).wait(10)
        supply.output.set("on").wait(10)
        gun.follows = 0.8
        with pytest.raises(Fault, match="80 W not reached within 5 s: output on, 64 W"):
            supply.power.set(80).wait(10)


def test_a_supply_that_falls_silent_while_striking_is_told_to_switch_off(supply: AjaDcxs, wire: Wire, gun: Gun) -> None:
    gun.lights = False
    supply.power.set(30).wait(10)
    wire.spoil = lambda answer: b"" if gun.on else answer
    with pytest.raises(NoReply):
        supply.output.set("on").wait(10)
    supply.trigger().wait(10)
    assert not gun.on
    assert supply.output.get() == "off"


def test_an_alarm_shows_also_while_the_plasma_burns(supply: AjaDcxs, wire: Wire) -> None:
    supply.power.set(30).wait(10)
    supply.output.set("on").wait(10)
    wire.spoil = lambda answer: answer[:13] + b"7" + answer[14:] if len(answer) == 15 else answer
    supply.trigger().wait(10)
    assert supply.fault.get().startswith("fault: output on, 30 W, 420 V, 0.071 A, fault code b'7'")


def test_a_plasma_that_goes_out_by_itself_shows_at_the_next_look(supply: AjaDcxs, gun: Gun) -> None:
    supply.power.set(30).wait(10)
    supply.output.set("on").wait(10)
    gun.lights = False
    supply.trigger().wait(10)
    assert supply.fault.get().startswith("no plasma: output on, 0 W, 950 V, 0 A")


def test_power_beyond_four_digits_cannot_be_set(gun: Gun) -> None:
    supply = babbled(AjaDcxs, [], target="Fe", limits={"power": (0, 1e6)})
    with pytest.raises(SettingError, match="20000 W cannot be set"):
        supply._write_power(20_000.0)


def test_an_output_that_is_on_without_power_regulation_is_refused(gun: Gun) -> None:
    simulated = aja_dcxs.Dcxs(gun)
    simulated.receive(b"D1A")
    with (
        served(simulated) as wire,
        pytest.raises(Refused, match="not regulated by power"),
        connected(AjaDcxs, wire, target="Fe"),
    ):
        pass
    assert gun.on


def test_an_output_that_stays_on_is_a_fault(supply: AjaDcxs, gun: Gun) -> None:
    supply.power.set(50).wait(10)
    supply.output.set("on").wait(10)
    gun.obeys = False
    supply.shutter.set("open").wait(10)
    with pytest.raises(Fault, match="does not go off"):
        supply.safe().wait(10)
    assert not gun.shutter_open  # closed nevertheless


def test_a_stuck_shutter_is_a_fault(supply: AjaDcxs, gun: Gun) -> None:
    gun.shutter_stuck = True
    with pytest.raises(Fault, match="shutter of gun 3 should be open"):
        supply.shutter.set("open").wait(10)
    assert supply.shutter.get() == "closed"


def test_a_set_that_the_supply_ignores_is_refused(supply: AjaDcxs, wire: Wire) -> None:
    wire.spoil = lambda answer: b"0012" if wire.heard.endswith(b"b") else answer
    with pytest.raises(Refused, match="stays at 12 W"):
        supply.power.set(40).wait(10)


def test_it_comes_back_into_step_after_a_short_and_an_odd_answer(supply: AjaDcxs, wire: Wire, gun: Gun) -> None:
    gun.set_power(33)
    spoils = iter([lambda answer: answer[:-1], lambda answer: b">" + answer])

    def spoil(answer: bytes) -> bytes:
        how = next(spoils, None)
        return how(answer) if how and answer != b"DCXS750-4" else answer

    wire.spoil = spoil
    supply.trigger().wait(10)
    supply.trigger().wait(10)
    assert supply.voltage.get() == 0
    assert supply.output.get() == "off"


def test_a_supply_that_hears_only_the_first_of_a_burst_is_asked_singly(gun: Gun) -> None:
    class OneAtATime(aja_dcxs.Dcxs):
        def receive(self, received: bytes) -> bytes:
            return super().receive(received[:1] if received[:1].islower() else received)

    gun.lights = False
    gun.set_output(True)
    with served(OneAtATime(gun)) as wire, connected(AjaDcxs, wire, target="Fe", timeout_s=0.1) as supply:
        for _ in range(3):
            supply.trigger().wait(10)
        assert supply.voltage.get() == 950
        assert wire.heard.count(b"?") == 3  # to identify, and after each of two bursts; then none was tried


def test_the_characters_of_power_up_are_thrown_away(gun: Gun, transport: str) -> None:
    simulated = aja_dcxs.Dcxs(gun)
    with served(simulated, transport) as wire, connected(AjaDcxs, wire, target="Fe") as supply:
        supply.trigger().wait(10)
        assert supply.output.get() == "off"
    assert simulated.greeting() == b""  # it greets once


def test_no_answer_at_all(supply: AjaDcxs, wire: Wire) -> None:
    wire.spoil = lambda answer: b""
    with pytest.raises(NoReply, match="no complete reply"):
        supply.trigger().wait(10)


def test_another_instrument_at_the_address(gun: Gun) -> None:
    from simulators.pfeiffer_tpg import Tpg36x

    class Chatty(Tpg36x):
        def receive(self, received: bytes) -> bytes:
            return b"\x15\r\nwhat do you want"

    with (
        served(Chatty(Vacuum())) as wire,
        pytest.raises(WrongInstrument, match=r"no DCXS model.*is this the DCXS's port\?"),
        connected(AjaDcxs, wire, target="Fe"),
    ):
        pass


def test_regulation_is_put_into_power(gun: Gun) -> None:
    simulated = aja_dcxs.Dcxs(gun)
    simulated.receive(b"D2")
    with served(simulated) as wire, connected(AjaDcxs, wire, clock=gun.clock, target="Fe"):
        assert simulated.receive(b"c") == b"0"


def test_setting_never_waits_for_the_wire(supply: AjaDcxs, wire: Wire) -> None:
    wire.flowing.clear()
    statuses = [supply.power.set(20), supply.shutter.set("closed"), supply.trigger(), supply.safe()]
    assert not any(status.done for status in statuses)
    wire.flowing.set()
    for status in statuses:
        status.wait(10)


def test_descriptions(supply: AjaDcxs) -> None:
    description = supply.describe()
    power = description["device_power"]
    assert (power["units"], power["precision"]) == ("W", 0)
    assert (power["lower_ctrl_limit"], power["upper_ctrl_limit"]) == (0, 200)
    assert description["device_current"]["units"] == "A"
    assert description["device_fault"]["dtype"] == "string"


@given(st.lists(st.binary(max_size=20), max_size=12))
def test_whatever_comes_only_instrument_errors_leave_the_driver(answers: list[bytes]) -> None:
    supply = babbled(AjaDcxs, answers, target="Fe")
    for verb in (supply.identify, supply.refresh):
        with suppress(LinkError, Refused, WrongInstrument):
            verb()


def test_a_fault_code_that_is_no_character_is_asked_for_again(supply: AjaDcxs, wire: Wire) -> None:
    spoils = iter([lambda answer: answer[:13] + b"\xb0" + answer[14:]])
    wire.spoil = lambda answer: next(spoils, lambda a: a)(answer)
    supply.trigger().wait(10)
    assert supply.fault.get() == ""
