"""What follows from an action on the search: mode by mode, phase by phase, and what its giver is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.campaign import actions as a
from orchestrator.campaign import entries as e
from orchestrator.campaign.lifecycle import CommandRefused, Mode, Phase
from orchestrator.campaign.problems import SpecError
from orchestrator.campaign.search import Acted
from orchestrator.campaign.spec import Campaign
from orchestrator.service import acting
from tests.campaign.stories import command, ended, film, intended, observed, story, suggested, tell, transfer
from tests.campaign.test_commands import LED_TO
from tests.service.nights import LAB, LAYOUT, campaign

MODES = """
          running  holding  held  stopping  aborting  stopped  needs_operator
sample    yes      yes      yes   -         -         -        -
reorder   yes      yes      yes   yes       -         -        -
withdraw  yes      yes      yes   yes       -         -        -
veto      yes      yes      yes   -         -         -        -
reject    yes      yes      yes   yes       yes       -        -
accept    yes      yes      yes   yes       yes       -        -
repeat    yes      yes      yes   yes       -         -        -
note      yes      yes      yes   yes       yes       -        -
budget    yes      yes      yes   -         -         -        -
weights   yes      yes      yes   -         -         -        -
"""
PHASES = """
        suggested  depositing  deposited  measuring  observed  discarded  vetoed  quarantined
