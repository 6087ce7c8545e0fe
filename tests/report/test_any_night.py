"""Whatever a night was, and wherever its journal ends, there is a report of it: of random nights, most of them bad."""

from __future__ import annotations

import re
from datetime import UTC
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orchestrator.campaign import entries as e
from orchestrator.report import render
from orchestrator.report.consumables import Gas, consumables
from orchestrator.report.facts import Night
from orchestrator.report.grades import grades
from orchestrator.report.idle import shares
from orchestrator.report.loops import loop_frames
from orchestrator.report.repeatability import repeatability
from orchestrator.report.tables import sample_table
from orchestrator.report.timeline import timeline
from orchestrator.report.top import top_samples
from orchestrator.report.troubles import trouble_table
from orchestrator.report.verdict import verdict
from tests.report.synthetic import ELEMENTS, LAB, START, Script, campaign, recorded
from tests.report.test_page import parsed

MORE = (*ELEMENTS, "V", "Cr", "Cu", "Mn", "Pt")
VALUES = st.one_of(
    st.sampled_from([0.0, -1.0, 1.0, 1e-9, 1e12, 1.7e308 / 10, -1e300, 1942.0]),
    st.floats(min_value=-2000, max_value=2000),
)
LOOPS = st.sampled_from(
    [
        None,
        {},
        {"field_mt": [], "signal": []},
        {"field_mt": [1.0], "signal": [2.0]},
        {"field_mt": [0, 0, 0], "signal": [0, 0, 0], "unit": "A m2", "film": [], "film_unit": "kA/m"},
        {"field_mt": ["a", None, 3.0, 4.0], "signal": [1, 2, 3, "b"], "unit": 7, "film": [None, 2, 3, 4]},
        {"field_mt": [-1e300, 1e300], "signal": [1e-300, 1e300], "unit": "x"},
        {"field_mt": 5, "signal": "no list"},
        {"field_mt": [300.0, -300.0, 300.0], "signal": [1.0, -1.0, 1.0], "unit": "kA/m"},
    ]
)
ENDS = st.sampled_from(["done", "failed", "aborted", "interrupted", "unknown", "never"])
QUANTITIES = st.sampled_from(
    [{}, {"coercivity": {}}, {"coercivity": {"value": "?", "sigma": None}}, {"coercivity": {"value": -3, "sigma": 0}}]
)
DEVICES: Any = {"gun1": {"role": "gun", "settings": {"target": "Fe"}}, "argon": {"role": "gas", "settings": None}}
LABS = st.sampled_from(
    [
        {},
        LAB,
        LAB | {"stations": {"deposition": None, "oven": {"devices": None}, "odd": {"devices": DEVICES}}},
        LAB | {"stations": {"deposition": {"kind": "deposition", "devices": DEVICES}}, "targets": {"Fe": {}}},
        LAB | {"cassette": {"slots": 9, "substrate": None}, "targets": None, "reference": {"slot": 9}},
        LAB | {"targets": {"Fe": {"life_kwh": "?", "used_kwh": None}, "Co": {"life_kwh": 0, "used_kwh": 9}}},
    ]
)


@st.composite
def nights(draw: st.DrawFn) -> list[e.Recorded]:
    """A journal: a few samples that each go as far as luck takes them, cut off anywhere."""
    elements = MORE[: draw(st.integers(1, len(MORE)))]
    told = campaign(
        elements,
        samples=draw(st.integers(1, 40)),
        constraints=[],
        objectives=[
            {
                "quantity": draw(st.sampled_from(["saturation_magnetisation", "squareness", ""])),
                "direction": draw(st.sampled_from(["max", "min"])),
                "unit": draw(st.sampled_from(["kA/m", "1", ""])),
            }
        ],
        stopping=draw(st.sampled_from([None, {}, {"target": 1000.0}, {"target": None}])),
    )
    if draw(st.booleans()):
        told["film"] = told["film"] | {"argon_pressure_pa": {"min": 0.3, "max": 0.9, "step": None, "scale": "log"}}
    script = Script(told, draw(st.integers(0, 99)))
    script.timed[0] = (START, e.CampaignStarted(campaign=told, lab=draw(LABS), by="anna"))
    for number in range(1, draw(st.integers(0, 5)) + 1):
        if not a_sample(draw, script, number, isinstance(told["film"]["argon_pressure_pa"], dict)):
            break
        something_else(draw, script)
    if draw(st.booleans()):
        end = draw(st.sampled_from(["done", "stopped", "aborted", "needs operator"]))
        script.say(e.CampaignEnded(end=end, reason="luck"))
    journal = recorded(script.timed)
    return journal[: draw(st.one_of(st.just(len(journal)), st.integers(0, len(journal))))]


