"""What is shown of a state, without a server."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.campaign import entries as e
from orchestrator.campaign.labspec import load_lab
from orchestrator.campaign.lifecycle import CAMPAIGN_TRANSITIONS, Command, CommandRefused, Mode, next_mode
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState
from orchestrator.campaign.why import distance, exploration
from orchestrator.console import foresight as foresight_module
from orchestrator.console import maps
from orchestrator.console.foresight import BASES, finish
from orchestrator.console.history import History
from orchestrator.console.shapes import Line, View
from orchestrator.console.view import need, row, view
from orchestrator.console.why import why
from orchestrator.console.words import line
from orchestrator.optimizer.making import make_optimizer
from orchestrator.service.forecast import forecast
from orchestrator.service.foresight import EVERY_S, Foresight
from orchestrator.service.history import Basis
from orchestrator.service.status import status
from tests.campaign.stories import ended, film, intended, observed, suggested, transfer
from tests.campaign.test_terms import SQUARE, entries_of, two
from tests.service.nights import campaign

LAB = load_lab(Path(__file__).parents[2] / "campaigns/labs/vsm.toml")
DEPOSIT: Any = {"composition": {"Fe": 1.0}, "rates": {"Fe": {"nm_s_w": 0.001}}, "thickness_nm": 50.0, "power_w": 100.0}
GOLDEN = Path(__file__).parents[1] / "campaign/entries.golden.jsonl"


def told(*entries: e.Entry, spec: Campaign | None = None, dt: float = 60.0) -> tuple[CampaignState, History]:
    """State and history after `entries`, `dt` lab seconds apart."""
    state, history = CampaignState(), History()
    begun = e.CampaignStarted(campaign=(spec or campaign()).model_dump(mode="json"), lab={}, by="tester")
    for version, entry in enumerate((begun, *entries), 1):
        recorded = e.Recorded(version, 1000.0 + dt * version, entry)
        state.apply(recorded)
        history.take(recorded)
    return state, history


def shown(state: CampaignState, history: History, spec: Campaign | None = None) -> View:
    return view(state, spec or campaign(), LAB, history, simulated=True)


def made(sample: int, value: float = 1500.0) -> list[e.Entry]:
    """A sample from suggestion to observation, home again."""
    n = sample
    return [
        suggested(n),
        *transfer(f"{n}a", n, f"cassette/{n}", "deposition", "deposition"),
        intended(f"{n}b", "deposit", n, ["deposition"], **DEPOSIT),
        film(n),
        ended(f"{n}b"),
        *transfer(f"{n}c", n, "deposition", "magnetometry", "deposition", "magnetometry"),
        intended(f"{n}d", "measure", n, ["magnetometry"], **campaign().measurement.model_dump(exclude_none=True)),
        observed(n, value),
        ended(f"{n}d"),
        *transfer(f"{n}e", n, "magnetometry", f"cassette/{n}", "magnetometry"),
    ]


# --- the mode and what may be done --------------------------------------------------------------------------


def test_what_may_be_done_is_what_the_daemon_takes() -> None:
    state, history = told(e.CommandGiven(command="hold", by="a", reason=""))
    assert state.mode is Mode.HOLDING
    for command in shown(state, history).may:
        next_mode(state.mode, Command(command))
    assert shown(state, history).may == ["hold", "resume", "stop", "abort"]
    over, history = told(e.CommandGiven(command="abort", by="a", reason=""), e.CampaignEnded(end="aborted", reason="x"))
    assert shown(over, history).may == []
    for command in Command:
        with pytest.raises(CommandRefused):
            next_mode(over.mode, command)


def test_every_command_of_every_mode_is_offered_or_changes_nothing() -> None:
    left_out = {(Mode.RUNNING, Command.RESUME)} | {(mode, Command.RECOVER) for mode in Mode}
    for mode, command in CAMPAIGN_TRANSITIONS:
        state, history = told()
        state.mode = mode
        offered = command.value in shown(state, history).may
        assert offered or (mode, command) in left_out


def test_why_a_person_is_needed_and_what_to_give() -> None:
    assert need(told()[0]) is None
    called = need(told(e.OperatorNeeded(reason="find sample 3"))[0])
    assert called is not None
    assert (called.text, called.command, called.seq) == ("find sample 3", "recover", 2)
    hold = e.CommandGiven(command="hold", by="recovery policy", reason="3 failures", after_steps=True)
    held = need(told(hold)[0])
    assert held is not None
    assert (held.text, held.command) == ("3 failures", "resume")
    over = [e.OperatorNeeded(reason="find it"), e.CampaignEnded(end="needs operator", reason="find it")]
    gone = need(told(*over)[0])
    assert gone is not None
    assert gone.command is None


def test_stations_by_the_journal() -> None:
    state, history = told(
        suggested(1),
        intended("a", "transfer", 1, ["robot", "deposition"], source="cassette/1", destination="deposition"),
        e.StationLost(station="magnetometry", reason="died"),
    )
    stations = shown(state, history).stations
    assert {name: station.state for name, station in stations.items()} == {
        "robot": "running",
        "deposition": "claimed",
        "magnetometry": "lost",
    }
    step = stations["robot"].step
    assert step is not None
    assert (step.source, step.destination, step.since) == ("cassette/1", "deposition", 1000.0 + 3 * 60)


# --- the past -----------------------------------------------------------------------------------------------


def test_best_so_far_is_every_improvement_and_forgets_what_is_withdrawn() -> None:
    values = {1: 1500.0, 2: 1400.0, 3: 1700.0, 4: 1600.0}
    night = [entry for number, value in values.items() for entry in made(number, value)]
    state, history = told(*night)
    assert [(p.sample, p.count) for p in shown(state, history).best_so_far] == [(1, 1), (3, 3)]
    state, history = told(*night, e.ObservationWithdrawn(sample=3, reason="drift"))
    assert [(p.sample, p.count) for p in shown(state, history).best_so_far] == [(1, 1), (4, 3)]
    lowest = campaign(direction="min")
    state, history = told(*night, spec=lowest)
    assert [p.sample for p in shown(state, history, lowest).best_so_far] == [1, 2]
    best = shown(state, history, lowest).best
    assert best is not None
    assert best.sample == 2


# --- how long it takes --------------------------------------------------------------------------------------


def test_a_step_takes_what_the_status_says() -> None:
    deposit = intended("b", "deposit", 1, ["deposition"], **DEPOSIT)
    state, history = told(suggested(1), *transfer("a", 1, "cassette/1", "deposition", "deposition"), deposit)
    step = shown(state, history).stations["deposition"].step
    assert step is not None
    said = status(state, campaign(), state.time, lab=LAB).stations["deposition"]
    assert (step.expected_s, step.expected_late_s) == (said.expected_s, said.late_s)
    assert step.expected_basis == BASES["the plans"]


def test_every_basis_has_words() -> None:
    assert set(BASES) == set(get_args(Basis))


def night_of(samples: int, *last: e.Entry, **spec: Any) -> tuple[CampaignState, Campaign]:
    """A night in which four samples are done."""
    wanted = campaign(samples=samples, **spec)
    return told(*[entry for n in (1, 2, 3, 4) for entry in made(n)], *last, spec=wanted)[0], wanted


def test_the_page_and_the_status_foresee_the_same_end() -> None:
    state, spec = night_of(10, stopping={"target": 2500.0})
    found, said = finish(state, spec, LAB, state.time), forecast(state, spec, LAB, state.time)
    assert found is not None
    assert said is not None
    assert (found.low, found.middle, found.high) == (said.early, said.likely, said.late)
    assert (found.films_to_come, found.basis, found.open_ended) == (6, BASES[said.basis], True)


@pytest.mark.parametrize("last", [e.CommandGiven(command="hold", by="a", reason=""), e.OperatorNeeded(reason="x")])
def test_nobody_says_when_a_night_ends_that_is_held_or_needs_somebody(last: e.Entry) -> None:
    state, spec = night_of(10, last)
    assert finish(state, spec, LAB, state.time) is None


def test_before_a_stop_only_the_films_under_way_are_to_come() -> None:
    state, spec = night_of(10, suggested(5), e.CommandGiven(command="stop", by="a", reason=""))
    found, on = finish(state, spec, LAB, state.time), finish(*night_of(10, suggested(5)), LAB, state.time)
    assert found is not None
    assert on is not None
    assert found.films_to_come == 1
    assert found.high < on.low


def test_an_end_is_foreseen_at_most_once_a_second_and_at_once_where_somebody_changed_something() -> None:
    clock = [0.0]
    foresight = Foresight(finish, lambda: clock[0])
    state, spec = night_of(10)
    first = foresight.told(state, spec, LAB, state.time)
    assert first is not None
    clock[0] = EVERY_S - 0.01
    assert foresight.told(state, spec, LAB, state.time + 600) is first
    held, _ = night_of(10, e.CommandGiven(command="hold", by="a", reason=""))
    assert foresight.told(held, spec, LAB, held.time) is None
    back = foresight.told(state, spec, LAB, state.time + 600)
    assert back is not None
    assert back.middle > first.middle
    more = foresight.told(state, campaign(samples=11), LAB, state.time + 600)
    assert more is not None
    assert more.films_to_come == back.films_to_come + 1
    clock[0] += EVERY_S
    again = foresight.told(state, campaign(samples=11), LAB, state.time + 1200)
    assert again is not None
    assert again.middle > more.middle


def test_a_night_that_cannot_be_played_out_keeps_nothing_else_from_the_page(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(foresight_module, "forecast", breaks)
    state, spec = night_of(10)
    assert Foresight(finish).told(state, spec, LAB, state.time) is None
    assert "the end is not foreseen" in caplog.text


# --- why ----------------------------------------------------------------------------------------------------


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_exploration_is_a_share_of_the_expected_improvement(mean: float, sigma: float, best: float) -> None:
    share = exploration(mean, sigma, best, "max")
    assert share is not None
    assert 0.0 <= share <= 1.0
    assert exploration(-mean, sigma, -best, "min") == pytest.approx(share)
    gain = mean - best
    if gain > 0 and gain / sigma < 6:
        draws = gain + sigma * np.random.default_rng(0).standard_normal(20_000)
        improvement = np.maximum(draws, 0).mean()
        by_mean = gain * (draws > 0).mean()
        assert 1 - by_mean / improvement == pytest.approx(share, abs=0.05)


def test_without_a_spread_there_is_nothing_to_explore() -> None:
    assert exploration(2.0, 0.0, 1.0, "max") == 0.0
    assert exploration(1.0, 0.0, 2.0, "max") is None


def test_why_a_sample_was_chosen() -> None:
    choice = suggested(2).model_copy(
        update={"composition": {"Fe": 1.0, "Co": 0.0, "Ni": 0.0}, "mean": 1600.0, "sigma": 30.0, "observed": 1}
    )
    state, history = told(*made(1), choice, *made(3, 1800.0))
    found = why(state.samples[2], state, campaign(), history)
    assert (found.best_then, found.observed) == (1500.0, 1)
    assert [(n.sample, n.value) for n in found.nearest] == [(1, 1500.0)], "what came later was not known"
    assert found.nearest[0].distance_at_percent == pytest.approx(100 * math.sqrt(0.25 + 0.09 + 0.04))
    assert found.binds == ["Fe at its most, 100 at.%", "Co at its least, 0 at.%", "Ni at its least, 0 at.%"]
    assert "1600 ± 30 kA/m" in found.words
    assert found.exploration is not None
    assert found.exploration < 0.01


def test_distances_are_in_atomic_percent() -> None:
    assert distance({"Fe": 1.0}, {"Co": 1.0}) == pytest.approx(100 * math.sqrt(2))
    assert distance({"Fe": 0.5, "Co": 0.5}, {"Fe": 0.5, "Co": 0.5}) == 0.0


# --- maps ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("elements", [1, 2, 3, 4, 5])
def test_every_point_of_a_map_is_a_composition(elements: int) -> None:
    names = ["Fe", "Co", "Ni", "Cu", "V"][:elements]
    spec = campaign().model_dump(mode="json") | {"elements": {name: {"step": 2} for name in names}}
    state, _ = told()
    panels = maps.panels(state, Campaign.model_validate(spec))
    assert len(panels) == (1 if elements <= 3 else min(maps.MOST_PAIRS, math.comb(elements, 2)))
    for panel in panels:
        assert len(panel.candidates) == len(panel.shares)
        for candidate in panel.candidates:
            assert sum(candidate["composition"].values()) == pytest.approx(1.0)
            assert min(candidate["composition"].values()) >= -1e-12


def test_feasible_is_what_the_space_of_the_campaign_holds() -> None:
    from orchestrator.campaign.space import Space

    given = campaign().model_dump(mode="json")
    given |= {"elements": {"Fe": {"min": 20, "step": 10}, "Co": {"max": 60, "step": 10}, "Ni": {"step": 10}}}
    given |= {"constraints": [{"coefficients": {"Fe": 1, "Ni": -1}, "min": 0, "max": None}], "at_most": 2}
    spec = Campaign.model_validate(given)
    space = Space.of(spec)
    inside = {tuple(np.round(np.array(space.features(row[None])[0]), 6)) for row in space.enumerate()}
    for point in maps.simplex(3, 10):
        candidate = {"composition": dict(zip(("Fe", "Co", "Ni"), point, strict=True)), "settings": {}}
        assert maps.feasible(candidate, spec) == (tuple(np.round(point, 6)) in inside)


def test_the_map_is_what_the_optimizer_expects() -> None:
    spec = campaign(samples=10)
    optimizer = make_optimizer(spec)
    for number, (fe, value) in enumerate(((0.2, 1200.0), (0.5, 1700.0), (0.8, 1600.0)), 1):
        optimizer.observe(
            {"sample": number, "composition": {"Fe": fe, "Co": 1 - fe, "Ni": 0.0}, "value": value, "sigma": 10.0}
        )
    pending = [{"composition": {"Fe": 0.3, "Co": 0.3, "Ni": 0.4}, "settings": {}}]
    object.__setattr__(optimizer, "_settings", spec.optimizer.model_copy(update={"initial_samples": 3}))
    chosen = optimizer.suggest(pending, 5)
    chart = optimizer.chart([chosen.candidate, *pending], pending, 5)
    assert chart is not None
    assert chart.observed == 3
    assert chart.mean[0] == pytest.approx(chosen.mean)
    assert chart.sigma[0] == pytest.approx(chosen.sigma)
    assert chart.acquisition[0] == pytest.approx(chosen.acquisition)
    assert chart.acquisition[1] < chart.acquisition[0]
    assert make_optimizer(spec).chart(pending, [], 1) is None


# --- words --------------------------------------------------------------------------------------------------


def golden() -> list[Any]:
    return [e.from_json(text) for text in GOLDEN.read_text().splitlines() if text.strip()]


def test_a_rejected_value_is_no_improvement_until_it_is_taken_back() -> None:
    entries = [*made(1, 1500.0), *made(2, 1900.0), *made(3, 1700.0)]
    by = {"by": "anna", "reason": "r"}
    rejected = e.ObservationRejected(sample=2, **by)

    def improved(*more: e.Entry) -> list[int]:
        return [improvement.sample for improvement in told(*entries, *more)[1].improvements]

    assert improved() == [1, 2]
    assert improved(rejected) == [1, 3]
    assert improved(rejected, e.ObservationRestored(sample=2, **by)) == [1, 2]
    assert improved(rejected, e.MeasurementRequested(sample=2, **by)) == [1, 3]


def test_every_entry_has_a_sentence_of_its_own() -> None:
    kinds = set()
    for number, entry in enumerate(golden(), 1):
        told_line = line(e.Recorded(number, 1000.0, entry))
        assert Line.model_validate_json(told_line.model_dump_json()) == told_line
        assert told_line.text.endswith(".")
        assert told_line.text != f"{entry.kind.replace('_', ' ').capitalize()}.", "no words for it"
        assert told_line.entry.get("loop") is None
        assert "None" not in told_line.text
        kinds.add(entry.kind)
    assert len(kinds) > 20


def test_a_row_of_a_sample_is_honest_about_what_is_not_known() -> None:
    state, history = told(suggested(1))
    told_row = row(state.samples[1], history)
    assert (told_row.value, told_row.sigma, told_row.achieved, told_row.validity, told_row.mean) == (None,) * 5
    assert told_row.observed_at is None


# --- several objectives ---------------------------------------------------------------------------------


def test_several_objectives_have_a_front():
    spec = two(limits=[SQUARE])
    state, history = CampaignState(), History()
    for recorded in entries_of(spec, (1800.0, 6.0), (1500.0, 2.0), (1400.0, 3.0), (1900.0, 1.0, 0.1)):
        state.apply(recorded)
        history.take(recorded)
    seen = shown(state, history, spec)
    assert [one.quantity for one in seen.objectives] == ["saturation_magnetisation", "coercivity"]
    assert [film.sample for film in seen.front] == [1, 2]
    assert seen.front[0].outcomes["coercivity"].value == 6.0
    assert seen.limits == ["squareness at least 0.5"]
    assert seen.best is not None
    assert set(seen.best.outcomes) == {"saturation_magnetisation", "coercivity", "squareness"}
    assert row(state.samples[4], history).broken == ["squareness at least 0.5"]
    assert row(state.samples[1], history).broken == []
    changed = e.WeightsChanged(weights={"coercivity": 3.0}, by="anna", reason="r")
    state.apply(e.Recorded(state.version + 1, state.time + 1, changed))
    assert [one.weight for one in shown(state, history, spec).objectives] == [1.0, 3.0]
