"""The TPG driver against its simulator, over real wires."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import Garbled, LinkError, NoReply, Refused, SettingError, WrongInstrument
from drivers.pfeiffer_tpg import UNIT_CHECK_S, PfeifferTpg36x
from simulators.pfeiffer_tpg import PA_PER_UNIT, VOLT
from simulators.pfeiffer_tpg import Tpg36x as SimulatedTpg
from tests.drivers.chamber_fixtures import (
    TRANSPORTS,
    Gas,
    Vacuum,
    Wire,
    babbled,
    connected,
    lab_clock,
    on_wire,
    served,
)


@pytest.fixture
def vacuum() -> Vacuum:
    return Vacuum()


@pytest.fixture
def wire(vacuum: Vacuum) -> Iterator[Wire]:
    with served(SimulatedTpg(vacuum)) as wire:
        yield wire


@pytest.fixture
def gauge(wire: Wire) -> Iterator[PfeifferTpg36x]:
    with connected(PfeifferTpg36x, wire) as gauge:
        yield gauge


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("unit", [*PA_PER_UNIT, VOLT])
def test_pressure_is_pascal_whatever_the_controller_shows(vacuum: Vacuum, transport: str, unit: int) -> None:
    with served(SimulatedTpg(vacuum, unit=unit), transport) as wire, connected(PfeifferTpg36x, wire) as gauge:
        gauge.trigger().wait(10)
        assert gauge.pressure.get() == pytest.approx(0.5, rel=1e-4)
        assert gauge.fault.get() == ""


def test_it_says_who_it_is(gauge: PfeifferTpg36x) -> None:
    assert on_wire(gauge, gauge.identify) == "TPG 361,PTG28040,44990000,010400,010100"


def test_a_26x_does_not_know_ayt(vacuum: Vacuum) -> None:
    with served(SimulatedTpg(vacuum, model="TPG 262")) as wire, connected(PfeifferTpg36x, wire) as gauge:
        assert on_wire(gauge, gauge.identify) == "TPG 26x,010400"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (1, "under range"),
        (2, "over range"),
        (3, "sensor error"),
        (4, "sensor off"),
        (5, "no sensor"),
        (6, "identification error"),
        (7, "status 7"),
    ],
)
def test_a_gauge_that_does_not_measure_reads_nothing(
    gauge: PfeifferTpg36x, wire: Wire, status: int, reason: str
) -> None:
    wire.instrument.sensor = status
    gauge.trigger().wait(10)
    assert math.isnan(gauge.pressure.get())
    assert gauge.fault.get() == reason
    wire.instrument.sensor = None
    gauge.trigger().wait(10)
    assert gauge.fault.get() == ""


def test_a_unit_changed_at_the_panel_is_noticed(wire: Wire) -> None:
    clock = lab_clock()
    with connected(PfeifferTpg36x, wire, clock=clock) as gauge:
        wire.instrument.unit = 2
        clock.sleep(UNIT_CHECK_S + 1)
        gauge.trigger().wait(10)
        assert gauge.pressure.get() == pytest.approx(0.5, rel=1e-4)


def test_lines_streamed_before_it_is_spoken_to_are_thrown_away(vacuum: Vacuum) -> None:
    clock = lab_clock()
    simulated = SimulatedTpg(vacuum, clock=clock)
    clock.sleep(1.1)
    assert simulated.due() is not None
    assert clock.now() >= simulated.due()
    line = simulated.speak()
    assert line == b"0,+5.0000E-03\r\n"
    with served(simulated) as wire:
        wire.spoil = lambda answer: line + answer if answer == b"\x06\r\n" else answer
        with connected(PfeifferTpg36x, wire) as gauge:
            assert simulated.due() is None
            gauge.trigger().wait(10)
            assert gauge.pressure.get() == pytest.approx(0.5, rel=1e-4)


def test_a_channel_that_it_does_not_have_is_refused_with_the_reason(wire: Wire) -> None:
    with (
        connected(PfeifferTpg36x, wire, channel=2) as gauge,
        pytest.raises(Refused, match=r"b'PR2\\r' was refused: syntax error"),
    ):
        gauge.trigger().wait(10)


def test_a_spoiled_answer_is_asked_again_once(gauge: PfeifferTpg36x, wire: Wire) -> None:
    spoils = iter([b"\x06\r\n", b"0,5.0\xff00E-03\r\n"])
    wire.spoil = lambda answer: next(spoils, answer)
    gauge.trigger().wait(10)
    assert gauge.pressure.get() == pytest.approx(0.5)
    wire.spoil = lambda answer: answer if answer == b"\x06\r\n" else b"0,lots\r\n"
    with pytest.raises(Garbled, match="not a measurement"):
        gauge.trigger().wait(10)


def test_neither_ack_nor_nak(gauge: PfeifferTpg36x, wire: Wire) -> None:
    wire.spoil = lambda answer: b"hello\r\n" * 9
    with pytest.raises(Garbled, match="neither ACK nor NAK"):
        gauge.trigger().wait(10)


def test_no_answer(gauge: PfeifferTpg36x, wire: Wire) -> None:
    wire.spoil = lambda answer: b""
    with pytest.raises(NoReply, match=r"after b'PR1\\r'"):
        gauge.trigger().wait(10)


def test_another_instrument_at_the_address() -> None:
    from simulators.alicat import Alicat

    class Chatty(Alicat):
        def receive(self, received: bytes) -> bytes:
            return b"A +014.62 +021.89\r\n" * 9

    with (
        served(Chatty(Gas())) as wire,
        pytest.raises(WrongInstrument, match="is this a TPG controller"),
        connected(PfeifferTpg36x, wire),
    ):
        pass


def test_it_has_nothing_to_set(gauge: PfeifferTpg36x) -> None:
    with pytest.raises(SettingError, match="is a reading"):
        gauge.pressure.set(1)
    with pytest.raises(SettingError, match="limits for pressure"):
        babbled(PfeifferTpg36x, [], limits={"pressure": (0, 1)})
    gauge.safe().wait(10)


def test_triggering_never_waits_for_the_wire(gauge: PfeifferTpg36x, wire: Wire) -> None:
    wire.flowing.clear()
    status = gauge.trigger()
    assert not status.done
    wire.flowing.set()
    status.wait(10)


def test_descriptions(gauge: PfeifferTpg36x) -> None:
    pressure = gauge.describe()["device_pressure"]
    assert (pressure["units"], pressure["precision"], pressure["dtype"]) == ("Pa", 4, "number")


@given(
    st.lists(
        st.binary(max_size=40)
        | st.just(b"\x06\r\n")
        | st.just(b"\x15\r\n")
        | st.binary(max_size=20).map(lambda b: b + b"\r\n"),
        max_size=12,
    )
)
def test_whatever_comes_only_instrument_errors_leave_the_driver(answers: list[bytes]) -> None:
    gauge = babbled(PfeifferTpg36x, answers)
    for verb in (gauge.identify, gauge.refresh):
        with suppress(LinkError, Refused, WrongInstrument):
            verb()
