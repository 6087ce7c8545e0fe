"""MKS controllers: bytes published by others, and what only they do."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import Garbled, NoReply, Refused, WrongInstrument
from drivers.mks_647c import Mks647c
from drivers.mks_937b import UNIT_CHECK_S, WORDS, Mks937b
from drivers.mks_946 import Mks946
from drivers.wire import mks, mks_647
from drivers.wire.errors import Malformed
from simulators import mks_647c as simulated_647c
from simulators import mks_900 as simulated_900
from tests.drivers.chamber_fixtures import Gas, Vacuum, babbled, connected, lab_clock, on_wire, served

PUBLISHED = [
    (b"@253PR1?;FF", b"@253ACK1.10e-9;FF", "1.10e-9"),
    (b"@253T1?;FF", b"@253ACKG;FF", "G"),
    (b"@253U?;FF", b"@253ACKTORR;FF", "TORR"),
    (b"@253CP1?;FF", b"@253ACKON;FF", "ON"),
    (b"@253SP10?;FF", b"@253ACK2.00E+0;FF", "2.00E+0"),
    (b"@253SD3?;FF", b"@253ACKABOVE;FF", "ABOVE"),
    (b"@253EN6?;FF", b"@253ACKENABLE;FF", "ENABLE"),
    (b"@253U!MICRON;FF", b"@253ACKMICRON;FF", "MICRON"),
]
"""PyMeasure's ``tests/instruments/mksinst/test_mks937b.py``."""


@pytest.mark.parametrize(("request_", "reply", "text"), PUBLISHED)
def test_published_bytes(request_: bytes, reply: bytes, text: str) -> None:
    message = mks.parse_message(request_)
    assert mks.message(*message) == request_
    assert mks.parse_reply(reply) == (253, True, text)
    assert mks.parse_reply(b"\0\xff" + reply).text == text
    assert mks.reply(253, text) == reply


def test_published_numbers() -> None:
    assert mks.number("1.10e-9") == 1.1e-9
    assert mks.number("2.00E+0") == 2.0
    for word in ("LO<E-11", "ATM", "1.1", "", "1.10E", "11.0E-9"):
        with pytest.raises(Malformed):
            mks.number(word)


@given(st.binary(max_size=40))
def test_whatever_comes_is_a_reply_or_malformed(frame: bytes) -> None:
    for parse in (mks.parse_reply, mks.parse_message, mks_647.parse_answer, mks_647.parse_command):
        with suppress(Malformed):
            parse(frame + b";FF")


@pytest.mark.parametrize("unit", ["TORR", "mBAR", "PASCAL", "MICRON"])
def test_the_controllers_unit_does_not_matter(unit: str) -> None:
    clock = lab_clock()
    with (
        served(simulated_900.Mks937b(Vacuum(), unit="TORR")) as wire,
        connected(Mks937b, wire, clock=clock) as gauge,
    ):
        wire.instrument.unit = unit
        clock.sleep(UNIT_CHECK_S + 1)
        gauge.trigger().wait(10)
        assert gauge.pressure.get() == pytest.approx(0.5, rel=1e-2)


@pytest.mark.parametrize("word", ["LO<E-11", ">1.0E-02", *WORDS])
def test_a_word_in_place_of_a_number_is_no_pressure(word: str) -> None:
    with served(simulated_900.Mks937b(Vacuum())) as wire, connected(Mks937b, wire) as gauge:
        wire.instrument.word = word
        if word == "LO<":
            wire.instrument.word = "LO<E-10"
        gauge.trigger().wait(10)
        assert math.isnan(gauge.pressure.get())
        assert gauge.fault.get() in WORDS.values()


def test_a_word_that_it_does_not_know_is_garbled() -> None:
    with served(simulated_900.Mks937b(Vacuum())) as wire, connected(Mks937b, wire) as gauge:
        wire.instrument.word = "HELLO"
        with pytest.raises(Garbled, match="'HELLO' is not a number"):
            gauge.trigger().wait(10)


