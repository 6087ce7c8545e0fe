"""What a plan may ask of a substrate heater: the same of every make."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import Garbled, Refused, SettingError, WrongInstrument
from drivers.eurotherm_2400 import Eurotherm2400Bisynch, Eurotherm2400Modbus
from drivers.lakeshore_336 import LakeShore336
from drivers.wire import bisynch, modbus
from drivers.wire.errors import Malformed
from simulators import eurotherm_2400 as simulated_eurotherm
from simulators import lakeshore_336 as simulated_336
from simulators.heater import ROOM_C, HeatedHolder
from tests.drivers.chamber_fixtures import TRANSPORTS, Holder, connected, on_wire, served
from tests.drivers.role_fixtures import bench, drivers_of

DRIVERS = drivers_of("heater")


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("driver", DRIVERS)
def test_it_heats_to_a_temperature_and_stops(driver: str, transport: str) -> None:
    with bench(driver, Holder(), transport, limits={"temperature": (0, 500)}) as b:
        heater, world = b.device, b.part
        assert not world.heating
        heater.temperature.set(312.5).wait(10)
        assert not world.heating
        heater.heating.set("on").wait(10)
        assert world.heating
        assert world.target_c == pytest.approx(312.5, abs=0.06)
        heater.trigger().wait(10)
        assert heater.temperature.get() == pytest.approx(312.5, abs=0.06)
        assert heater.actual_temperature.get() == pytest.approx(312.5, abs=0.06)
        assert heater.power.get() == pytest.approx(40)
        assert (heater.heating.get(), heater.fault.get()) == ("on", "")
        for _ in range(2):
            heater.safe().wait(10)
            assert not world.heating
            assert (heater.heating.get(), heater.power.get()) == ("off", 0)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_sensor_break_is_no_temperature_and_a_fault(driver: str) -> None:
    with bench(driver, Holder()) as b:
        b.part.broken = True
        b.device.trigger().wait(10)
        assert math.isnan(b.device.actual_temperature.get())
        assert b.device.fault.get()


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_the_lab_file_forbids_sends_nothing(driver: str) -> None:
    with bench(driver, Holder(), limits={"temperature": (0, 500)}) as b:
        before = b.wire.heard
        for value in (500.5, -1, float("nan")):
            with pytest.raises(SettingError, match="outside the limits 0 to 500 degC"):
                b.device.temperature.set(value)
        assert b.wire.heard == before
        assert b.device.describe()["device_actual_temperature"]["units"] == "degC"


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_temperature_that_the_controller_does_not_take_is_refused(driver: str) -> None:
    with bench(driver, Holder(), limits={"temperature": (0, 3000)}) as b, pytest.raises(Refused, match="refused"):
        b.device.temperature.set(2000).wait(10)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_lost_answer_to_an_act_is_settled_by_looking(driver: str) -> None:
    with bench(driver, Holder(), timeout_s=0.1) as b:
        spoils = iter([b""])
        b.wire.spoil = lambda answer: next(spoils, answer)
        b.device.temperature.set(200).wait(10)
        assert b.device.temperature.get() == pytest.approx(200, abs=0.06)


# --- Eurotherm by Modbus ----------------------------------------------------------------------------------

PUBLISHED = [
    (modbus.read_request(0x11, 0x6B, 3), "11 03 00 6B 00 03 76 87"),
    (modbus.write_request(0x11, 1, 3), "11 06 00 01 00 03 9A 9B"),
    (modbus.read_answer(0x11, [0xAE41, 0x5652, 0x4340]), "11 03 06 AE 41 56 52 43 40 49 AD"),
    (modbus.exception(0x0A, 1, 2), "0A 81 02 B0 53"),
]
"""Examples of the Modbus application protocol and its serial line guide, as found in many tutorials."""


@pytest.mark.parametrize(("made", "published"), PUBLISHED)
def test_published_modbus_frames(made: bytes, published: str) -> None:
    assert made == bytes.fromhex(published)


def test_a_modbus_answer_is_found_behind_noise_and_its_checksum_counts() -> None:
    answer = modbus.read_answer(1, [-25])
    framing = modbus.answer_framing(1, modbus.READ)
    assert framing(b"\xff\0" + answer) == len(answer) + 2
    assert modbus.parse_answer(b"\xff\0" + answer, 1, modbus.READ) == [-25]
    assert framing(answer[:-1]) is None
    for at in range(len(answer)):
        with pytest.raises(Malformed):
            modbus.parse_answer(answer[:at] + bytes([answer[at] ^ 4]) + answer[at + 1 :], 1, modbus.READ)


@given(st.binary(max_size=60))
def test_whatever_comes_the_codecs_of_heaters_do_not_break(frame: bytes) -> None:
    for parse in (
        lambda f: modbus.parse_answer(f, 1, 3),
        lambda f: modbus.parse_request(f, 1),
        lambda f: bisynch.parse_answer(f, "PV"),
        bisynch.parse_message,
        bisynch.acknowledged,
    ):
        with suppress(Malformed):
            parse(frame)
    for framing in (
        modbus.answer_framing(1, 3),
        modbus.request_framing(1),
        bisynch.answer_framing,
        bisynch.host_framing,
    ):
        end = framing(frame) if frame else None
        assert end is None or 0 < end <= len(frame)


@pytest.mark.parametrize("places", [0, 1, 2])
def test_a_eurotherms_decimal_places_are_asked_and_never_assumed(places: int) -> None:
    holder = Holder()
    with (
        served(simulated_eurotherm.Eurotherm2400(holder, places=places)) as wire,
        connected(Eurotherm2400Modbus, wire) as heater,
    ):
        heater.temperature.set(150).wait(10)
        heater.heating.set("on").wait(10)
        assert holder.target_c == 150
        assert heater.actual_temperature.get() == 150


def test_a_eurotherms_eeprom_is_spared_and_another_unit_is_not_answered_for() -> None:
    with served(simulated_eurotherm.Eurotherm2400(Holder())) as wire, connected(Eurotherm2400Modbus, wire) as heater:
        heater.temperature.set(150).wait(10)
        assert wire.instrument.local_c == 0
        with pytest.raises(Refused, match="exception 2: no such register"):
            on_wire(heater, lambda: heater._register(9999))
        wire.spoil = lambda answer: b"\x02" + answer[1:]
        with pytest.raises((Garbled, Exception), match=r"b'"):
            heater.trigger().wait(10)


# --- Eurotherm by EI-BISYNCH ------------------------------------------------------------------------------


def test_bytes_of_bisynch() -> None:
    assert bisynch.answer("PV", "25.0") == b"\x02PV25.0\x03\x1c"
    assert bisynch.command(1, "SL", "400.0") == b"\x040011\x02SL400.0\x03\x36"
    assert bisynch.question(1, "PV") == b"\x040011PV\x05"
    assert bisynch.parse_answer(b"\xff\x02PV25.0\x03\x1c", "PV") == "25.0"
    assert bisynch.parse_answer(b"\x04", "PV") is None
    assert bisynch.parse_message(b"\x040011\x02SL400.0\x03\x36") == (1, "SL", "400.0")
    with pytest.raises(Malformed, match="answer to PV, not to SP"):
        bisynch.parse_answer(b"\x02PV25.0\x03\x1c", "SP")
    with pytest.raises(Malformed, match="check is wrong"):
        bisynch.parse_answer(b"\x02PV26.0\x03\x1c", "PV")


def test_bisynch_refuses_what_it_does_not_know() -> None:
    with (
        served(simulated_eurotherm.Eurotherm2400Bisynch(Holder())) as wire,
        connected(Eurotherm2400Bisynch, wire) as heater,
    ):
        assert on_wire(heater, heater.identify) == "Eurotherm 2400, address 1"
        with pytest.raises(Refused, match=r"b'\\x15'"):
            heater.port.submit(lambda: heater._once_put("identity", 1.0)).result(10)


# --- Lake Shore 336 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("units", [simulated_336.KELVIN, simulated_336.CELSIUS])
def test_the_units_of_the_336s_input_do_not_matter(units: int) -> None:
    holder = Holder()
    with served(simulated_336.Lakeshore336(holder, units=units)) as wire, connected(LakeShore336, wire) as heater:
        heater.temperature.set(150).wait(10)
        heater.heating.set("on").wait(10)
        assert holder.target_c == pytest.approx(150)
        assert heater.temperature.get() == pytest.approx(150)
        wire.instrument.heater_status = 1
        heater.trigger().wait(10)
        assert heater.fault.get() == "heater open"


def test_an_input_in_sensor_units_is_the_wrong_instrument() -> None:
    simulated = simulated_336.Lakeshore336(Holder(), units=3)
    with served(simulated) as wire, pytest.raises(WrongInstrument, match="sensor units"), connected(LakeShore336, wire):
        pass


# --- the holder itself ------------------------------------------------------------------------------------


def test_a_holder_heats_holds_and_cools() -> None:
    t = [0.0]
    holder = HeatedHolder(lambda: t[0])
    holder.set_target(300)
    holder.set_heating(True)
    temperatures = []
    for _ in range(40):
        t[0] += 30
        temperatures.append(holder.read().temperature_c)
    assert temperatures[0] < 200
    assert temperatures[-1] == pytest.approx(300, abs=0.5)
    assert max(temperatures) < 301
    assert holder.read().power == pytest.approx(0.306, abs=0.01)
    holder.broken = True
    t[0] += 3600
    assert holder.read().power == 0
    assert holder.read().temperature_c == pytest.approx(ROOM_C, abs=0.1)
