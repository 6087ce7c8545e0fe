from __future__ import annotations

import pytest

from drivers.errors import Garbled, Refused
from drivers.srs_sr860 import SENSITIVITIES_V, TIME_CONSTANTS_S, Sr860
from simulators.srs_sr860 import Sr860 as SimulatedSr860
from tests.drivers.magnetometer_fixtures import Detector, a_clock, driven, on_thread, on_visa


@pytest.fixture
def clock():
    return a_clock()


@pytest.fixture
def served(clock):
    with on_visa(SimulatedSr860(Detector()), clock) as served:
        yield served


@pytest.fixture
def lockin(served):
    with driven(Sr860, served) as lockin:
        on_thread(lockin, lockin.identify)
        yield lockin


def test_tables():
    assert len(SENSITIVITIES_V) == 28
    assert (SENSITIVITIES_V[0], SENSITIVITIES_V[13], SENSITIVITIES_V[27]) == (1.0, 5e-5, 1e-9)  # pymeasure
    assert len(TIME_CONSTANTS_S) == 22
    assert (TIME_CONSTANTS_S[0], TIME_CONSTANTS_S[10], TIME_CONSTANTS_S[21]) == (1e-6, 0.1, 3e4)


@pytest.mark.parametrize(("volts", "index"), [(1.0, 0), (0.5, 0), (0.1, 1), (0.05, 2), (0.01, 3), (5e-3, 4), (1e-9, 4)])
def test_the_input_range_goes_with_the_sensitivity(lockin, served, volts, index):
    lockin.sensitivity.set(volts).wait(5)
    assert served.instrument._switches["IRNG"] == index


def test_an_overload_of_the_input_goes_with_less_sensitivity(lockin, served):
    served.instrument.detector.x = 0.02
    lockin.sensitivity.set(5e-3).wait(5)
    lockin.trigger().wait(5)
    assert lockin.overload.get() == 1
    lockin.sensitivity.set(5e-2).wait(5)
    lockin.trigger().wait(5)
    lockin.trigger().wait(5)
    assert lockin.overload.get() == 0
    assert lockin.x.get() == pytest.approx(0.02)


def test_answers_on_a_line_each_are_read_too(lockin, served):
    served.mangle = lambda reply: reply.replace(b";", b"\n")
    lockin.trigger().wait(5)
    assert lockin.x.get() == pytest.approx(1.25e-3)


def test_a_refused_setting(lockin, served):
    with served.at_work():
        served.instrument._set = lambda mnemonic, argument: setattr(served.instrument, "_events", 1 << 4)
    with pytest.raises(Refused, match="SCAL 9 refused"):
        lockin.sensitivity.set(1e-3).wait(5)


def test_garbled_twice_is_told(lockin, served):
    served.mangle = lambda reply: b"1.0;1.0,2.0;3\n"
    with pytest.raises(Garbled):
        lockin.trigger().wait(5)
