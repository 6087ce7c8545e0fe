from __future__ import annotations

import math
import threading

import pytest

from drivers.errors import Fault, Garbled, Interrupted, NoReply, Refused, SettingError, WrongInstrument
from drivers.kepco_bop import KepcoBop
from simulators.kepco_bop import KepcoBop as SimulatedKepcoBop
from tests.drivers.magnetometer_fixtures import (
    Magnet,
    Saying,
    Silent,
    a_clock,
    driven,
    on_thread,
    on_visa,
    until_true,
)


@pytest.fixture
def clock():
    return a_clock()


@pytest.fixture
def coil(clock):
    return Magnet(clock)


@pytest.fixture
def served(coil, clock):
    with on_visa(SimulatedKepcoBop(coil), clock) as served:
        yield served


@pytest.fixture
def magnet(served):
    with driven(KepcoBop, served, limits={"current": (-10.0, 10.0)}, max_slew_a_s=2.0) as magnet:
        yield magnet


def test_it_says_who_it_is(magnet):
    assert on_thread(magnet, magnet.identify).startswith("KEPCO,BIT 4886 36-12")


def test_set_ramps_and_is_done_when_the_current_flows(magnet, coil):
    magnet.current.set(5.0).wait(20)
    assert coil.on
    assert coil.setpoint == 5.0
    assert magnet.current.get() == 5.0
    assert magnet.actual_current.get() == pytest.approx(5.0, abs=0.02)
    assert magnet.voltage.get() == pytest.approx(2.5, abs=0.02)


def test_no_step_exceeds_the_slew_limit(magnet, coil):
    for target in (6.0, -6.0, 0.3):
        magnet.current.set(target).wait(20)
    steps = list(zip(coil.commands, coil.commands[1:], strict=False))
    assert len(steps) > 10
    for (earlier, before), (later, after) in steps:
        assert abs(after - before) <= 2.0 * min(1.0, later - earlier) + 1e-4


def test_the_output_is_switched_on_at_zero_current_in_current_mode(magnet, coil, served):
    magnet.current.set(1.0).wait(20)
    assert coil.switched == [(True, 0.0)]
    assert b"FUNC:MODE CURR;:CURR 0;:VOLT 20;:OUTP 1" in served.heard


def test_safe_ramps_to_zero_before_the_output_goes_off_and_can_be_said_twice(magnet, coil):
    magnet.current.set(4.0).wait(20)
    magnet.safe().wait(20)
    assert not coil.on
    assert coil.switched == [(True, 0.0), (False, 0.0)]
    commands = list(coil.commands)
    magnet.safe().wait(20)
    assert coil.commands == commands
    assert coil.switched == [(True, 0.0), (False, 0.0)]


def test_safe_breaks_off_a_ramp_and_whatever_is_queued_behind_it(coil, served):
    with driven(KepcoBop, served, max_slew_a_s=0.05) as magnet:
        long = magnet.current.set(10.0)
        queued = magnet.current.set(-10.0)
        until_true(lambda: len(coil.commands) > 5)
        magnet.safe().wait(20)
        assert isinstance(long.exception(5), Interrupted)
        assert isinstance(queued.exception(5), Interrupted)
        assert max(abs(current) for _, current in coil.commands) < 5
        assert not coil.on
        magnet.current.set(0.01).wait(20)  # what is asked for afterwards is done


def test_set_and_safe_never_block(magnet, served):
    with served.at_work():  # the instrument answers nothing meanwhile
        done = threading.Event()
        statuses = []

        def ask():
            statuses.extend([magnet.current.set(1.0), magnet.trigger(), magnet.safe()])
            done.set()

        threading.Thread(target=ask).start()
        assert done.wait(5)
        assert not any(status.done for status in statuses)
    statuses[-1].wait(20)


def test_a_current_that_does_not_flow_is_a_fault(served, coil):
    coil.stuck_at = 0.4
    with (
        driven(KepcoBop, served, settle_s=1.0) as magnet,
        pytest.raises(Fault, match=r"0\.4 A .* where 2 A were asked"),
    ):
        magnet.current.set(2.0).wait(20)


def test_an_output_that_went_off_is_a_fault_and_the_next_set_starts_from_zero(magnet, coil, served):
    magnet.current.set(3.0).wait(20)
    with served.at_work():  # mains dip
        served.instrument.answer(b"*RST\n")
    with pytest.raises(Fault, match="went off"):
        magnet.current.set(3.2).wait(20)
    magnet.current.set(1.0).wait(20)
    assert coil.switched[-1] == (True, 0.0)


