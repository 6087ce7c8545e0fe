"""What may be asked of a turbo pump: the same of every make."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.edwards_tic import EdwardsTicGauge, EdwardsTicTurbo
from drivers.errors import Garbled, Refused, SettingError
from drivers.pfeiffer_tc110 import PfeifferTc110
from drivers.wire import edwards, telegram
from drivers.wire.errors import Malformed
from simulators import edwards_tic as simulated_tic
from simulators.turbo import COAST_S, RUN_UP_S, Turbo
from tests.drivers.chamber_fixtures import TRANSPORTS, Pump, Vacuum, connected, served
from tests.drivers.role_fixtures import bench, drivers_of

DRIVERS = drivers_of("pump")


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("driver", DRIVERS)
def test_it_is_stopped_and_started(driver: str, transport: str) -> None:
    with bench(driver, Pump(), transport) as b:
        b.device.trigger().wait(10)
        assert (b.device.running.get(), b.device.speed.get(), b.device.fault.get()) == ("on", 100.0, "")
        b.device.running.set("off").wait(10)
        assert not b.part.running
        assert (b.device.running.get(), b.device.speed.get()) == ("off", 0.0)
        b.device.running.set("on").wait(10)
        assert b.part.running
        assert b.device.power.get() == 18
        assert b.device.describe()["device_speed"]["units"] == "%"


@pytest.mark.parametrize("driver", DRIVERS)
def test_safe_is_to_leave_it_pumping(driver: str) -> None:
    with bench(driver, Pump()) as b:
        before = b.wire.heard
        b.device.safe().wait(10)
        assert b.part.running
        assert b.wire.heard == before
        with pytest.raises(SettingError, match="not one of"):
            b.device.running.set("fast")


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_failure_of_its_drive_is_told_and_never_acknowledged_from_here(driver: str) -> None:
    with bench(driver, Pump()) as b:
        b.part.trouble = "Err006"
        b.device.trigger().wait(10)
        assert "r" in b.device.fault.get()
        assert b.device.running.get() == "off"
        with pytest.raises(Refused, match="does not go on"):
            b.device.running.set("on").wait(10)
        assert b.part.trouble


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_lost_answer_to_an_act_is_settled_by_looking(driver: str) -> None:
    with bench(driver, Pump(), timeout_s=0.1) as b:
        spoils = iter([b""])
        b.wire.spoil = lambda answer: next(spoils, answer)
        b.device.running.set("off").wait(10)
        assert not b.part.running


# --- Pfeiffer telegram ------------------------------------------------------------------------------------

PUBLISHED = [
    (b"0010030902=?107\r", telegram.Telegram(1, False, 309, "=?")),
    (b"0011030906001500026\r", telegram.Telegram(1, True, 309, "001500")),
    (b"0011001006111111015\r", telegram.Telegram(1, True, 10, "111111")),
    (b"0011001006000000009\r", telegram.Telegram(1, True, 10, "000000")),
    (b"0010030302=?101\r", telegram.Telegram(1, False, 303, "=?")),
    (b"0011030306000000014\r", telegram.Telegram(1, True, 303, "000000")),
    (b"0010034902=?111\r", telegram.Telegram(1, False, 349, "=?")),
]
"""Pfeiffer's description of the protocol, as given by pfeifferpumps and PyExpLabSys."""


@pytest.mark.parametrize(("published", "said"), PUBLISHED)
def test_published_telegrams(published: bytes, said: telegram.Telegram) -> None:
    assert telegram.pack(said) == published
    assert telegram.unpack(published) == said
    assert telegram.unpack(b"\xff\xff" + published) == said
    for at in range(len(published) - 1):
        with pytest.raises(Malformed):
            telegram.unpack(published[:at] + bytes([published[at] ^ 1]) + published[at + 1 :])


def test_data_of_telegrams() -> None:
    assert telegram.integer("001500") == 1500
    assert telegram.real("002400") == 24.0
    assert telegram.boolean("111111") is True
    for parse in (telegram.integer, telegram.real, telegram.boolean):
        with pytest.raises(Malformed):
            parse("NO_DEF")


