from __future__ import annotations

import math

import pytest

from drivers.errors import WrongInstrument
from drivers.lakeshore_f71 import QUESTIONABLE, LakeShoreF71
from simulators.lakeshore_f71 import LakeshoreF71 as SimulatedF71
from tests.drivers.magnetometer_fixtures import Probe, a_clock, driven, on_pty, on_tcp, on_thread


@pytest.fixture
def clock():
    return a_clock()


@pytest.fixture(params=["pty", "tcp"])
def served(request, clock):
    on_wire = on_pty(SimulatedF71(Probe()), clock)
    if request.param == "tcp":
        on_wire = on_tcp(SimulatedF71(Probe()), clock, "tcp://{}:{}")
    with on_wire as served:
        yield served


@pytest.fixture
def meter(served):
    with driven(LakeShoreF71, served) as meter:
        on_thread(meter, meter.identify)
        yield meter


def test_field_and_both_registers_in_one_exchange(meter, served):
    before = served.heard.count(b"\n")
    meter.trigger().wait(5)
    assert served.heard.count(b"\n") == before + 1
    assert served.heard.endswith(b"FETCH:DC?;:STAT:OPER:COND?;:STAT:QUES:COND?\n")


@pytest.mark.parametrize("bit", QUESTIONABLE)
def test_what_is_wrong_with_the_probe_is_told_in_words(meter, served, bit):
    with served.at_work():
        served.instrument.questionable = 1 << bit
    meter.trigger().wait(5)
    assert meter.fault.get() == QUESTIONABLE[bit]
    assert math.isnan(meter.field.get())


def test_no_probe(meter, served):
    with served.at_work():
        served.instrument.probe_there = False
    meter.trigger().wait(5)
    assert meter.fault.get() == "no probe"
    assert math.isnan(meter.field.get())


def test_gauss_at_the_front_panel_is_noticed(meter, served):
    with served.at_work():
        served.instrument.gauss = True
    meter._unit_checked_at = -math.inf  # a minute later
    meter.trigger().wait(5)
    assert meter.field.get() == pytest.approx(125.0)


@pytest.mark.parametrize(("axes", "axis", "right"), [(3, "", 'give axis = "x"'), (1, "z", "leave out axis")])
def test_the_axis_must_fit_the_probe(clock, axes, axis, right):
    with (
        on_pty(SimulatedF71(Probe(), axes=axes), clock) as served,
        driven(LakeShoreF71, served, axis=axis) as meter,
        pytest.raises(WrongInstrument, match=right),
    ):
        on_thread(meter, meter.identify)


def test_a_magnitude_without_sign_is_never_taken(clock):
    with on_pty(SimulatedF71(Probe(), axes=3), clock) as served, driven(LakeShoreF71, served, axis="z") as meter:
        on_thread(meter, meter.identify)
        served.instrument.probe.field_t = -0.2
        meter.trigger().wait(5)
        assert meter.field.get() == pytest.approx(-200.0)