def a_sample(draw: st.DrawFn, script: Script, number: int, with_settings: bool) -> bool:
    """Whether the chamber is free again."""
    asked = draw(st.sampled_from([script.composition(number), {script.elements[0]: 1.0}]))
    applied = {"argon_pressure_pa": draw(st.floats(0.3, 0.9))} if with_settings else {}
    script.say(
        e.SampleSuggested(
            sample=number, slot=number, composition=asked, settings=applied, observed=0, pending=[], seconds=0,
            method=draw(st.sampled_from(["gp", "space-filling", "random", "by ear"])),
            hyperparameters=draw(st.sampled_from([None, {}, {"processes": [3], "fitted_to": 2}])),
        )
    )  # fmt: skip
    end = draw(ENDS)
    uid = script.begin("deposit", number, ["deposition"])
    script.now += draw(st.sampled_from([0.0, 1.0, 1500.0]))
    if end == "never":
        return False
    if end == "done" or draw(st.booleans()):
        script.say(script.film(number, asked, finished=end == "done"))
    script.say(e.StepEnded(step=uid, end=end, error="<odd> & bad", fault=draw(st.sampled_from(["", "vacuum"]))))
    made = any(isinstance(entry, e.FilmDeposited) and entry.sample == number for _, entry in script.timed)
    if not made:
        if end != "unknown":
            script.say(e.SampleDiscarded(sample=number, by="recovery policy", reason="luck"))
        else:
            script.say(e.SampleQuarantined(sample=number, reason="unknown"))
        return end != "unknown"
    uid = script.measure(number)
    value = draw(VALUES)
    validity = draw(st.sampled_from(["valid", "valid", "valid", "censored", "failed"]))
    failed = validity == "failed"
    seen = script.observe(number, validity, "a reason").model_copy(
        update={
            "value": None if failed else value,
            "sigma": None if failed else draw(st.sampled_from([0.0, 1e-6, abs(value) / 50, 1e6])),
            "settings": applied,
            "loop": draw(LOOPS),
            "quantities": draw(QUANTITIES),
        }
    )
    script.say(seen)
    script.end(uid)
    if draw(st.integers(0, 3)) == 0:
        script.say(e.ObservationWithdrawn(sample=number, reason="the magnetometer drifted"))
    return True


def something_else(draw: st.DrawFn, script: Script) -> None:
    script.now += draw(st.sampled_from([0.0, 60.0, 90_000.0]))
    script.say(
        *draw(
            st.sampled_from(
                [
                    (),
                    (e.StationLost(station="deposition", reason="died", for_good=True),),
                    (e.StationLost(station="nowhere", reason="died"), e.DaemonStarted(boot="")),
                    (e.OptimizerLost(reason="died"),),
                    (e.CommandGiven(command="hold", by="anna", reason="<b>"), e.CampaignHeld()),
                    (e.OperatorNeeded(reason="help"),),
                    (e.RatesCalibrated(rates={}, energy_kwh={"Fe": 0.0, "Xx": 1e9}),),
                    (e.ModelAssessed(observed=3, residuals={"1": 99.0, "0": -99.0}, within_one=0.5),),
                    (
                        e.ModelAssessed(
                            observed=9, residuals={"1": 0.0}, within_one=1.0, within_two=1.0, log_density=0.0
                        ),
                    ),
                ]
            )
        )
    )
    script.now += 1.0
    if any(isinstance(entry, e.CommandGiven) and entry.command == "hold" for _, entry in script.timed[-2:]):
        script.say(e.CommandGiven(command="resume", by="anna", reason=""))


UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)  # a page takes a second
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=80, deadline=None, suppress_health_check=SLOW)
@given(nights())
def test_the_facts_of_any_night(journal: list[e.Recorded]) -> None:
    night = Night(journal, UTC)
    for part in (timeline, trouble_table, sample_table, repeatability, loop_frames):
        parsed(part(night))
    parsed(verdict(night, None))
    parsed(consumables(night, Gas(20.0, 3)))
    for of in shares(night):
        assert abs(of.total - (night.end - night.start)) < 1e-3
    told = grades(night, "it was not asked", None)
    assert len({grade.measure for grade in told}) == len(told) == 12
    assert all(grade.how for grade in told)


@settings(max_examples=12, deadline=None, suppress_health_check=SLOW, phases=UNSHRUNK)
@given(nights())
def test_the_page_of_any_night(journal: list[e.Recorded]) -> None:
    page = render(journal, simulated=True, zone=UTC)
    tags = parsed(page)
    assert [name for name, times in tags.ids.items() if times > 1] == []
    assert re.findall(r"\b(?:nan|inf)\b", page, re.IGNORECASE) == []
    assert len(page) < 3_000_000


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
@given(nights())
def test_the_best_of_any_night(journal: list[e.Recorded]) -> None:
    parsed(top_samples(Night(journal, UTC)))