@given(st.binary(max_size=30))
def test_whatever_comes_is_a_telegram_or_malformed(frame: bytes) -> None:
    for parse in (telegram.unpack, edwards.parse_answer, edwards.parse_message):
        with suppress(Malformed):
            parse(frame + b"\r")


def test_a_tc110_tells_its_errors_in_words_and_its_heat() -> None:
    with bench("pfeiffer-tc110", Pump()) as b:
        assert isinstance(b.device, PfeifferTc110)
        assert b.device.port.submit(b.device.identify).result(10) == "Pfeiffer TC 110, firmware 010300, 1500 Hz"
        b.part.trouble, b.part.bearing_c = "Err006", 66.0
        b.device.trigger().wait(10)
        assert b.device.fault.get() == "Err006 run-up time exceeded, bearing at 66 degC"
        with pytest.raises(Refused, match="_LOGIC: not allowed now"):
            b.device.port.submit(lambda: b.device._write(309, "001500")).result(10)
        with pytest.raises(Refused, match="NO_DEF: no such parameter"):
            b.device.port.submit(lambda: b.device._read(5, str)).result(10)
        assert b"00110009" not in b.wire.heard  # acknowledge error


# --- Edwards TIC ------------------------------------------------------------------------------------------


def test_answers_of_a_tic() -> None:
    assert edwards.parse_answer(b"=V913 8.2000e+04;59;11;0;0\r") == (
        "V",
        913,
        ("8.2000e+04", "59", "11", "0", "0"),
        None,
    )
    assert edwards.parse_answer(b"\xff\0*C904 0\r") == ("C", 904, (), 0)
    assert edwards.message("!C", 904, "1") == b"!C904 1\r"
    assert edwards.parse_message(b"?V905\r") == ("?V", 905, "")


def test_a_tic_says_why_it_has_no_pressure() -> None:
    with served(simulated_tic.TicGauge(Vacuum())) as wire, connected(EdwardsTicGauge, wire) as gauge:
        for state, alert, why in (
            (5, 0, "sensor off"),
            (6, 0, "striking, no reading yet"),
            (11, 15, "filament failed"),
        ):
            wire.instrument.state, wire.instrument.alert = state, alert
            gauge.trigger().wait(10)
            assert gauge.fault.get() == why
            assert gauge.pressure.get() != gauge.pressure.get()
        wire.spoil = lambda answer: answer.replace(b";59;", b";66;").replace(b";11;15;", b";11;0;")
        gauge.trigger().wait(10)
        assert gauge.fault.get() == "value in unit 66, no pressure"
        wire.spoil = lambda answer: answer.replace(b"V913", b"V914")
        with pytest.raises(Garbled, match="answers something else"):
            gauge.trigger().wait(10)
    with served(simulated_tic.TicGauge(Vacuum())) as wire, connected(EdwardsTicGauge, wire, channel=2) as gauge:
        gauge.trigger().wait(10)
        assert gauge.fault.get() == "no sensor"


def test_a_tic_under_parallel_control_refuses() -> None:
    with served(simulated_tic.TicTurbo(Pump())) as wire, connected(EdwardsTicTurbo, wire) as pump:
        wire.instrument.parallel = True
        with pytest.raises(Refused, match=r"b'!C904 0\\r' was refused with b'\*C904 5\\r': not in this state"):
            pump.running.set("off").wait(10)


# --- the pump itself --------------------------------------------------------------------------------------


def test_a_turbo_pump_runs_up_coasts_down_and_pumps_while_it_is_fast() -> None:
    t, told = [0.0], []
    turbo = Turbo(lambda: t[0], told.append)
    turbo.set_running(False)
    t[0] += COAST_S
    assert turbo.read().speed == pytest.approx(0.368, abs=1e-3)
    t[0] += COAST_S
    assert turbo.read().speed == pytest.approx(0.135, abs=1e-3)
    assert told == [False]
    turbo.set_running(True)
    t[0] += RUN_UP_S / 2
    assert turbo.read().speed == pytest.approx(0.635, abs=1e-3)
    assert told == [False, True]
    turbo.trip("Err006")
    turbo.set_running(True)
    assert not turbo.read().running
