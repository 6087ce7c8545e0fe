"""The fold: hand-written stories, and what no journal may tell."""

from __future__ import annotations

import pytest

from orchestrator.campaign import entries as e
from orchestrator.campaign.lifecycle import CommandRefused, LifecycleError, Mode, Phase
from orchestrator.campaign.state import CampaignState, best, fold, observation_for_model
from tests.campaign.stories import (
    STARTED,
    command,
    ended,
    film,
    intended,
    moved,
    observed,
    story,
    suggested,
    tell,
    transfer,
)

IN = transfer("in", 1, "cassette/1", "chamber", "chamber")
DEPOSIT = [intended("dep", "deposit", 1, ["chamber"]), film(1), ended("dep")]
ACROSS = transfer("across", 1, "chamber", "magnetometer", "chamber", "magnetometer")
MEASURE = [intended("meas", "measure", 1, ["magnetometer"]), observed(1), ended("meas")]
HOME = transfer("home", 1, "magnetometer", "cassette/1", "magnetometer")
WHOLE = [suggested(1), *IN, *DEPOSIT, *ACROSS, *MEASURE, *HOME]
END = e.CampaignEnded(end="done", reason="budget")


def test_the_story_of_one_film():
    state = story(*WHOLE, END)
    sample = state.samples[1]
    assert (sample.phase, sample.place, sample.at_home, sample.finished) == (Phase.OBSERVED, "cassette/1", True, True)
    assert sample.film == film(1)
    assert sample.observation == observed(1)
    assert sample.failures == {}
    assert sample.bound_for is None
    assert state.observations == [observed(1)]
    assert state.mode is Mode.STOPPED
    assert state.ended == END
    assert not state.open_steps
    assert state.pending == []


def test_the_fold_of_a_journal_is_the_state_after_each_of_its_entries():
    entries = [STARTED, *WHOLE, END]
    recorded = [e.Recorded(version=n, time=60.0 * n, entry=entry) for n, entry in enumerate(entries, 1)]
    stepwise = CampaignState()
    for one in recorded:
        stepwise.apply(one)
    assert vars(fold(recorded)) == vars(stepwise)


def test_where_a_sample_is_while_it_is_carried():
    state = story(suggested(1), IN[0])
    sample = state.samples[1]
    assert (sample.place, sample.bound_for) == ("cassette/1", "chamber")
    assert state.at("cassette/1") is sample
    assert state.at("chamber") is sample
    tell(state, *IN[1:])
    assert (sample.place, sample.bound_for) == ("chamber", None)
    assert state.at("cassette/1") is None


def test_a_transfer_that_never_set_out_leaves_the_sample_where_it_was():
    state = story(suggested(1), IN[0], ended("in", "failed", "gripped nothing"))
    assert (state.samples[1].place, state.samples[1].bound_for) == ("cassette/1", None)
    assert state.samples[1].failures == {"transfer": ["protocol"]}


def test_a_sample_lost_on_its_way_may_be_at_either_end():
    lost = e.SampleQuarantined(sample=1, reason="lost")
    state = story(suggested(1), IN[0], ended("in", "unknown"), lost)
    assert state.samples[1].phase is Phase.QUARANTINED
    assert state.at("cassette/1") is state.at("chamber") is state.samples[1]


def test_a_deposit_that_failed_before_the_film_was_begun_may_be_tried_again():
    state = story(suggested(1), *IN, DEPOSIT[0], ended("dep", "failed", "no plasma"))
    assert state.samples[1].phase is Phase.SUGGESTED
    assert state.samples[1].failures == {"deposit": ["protocol"]}
    tell(state, intended("dep2", "deposit", 1, ["chamber"]), film(1), ended("dep2"))
    assert state.samples[1].phase is Phase.DEPOSITED
    assert state.samples[1].failures == {}


def test_an_interrupted_film_is_a_film():
    state = story(suggested(1), *IN, DEPOSIT[0], film(1, finished=False), ended("dep", "failed", "arc"))
    assert state.samples[1].phase is Phase.DEPOSITED
    with pytest.raises(LifecycleError, match="deposit intended"):
        tell(state, intended("again", "deposit", 1, ["chamber"]))


def test_an_unknown_deposit_stays_open_until_it_is_settled():
    state = story(suggested(1), *IN, DEPOSIT[0], ended("dep", "unknown"))
    assert state.samples[1].phase is Phase.DEPOSITING
    tell(state, e.SampleQuarantined(sample=1, reason="?"))
    assert state.samples[1].phase is Phase.QUARANTINED
    assert state.samples[1].note == "?"


@pytest.mark.parametrize("end", ["failed", "aborted", "unknown"])
def test_a_measurement_without_a_result_may_be_made_again(end):
    state = story(*WHOLE[:-6], MEASURE[0], ended("meas", end))
    assert state.samples[1].phase is Phase.DEPOSITED
    assert state.samples[1].failures == {"measure": ["protocol"]}
    assert [s.number for s in state.pending] == [1]


