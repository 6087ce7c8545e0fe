from __future__ import annotations

import pytest

from drivers.errors import Garbled, NoReply, Refused, SettingError, WrongInstrument
from drivers.srs_sr830 import SENSITIVITIES_V, TIME_CONSTANTS_S, Sr830
from simulators.srs_sr830 import Sr830 as SimulatedSr830
from tests.drivers.magnetometer_fixtures import Detector, Saying, Silent, a_clock, driven, on_pty, on_thread, on_visa


@pytest.fixture
def clock():
    return a_clock()


@pytest.fixture
def detector():
    return Detector()


@pytest.fixture
def served(detector, clock):
    with on_visa(SimulatedSr830(detector), clock) as served:
        yield served


@pytest.fixture
def lockin(served):
    with driven(Sr830, served) as lockin:
        on_thread(lockin, lockin.identify)
        yield lockin


def test_tables():
    assert len(SENSITIVITIES_V) == 27
    assert (SENSITIVITIES_V[0], SENSITIVITIES_V[14], SENSITIVITIES_V[25]) == (2e-9, 100e-6, 0.5)  # pymeasure
    assert len(TIME_CONSTANTS_S) == 20
    assert (TIME_CONSTANTS_S[0], TIME_CONSTANTS_S[8], TIME_CONSTANTS_S[19]) == (1e-5, 0.1, 3e4)


def test_identify_chooses_the_interface_first(lockin, served):
    assert served.heard.startswith(b"OUTX 1;*IDN?\n")
    assert lockin.sensitivity.get() == 1.0  # as found
    assert lockin.time_constant.get() == 0.1


def test_x_and_y_at_one_instant_in_one_exchange(lockin, served):
    before = served.heard.count(b"\n")
    lockin.trigger().wait(5)
    assert served.heard.count(b"\n") == before + 1
    assert served.heard.endswith(b"SNAP? 1,2;LIAS?\n")
    assert lockin.x.get() == pytest.approx(1.25e-3)
    assert lockin.y.get() == pytest.approx(-2.5e-5)
    assert lockin.overload.get() == 0
    assert lockin.fault.get() == ""


@pytest.mark.parametrize("index", range(27))
def test_every_sensitivity(lockin, served, index):
    lockin.sensitivity.set(SENSITIVITIES_V[index]).wait(5)
    assert served.instrument._switches["SENS"] == index
    assert lockin.sensitivity.get() == SENSITIVITIES_V[index]


def test_time_constant_reaches_the_detector(lockin, detector):
    lockin.time_constant.set(0.3).wait(5)
    assert detector.time_constant_s == 0.3


def test_an_overload_is_latched_until_it_is_read(lockin, detector):
    lockin.sensitivity.set(1e-3).wait(5)
    lockin.trigger().wait(5)
    assert lockin.overload.get() == 1
    assert lockin.x.get() == pytest.approx(1.09e-3)  # clipped
    lockin.sensitivity.set(5e-3).wait(5)
    lockin.trigger().wait(5)
    assert lockin.overload.get() == 0
    assert lockin.x.get() == pytest.approx(1.25e-3)


def test_an_unlocked_reference_is_a_fault(lockin, served):
    with served.at_work():
        served.instrument.unlock()
    lockin.trigger().wait(5)
    assert lockin.fault.get() == "reference unlocked"
    lockin.trigger().wait(5)
    assert lockin.fault.get() == ""


def test_only_its_own_ranges(lockin, served):
    before = served.heard
    for setting, value in ((lockin.sensitivity, 3e-3), (lockin.time_constant, 0.2), (lockin.sensitivity, 2.0)):
        with pytest.raises(SettingError, match="is not one of"):
            setting.set(value)
    assert served.heard == before


def test_what_it_does_not_take_over_is_refused(lockin, served):
    served.mangle = lambda reply: reply.replace(b"17\n", b"18\n")
    with pytest.raises(Refused, match=r"keeps 0\.002"):
        lockin.sensitivity.set(1e-3).wait(5)
    served.mangle = lambda reply: reply.replace(b"\n0\n", b"\n16\n")
    with pytest.raises(Refused, match="ESR"):
        lockin.sensitivity.set(1e-3).wait(5)


def test_describe(lockin):
    description = lockin.describe()
    assert description["device_x"]["units"] == "V"
    assert description["device_time_constant"]["units"] == "s"


def test_serial(detector, clock):
    with (
        on_pty(SimulatedSr830(detector, interface="rs232"), clock) as served,
        driven(Sr830, served, link=Sr830.open_link(f"ASRL{served.address}::INSTR", 1.0)) as lockin,
    ):
        on_thread(lockin, lockin.identify)
        assert served.heard.startswith(b"OUTX 0;*IDN?\n")
        lockin.trigger().wait(5)
        assert lockin.x.get() == pytest.approx(1.25e-3)


def test_it_answers_only_where_outx_points(detector):
    instrument = SimulatedSr830(detector)
    assert instrument.receive(b"OUTX 0\n*IDN?\n") == b""
    assert instrument.receive(b"OUTX 1\n*IDN?\n").startswith(b"Stanford_Research_Systems,SR830,")


def test_the_simulator_answers_as_published(detector):
    detector.x, detector.y = -4.17234e-7, -5.9605e-7
    assert SimulatedSr830(detector).receive(b"SNAP? 1,2\n") == b"-4.17234e-007,-5.9605e-007\n"  # pymeasure


@pytest.mark.parametrize("answer", [b"Stanford_Research_Systems,SR865A,003456,v1.55\n", b"KEPCO,BIT 4886 36-12,1,1\n"])
def test_another_instrument(clock, answer):
    with (
        on_visa(Saying(answer), clock) as served,
        driven(Sr830, served) as lockin,
        pytest.raises(WrongInstrument, match="no SR830"),
    ):
        on_thread(lockin, lockin.identify)


def test_no_instrument(clock):
    with on_visa(Silent(), clock) as served, driven(Sr830, served, timeout_s=0.05) as lockin:
        with pytest.raises(NoReply):
            on_thread(lockin, lockin.identify)
        lockin.safe().wait(5)


@pytest.mark.parametrize("reply", [b"1e-3,\n0\n", b"1e-3\n0\n", b"x,y\n0\n", b"1,2,3\n0\n", b"1,2\nz\n", b"\xff\n0\n"])
def test_garbled(lockin, served, reply):
    served.mangle = lambda _: reply
    with pytest.raises(Garbled):
        lockin.trigger().wait(5)
