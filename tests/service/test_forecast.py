"""When a campaign will be over: the plans' own figures, what a lab has shown, and the night played out."""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path

import pytest

from orchestrator.campaign import entries as e
from orchestrator.campaign.labspec import LabSpec, load_lab
from orchestrator.campaign.spec import Campaign, Measurement
from orchestrator.campaign.state import CampaignState, Timing
from orchestrator.service.durations import CALIBRATION_S, TRANSFER_S, branch_points, growth_nm_s, planned_s
from orchestrator.service.forecast import Forecast, before, forecast, middle, to_come
from orchestrator.service.history import ENOUGH, NO_HISTORY, History, Pace
from protocols import calibration
from tests.campaign.stories import command, ended, film, intended, observed, suggested, transfer
from tests.service.nights import COMPOSITION, START, campaign

ROOT = Path(__file__).parents[2]
HOUR = 3600.0
RATES = {element: {"nm_s_w": 1e-3, "sigma": 1e-5} for element in COMPOSITION}
DEPOSIT = {"composition": COMPOSITION, "thickness_nm": 50.0, "power_w": 100.0, "presputter_s": 180.0, "rates": RATES}
LOOP = {"max_field_mt": 300.0, "dwell_s": 8.0, "coarse_step_mt": 20.0, "fine_step_mt": 0.5}


@pytest.fixture(scope="module")
def lab() -> LabSpec:
    return load_lab(ROOT / "campaigns/labs/vsm.toml")


def begun(spec: Campaign, at: float = START) -> CampaignState:
    state = CampaignState()
    started = e.CampaignStarted(campaign=spec.model_dump(mode="json"), lab={}, by="tester")
    state.apply(e.Recorded(1, at, started))
    return state


def tell(state: CampaignState, at: float, *entries: e.Entry) -> None:
    for entry in entries:
        state.apply(e.Recorded(state.version + 1, at, entry))


def steps_took(lab: LabSpec, ratio: float, steps: int = ENOUGH) -> History:
    """A lab in which everything takes `ratio` times as long as planned."""
    pace = Pace((ratio,) * steps)
    return History({"earlier nights": dict.fromkeys(("deposit", "measure", "transfer"), pace)}, RATES, 1)


# --- the plans' own figures -----------------------------------------------------------------------------


def test_a_thicker_film_takes_as_much_longer_as_it_grows(lab: LabSpec) -> None:
    thin, thick = (planned_s("deposit", {**DEPOSIT, "thickness_nm": nm}, lab, {}) for nm in (50.0, 100.0))
    assert thick - thin == pytest.approx(50.0 / growth_nm_s(COMPOSITION, 100.0, RATES))


def test_presputtering_counts_in_full_and_every_gun_is_calibrated(lab: LabSpec) -> None:
    short = planned_s("deposit", {**DEPOSIT, "presputter_s": 0.0}, lab, {})
    assert planned_s("deposit", DEPOSIT, lab, {}) - short == pytest.approx(180.0)
    one = {**DEPOSIT, "composition": {"Fe": 1.0, "Co": 0.0}, "thickness_nm": 1e-9, "presputter_s": 0.0}
    two = {**one, "composition": {"Fe": 0.5, "Co": 0.5}}
    assert planned_s("deposit", two, lab, {}) - planned_s("deposit", one, lab, {}) > CALIBRATION_S


def test_the_calibration_s_figure_follows_the_calibration() -> None:
    fewest, most = calibration.READINGS
    assert calibration.SETTLE_S + fewest <= CALIBRATION_S <= calibration.SETTLE_S + most * calibration.READ_EVERY_S


def test_rates_that_a_campaign_knows_go_before_those_of_earlier_ones() -> None:
    assert growth_nm_s({"Fe": 1.0}, 100.0, RATES) == pytest.approx(2.5 * growth_nm_s({"Fe": 1.0}, 100.0, {}))


def test_a_loop_has_the_points_of_the_rule_that_measures_it(lab: LabSpec) -> None:
    assert 25 <= branch_points(300.0, 20.0, 1.0) <= 120
    assert branch_points(300.0, 20.0, 0.5) > branch_points(300.0, 20.0, 5.0)
    slow, fast = (planned_s("measure", {**LOOP, "dwell_s": dwell}, lab, {}) for dwell in (8.0, 4.0))
    assert 1.7 < slow / fast < 2.0


def test_an_element_that_no_deposition_knows_is_no_crash(lab: LabSpec) -> None:
    assert planned_s("deposit", {**DEPOSIT, "composition": {"Xx": 1.0}}, lab, {}) > 0


# --- what a lab has shown -------------------------------------------------------------------------------


