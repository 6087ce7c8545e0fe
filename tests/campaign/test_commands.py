"""Who is heard when several give commands, some of them late, and some of them twice."""

from __future__ import annotations

import itertools

import pytest

from orchestrator.campaign import commands
from orchestrator.campaign import entries as e
from orchestrator.campaign.commands import Request
from orchestrator.campaign.lifecycle import CAMPAIGN_TRANSITIONS, Command, CommandRefused, Mode
from tests.campaign.stories import command, story, tell

HOLD, RESUME, STOP, ABORT, RECOVER = Command
LED_TO = {
    Mode.RUNNING: [],
    Mode.HOLDING: [command("hold")],
    Mode.HELD: [command("hold"), e.CampaignHeld()],
    Mode.STOPPING: [command("stop")],
    Mode.ABORTING: [command("abort")],
    Mode.STOPPED: [command("abort"), e.CampaignEnded(end="aborted", reason="abort")],
    Mode.NEEDS_OPERATOR: [
        e.OperatorNeeded(reason="the arm"),
        e.CampaignEnded(end="needs operator", reason="the arm"),
    ],
}


def given(word, by, seen=None, key=""):
    return e.CommandGiven(command=word, by=by, reason=f"{by}'s", key=key, seen=seen)


def check(state, command, seen=None, by="late"):
    commands.check(Request(command, by, "r", "k", seen), state.mode, state.commands, state.needed_at)


@pytest.mark.parametrize(("mode", "command"), list(itertools.product(Mode, Command)))
def test_whoever_has_seen_everything_is_refused_only_what_makes_no_sense(mode, command):
    state = story(*LED_TO[mode])
    assert state.mode is mode
    if (mode, command) in CAMPAIGN_TRANSITIONS:
        check(state, command, seen=state.version)
    else:
        with pytest.raises(CommandRefused, match=f"the campaign is {mode}: cannot {command}"):
            check(state, command, seen=state.version)


@pytest.mark.parametrize(("mode", "command"), list(itertools.product(Mode, (HOLD, STOP, ABORT))))
def test_what_leads_to_rest_is_taken_whatever_was_seen(mode, command):
    if (mode, command) in CAMPAIGN_TRANSITIONS:
        check(story(*LED_TO[mode]), command, seen=1)


@pytest.mark.parametrize("rest", [[], [e.CampaignHeld()]], ids=["holding", "held"])
def test_a_hold_is_lifted_only_by_who_has_seen_it(rest):
    state = story(given("hold", "anna"), *rest)
    with pytest.raises(CommandRefused, match=r"before you came hold by anna at .* \(anna's\), entry 2; you had seen"):
        check(state, RESUME, seen=1)
    check(state, RESUME, seen=2)
    check(state, RESUME)
    tell(state, given("hold", "bert", key="b"))  # it is held already, and now for two reasons
    with pytest.raises(CommandRefused, match="hold by bert"):
        check(state, RESUME, seen=state.version - 1)
    check(state, RESUME, seen=state.version)


def test_a_resume_is_not_stale_where_nothing_is_held():
    check(story(given("hold", "anna"), given("resume", "anna")), RESUME, seen=1)


def test_a_refusal_names_who_was_first():
    state = story(given("hold", "anna"), given("abort", "bert"), given("abort", "carl", key="c"))
    with pytest.raises(CommandRefused, match=r"cannot resume; it takes abort, recover; before you came abort by bert"):
        check(state, RESUME, seen=state.version)


def test_the_operator_s_word_counts_for_what_he_has_seen():
    state = story(e.OperatorNeeded(reason="the arm"), e.OperatorNeeded(reason="the gun"))
    with pytest.raises(CommandRefused, match="you are needed for something else since, entry 3"):
        check(state, RECOVER, seen=2)
    check(state, RECOVER, seen=3)


# --- a stop and a hold ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rest", [[], [e.CampaignHeld()]], ids=["holding", "held"])
def test_a_stop_lifts_no_hold_that_its_giver_has_not_seen(rest):
    state = story(given("hold", "anna"), *rest)
    before = state.mode
    tell(state, given("stop", "bert", seen=1, key="b"))
    assert (state.mode, state.stop_wanted) == (before, True)
    tell(state, given("resume", "anna", seen=state.version))
    assert state.mode is Mode.STOPPING


@pytest.mark.parametrize("seen", [2, None])
def test_a_stop_lifts_a_hold_that_its_giver_has_seen(seen):
    assert story(given("hold", "anna"), given("stop", "bert", seen=seen)).mode is Mode.STOPPING


# --- keys -----------------------------------------------------------------------------------------------


def test_a_request_is_known_by_its_key():
    state = story(given("hold", "anna", key="a"), given("resume", "anna", key="b"))
    again = commands.asked_before(state.commands, Request(HOLD, "anna", "r", "a", 1))
    assert again is state.commands[0]
    told = commands.answer_again(again)
    assert (told["mode"], told["changed"], told["again"]) == ("holding", True, True)
    assert commands.asked_before(state.commands, Request(HOLD, "anna", "r", "c", 1)) is None
    assert commands.asked_before(story(given("hold", "anna")).commands, Request(HOLD, "anna", "r")) is None


def test_a_key_has_one_meaning():
    state = story(given("hold", "anna", key="a"))
    with pytest.raises(CommandRefused, match="the key 'a' is that of another request: hold by anna"):
        commands.asked_before(state.commands, Request(ABORT, "anna", "r", "a"))


def test_who_comes_second_is_told_who_was_first():
    state = story(given("hold", "anna", key="a"), given("hold", "bert", key="b"))
    told = commands.answer(Request(HOLD, "bert", "r", "b"), state.mode, state.commands, changed=False)
    assert told["note"].startswith("it was so already: hold by anna at ")
    assert told["first"]["by"] == "anna"
    assert commands.answer(Request(HOLD, "c", "r", "c"), Mode.HOLDING, (), changed=True)["note"] == ""


@pytest.mark.parametrize(("seen", "words"), [(1, "still in force: hold by anna"), (2, "lifted by this: hold by anna")])
def test_who_stops_what_is_held_is_told_of_the_hold(seen, words):
    state = story(given("hold", "anna", key="a"), given("stop", "bert", seen=seen, key="b"))
    told = commands.answer(Request(STOP, "bert", "r", "b", seen), state.mode, state.commands, changed=True)
    assert told["note"].startswith(words)
