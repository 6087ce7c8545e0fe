"""A loop on the bench, and what becomes of the magnet when it is disturbed."""

from __future__ import annotations

import math

import pytest

from protocols.gates import Aborted, ProtocolError
from protocols.magnetometry import measure
from tests.execution import bench
from tests.protocols.stage import Stage

LOOP = {"max_field_mt": 300.0, "coarse_step_mt": 50.0, "fine_step_mt": 0.5, "dwell_s": 2.0}


def prepare(orders=None, film=None, **changes):
    clock = bench.StepClock()
    station, world = bench.magnetometer(clock, world=film)
    stage = Stage(clock, orders or {})
    return station, world, stage, measure(station, clock, **{**LOOP, **changes})


def test_a_loop_goes_from_one_end_to_the_other_and_back():
    station, world, stage, plan = prepare()
    loop = stage.perform(plan)["loop"]
    fields = loop["field_mt"]
    assert fields[0] == pytest.approx(300.0)
    assert min(fields) == pytest.approx(-300.0)
    assert fields[-1] == pytest.approx(300.0)
    lowest = fields.index(min(fields))
    assert fields[: lowest + 1] == sorted(fields[: lowest + 1], reverse=True)
    assert fields[lowest:] == sorted(fields[lowest:])
    assert 60 < len(fields) < 140
    assert len(stage.events) == len(fields) == len(loop["signal"]) == len(loop["at_s"])
    assert not any(loop["overloaded"])
    assert world.current_a == 0
    assert station.signal.time_constant.get() <= 2.0 / 7 * 1.001
    assert station.signal.sensitivity.get() < 0.01


def test_an_overload_is_answered_with_a_coarser_sensitivity():
    _station, _world, stage, plan = prepare(film=bench.Film(background=-4e-6, ms_am2=1e-6))
    outcome = stage.perform(plan)
    assert not any(outcome["loop"]["overloaded"])


def test_an_overload_at_any_sensitivity_is_kept_as_what_it_is():
    _station, world, stage, plan = prepare()
    world.highest_v = 1e-3
    outcome = stage.perform(plan)
    assert any(outcome["loop"]["overloaded"])


def test_a_probe_that_sees_no_field_is_named():
    station, world, stage, plan = prepare()
    station.field_meter.refresh = lambda: station.field_meter.field.update(math.nan)
    with pytest.raises(ProtocolError, match="hall: nan mT where 300 mT was set"):
        stage.perform(plan)
    assert world.current_a == 0


def test_a_dwell_too_short_for_the_lock_in_is_refused():
    _, _, stage, plan = prepare(dwell_s=1e-6)
    with pytest.raises(ProtocolError, match="too short"):
        stage.perform(plan)


def test_a_hold_or_abort_before_any_message_leaves_the_magnet_at_zero():
    _, _, stage, plan = prepare(coarse_step_mt=200.0, fine_step_mt=10.0)
    stage.perform(plan)
    points = len(stage.events)
    for order in ("hold", "abort"):
        for index in range(len(stage.messages)):
            _, world, disturbed, plan = prepare({index: order}, coarse_step_mt=200.0, fine_step_mt=10.0)
            try:
                outcome = disturbed.perform(plan)
            except Aborted:
                assert order == "abort"
            else:
                assert order == "hold" or index >= len(stage.messages) - 12  # after the last gate
                assert len(outcome["loop"]["field_mt"]) == points
            assert world.current_a == 0