def test_a_quantile_is_interpolated() -> None:
    assert Pace((1.0, 2.0, 3.0)).median == 2.0
    assert Pace(tuple(float(n) for n in range(11))).late == pytest.approx(9.0)


def test_own_steps_go_before_earlier_nights_and_these_before_dry_runs(lab: LabSpec) -> None:
    paces = {"dry runs": {"transfer": Pace((3.0,) * 9)}, "earlier nights": {"transfer": Pace((2.0,) * 9)}}
    history = History(paces)  # type: ignore[arg-type]
    state = begun(campaign())
    earlier = history.expected("transfer", {}, lab, state)
    assert (earlier.typical_s, earlier.basis) == (2 * TRANSFER_S, "earlier nights")
    move = intended("t", "transfer", 1, ["robot"], source="a", destination="b")
    state._steps.timings["transfer"] = (Timing(move, 30.0),) * ENOUGH
    own = history.expected("transfer", {}, lab, state)
    assert (own.typical_s, own.late_s, own.basis, own.steps) == (30.0, 30.0, "this campaign", ENOUGH)
    assert History({"dry runs": paces["dry runs"]}).expected("transfer", {}, lab, None).basis == "dry runs"  # type: ignore[dict-item]


def test_without_any_history_the_plans_speak_and_say_so(lab: LabSpec) -> None:
    told = NO_HISTORY.expected("deposit", DEPOSIT, lab, None)
    assert told.basis == "the plans"
    unknown = NO_HISTORY.expected("deposit", {**DEPOSIT, "rates": {}}, lab, None)
    assert unknown.late_s / unknown.typical_s > told.late_s / told.typical_s


def test_the_time_of_a_hold_is_not_the_step_s() -> None:
    state = begun(campaign())
    move = e.SampleSuggested(
        sample=1, slot=1, composition=COMPOSITION, method="gp", observed=0, pending=[], seconds=0.0
    )
    carry = intended("t", "transfer", 1, ["robot"], source="cassette/1", destination="deposition")
    tell(state, START, move)
    tell(state, START + 100, carry)
    tell(state, START + 130, command("hold"))
    tell(state, START + 1130, command("resume"))
    moved = e.SampleMoved(sample=1, source="cassette/1", destination="deposition")
    tell(state, START + 1150, moved, e.StepEnded(step="t", end="done"))
    (timing,) = state.timings["transfer"]
    assert timing.seconds == pytest.approx(50.0)


# --- the night, played ----------------------------------------------------------------------------------


def test_a_night_is_as_long_as_its_slowest_station(lab: LabSpec) -> None:
    """The chamber is the bottleneck: films follow each other at the pace of a deposition and its two moves."""
    spec = campaign(samples=10)
    spec = spec.model_copy(update={"measurement": Measurement(dwell_s=2.0)})
    told = before(spec, lab, START, steps_took(lab, 1.0))
    compositions = islice(cycle(to_come(begun(spec), spec)), 10)
    films = [planned_s("deposit", {**DEPOSIT, "composition": each}, lab, RATES) for each in compositions]
    loop = planned_s("measure", {**LOOP, "dwell_s": 2.0}, lab, {})
    assert min(films) > loop
    assert told.likely - START == pytest.approx(sum(films) + 10 * 2 * TRANSFER_S + loop + TRANSFER_S, rel=0.03)
    assert told.early < told.likely < told.late


def test_compositions_to_come_are_spread_until_some_are_known(lab: LabSpec) -> None:
    spec = campaign()
    state = begun(spec)
    spread = to_come(state, spec)
    assert spread[0] == middle(spec)
    assert [round(max(each.values()), 2) for each in spread[1:]] == [0.8] * 3
    assert all(sum(each.values()) == pytest.approx(1.0) for each in spread)
    for number in range(1, 4):
        tell(state, START, suggested(number))
    assert to_come(state, spec) == [COMPOSITION] * 3


def test_a_lab_that_is_slower_takes_as_much_longer(lab: LabSpec) -> None:
    slow, plain = (before(campaign(samples=6), lab, START, steps_took(lab, ratio)) for ratio in (2.0, 1.0))
    assert slow.likely - START == pytest.approx(2 * (plain.likely - START), rel=1e-6)
    assert plain.basis == "earlier nights"


def test_the_range_is_narrow_where_much_is_known_and_wide_where_nothing_is(lab: LabSpec) -> None:
    spec = campaign(samples=10)
    known, unknown = before(spec, lab, START, steps_took(lab, 1.0, 40)), before(spec, lab, START)

    def width(told: Forecast) -> float:
        return (told.late - told.early) / (told.likely - START)

    assert width(known) < 0.3
    assert width(unknown) > 0.5
    assert unknown.basis == "the plans"