veto    yes        -           -          -          -         -          yes     -
reject  -          -           -          -          yes       -          -       value
accept  -          -           -          -          yes       -          -       value
repeat  -          -           -          -          yes       -          -       -
note    yes        yes         yes        yes        yes       yes        yes     yes
"""
FE = {"Fe": 60.0, "Co": 30.0, "Ni": 10.0}
EXAMPLES = {
    "sample": a.OwnSample(composition=FE),
    "reorder": a.Reorder(queued=1),
    "withdraw": a.Withdraw(queued=1),
    "veto": a.Veto(sample=1),
    "reject": a.Reject(sample=1),
    "accept": a.Accept(sample=1),
    "repeat": a.Repeat(sample=1),
    "note": a.Note(sample=1, text="a fingerprint"),
    "budget": a.ChangeBudget(samples=7),
    "weights": a.ChangeWeights(weights={"coercivity": 1.0}),
}
HOME_TO_CHAMBER = transfer("t1", 1, "cassette/1", "deposition", "chamber")
IN_FILM = [suggested(1), *HOME_TO_CHAMBER, intended("d1", "deposit", 1, ["chamber"])]
FILM = [*IN_FILM, film(1), ended("d1")]
MEASURING = [
    *FILM,
    *transfer("t2", 1, "deposition", "magnetometry", "chamber", "magnetometer"),
    intended("m1", "measure", 1, ["magnetometer"]),
]
OBSERVED = [*MEASURING, observed(1), ended("m1")]
VETO = e.SuggestionVetoed(sample=1, by="anna", reason="r")
REACHED = {
    Phase.SUGGESTED: [suggested(1)],
    Phase.DEPOSITING: IN_FILM,
    Phase.DEPOSITED: FILM,
    Phase.MEASURING: MEASURING,
    Phase.OBSERVED: OBSERVED,
    Phase.DISCARDED: [suggested(1), e.SampleDiscarded(sample=1, by="policy", reason="it was dirty")],
    Phase.VETOED: [suggested(1), VETO],
    Phase.QUARANTINED: [suggested(1), e.SampleQuarantined(sample=1, reason="lost")],
}


def grid(text):
    head, *lines = text.strip("\n").splitlines()
    columns = head.split()
    return [
        (row.split()[0], column, cell) for row in lines for column, cell in zip(columns, row.split()[1:], strict=True)
    ]


def queued(number, by="anna", **at_percent):
    composition = {element: amount / 100 for element, amount in (at_percent or FE).items()}
    return e.OwnSampleQueued(queued=number, composition=composition, by=by, reason="r")


def site(state, spec=None, slots=30, now=None):
    layout = replace(LAYOUT, slots=tuple(range(1, slots + 1)))
    return acting.Site(state, spec or campaign(samples=5), LAB, layout, state.time if now is None else now)


def decide(state, action, seen=None, by="bert", reason="r", **where):
    request = a.SearchRequest(action, by, reason, "k", state.version if seen is None else seen)
    return acting.decide(request, site(state, **where))


def refused(match, state, action, **rest):
    with pytest.raises(CommandRefused, match=match):
        decide(state, action, **rest)


# --- the tables, cell by cell -------------------------------------------------------------------------


def test_the_table_has_an_example_of_everything():
    assert list(EXAMPLES) == list(a.ACTIONS) == [line.split()[0] for line in MODES.split("\n")[2:-1]]
    assert [told["action"] for told in a.described()] == list(a.ACTIONS)


@pytest.mark.parametrize(("name", "mode", "cell"), grid(MODES))
def test_in_each_mode(name, mode, cell):
    mode = Mode(mode.replace("_", " "))
    state = story(*LED_TO[mode])
    assert state.mode is mode
    if cell == "yes":
        acting.check_mode(EXAMPLES[name], mode)
    else:
        refused(f"the campaign is {mode}: cannot {name}; .+", state, EXAMPLES[name])


@pytest.mark.parametrize("rest", [[], [e.CampaignHeld()]], ids=["holding", "held"])
def test_a_hold_does_not_make_a_stop_forgotten(rest):
    state = story(command("stop"), command("hold"), *rest)
    for name, _, cell in [told for told in grid(MODES) if told[1] == "stopping"]:
        if cell == "-":
            refused(f"the campaign is stopping: cannot {name}; it finishes the films in flight", state, EXAMPLES[name])


@pytest.mark.parametrize(("name", "phase", "cell"), grid(PHASES))
def test_in_each_phase(name, phase, cell):
    state = story(*REACHED[Phase(phase)])
    assert state.samples[1].phase is Phase(phase)
    if cell == "yes" and name != "accept":
        decided = decide(state, EXAMPLES[name])
        assert decided.by == "anna" if name == "veto" and phase == "vetoed" else decided.sample == 1
    elif cell == "yes":
        refused("sample 1 is not rejected", state, EXAMPLES[name])
    elif cell == "value":
        refused("sample 1 has no value", state, EXAMPLES[name])
    else:
        refused(rf"sample 1 is {phase}: cannot {name} it; \w+", state, EXAMPLES[name])


@pytest.mark.parametrize("name", ["veto", "reject", "accept", "repeat", "note"])
def test_of_samples_that_there_are(name):
    refused("there is no sample 1: 0 were suggested so far", story(), EXAMPLES[name])


def test_a_value_is_judged_also_of_a_sample_that_was_lost_on_its_way_home():
    state = story(*OBSERVED, e.SampleQuarantined(sample=1, reason="dropped"))
    assert tell(state, decide(state, a.Reject(sample=1))).observations == []
    assert tell(state, decide(state, a.Accept(sample=1))).observations == [observed(1)]


def test_what_has_no_value_is_not_rejected_and_may_be_measured_again():
    state = story(*MEASURING, observed(1, None, "failed"), ended("m1"))
    refused("sample 1 has no value: cannot reject it", state, a.Reject(sample=1))
    assert tell(state, decide(state, a.Repeat(sample=1))).samples[1].phase is Phase.DEPOSITED


# --- own samples --------------------------------------------------------------------------------------


def test_an_own_sample_is_queued_as_the_campaign_has_it():
    state = story()
    entry = decide(state, a.OwnSample(composition={"Co": 100.0}))
    assert (entry.queued, entry.composition) == (1, {"Fe": 0.0, "Co": 1.0, "Ni": 0.0})
    assert (entry.by, entry.reason, entry.key, entry.seen) == ("bert", "r", "k", 1)
    assert decide(tell(state, entry), a.OwnSample(composition={"Co": 100.0})).queued == 2


@pytest.mark.parametrize(
    ("asked", "settings", "wrong"),
    [
        ({"Fe": 60.0, "Cu": 40.0}, {}, "composition.Cu = 40: is no element of the campaign; take of Fe, Co, Ni"),
        ({"Fe": 60.0, "Co": 30.0}, {}, "composition: sums to 90 at.%; let it sum to 100"),
        ({"Fe": 60.0, "Co": 31.0, "Ni": 9.0}, {}, "is not in the space of the campaign; the nearest that is: Fe60Co3"),
        (FE, {"power_w": 90.0}, "settings.power_w = 90: is no setting that is searched; give none"),
    ],
)
def test_what_the_campaign_could_not_choose_is_refused_with_what_would_be_right(asked, settings, wrong):
    refused(f"this cannot be made here: .*{wrong}", story(), a.OwnSample(composition=asked, settings=settings))


def searching(**film):
    given = campaign().model_dump(mode="json", exclude_none=True)
    return Campaign.model_validate({**given, "film": {**given["film"], **film}})


def test_settings_that_are_searched_are_given_and_are_on_their_grid():
    spec = searching(power_w={"min": 60, "max": 120, "step": 20})
    refused(
        "settings.power_w: is searched, and no value is given; give one from 60 to 120",
        story(),
        a.OwnSample(composition=FE),
        spec=spec,
    )
    off = a.OwnSample(composition=FE, settings={"power_w": 90.0})
    refused(r"the nearest that is: Fe60Co30Ni10 power_w=(80|100)", story(), off, spec=spec)
    on = a.OwnSample(composition=FE, settings={"power_w": 100.0})
    assert decide(story(), on, spec=spec).settings == {"power_w": 100.0}


def pool():
    given = campaign().model_dump(mode="json", exclude_none=True, exclude={"elements"})
    columns = {"Fe": [60.0, 50.0], "Co": [30.0, 50.0], "Ni": [10.0, 0.0], "power_w": [80.0, 90.0]}
    table = {"file": "pool.csv", "sha256": "0", "columns": {name: tuple(told) for name, told in columns.items()}}
    return Campaign.model_validate({**given, "pool": table, "film": {**given["film"], "power_w": "pool"}})


def test_of_a_pool_only_its_candidates_are_made():
    good = decide(story(), a.OwnSample(composition=FE, settings={"power_w": 80.0}), spec=pool())
    assert (good.composition, good.settings) == ({"Fe": 0.6, "Co": 0.3, "Ni": 0.1}, {"power_w": 80.0})
    other = a.OwnSample(composition=FE, settings={"power_w": 90.0})
    refused(r"is no candidate of the pool; the nearest that is: Fe50Co50 power_w=90", story(), other, spec=pool())


def test_no_more_are_queued_than_can_come_to_their_turn():
    own = a.OwnSample(composition=FE)
    one_left = story(suggested(1), queued(1))
    decide(one_left, own, spec=campaign(samples=3))
    refused("the budget of 2 samples is used up by 1 films and 1 queued", one_left, own, spec=campaign(samples=2))
    refused("no bare substrate is left for it: 1 left, 1 queued", one_left, own, slots=2)
    spoilt = story(suggested(1), e.SampleDiscarded(sample=1, by="policy", reason="r"), suggested(2), queued(1))
    refused("no bare substrate is left for it: 1 left, 1", spoilt, own, spec=campaign(samples=3, substrates=3))
    refused("no more films are begun: budget: 0.01 lab hours", one_left, own, spec=campaign(lab_hours=0.01))


def test_the_queue_is_put_in_another_order():
    state = story(queued(1), queued(2), queued(3))
    assert decide(state, a.Reorder(queued=3)).order == [3, 1, 2]
    assert decide(state, a.Reorder(queued=1, position=2)).order == [2, 1, 3]
    assert decide(state, a.Reorder(queued=1, position=99)).order == [2, 3, 1]
    assert decide(state, a.Reorder(queued=1, position=10**400)).order == [2, 3, 1]  # more than an index can be
    refused("own sample 4 is not queued: queued: 1, 2, 3", state, a.Reorder(queued=4))
    tell(state, decide(state, a.Withdraw(queued=2)))
    assert [own.number for own in state.search.queue] == [1, 3]
    refused("own sample 2 is not queued: before you came withdraw of own sample 2 by bert", state, a.Reorder(queued=2))
    taken = e.SampleSuggested(
        sample=1,
        slot=1,
        composition=state.search.queue[0].composition,
        method="operator",
        observed=0,
        pending=[],
        seconds=0.0,
    )
    refused("own sample 1 is no longer queued: it is sample 1, suggested", tell(state, taken), a.Withdraw(queued=1))


# --- the budget ---------------------------------------------------------------------------------------


def test_a_budget_is_changed_to_what_the_lab_can_do():
    state, spec = story(suggested(1), suggested(2), queued(1)), campaign(samples=5, lab_hours=10.0, substrates=20)
    entry = decide(state, a.ChangeBudget(samples=20, lab_hours=12.0), spec=spec)
    assert (entry.samples, entry.lab_hours) == (20, 12.0)
    refused(
        "3 films are made, begun, suggested or queued: give at least 3", state, a.ChangeBudget(samples=2), spec=spec
    )
    refused("20 substrates are all that the campaign may use", state, a.ChangeBudget(samples=21), spec=spec)
    bare = len(LAB.cassette.bare)
    refused(f"the cassette of lab .* holds {bare} bare substrates", state, a.ChangeBudget(samples=bare + 1))
    refused(r"2\.00 lab hours are gone: give more", state, a.ChangeBudget(lab_hours=2.0), now=state.started_at + 7200)
    refused("the budget is 5 samples, 10 lab hours already", state, a.ChangeBudget(samples=5), spec=spec)


def test_one_objective_has_nothing_to_be_weighed_against():
    refused("the campaign has one objective, saturation_magnetisation", story(), EXAMPLES["weights"])


# --- who was first ------------------------------------------------------------------------------------


def test_what_is_so_already_changes_nothing_and_says_by_whom():
    rejected = e.ObservationRejected(sample=1, by="anna", reason="a scratch")
    for action, entries in [
        (a.Veto(sample=1), [suggested(1), VETO]),
        (a.Reject(sample=1), [*OBSERVED, rejected]),
        (a.Accept(sample=1), [*OBSERVED, rejected, e.ObservationRestored(sample=1, by="anna", reason="r")]),
        (a.Withdraw(queued=1), [queued(1), e.OwnSampleWithdrawn(queued=1, by="anna", reason="r")]),
        (a.Reorder(queued=2), [queued(1), queued(2), e.QueueReordered(queued=2, order=[2, 1], by="anna", reason="r")]),
    ]:
        first = decide(story(*entries), action, seen=1)
        assert isinstance(first, Acted)
        assert (first.action, first.by) == (action.name, "anna")


def test_what_another_has_changed_since_is_not_changed_unseen():
    rejected = story(*OBSERVED, e.ObservationRejected(sample=1, by="anna", reason="a scratch"))
    before = rejected.version - 1
    first = rf"before you came reject of sample 1 by anna at .* \(a scratch\), entry {before + 1}; "
    refused(f"{first}you had seen entry {before}: look again", rejected, a.Accept(sample=1), seen=before)
    refused("before you came reject", rejected, a.Repeat(sample=1), seen=before)
    assert isinstance(decide(rejected, a.Accept(sample=1)), e.ObservationRestored)
    reordered = story(queued(1), queued(2), e.QueueReordered(queued=2, order=[2, 1], by="anna", reason="r"))
    refused("before you came reorder of own sample 2 by anna", reordered, a.Withdraw(queued=1), seen=3)
    changed = story(e.BudgetChanged(samples=9, by="anna", reason="r"))
    refused("before you came budget of 9 samples by anna", changed, a.ChangeBudget(samples=8), seen=1)


@pytest.mark.parametrize("action", [a.Reject(sample=1), a.Repeat(sample=1)], ids=["reject", "repeat"])
def test_a_value_is_judged_by_who_has_seen_it(action):
    state = story(*OBSERVED)
    since = state.samples[1].observed_in
    refused(f"sample 1 was measured since, entry {since}; you had seen entry 2", state, action, seen=2)
    decide(state, action, seen=since)


def test_a_note_and_an_own_sample_take_nothing_back():
    state = story(queued(1), suggested(1), e.BudgetChanged(samples=9, by="anna", reason="r"))
    for name in ("note", "sample"):
        decide(state, EXAMPLES[name], seen=1)


@pytest.mark.parametrize(("name", "entries"), [("veto", [suggested(1)]), ("reject", OBSERVED)])
def test_what_takes_something_away_says_why(name, entries):
    refused(f"{name}: say why, for the journal", story(*entries), EXAMPLES[name], reason="")


# --- the border ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fields", "wrong"),
    [
        ("veto", {}, "veto: sample: is missing; give a whole number of at least 1"),
        ("veto", {"sample": 0}, "veto: sample = 0: is less than 1; give a whole number of at least 1"),
        ("veto", {"sample": True}, "veto: sample = true: has the wrong type; give a whole number of at least 1"),
        ("veto", {"sample": 1, "slot": 2}, "veto: slot = 2: is not a known key; known here: sample"),
        ("note", {"sample": 1, "text": ""}, 'note: text = "": is empty; give 1 to 2000 characters'),
        ("sample", {"composition": {"Fe": -1.0}}, "sample: composition.Fe = -1: is less than 0; give a number from 0"),
        ("sample", {"composition": {"Fe": float("nan")}}, "sample: composition.Fe = nan: "),
        ("budget", {}, "budget: samples: nothing is asked for; give samples, or lab_hours"),
        ("budget", {"lab_hours": 0}, "budget: lab_hours = 0: is not more than 0; give a number above 0"),
        ("weights", {"weights": {"coercivity": 0}}, "weights: weights.coercivity = 0: is not more than 0"),
    ],
)
def test_fields_that_make_no_sense_are_told(name, fields, wrong):
    with pytest.raises(SpecError) as error:
        a.parsed(name, fields)
    assert str(error.value).startswith(wrong)


def test_what_is_no_action_is_refused():
    with pytest.raises(CommandRefused, match="there is no action 'dance': give one of sample, reorder"):
        a.parsed("dance", {})


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_action_survives_its_way_as_plain_values(name):
    assert a.parsed(name, EXAMPLES[name].model_dump(mode="json")) == EXAMPLES[name]


def test_the_same_sample_is_told_the_same_in_whatever_order_it_was_given():
    asked = a.OwnSample(composition={"Ni": 10.0, "Co": 30.0, "Fe": 60.0})
    entry = decide(story(), asked)
    state = tell(story(), entry)
    assert state.search.did[0].about == asked.about == "Fe60Co30Ni10"


def test_every_mode_and_phase_of_the_grids_is_one():
    assert {mode for _, mode, _ in grid(MODES)} == {mode.value.replace(" ", "_") for mode in Mode}
    assert {phase for _, phase, _ in grid(PHASES)} == {phase.value for phase in Phase} - {"reference"}
