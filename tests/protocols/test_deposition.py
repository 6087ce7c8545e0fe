"""The deposition, performed on a bench whose truth is known, and disturbed at every one of its messages."""

from __future__ import annotations

import itertools
import json
import math
import statistics

import pytest

from drivers.errors import Fault, NoReply, SettingError
from protocols import calibration
from protocols.calibration import calibrate, calibrate_gun
from protocols.deposition import deposit
from protocols.gates import Aborted, NotSecured, ProtocolError
from protocols.growth import Record
from tests.execution import bench
from tests.protocols.stage import Stage

WANTED = {"Fe": 0.6, "Co": 0.3, "Ni": 0.1}
FILM = {"thickness_nm": 12.0, "argon_pressure_pa": 0.5, "power_w": 100.0, "presputter_s": 20.0}
TODAY_S = 1.9e9
"""Lab time of a real day, at which a double is less fine than near zero."""


def prepare(orders=None, now=1000.0, **changes):
    clock = bench.StepClock(now)
    station, world = bench.chamber(clock)
    stage = Stage(clock, orders or {})
    return station, world, stage, deposit(station, clock, **{"composition": WANTED, **FILM, **changes})


def made(world):
    volumes = {"Fe": 7.10, "Co": 6.65, "Ni": 6.59}
    amounts = {el: nm / volumes[el] for el, nm in world.dose_nm.items()}
    return {el: amount / sum(amounts.values()) for el, amount in amounts.items()}


def test_the_film_is_what_was_asked_for_and_what_the_outcome_says():
    _station, world, stage, plan = prepare()
    outcome = stage.perform(plan)
    true = made(world)
    assert outcome["begun"]
    assert outcome["finished"]
    assert world.times_opened == 1
    assert world.is_safe()
    assert not world.unsafe
    for element, wanted in WANTED.items():
        assert true[element] == pytest.approx(wanted, abs=0.01)  # powers are whole watts
        assert abs(outcome["composition"][element] - true[element]) < 3 * outcome["composition_sigma"][element]
        assert outcome["doses"][element]["thickness_nm"] == pytest.approx(world.dose_nm[element], rel=0.01)
    assert outcome["thickness_nm"] == pytest.approx(sum(world.dose_nm.values()), rel=0.01)
    assert outcome["thickness_nm"] == pytest.approx(12.0, abs=0.3)
    assert 0 < outcome["thickness_sigma_nm"] < 0.5
    assert outcome["monitor_thickness_nm"] == pytest.approx(outcome["thickness_nm"], rel=0.01)
    assert outcome["energy_kwh"]["Fe"] > 0
    assert stage.stop["exit_status"] == "success"


def test_rates_of_an_earlier_film_set_the_powers_from_the_start():
    known = {el: {"nm_s_w": k, "sigma": 0.01 * k} for el, k in {"Fe": 1.2e-3, "Co": 1.0e-3, "Ni": 1.4e-3}.items()}
    station, _world, stage, plan = prepare(rates=known)
    outcome = stage.perform(plan)
    assert outcome["finished"]
    calibrations = [m for m in stage.messages if m.command == "apply" and m.args[0][0] is station.monitor.material]
    assert len(calibrations) == 3  # none twice


def test_a_failed_crystal_falls_back_on_the_rates_of_an_earlier_film_and_says_so():
    known = {el: {"nm_s_w": k, "sigma": 0.0} for el, k in {"Fe": 1.2e-3, "Co": 1.0e-3, "Ni": 1.4e-3}.items()}
    _station, world, stage, plan = prepare(rates=known)
    world.crystal_failed = True
    outcome = stage.perform(plan)
    assert outcome["finished"]
    assert any("earlier film" in remark and "crystal failed" in remark for remark in outcome["remarks"])
    assert outcome["composition_sigma"]["Fe"] > 0.01
    assert outcome["monitor_thickness_nm"] is None


def test_a_failed_crystal_without_earlier_rates_ends_before_the_film_is_begun():
    _station, world, stage, plan = prepare()
    world.crystal_failed = True
    with pytest.raises(ProtocolError, match="crystal failed; change the crystal"):
        stage.perform(plan)
    assert not stage.outcome["begun"]
    assert world.times_opened == 0
    assert world.is_safe()