def test_a_budget_of_hours_ends_it(lab: LabSpec) -> None:
    told = before(campaign(samples=30, lab_hours=2.0), lab, START, steps_took(lab, 1.0))
    assert 2 * HOUR <= told.likely - START < 3.2 * HOUR


def test_a_long_campaign_is_not_played_to_its_end(lab: LabSpec) -> None:
    big = lab.model_copy(update={"cassette": lab.cassette.model_copy(update={"slots": 1000, "columns": None})})
    history = steps_took(lab, 1.0)
    short, long = (before(campaign(samples=n, lab_hours=9000.0), big, START, history) for n in (40, 400))
    assert long.likely - START == pytest.approx(10 * (short.likely - START), rel=0.03)


def test_a_hold_moves_the_end_by_its_length(lab: LabSpec) -> None:
    spec, history = campaign(samples=4), steps_took(lab, 1.0)
    state = begun(spec)
    tell(state, START, command("hold"))
    first, later = (forecast(state, spec, lab, START + s, history) for s in (0.0, 500.0))
    assert first is not None
    assert later is not None
    assert later.likely - first.likely == pytest.approx(500.0)


def test_what_does_not_go_on_alone_has_no_end_to_foresee(lab: LabSpec) -> None:
    spec = campaign()
    for entries in ([command("abort")], [e.OperatorNeeded(reason="robot")], [e.CampaignEnded(end="done", reason="r")]):
        state = begun(spec)
        tell(state, START, *entries)
        assert forecast(state, spec, lab, START) is None
    assert forecast(CampaignState(), spec, lab, START) is None


def test_a_state_between_two_entries_of_a_transaction_is_gone_on_with(lab: LabSpec) -> None:
    """Whoever reads a journal along may stop anywhere."""
    spec, history = campaign(samples=2), steps_took(lab, 1.0)
    suggestion = e.SampleSuggested(
        sample=1, slot=1, composition=COMPOSITION, method="gp", observed=0, pending=[], seconds=0.0
    )
    way_in = transfer("in", 1, "cassette/1", "deposition", "deposition")
    grown = [intended("d", "deposit", 1, ["deposition"], **DEPOSIT), film(1), ended("d")]
    way_on = transfer("on", 1, "deposition", "magnetometry", "deposition", "magnetometry")
    loop = [intended("m", "measure", 1, ["magnetometry"], **LOOP), observed(1), ended("m")]
    state, at, ends = begun(spec), START, []
    for entry in [suggestion, *way_in, *grown, *way_on, *loop]:
        at += 60.0
        tell(state, at, entry)
        told = forecast(state, spec, lab, at, history)
        assert told is not None
        ends.append(told.likely)
    assert ends[-1] < START + 20 * 3600


def test_a_stopping_rule_is_said_not_foreseen(lab: LabSpec) -> None:
    plain = before(campaign(samples=4), lab, START)
    ruled = before(campaign(samples=4, stopping={"target": 1.0}), lab, START)
    assert (plain.open_ended, ruled.open_ended) == (False, True)
    assert ruled.likely == plain.likely


def test_the_state_is_left_as_it_was(lab: LabSpec) -> None:
    spec = campaign(samples=3)
    state = begun(spec)
    tell(state, START, command("hold"))
    version, mode, held = state.version, state.mode, state.held_since
    forecast(state, spec, lab, START + 50)
    assert (state.version, state.mode, state.held_since, len(state.samples)) == (version, mode, held, 0)


def test_a_reference_specimen_takes_its_share(lab: LabSpec) -> None:
    slots = tuple(range(1, 48))
    cassette = lab.cassette.model_copy(update={"filled": slots})
    given = {"slot": 48, "value": 2e-6, "sigma": 1e-8, "every_films": 1}
    dump = {**lab.model_dump(mode="json"), "reference": given, "cassette": cassette.model_dump(mode="json")}
    with_one = LabSpec.model_validate(dump)
    history = steps_took(lab, 1.0)
    assert (
        before(campaign(samples=3), with_one, START, history).likely
        > before(campaign(samples=3), lab, START, history).likely
    )


def test_history_is_taken_from_states_and_the_last_rates_count(lab: LabSpec) -> None:
    state = begun(campaign())
    move = intended("t", "transfer", 1, ["robot"], source="a", destination="b")
    state._steps.timings["transfer"] = (Timing(move, 90.0),) * ENOUGH
    state.rates.update(RATES)
    history = History.of([(state, False), (state, True)], lab)
    assert history.rates == RATES
    assert history.nights == 2
    assert history.expected("transfer", {}, lab, None).typical_s == 90.0
    assert history.paces["dry runs"]["transfer"].ratios == (90.0 / TRANSFER_S,) * ENOUGH