def test_a_channel_without_gauge_and_another_model() -> None:
    with served(simulated_900.Mks937b(Vacuum())) as wire, connected(Mks937b, wire, channel=3) as gauge:
        gauge.trigger().wait(10)
        assert gauge.fault.get() == "no sensor"
        with pytest.raises(WrongInstrument, match="calls itself '937B', not MKS 946"), connected(Mks946, wire):
            pass
        with pytest.raises(NoReply), connected(Mks937b, wire, address=7, timeout_s=0.05):
            pass


def test_the_946_refuses_in_words_and_keeps_its_valve_mode_in_sight() -> None:
    gas = Gas()
    with served(simulated_900.Mks946(gas)) as wire, connected(Mks946, wire) as controller:
        with pytest.raises(Refused, match=r"b'@253QSP1!1\.50E\+02;FF' was refused with b'@253NAK169;FF': value out"):
            controller.flow.set(150).wait(10)
        wire.instrument.mode = "OPEN"
        controller.trigger().wait(10)
        assert controller.fault.get() == "valve in mode OPEN, not on its set point"
        wire.instrument.word = "MISCONN"
        controller.trigger().wait(10)
        assert controller.fault.get() == "flow controller misconnected"


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_a_lost_answer_to_an_act_is_settled_by_looking(lost: int) -> None:
    """The act was carried out: it is not repeated, and is not reported as failed."""
    gas = Gas()
    with served(simulated_900.Mks946(gas)) as wire, connected(Mks946, wire, timeout_s=0.1) as controller:
        spoils = iter([lambda a: a] * lost + [lambda a: b""])
        wire.spoil = lambda answer: next(spoils, lambda a: a)(answer)
        before = len(wire.heard)
        controller.flow.set(20).wait(10)
        assert gas.setpoint_sccm == 20
        assert wire.heard[before:].count(b"QSP1!") == 1
        assert wire.heard[before:].count(b"QMD1!") == 1


# --- 647C -------------------------------------------------------------------------------------------------


def test_the_647s_flow_is_range_times_gas_factor() -> None:
    gas = Gas(full_scale_sccm=100.0)
    with served(simulated_647c.Mks647c(gas, gas_correction=137)) as wire, connected(Mks647c, wire) as controller:
        assert on_wire(controller, controller.identify) == (
            "MGC 647C V2.2 - 07.03.2003, channel 1, 137 sccm of Ar full scale"
        )
        controller.flow.set(20).wait(10)
        assert wire.heard.endswith(b"FL 1\rFS 1 R\rST 1\rST 0\r")
        assert b"FS 1 146\r" in wire.heard  # 20 / 137 in thousandths
        assert wire.instrument.on == {0: True, 1: True} | dict.fromkeys(range(2, 9), False)
        assert gas.setpoint_sccm == pytest.approx(20.0, abs=0.07)
        controller.safe().wait(10)
        assert wire.instrument.on[0]  # other gases may need the main valve
        assert not wire.instrument.on[1]
        assert b"DF" not in wire.heard


def test_the_647_names_its_errors_and_status_bits() -> None:
    with served(simulated_647c.Mks647c(Gas())) as wire, connected(Mks647c, wire) as controller:
        with pytest.raises(Refused, match=r"b'FS 1 1295\\r' was refused with b'E4\\r\\n': out of range"):
            controller.flow.set(180).wait(10)
        wire.instrument.status_bits = 1 << 4 | 1 << 7
        controller.trigger().wait(10)
        assert controller.fault.get() == "flow under its low limit, flow reads over range"
        wire.instrument.mode = 1
        with pytest.raises(WrongInstrument, match="in mode slave"):
            on_wire(controller, controller.identify)


def test_a_range_in_cubic_feet_is_refused() -> None:
    simulated = simulated_647c.Mks647c(Gas())
    simulated.range_code = 20
    with (
        served(simulated) as wire,
        pytest.raises(WrongInstrument, match="range code 20"),
        connected(Mks647c, wire),
    ):
        pass


def test_the_647_does_not_take_an_error_for_a_number() -> None:
    controller = babbled(Mks647c, [b"E1\r\n"])
    with pytest.raises(Refused, match="unknown command"):
        controller.refresh()