def test_a_power_below_what_a_plasma_needs_is_clipped_and_told():
    _station, world, stage, plan = prepare(composition={"Fe": 0.99, "Ni": 0.01})
    outcome = stage.perform(plan)
    assert any("power clipped: Ni" in remark for remark in outcome["remarks"])
    assert outcome["composition"]["Ni"] == pytest.approx(made(world)["Ni"], abs=0.002)
    assert outcome["composition"]["Ni"] > 0.02
    assert "Co" not in outcome["doses"]


def test_a_plasma_that_will_not_strike_is_helped_with_pressure_and_brought_back():
    station, world, stage, plan = prepare()
    world.strikes_to_fail["Co"] = 2
    outcome = stage.perform(plan)
    assert outcome["finished"]
    flows = [m.args[0][1] for m in stage.messages if m.command == "apply" and m.args[0][0] is station.gas.flow]
    assert max(flows) > 1.8 * flows[0]
    assert stage.events[0]["gauge_pressure"] == pytest.approx(0.5, rel=0.06)


def test_a_plasma_that_never_strikes_is_given_up():
    _station, world, stage, plan = prepare()
    world.strikes_to_fail["Co"] = 99
    with pytest.raises(ProtocolError, match="gun2 did not strike in 4 attempts"):
        stage.perform(plan)
    assert world.is_safe()
    assert stage.stop["exit_status"] == "fail"
    assert "did not strike" in stage.stop["reason"]


def test_a_leak_is_named_before_any_gas():
    station, world, stage, plan = prepare()
    station.base_pressure_pa = 1e-6
    with pytest.raises(ProtocolError, match=r"base pressure is 1\.0e-06 Pa; look for a leak"):
        stage.perform(plan)
    assert world.flow == 0


def test_gas_that_does_not_come_is_named():
    _station, world, stage, plan = prepare()
    world.pumping_m3_s = 1e6
    with pytest.raises((ProtocolError, SettingError), match=r"Ar supply|outside the limits"):
        stage.perform(plan)
    assert world.is_safe()


def test_an_element_without_a_target_is_refused():
    with pytest.raises(ProtocolError, match="no target of Ta is mounted in deposition; it has Fe, Co, Ni"):
        prepare_and_run(composition={"Ta": 1.0})


def test_a_heater_is_not_pretended():
    with pytest.raises(ProtocolError, match="does not heat its films"):
        prepare_and_run(temperature_c=300)


def prepare_and_run(**changes):
    _, _, stage, plan = prepare(**changes)
    return stage.perform(plan)


def test_a_shutter_that_does_not_close_is_reported_and_everything_else_is_still_made_safe():
    station, world, stage, plan = prepare()
    station.guns["Co"].fails["shutter closed"] = NoReply("gun2: nothing came")

    with pytest.raises((NotSecured, NoReply), match="nothing came"):
        stage.perform(plan)
    assert not any(world.lit.values())
    assert world.flow == 0
    assert not world.substrate_open


def test_a_fault_while_opening_the_substrate_shutter_leaves_the_dose_uncertain_not_zero():
    station, world, stage, plan = prepare()
    station.monitor.fails["substrate open"] = Fault("monitor: relay reads otherwise")
    with pytest.raises(Fault):
        stage.perform(plan)
    assert stage.outcome["begun"]
    assert not stage.outcome["finished"]
    assert stage.outcome["shutter_open_sigma_s"] > 0
    assert world.is_safe()


def count_messages() -> int:
    _, _, stage, plan = prepare()
    stage.perform(plan)
    return len(stage.messages)


def test_a_hold_before_any_message_makes_the_same_film():
    _, world, stage, plan = prepare()
    undisturbed = stage.perform(plan)
    for index in range(len(stage.messages)):
        _station, world, held, plan = prepare({index: "hold"})
        outcome = held.perform(plan)
        assert outcome["finished"], index
        assert outcome["thickness_nm"] == pytest.approx(sum(world.dose_nm.values()), rel=0.02), index
        assert outcome["thickness_nm"] == pytest.approx(undisturbed["thickness_nm"], rel=0.03), index
        assert world.times_opened <= 1 + held.holds, index
        assert world.is_safe(), index
        assert not world.unsafe, index


def test_an_abort_before_any_message_leaves_the_chamber_safe_and_the_books_right():
    _, world, stage, plan = prepare()
    stage.perform(plan)
    for index in range(len(stage.messages)):
        _station, world, aborted, plan = prepare({index: "abort"})
        try:
            aborted.perform(plan)
        except Aborted:
            assert aborted.stop.get("exit_status", "abort") == "abort", index
        outcome = aborted.outcome
        assert world.is_safe(), index
        assert not world.unsafe, index
        assert world.times_opened <= 1, index
        if outcome:  # the abort may come before the first message
            assert outcome["begun"] is (world.times_opened == 1), index
            assert sum(world.dose_nm.values()) == pytest.approx(outcome["thickness_nm"], abs=0.1), index
            assert not outcome["finished"] or outcome["thickness_nm"] > 11.5, index


