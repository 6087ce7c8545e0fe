"""What operators do about the search, folded: what the model is told of, whose substrate it is, and whose turn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.campaign import entries as e
from orchestrator.campaign.actions import OwnSample, Reject, SearchRequest
from orchestrator.campaign.lifecycle import CommandRefused, LifecycleError, Phase
from orchestrator.campaign.state import best
from tests.campaign import slowly
from tests.campaign.stories import COMPOSITION, ended, film, intended, moved, observed, story, suggested, tell, transfer

BY = {"by": "anna", "reason": "r"}


def made(number, value):
    """A sample from its suggestion to its observation, and home."""
    home = f"cassette/{number}"
    return [
        suggested(number),
        *transfer(f"in-{number}", number, home, "deposition", "chamber"),
        intended(f"d-{number}", "deposit", number, ["chamber"]),
        film(number),
        ended(f"d-{number}"),
        *measured(number, value, "deposition", "chamber", "magnetometer"),
    ]


def measured(number, value, place, *claims):
    home, again = f"cassette/{number}", f"{number}-{value}"
    return [
        *transfer(f"to-{again}", number, place, "magnetometry", *claims),
        intended(f"m-{again}", "measure", number, ["magnetometer"]),
        observed(number, value),
        ended(f"m-{again}"),
        *transfer(f"home-{again}", number, "magnetometry", home, "magnetometer"),
    ]


def rejected(number):
    return e.ObservationRejected(sample=number, **BY)


def restored(number):
    return e.ObservationRestored(sample=number, **BY)


def queued(number, composition=COMPOSITION):
    return e.OwnSampleQueued(queued=number, composition=composition, **BY)


def own(sample, slot=None, composition=COMPOSITION):
    return suggested(sample, slot).model_copy(update={"method": "operator", "composition": composition})


THREE = [*made(1, 1200.0), *made(2, 1900.0), *made(3, 1500.0)]


def test_a_rejected_value_is_not_seen_and_one_that_is_taken_back_is_where_it_was():
    state = story(*THREE)
    tell(state, rejected(2))
    assert [o.sample for o in state.observations] == [1, 3]
    assert best(state, "max").sample == 3
    assert (state.count("valid"), state.valid_since_best("max")) == (2, 0)
    assert state.samples[2].observation == observed(2, 1900.0)
    assert (state.samples[2].rejected.by, state.samples[2].phase) == ("anna", Phase.OBSERVED)
    tell(state, restored(2))
    assert state.samples[2].rejected is None
    assert [o.sample for o in state.observations] == [1, 2, 3]
    assert (best(state, "max").sample, state.valid_since_best("max")) == (2, 1)


@given(st.lists(st.integers(1, 3), max_size=12))
def test_whatever_is_rejected_and_taken_back_the_others_stay_in_their_order(numbers):
    state = story(*THREE)
    out = set()
    for number in numbers:
        tell(state, restored(number) if number in out else rejected(number))
        out ^= {number}
        assert [o.sample for o in state.observations] == [n for n in (1, 2, 3) if n not in out]
        slowly.check(state)


def test_what_was_chosen_without_what_is_known_since_is_told_by_a_count():
    state = story(*THREE, suggested(4), queued(1))
    turns = state.search.turns
    for count, entry in enumerate(
        [
            rejected(1),
            restored(1),
            e.MeasurementRequested(sample=3, **BY),
            e.SuggestionVetoed(sample=4, **BY),
            own(5),
            e.ObservationWithdrawn(sample=1, reason="drift"),
            e.BudgetChanged(samples=9, **BY),
        ],
        1,
    ):
        tell(state, entry)
        assert state.search.turns == turns + count
    tell(state, e.SampleNoted(sample=1, text="t", **BY), queued(2))
    assert state.search.turns == turns + 7


def test_assessments_of_a_model_that_knew_more_or_less_are_gone():
    for entry in (rejected(1), e.MeasurementRequested(sample=1, **BY)):
        state = story(*THREE, e.ModelAssessed(observed=3))
        assert tell(state, entry).assessments == {}
    state = story(*THREE, rejected(1), e.ModelAssessed(observed=2))
    assert tell(state, restored(1)).assessments == {}


def test_only_the_last_assessments_are_kept():
    state = story(*THREE, *(e.ModelAssessed(observed=n) for n in (1, 2, 3, 3)))
    assert list(state.assessments) == [2, 3]


def test_a_sample_that_is_measured_again_counts_once_by_its_last_value():
    state = story(*THREE, rejected(1), e.MeasurementRequested(sample=1, **BY))
    sample = state.samples[1]
    assert (sample.phase, sample.observation, sample.rejected) == (Phase.DEPOSITED, None, None)
    assert state.pending == [state.samples[1]]
    tell(state, *measured(1, 1250.0, "cassette/1", "magnetometer"))
    assert [(o.sample, o.value) for o in state.observations] == [(2, 1900.0), (3, 1500.0), (1, 1250.0)]
    slowly.check(state)


@pytest.mark.parametrize("entry", [restored(1), rejected(4), e.MeasurementRequested(sample=4, **BY), rejected(9)])
def test_what_cannot_be_rejected_or_taken_back(entry):
    state = story(*THREE, suggested(4))
    before = state.search
    with pytest.raises(LifecycleError):
        tell(state, entry)
    assert state.search is before


def test_a_veto_gives_the_substrate_back_once_it_is_in_its_slot():
    state = story(suggested(1))
    tell(state, *transfer("in", 1, "cassette/1", "deposition", "chamber"), e.SuggestionVetoed(sample=1, **BY))
    assert (state.slots_used, state.films_planned, state.pending) == ({1}, 0, [])
    assert not state.all_settled
    with pytest.raises(LifecycleError, match="the substrate in slot 1 is another sample's"):
        tell(state, suggested(2, 1))
    tell(state, *transfer("home", 1, "deposition", "cassette/1", "chamber"))
    assert (state.slots_used, state.all_settled) == (set(), True)
    tell(state, suggested(2, 1))
    assert state.at("cassette/1") is state.samples[2]
    assert state.samples[1].note == "vetoed by anna: r"
    slowly.check(state)


def test_a_veto_on_the_way_gives_the_substrate_back_when_it_comes_home_or_never_left():
    carried = intended("in", "transfer", 1, ["robot", "chamber"], source="cassette/1", destination="deposition")
    state = story(suggested(1), carried, e.SuggestionVetoed(sample=1, **BY))
    assert state.slots_used == {1}
    assert tell(state, ended("in", "failed", "it gripped nothing", "robot")).slots_used == set()
    state = story(suggested(1), carried, e.SuggestionVetoed(sample=1, **BY))
    assert tell(state, moved(1, "cassette/1", "deposition"), ended("in")).slots_used == {1}


def test_own_samples_are_made_in_the_order_of_the_queue():
    iron = {"Fe": 1.0, "Co": 0.0, "Ni": 0.0}
    state = story(queued(1), queued(2, iron), e.QueueReordered(queued=2, order=[2, 1], **BY))
    with pytest.raises(LifecycleError, match="sample 1 is not own sample 2, whose turn it was"):
        tell(state, own(1))
    tell(state, own(1, composition=iron))
    assert [waiting.number for waiting in state.search.queue] == [1]
    assert state.samples[1].own.number == 2
    tell(state, e.OwnSampleWithdrawn(queued=1, **BY))
    with pytest.raises(LifecycleError, match="none was queued"):
        tell(state, own(2))


@pytest.mark.parametrize(
    "entry",
    [
        queued(3),
        e.OwnSampleWithdrawn(queued=2, **BY),
        e.QueueReordered(queued=1, order=[1, 2], **BY),
        e.QueueReordered(queued=1, order=[], **BY),
    ],
)
def test_a_queue_that_cannot_be(entry):
    with pytest.raises(LifecycleError):
        story(queued(1), entry)


def test_a_key_is_that_of_one_request():
    state = story(*THREE, e.ObservationRejected(sample=1, by="anna", reason="r", key="k"))
    done = state.search.done_before(SearchRequest(Reject(sample=1), "anna", "r", "k"))
    assert (done.action, done.number) == ("reject", 1)
    for other in (Reject(sample=2), OwnSample(composition={"Fe": 100.0})):
        with pytest.raises(CommandRefused, match="the key 'k' is that of another request: reject of sample 1 by anna"):
            state.search.done_before(SearchRequest(other, "anna", "r", "k"))
    assert state.search.done_before(SearchRequest(Reject(sample=1), "anna", "r", "")) is None


def test_what_was_noted_is_kept_with_the_sample():
    state = story(suggested(1), e.SampleNoted(sample=1, text="a fingerprint", **BY))
    assert [remark.about for remark in state.samples[1].remarks] == ["sample 1: a fingerprint"]