def test_a_discarded_sample_can_be_lost_too():
    state = story(suggested(1), *IN, e.SampleDiscarded(sample=1, by="me", reason="no"))
    home = intended("home", "transfer", 1, ["robot", "chamber"], source="chamber", destination="cassette/1")
    tell(state, home, ended("home", "unknown"), e.SampleQuarantined(sample=1, reason="lost"))
    assert state.samples[1].phase is Phase.QUARANTINED


def test_stations_are_occupied_by_all_that_they_are_claimed_for():
    state = story(*WHOLE[:7], suggested(2), ACROSS[0])
    assert state.occupied == {"robot": "across", "chamber": "across", "magnetometer": "across"}
    tell(state, *ACROSS[1:])
    assert state.occupied == {}


def test_rates_and_energies_are_the_last_known():
    state = story(
        e.RatesCalibrated(rates={"Fe": {"nm_s_w": 1.0}, "Co": {"nm_s_w": 2.0}}, energy_kwh={"Fe": 0.5}),
        e.RatesCalibrated(rates={"Fe": {"nm_s_w": 1.5}}, energy_kwh={"Fe": 0.75, "Co": 0.25}),
    )
    assert state.rates == {"Fe": {"nm_s_w": 1.5}, "Co": {"nm_s_w": 2.0}}
    assert state.energy_kwh == {"Fe": 0.75, "Co": 0.25}


# --- failures in a row ----------------------------------------------------------------------------------


def fate(sample, *, good):
    """A sample that is made and measured, well or badly."""
    slot = f"cassette/{sample}"
    result = observed(sample) if good else observed(sample, None, "failed")
    return [
        suggested(sample),
        *transfer(f"in{sample}", sample, slot, "chamber", "chamber"),
        intended(f"dep{sample}", "deposit", sample, ["chamber"]),
        film(sample),
        ended(f"dep{sample}"),
        intended(f"meas{sample}", "measure", sample, ["magnetometer"]),
        result,
        ended(f"meas{sample}", "done" if good else "failed"),
        *transfer(f"home{sample}", sample, "chamber", slot, "chamber"),
    ]


def test_failed_samples_in_a_row_are_counted_though_depositions_succeed():
    state = story(*fate(1, good=False), *fate(2, good=False), *fate(3, good=False))
    assert state.failures_in_a_row == 3
    tell(state, *fate(4, good=True))
    assert state.failures_in_a_row == 0


def test_a_retry_is_not_a_failed_sample():
    state = story(*WHOLE[:-6], MEASURE[0], ended("meas", "failed"))
    assert state.failures_in_a_row == 0


def test_a_sample_given_up_after_failures_counts_and_one_never_tried_does_not():
    given_up = e.SampleDiscarded(sample=1, by="recovery policy", reason="no plasma")
    state = story(suggested(1), *IN, DEPOSIT[0], ended("dep", "failed"), given_up)
    assert state.failures_in_a_row == 1
    tell(state, suggested(2), e.SampleDiscarded(sample=2, by="me", reason="stop"))
    assert state.failures_in_a_row == 1
    tell(state, suggested(3), e.SampleQuarantined(sample=3, reason="?"))
    assert state.failures_in_a_row == 2


# --- commands -------------------------------------------------------------------------------------------


def test_hold_and_resume():
    state = story(command("hold"))
    assert state.mode is Mode.HOLDING
    assert tell(state, e.CampaignHeld()).mode is Mode.HELD
    assert tell(state, command("resume")).mode is Mode.RUNNING


def test_a_campaign_told_to_stop_goes_on_stopping_after_a_hold():
    state = story(command("stop"), command("hold"), e.CampaignHeld(), command("resume"))
    assert state.mode is Mode.STOPPING


@pytest.mark.parametrize(
    ("end", "mode"),
    [
        ("done", Mode.STOPPED),
        ("stopped", Mode.STOPPED),
        ("aborted", Mode.STOPPED),
        ("needs operator", Mode.NEEDS_OPERATOR),
    ],
)
def test_ends(end, mode):
    before = [command("abort")] if end == "aborted" else []
    assert story(*before, e.CampaignEnded(end=end, reason="r")).mode is mode


def test_a_campaign_that_needs_the_operator_can_be_aborted():
    state = story(e.OperatorNeeded(reason="help"), e.CampaignEnded(end="needs operator", reason="help"))
    assert state.needs == "help"
    tell(state, command("abort"))
    assert (state.mode, state.ended) == (Mode.ABORTING, None)


def test_a_refused_command_is_no_entry():
    with pytest.raises(CommandRefused):
        story(command("abort"), command("resume"))