def test_the_act_is_marked_before_the_shutter_opens():
    station, _world, stage, plan = prepare()
    stage.perform(plan)
    commands = [m.command for m in stage.messages]
    opening = next(
        i
        for i, m in enumerate(stage.messages)
        if m.command == "apply" and (station.monitor.substrate_shutter, "open") in m.args
    )
    assert commands[opening - 1] == "mark"
    assert [mark for mark, _ in stage.marks] == ["uncover", "cover"]


def test_the_marks_have_what_the_film_is_computed_from():
    """Should the process die with the shutter open, or after it was closed."""
    _station, world, stage, plan = prepare()
    outcome = stage.perform(plan)
    uncovered, covered = (Record.of(facts["film"]) for _, facts in stage.marks)
    assert (uncovered.begun, uncovered.finished, uncovered.ledger.opened) == (True, False, None)
    assert uncovered.ledger.opening is not None
    assert uncovered.indicated is not None
    assert uncovered.ledger.as_of - uncovered.indicated.zeroed_at < 60
    assert (covered.finished, covered.ledger.opening) == (True, None)
    film = uncovered.growth.film(covered.ledger.closed_s, covered.ledger.closed_sigma_s)
    assert film["composition"] == outcome["composition"]
    assert film["thickness_nm"] == pytest.approx(sum(world.dose_nm.values()), rel=0.02)
    assert uncovered.ledger.target_s == pytest.approx(covered.ledger.closed_s, abs=1.0)


def test_a_growing_film_is_recorded_with_every_event():
    _station, _world, stage, plan = prepare(thickness_nm=60.0)
    stage.perform(plan)
    films = [Record.of(m.args[0]["film"]) for m in stage.messages if m.command == "record"]
    growing = [film.ledger for film in films if film.ledger.opened is not None]
    assert len(growing) > 5
    for earlier, later in itertools.pairwise(growing):
        assert 0 < later.as_of - earlier.as_of < 35
    assert json.loads(json.dumps(films[-1].as_dict())) == films[-1].as_dict()


def test_a_plan_never_waits_for_less_than_a_clock_can_tell():
    for tenths in range(15, 45):
        _station, world, stage, plan = prepare(now=TODAY_S + tenths / 7, thickness_nm=tenths / 10, presputter_s=5.0)
        outcome = stage.perform(plan)
        assert outcome["finished"]
        assert outcome["thickness_nm"] == pytest.approx(sum(world.dose_nm.values()), rel=0.05)


def test_a_rate_from_few_readings_is_as_unsure_as_they_make_it(monkeypatch):
    monkeypatch.setattr(calibration, "READINGS", (4, 4))
    clock = bench.StepClock()
    station, _world = bench.chamber(clock)
    shown = [0.063, 0.064, 0.065, 0.064]
    left, rate = iter(shown), station.monitor.rate
    monkeypatch.setattr(station.monitor, "refresh", lambda: rate.update(next(left)))
    measured_rate = Stage(clock).perform(calibrate_gun(station, "Fe", 37.0))
    scatter = math.sqrt(3) * statistics.stdev(shown) / math.sqrt(4)  # Student's t with three degrees of freedom
    measured = math.hypot(scatter, 1e-4 / math.sqrt(12)) / statistics.fmean(shown)
    assert measured_rate.relative_sigma(37.0) == pytest.approx(math.hypot(measured, station.tooling_sigma))


def test_calibration_makes_no_film_and_measures_the_rates():
    clock = bench.StepClock()
    station, world = bench.chamber(clock)
    stage = Stage(clock)
    outcome = stage.perform(
        calibrate(station, clock, elements=["Fe", "Ni"], argon_pressure_pa=0.5, power_w=60, presputter_s=10)
    )
    assert outcome["rates"]["Fe"]["nm_s_w"] == pytest.approx(1.2e-3, rel=0.02)
    assert outcome["rates"]["Ni"]["nm_s_w"] == pytest.approx(1.4e-3, rel=0.02)
    assert world.times_opened == 0
    assert world.is_safe()
