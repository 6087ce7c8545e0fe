from __future__ import annotations

import math

import pytest

from drivers.errors import Fault, Garbled, NoReply, SettingError, WrongInstrument
from drivers.lakeshore_475 import LakeShore475
from simulators.lakeshore_475 import Lakeshore475 as SimulatedLakeshore475
from tests.drivers.magnetometer_fixtures import Probe, Saying, Silent, a_clock, driven, on_pty, on_tcp, on_thread


@pytest.fixture
def clock():
    return a_clock()


@pytest.fixture
def probe():
    return Probe()


@pytest.fixture(params=[on_pty, on_tcp], ids=["pty", "socket"])
def served(request, probe, clock):
    with request.param(SimulatedLakeshore475(probe), clock) as served:
        yield served


@pytest.fixture
def meter(served):
    with driven(LakeShore475, served) as meter:
        yield meter


def test_identify_sets_tesla(meter, served):
    assert on_thread(meter, meter.identify).startswith("LSCI,MODEL475")
    assert b"UNIT 2\r\n" in served.heard  # as in InstrumentKit's test_lakeshore475.py


def test_field_in_millitesla(meter, probe):
    on_thread(meter, meter.identify)
    for field_t in (0.125, -1.5, 0.0, 2.5e-5):
        probe.field_t = field_t
        meter.trigger().wait(5)
        assert meter.field.get() == pytest.approx(1e3 * field_t, rel=1e-6)
    assert meter.fault.get() == ""


def test_refresh_is_one_exchange(meter, served):
    on_thread(meter, meter.identify)
    before = served.heard.count(b"\n")
    meter.trigger().wait(5)
    assert served.heard.count(b"\n") == before + 1


def test_overload_is_a_fault_and_no_field(meter, probe):
    on_thread(meter, meter.identify)
    probe.field_t = 4.0
    meter.trigger().wait(5)
    assert math.isnan(meter.field.get())
    assert "overload" in meter.fault.get()
    probe.field_t = 0.1
    meter.trigger().wait(5)
    assert meter.fault.get() == ""
    assert meter.field.get() == pytest.approx(100.0)


def test_a_unit_changed_at_the_front_panel_is_set_back(meter, served, probe):
    on_thread(meter, meter.identify)
    with served.at_work():
        served.instrument.answer(b"UNIT 1\r\n")
    meter._unit_checked_at = -math.inf  # a minute later
    meter.trigger().wait(5)
    assert meter.field.get() == pytest.approx(125.0)


def test_a_unit_that_cannot_be_set_is_a_fault(meter, served):
    with served.at_work():
        served.instrument._unit = 1
    served.mangle = lambda reply: b"1\r\n" if len(reply) < 5 else reply
    with pytest.raises(Fault, match="unit stays"):
        on_thread(meter, meter.identify)


def test_describe(meter):
    assert meter.describe()["device_field"]["units"] == "mT"
    with pytest.raises(SettingError):
        meter.field.set(1.0)


def test_safe_needs_no_wire(clock):
    with on_pty(Silent(), clock) as served, driven(LakeShore475, served) as meter:
        meter.safe().wait(5)
        assert served.heard == b""


@pytest.mark.parametrize("answer", [b"LSCI,MODEL336,LSA23JD/1234567,2.9\r\n", b"Stanford_Research_Systems\r\n"])
def test_another_instrument(clock, answer):
    with (
        on_pty(Saying(answer), clock) as served,
        driven(LakeShore475, served) as meter,
        pytest.raises(WrongInstrument, match="no Lake Shore 475"),
    ):
        on_thread(meter, meter.identify)


def test_no_instrument(clock):
    with (
        on_pty(Silent(), clock) as served,
        driven(LakeShore475, served, timeout_s=0.05) as meter,
        pytest.raises(NoReply, match="IDN"),
    ):
        on_thread(meter, meter.identify)


def test_garbled_once_is_asked_again_twice_is_told(meter, served):
    on_thread(meter, meter.identify)
    garbled = [b"\xff\xfe\r\n"]
    served.mangle = lambda reply: garbled.pop() if garbled else reply
    meter.trigger().wait(5)
    assert meter.field.get() == pytest.approx(125.0)
    served.mangle = lambda reply: b"\xff\r\n"
    with pytest.raises(Garbled):
        meter.trigger().wait(5)


def test_the_simulator_answers_as_published():
    instrument = SimulatedLakeshore475(Probe())
    instrument.receive(b"UNIT 2\r\n")
    assert instrument.receive(b"UNIT?\r\n") == b"2\r\n"  # InstrumentKit: 1 gauss, 2 tesla, 3 oersted
    assert instrument.receive(b"RDGFIELD?\r\n") == b"+1.250000E-01\r\n"
    instrument.receive(b"UNIT 1\r\n")
    assert float(instrument.receive(b"RDGFIELD?\r\n")) == pytest.approx(1250.0)
    assert instrument.receive(b"NONSENSE\r\n") == b""
    assert int(instrument.receive(b"*ESR?\r\n")) & 32