def test_stations_lost():
    state = story(e.StationLost(station="robot", reason="r"), e.StationMadeSafe(station="robot", reason="r"))
    assert state.lost_stations == {"robot"}


# --- what no journal may tell ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([STARTED], "starts first, and once"),
        ([film(1)], "sample 1, which was never suggested"),
        ([suggested(1), suggested(1, slot=2)], "suggested twice"),
        ([suggested(1), suggested(2, slot=1)], "slot 1 is another sample's"),
        ([suggested(1), *IN, *IN], "step in was intended twice"),
        ([suggested(1), *IN, *DEPOSIT, DEPOSIT[0]], "step dep was intended twice"),
        ([suggested(1), *IN, *DEPOSIT, intended("x", "deposit", 1, ["chamber"])], "deposited: deposit intended"),
        ([suggested(1), film(1)], "sample 1: .* suggested: film deposited"),
        ([suggested(1), *IN, *DEPOSIT, film(1)], "deposited: film deposited"),
        ([*WHOLE, observed(1)], "observed: observation made"),
        ([ended("x")], "step x ended, but was never intended"),
        ([suggested(1), *IN, ended("in")], "step in ended, but was never intended or had ended"),
        ([suggested(1), IN[0], ended("in")], "what came of it is not told"),
        ([suggested(1), *IN, DEPOSIT[0], ended("dep")], "what came of it is not told"),
        ([*WHOLE[:-6], MEASURE[0], ended("meas")], "what came of it is not told"),
        ([suggested(1), moved(1, "chamber", "magnetometer")], "at cassette/1, cannot have come from chamber"),
        (
            [suggested(1), suggested(2), *IN, moved(2, "cassette/2", "chamber")],
            "cannot have come from cassette/2 to chamber",
        ),
        ([suggested(1), intended("x", "transfer", 1, ["robot"], source="chamber", destination="a")], "at cassette/1"),
        (
            [
                suggested(1),
                suggested(2),
                *IN,
                intended("x", "transfer", 2, ["robot"], source="cassette/2", destination="chamber"),
            ],
            "chamber is not free for sample 2",
        ),
        (
            [suggested(1), suggested(2), IN[0], intended("x", "deposit", 2, ["chamber"])],
            "claims chamber, where a step is under way",
        ),
        ([suggested(1), IN[0], intended("x", "measure", 1, ["magnetometer"])], "a step on sample 1 is under way"),
        ([e.CampaignHeld()], "running: every station at rest"),
        ([END, suggested(1)], "the campaign is over"),
    ],
)
def test_a_journal_that_tells_what_cannot_happen(entries, why):
    with pytest.raises(LifecycleError, match=why):
        story(*entries)


def test_a_campaign_starts_first():
    with pytest.raises(LifecycleError, match="entry 1 is campaign_held: a campaign starts first"):
        tell(CampaignState(), e.CampaignHeld())


@pytest.mark.parametrize("version", [0, 1, 3])
def test_an_entry_out_of_order(version):
    state = story()
    with pytest.raises(LifecycleError, match=f"entry {version} does not follow 1"):
        state.apply(e.Recorded(version=version, time=0.0, entry=e.CampaignHeld()))


# --- questions ------------------------------------------------------------------------------------------


def test_the_best():
    state = story(
        *fate(1, good=False),
        *[observed(n, value) if isinstance(entry, e.ObservationMade) else entry
          for n, value in [(2, 900.0), (3, 1700.0), (4, 1200.0)] for entry in fate(n, good=True)],
    )  # fmt: skip
    assert best(state, "max").sample == 3
    assert best(state, "min").sample == 2
    assert best(story(*fate(1, good=False)), "max") is None


def test_a_censored_value_is_a_bound_and_never_the_best():
    entries = [observed(1, 9e9, "censored") if isinstance(x, e.ObservationMade) else x for x in fate(1, good=True)]
    assert best(story(*entries), "max") is None


def test_loops_stay_in_the_journal():
    told = observed(1).model_copy(update={"loop": {"field_mt": [1.0, -1.0], "signal": [2.0, -2.0]}})
    state = story(*[told if isinstance(entry, e.ObservationMade) else entry for entry in fate(1, good=True)])
    assert state.observations == [observed(1)]
    assert state.samples[1].observation is state.observations[0] is best(state, "max")
    tell(state, e.ObservationWithdrawn(sample=1, reason="drift"))
    assert (state.observations, state.search.turns) == ([], 1)


def test_what_the_model_is_told():
    sample = story(*fate(1, good=True)).samples[1]
    assert observation_for_model(sample) == {
        "sample": 1,
        "composition": observed(1).composition,
        "composition_sigma": {"Fe": 0.01},
        "settings": {},
        "value": 1500.0,
        "sigma": 10.0,
        "validity": "valid",
        "bound": None,
        "outcomes": {},
        "asked": {"composition": sample.suggestion.composition, "settings": {}},
    }