def test_current_that_will_not_go_to_zero_keeps_the_output_on(served, coil):
    with driven(KepcoBop, served, settle_s=1.0) as magnet:
        magnet.current.set(1.0).wait(20)
        coil.stuck_at = 1.0
        with pytest.raises(Fault, match="where 0 A"):
            magnet.safe().wait(20)
        assert coil.on
        coil.stuck_at = None
        magnet.safe().wait(20)
        assert not coil.on


def test_limits_are_checked_before_a_byte_is_sent(magnet, served):
    for value in (10.5, -11, math.nan):
        with pytest.raises(SettingError):
            magnet.current.set(value)
    assert served.heard == b""


def test_without_limits_the_supply_rating_holds(served):
    with driven(KepcoBop, served, max_current_a=12.0) as magnet, pytest.raises(SettingError):
        magnet.current.set(12.5)


def test_what_the_supply_refuses(served):
    served.instrument.magnet.max_current_a = 4.0  # a smaller model than the lab file says
    with driven(KepcoBop, served, max_slew_a_s=50.0) as magnet:
        with pytest.raises(Refused, match="Data out of range"):
            magnet.current.set(6.0).wait(20)
        assert "Data out of range" in magnet.fault.get()


def test_describe_has_units_precision_and_limits(magnet):
    description = magnet.describe()
    assert description["device_current"]["units"] == "A"
    assert description["device_current"]["upper_ctrl_limit"] == 10.0
    assert description["device_current"]["lower_ctrl_limit"] == -10.0
    assert description["device_actual_current"]["precision"] == 3
    assert description["device_voltage"]["units"] == "V"


def test_refresh_is_one_exchange(magnet, served):
    on_thread(magnet, magnet.identify)
    before = served.heard.count(b"\n")
    magnet.trigger().wait(5)
    assert served.heard.count(b"\n") == before + 1
    assert magnet.actual_current.get() == 0.0


def test_a_small_step_is_two_exchanges(magnet, served):
    magnet.current.set(1.0).wait(20)
    magnet.clock.sleep(1.0)
    before = served.heard.count(b"\n")
    magnet.current.set(1.01).wait(20)
    assert served.heard.count(b"\n") == before + 2


@pytest.mark.parametrize("answer", [b"LSCI,MODEL475,4750311,01172019\r\n", b"0\n"])
def test_another_instrument(clock, answer):
    with (
        on_visa(Saying(answer), clock) as served,
        driven(KepcoBop, served) as magnet,
        pytest.raises(WrongInstrument, match="no Kepco"),
    ):
        on_thread(magnet, magnet.identify)


def test_no_instrument(clock):
    with on_visa(Silent(), clock) as served, driven(KepcoBop, served, timeout_s=0.05) as magnet:
        with pytest.raises(NoReply):
            on_thread(magnet, magnet.identify)
        with pytest.raises(NoReply):
            magnet.trigger().wait(10)


def test_a_garbled_reading_is_asked_for_again(magnet, served):
    for garbled in ([b"\xff\x00\x9c\n"], [b"1.0E0;\n"], [b"1;1;x;0;0\n"]):
        served.mangle = lambda reply, once=garbled: once.pop() if once else reply
        magnet.trigger().wait(10)
        assert not garbled
    served.mangle = lambda reply: b"\xff\n"
    with pytest.raises(Garbled):
        magnet.trigger().wait(10)


def test_a_lost_answer_to_a_step_is_settled_by_asking(magnet, served, coil):
    magnet.current.set(1.0).wait(20)
    lost = [b"\xff\n"]
    served.mangle = lambda reply: lost.pop() if lost else reply
    magnet.current.set(2.0).wait(20)
    assert coil.setpoint == 2.0


def test_the_self_tests_are_never_sent(magnet, served):
    on_thread(magnet, magnet.identify)
    magnet.current.set(2.0).wait(20)
    magnet.trigger().wait(5)
    magnet.safe().wait(20)
    assert b"TST" not in served.heard.upper()


def test_a_bit_4882_card_is_given_its_2_ms(clock):
    class OldCard(SimulatedKepcoBop):
        def __init__(self, magnet):
            super().__init__(magnet)
            self._identity = "KEPCO,BIT 4882 05-14-97-001,1.5"

    with on_visa(OldCard(Magnet(clock)), clock) as served, driven(KepcoBop, served) as magnet:
        on_thread(magnet, magnet.identify)
        assert magnet._read_delay_s >= 0.002


def test_the_simulated_self_test_swings_the_output(clock, coil):
    SimulatedKepcoBop(coil).receive(b"DIAG:TST?\n")
    assert max(current for _, current in coil.commands) == 12.0
