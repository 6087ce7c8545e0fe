"""The SQM-160 driver against its simulator, over real wires."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import Fault, Garbled, LinkError, NoReply, Refused, SettingError, WrongInstrument
from drivers.inficon_sqm160 import MATERIALS, SLOW_S, InficonSqm160
from drivers.wire import sqm160 as wire_sqm160
from simulators import inficon_sqm160
from tests.drivers.chamber_fixtures import (
    TRANSPORTS,
    Quartz,
    Wire,
    babbled,
    connected,
    lab_clock,
    on_wire,
    served,
)


@pytest.fixture
def quartz() -> Quartz:
    return Quartz()


@pytest.fixture
def wire(quartz: Quartz) -> Iterator[Wire]:
    with served(inficon_sqm160.Sqm160(quartz)) as wire:
        yield wire


@pytest.fixture
def monitor(wire: Wire) -> Iterator[InficonSqm160]:
    with connected(InficonSqm160, wire) as monitor:
        yield monitor


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_film_of_iron_on_either_wire(quartz: Quartz, transport: str) -> None:
    with served(inficon_sqm160.Sqm160(quartz), transport) as wire, connected(InficonSqm160, wire) as monitor:
        monitor.material.set("Fe").wait(10)
        monitor.zero.set(1).wait(10)
        monitor.substrate_shutter.set("open").wait(10)
        assert quartz.substrate_shutter_open
        quartz.mass += 7.86 * 2.5  # 25 nm of iron: 1 ug/cm2 at 1 g/cm3 is 10 nm
        quartz.rate = 0.0786
        monitor.trigger().wait(10)
        assert monitor.material.get() == "Fe"
        assert monitor.thickness.get() == pytest.approx(25.0)
        assert monitor.rate.get() == pytest.approx(0.1)
        assert monitor.frequency.get() == pytest.approx(5_950_000 - 81.5 * quartz.mass)
        assert monitor.life.get() == 92.5
        assert monitor.fault.get() == ""
        monitor.safe().wait(10)
    assert not quartz.substrate_shutter_open


def test_it_says_who_it_is(monitor: InficonSqm160) -> None:
    assert on_wire(monitor, monitor.identify) == "SQM-160, MON Ver 4.13, sensor 1 of 2"


def test_each_material_has_a_film_of_its_own(monitor: InficonSqm160, wire: Wire) -> None:
    assert len({material.film for material in MATERIALS.values()}) == len(MATERIALS)
    for element in ("Fe", "Ni", "Fe"):
        monitor.material.set(element).wait(10)
    films = wire.instrument._films
    assert films[MATERIALS["Fe"].film].fields() == "Fe       7.86 100 0.349 0.000 0.000 0 1"
    assert films[MATERIALS["Ni"].film].fields() == "Ni       8.91 100 0.331 0.000 0.000 0 1"
    assert wire.heard.count(b"Fe       7.86") == 1  # an unchanged program is not written again


def test_a_material_without_a_density_is_a_setting_error(monitor: InficonSqm160, wire: Wire) -> None:
    before = wire.heard
    with pytest.raises(SettingError, match="'Unobtainium' is not one of"):
        monitor.material.set("Unobtainium")
    with pytest.raises(SettingError, match=r"0 is not one of 1$"):
        monitor.zero.set(0)
    assert wire.heard == before


def test_a_film_that_cannot_be_programmed_is_refused(monitor: InficonSqm160, wire: Wire) -> None:
    simulated = wire.instrument
    simulated._film_program = lambda argument: inficon_sqm160.Film().fields() if "?" in argument else ""
    with pytest.raises(Refused, match="film 7 does not take density and Z of Fe"):
        monitor.material.set("Fe").wait(10)


def test_a_restart_is_a_fault_until_zeroed_and_zeroing_selects_the_film_again(
    monitor: InficonSqm160, wire: Wire
) -> None:
    monitor.material.set("Fe").wait(10)
    monitor.substrate_shutter.set("open").wait(10)
    wire.instrument.power_cycle()
    wire.instrument._film = 1
    for _ in range(2):
        monitor.trigger().wait(10)
        assert monitor.fault.get() == "was reset"
    assert monitor.substrate_shutter.get() == "closed"
    monitor.zero.set(1).wait(10)
    assert monitor.fault.get() == ""
    assert wire.instrument._film == MATERIALS["Fe"].film


def test_a_restart_before_the_lab_connected_is_none(monitor: InficonSqm160) -> None:
    monitor.trigger().wait(10)
    assert monitor.fault.get() == ""


def test_a_crystal_that_stops_is_a_fault_and_not_a_zero_rate(monitor: InficonSqm160, quartz: Quartz) -> None:
    quartz.failed = True
    monitor.trigger().wait(10)
    assert monitor.fault.get() == "crystal failed"


def test_a_stuck_shutter_is_a_fault(monitor: InficonSqm160, quartz: Quartz) -> None:
    quartz.shutter_stuck = True
    with pytest.raises(Fault, match="relay should be open"):
        monitor.substrate_shutter.set("open").wait(10)
    assert monitor.substrate_shutter.get() == "closed"


def test_a_shutter_moved_at_the_panel_is_noticed(wire: Wire, quartz: Quartz) -> None:
    clock = lab_clock()
    with connected(InficonSqm160, wire, clock=clock) as monitor:
        monitor.trigger().wait(10)
        quartz.substrate_shutter_open = True
        clock.sleep(SLOW_S + 1)
        monitor.trigger().wait(10)
        assert monitor.substrate_shutter.get() == "open"


def test_a_sensor_that_is_not_fitted_is_the_wrong_instrument(wire: Wire) -> None:
    with pytest.raises(WrongInstrument, match="has 2 sensors"), connected(InficonSqm160, wire, sensor=3):
        pass


def test_another_instrument_of_the_same_family_is_the_wrong_one(wire: Wire) -> None:
    wire.spoil = lambda answer: wire_sqm160.reply("A", "SQC-310 Ver 6.01") if wire.heard.endswith(b"@O7") else answer
    with pytest.raises(WrongInstrument, match="calls itself 'SQC-310"), connected(InficonSqm160, wire):
        pass


def test_the_defaults_are_never_restored(monitor: InficonSqm160, wire: Wire) -> None:
    monitor.material.set("Fe").wait(10)
    monitor.zero.set(1).wait(10)
    monitor.safe().wait(10)
    monitor.trigger().wait(10)
    assert wire_sqm160.request("Z") not in wire.heard


@pytest.mark.parametrize(("status", "reason"), [("C", "invalid command"), ("D", "bad value"), ("E", "wrong mode")])
def test_a_refusal_names_command_and_reason(monitor: InficonSqm160, wire: Wire, status: str, reason: str) -> None:
    wire.spoil = lambda answer: wire_sqm160.reply(status)
    with pytest.raises(Refused, match=f"'U1' was refused: {reason}"):
        monitor.substrate_shutter.set("open").wait(10)


def test_a_spoiled_answer_is_asked_again_once(monitor: InficonSqm160, wire: Wire) -> None:
    spoils = iter([lambda answer: b"\0\xff" + answer[:-1] + b"z"])
    wire.spoil = lambda answer: next(spoils, lambda a: a)(answer)
    monitor.trigger().wait(10)
    assert monitor.life.get() == 92.5
    wire.spoil = lambda answer: answer[:-1] + b"z"
    with pytest.raises(Garbled, match="checksum"):
        monitor.trigger().wait(10)


def test_garbage_before_an_answer_does_no_harm(monitor: InficonSqm160, wire: Wire) -> None:
    before = len(wire.heard)
    wire.spoil = lambda answer: b"\0\xff\xff" + answer
    monitor.trigger().wait(10)
    assert wire.heard[before:].count(wire_sqm160.request("W")) == 1


def test_no_answer(monitor: InficonSqm160, wire: Wire) -> None:
    wire.spoil = lambda answer: b""
    with pytest.raises(NoReply, match="no complete reply"):
        monitor.trigger().wait(10)


def test_setting_never_waits_for_the_wire(monitor: InficonSqm160, wire: Wire) -> None:
    wire.flowing.clear()
    statuses = [monitor.material.set("Co"), monitor.zero.set(1), monitor.trigger(), monitor.safe()]
    assert not any(status.done for status in statuses)
    wire.flowing.set()
    for status in statuses:
        status.wait(10)


def test_descriptions(monitor: InficonSqm160) -> None:
    description = monitor.describe()
    assert [description[f"device_{signal}"]["units"] for signal in ("rate", "thickness", "frequency", "life")] == [
        "nm/s",
        "nm",
        "Hz",
        "%",
    ]


def test_a_frame_with_a_wrong_checksum_is_not_obeyed(quartz: Quartz) -> None:
    simulated = inficon_sqm160.Sqm160(quartz)
    assert simulated.receive(b"!$U1xx") == b""
    assert not quartz.substrate_shutter_open
    assert wire_sqm160.parse_reply(simulated.receive(wire_sqm160.request("k"))) == ("C", "")
    for bad in ("A100?", "A1Fe 1", "D0", "N9", "U7", "B x"):
        assert wire_sqm160.parse_reply(simulated.receive(wire_sqm160.request(bad))) == ("D", ""), bad


REPLIES = st.builds(
    wire_sqm160.reply,
    st.sampled_from("ABCDEQ"),
    st.text(st.characters(min_codepoint=0x22, max_codepoint=0x7E), max_size=20),
)


@given(st.lists(st.binary(max_size=30) | REPLIES, max_size=8))
def test_whatever_comes_only_instrument_errors_leave_the_driver(answers: list[bytes]) -> None:
    monitor = babbled(InficonSqm160, answers)
    for verb in (monitor.identify, monitor.refresh, monitor.make_safe):
        with suppress(LinkError, Refused, WrongInstrument, Fault):
            verb()
