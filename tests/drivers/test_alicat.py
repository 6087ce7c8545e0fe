"""The Alicat driver against its simulator, over real wires."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.alicat import Alicat
from drivers.errors import Garbled, LinkError, NoReply, Refused, SettingError, WrongInstrument
from simulators import alicat
from tests.drivers.chamber_fixtures import TRANSPORTS, Gas, Wire, babbled, connected, on_wire, served


@pytest.fixture
def gas() -> Gas:
    return Gas()


@pytest.fixture
def wire(gas: Gas) -> Iterator[Wire]:
    with served(alicat.Alicat(gas)) as wire:
        yield wire


@pytest.fixture
def controller(wire: Wire) -> Iterator[Alicat]:
    with connected(Alicat, wire, limits={"flow": (0, 50)}) as controller:
        yield controller


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("firmware", ["10v20.0-R24", "5v12.0-R22"])
def test_a_flow_on_either_wire_with_new_and_old_firmware(gas: Gas, transport: str, firmware: str) -> None:
    with (
        served(alicat.Alicat(gas, "C", firmware=firmware), transport) as wire,
        connected(Alicat, wire, unit="C") as controller,
    ):
        controller.flow.set(19.25).wait(10)
        assert gas.setpoint_sccm == 19.25
        controller.trigger().wait(10)
        assert controller.flow.get() == 19.25
        assert controller.actual_flow.get() == pytest.approx(19.25)
        assert controller.line_pressure.get() == pytest.approx(202.7, abs=0.1)
        assert controller.fault.get() == ""
        controller.safe().wait(10)
    assert gas.setpoint_sccm == 0
    assert not re.search(rb"(^|\r)C\d", wire.heard)


def test_it_says_who_it_is(controller: Alicat) -> None:
    assert on_wire(controller, controller.identify) == "Alicat A, firmware 10v20.0-R24, SCCM of Ar"


def test_another_gas_is_the_wrong_instrument(gas: Gas) -> None:
    with (
        served(alicat.Alicat(gas, gas="N2")) as wire,
        pytest.raises(WrongInstrument, match="set to N2, but the lab file says Ar"),
        connected(Alicat, wire),
    ):
        pass


def test_a_set_point_that_is_no_mass_flow_is_the_wrong_instrument(wire: Wire) -> None:
    wire.spoil = lambda answer: answer.replace(b"12 SCCM", b"10 PSIA")
    with pytest.raises(WrongInstrument, match="in PSIA, not a mass flow"), connected(Alicat, wire):
        pass


def test_litres_are_converted(wire: Wire, gas: Gas) -> None:
    gas.full_scale_sccm = 10.0  # its numbers are litres now
    wire.spoil = lambda answer: answer.replace(b"12 SCCM", b"07 SLPM")
    with connected(Alicat, wire, full_scale_sccm=10_000.0) as controller:
        controller.flow.set(2500).wait(10)
        assert gas.setpoint_sccm == 2.5
        assert controller.flow.get() == 2500


def test_nobody_at_this_letter(wire: Wire) -> None:
    with pytest.raises(NoReply), connected(Alicat, wire, unit="B", timeout_s=0.1):
        pass


def test_a_value_outside_the_limits_never_reaches_the_wire(controller: Alicat, wire: Wire) -> None:
    before = wire.heard
    for flow in (50.1, -0.1, float("nan")):
        with pytest.raises(SettingError, match="outside the limits 0 to 50 sccm"):
            controller.flow.set(flow)
    assert wire.heard == before


def test_a_flow_beyond_full_scale_is_refused(wire: Wire) -> None:
    with (
        connected(Alicat, wire) as controller,
        pytest.raises(Refused, match="150 sccm was refused, the set point is 100 sccm"),
    ):
        controller.flow.set(150).wait(10)


def test_a_rejected_command_names_bytes(controller: Alicat, wire: Wire) -> None:
    wire.spoil = lambda answer: b"?\r"
    with pytest.raises(Refused, match=r"b'ALS 5\.000\\r' was rejected with b'\?\\r'"):
        controller.flow.set(5).wait(10)


def test_status_words_are_the_fault_but_locked_buttons_are_not(controller: Alicat, wire: Wire) -> None:
    wire.spoil = lambda answer: answer[:-1] + b" LCK HLD MOV\r"
    controller.trigger().wait(10)
    assert controller.fault.get() == "HLD MOV"


def test_a_spoiled_answer_is_asked_again_once(controller: Alicat, wire: Wire) -> None:
    spoils = iter([b"A +01\xff\xff7.1\r"])
    wire.spoil = lambda answer: next(spoils, answer)
    controller.trigger().wait(10)
    assert controller.fault.get() == ""
    wire.spoil = lambda answer: b"A +01\xff\xff7.1\r"
    with pytest.raises(Garbled, match="not ASCII"):
        controller.trigger().wait(10)


def test_a_spoiled_answer_to_a_set_point_is_not_repeated(controller: Alicat, wire: Wire) -> None:
    before = len(wire.heard)
    wire.spoil = lambda answer: b"A garbage\r"
    with pytest.raises(Garbled):
        controller.flow.set(5).wait(10)
    assert wire.heard[before:] == b"ALS 5.000\r"


def test_an_answer_of_another_unit_is_garbled(controller: Alicat, wire: Wire) -> None:
    wire.spoil = lambda answer: b"B" + answer[1:]
    with pytest.raises(Garbled, match="not from unit A"):
        controller.trigger().wait(10)


def test_setting_never_waits_for_the_wire(controller: Alicat, wire: Wire) -> None:
    wire.flowing.clear()
    statuses = [controller.flow.set(1), controller.trigger()]
    assert not any(status.done for status in statuses)
    wire.flowing.set()
    for status in statuses:
        status.wait(10)


def test_descriptions(controller: Alicat) -> None:
    description = controller.describe()
    flow = description["device_flow"]
    assert (flow["units"], flow["precision"], flow["upper_ctrl_limit"]) == ("sccm", 2, 50)
    assert description["device_actual_flow"]["units"] == "sccm"


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        (b"A\r", b"A +029.40 +022.00 +002.47 +005.00 +005.00     Ar\r"),
        (b"a\r", b"A +029.40 +022.00 +002.47 +005.00 +005.00     Ar\r"),
        (b"ALS\r", b"A +005.00 +005.00 12 SCCM\r"),
        (b"ALS 7\r", b"A +007.00 +007.00 12 SCCM\r"),
        (b"AS7.5\r", b"A +029.40 +022.00 +003.71 +007.50 +007.50     Ar\r"),
        (b"AHC\r", b"A +029.40 +022.00 +000.00 +000.00 +005.00     Ar HLD\r"),
        (b"AHC\rAS9\rAC\r", b"A +029.40 +022.00 +004.45 +009.00 +009.00     Ar\r"),
        (b"A$$L\r", b"A +029.40 +022.00 +002.47 +005.00 +005.00     Ar LCK\r"),
        (b"AG 8\r", b"A +029.40 +022.00 +002.47 +005.00 +005.00     N2\r"),
        (b"AGS\r", b"A 1 Ar\r"),
        (b"AR122\r", b"A   122 = 37\r"),
        (b"A$$W46=8\r", b"A   046 = 8\r"),
        (b"A$$R46\r", b"A   046 = 1\r"),
        (b"A$$W46=3\r", b"?\r"),
        (b"AS\r", b"?\r"),
        (b"AS lots\r", b"?\r"),
        (b"ANOPE\r", b"?\r"),
        (b"B\r", b""),
        (b"\xff\r", b""),
    ],
)
def test_the_simulated_controller_answers(gas: Gas, said: bytes, answered: bytes) -> None:
    simulated = alicat.Alicat(gas)
    simulated.receive(b"AS5\r")
    assert simulated.receive(said).endswith(answered)
    assert bool(answered) == bool(simulated.receive(said))


def test_the_legacy_integer_set_point_opens_the_simulated_valve(gas: Gas) -> None:
    alicat.Alicat(gas).receive(b"A64000\r")
    assert gas.setpoint_sccm == gas.full_scale_sccm


@given(st.lists(st.binary(max_size=60) | st.binary(max_size=40).map(lambda b: b"A " + b + b"\r"), max_size=8))
def test_whatever_comes_only_instrument_errors_leave_the_driver(answers: list[bytes]) -> None:
    controller = babbled(Alicat, answers)
    for verb in (controller.identify, controller.refresh, controller.make_safe):
        with suppress(LinkError, Refused, WrongInstrument):
            verb()
