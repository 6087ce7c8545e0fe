"""The daemon with stations beside it: deaths, orders in the middle of recovery, and starting where a journal ends."""

from __future__ import annotations

import threading

import pytest

from orchestrator.campaign import entries as e
from orchestrator.campaign.commands import Request
from orchestrator.campaign.lifecycle import CAMPAIGN_TRANSITIONS, Command, CommandRefused, Mode, Phase
from orchestrator.campaign.state import fold
from orchestrator.journal import SqliteJournal
from orchestrator.service.happenings import OptimizerTurned
from tests.service.nights import COMPOSITION, DONE, answer, campaign, cut_off_deposit, film_record, no_film_outcome
from tests.service.played import PATIENCE_S, Suggestions, at_film, played


@pytest.fixture
def lab(tmp_path):
    with played(tmp_path / "journal.db") as lab:
        yield lab


def begin_and_die(lab):
    """A journal whose daemon died in a film."""
    at_film(lab)
    lab.die()
    lab.holds = set()


def test_a_night(lab):
    lab.start()
    assert lab.ended().end == "done"
    assert lab.kinds()[:2] == ["campaign_started", "daemon_started"]
    assert vars(fold(lab.entries())) == vars(lab.daemon.state)


def test_a_step_found_open_is_settled_by_its_station_and_never_started_again(lab):
    begin_and_die(lab)
    lab.answers = {"deposit": cut_off_deposit(film=film_record())}
    lab.start()
    assert lab.ended().end == "done"
    assert len(lab.settled) == 1
    assert lab.stations["deposition"].started == {}
    sample = lab.daemon.state.samples[1]
    assert not sample.film.finished
    assert sample.phase is Phase.OBSERVED
    assert lab.kinds().count("daemon_started") == 2


def test_an_outcome_that_was_written_and_not_taken_up_is_taken_up_once(lab):
    begin_and_die(lab)
    lab.answers = {"deposit": DONE["deposit"]}
    lab.start()
    assert lab.ended().end == "done"
    assert lab.kinds().count("film_deposited") == 1
    assert lab.daemon.state.samples[1].film.finished
    lab.start()
    assert lab.ended().end == "done"  # it is over, and only told again
    assert lab.kinds().count("daemon_started") == 2


def test_held_stays_held_until_somebody_resumes(lab):
    station = at_film(lab)
    assert lab.give(Command.HOLD) == "holding"
    lab.until(lambda state: state.mode is Mode.HELD)
    assert station.told == ["hold"]
    lab.holds, lab.answers = set(), {"deposit": cut_off_deposit(film=None)}
    lab.start()
    lab.until(lambda state: not state.open_steps)
    assert lab.daemon.state.mode is Mode.HELD
    assert lab.stations["deposition"].started == {}
    assert lab.give(Command.RESUME) == "running"
    assert lab.ended().end == "done"


def test_aborting_ends_aborted_whoever_dies(lab):
    at_film(lab)
    assert lab.give(Command.ABORT) == "aborting"
    lab.holds, lab.answers = set(), {"deposit": cut_off_deposit(film=film_record())}
    lab.start()
    assert lab.ended().end == "aborted"
    assert lab.daemon.state.samples[1].film is not None
    assert lab.daemon.state.samples[1].phase is Phase.DEPOSITED


def test_a_lost_station_comes_back_and_its_step_is_settled(lab):
    station = at_film(lab)
    lab.turn("deposition", "lost")
    lab.until(lambda state: "deposition" in state.lost_stations)
    lab.turn("deposition", "back")
    lab.holds = set()
    station.end(cut_off_deposit(film=None))
    assert lab.ended().end == "done"
    assert [kind for kind in lab.kinds() if kind.startswith("station_")][:2] == ["station_lost", "station_restarted"]
    assert "operator_needed" not in lab.kinds()


def test_a_night_waits_for_a_station_without_which_nothing_can_be_done(lab):
    station = at_film(lab)
    lab.turn("robot", "lost")
    lab.until(lambda state: state.lost_stations)
    lab.holds = set()
    station.end(DONE["deposit"])
    lab.until(lambda state: not state.open_steps)
    threading.Event().wait(0.1)  # ten looks, with nothing to do
    assert lab.daemon.state.ended is None
    lab.turn("robot", "back")
    assert lab.ended().end == "done"


def test_a_station_given_up_needs_the_operator_and_its_step_waits_for_him(lab):
    at_film(lab)
    lab.turn("deposition", "lost")
    lab.stations["deposition"].reachable = False
    lab.turn("deposition", "given up")
    end = lab.ended()
    assert end.end == "needs operator"
    assert "station deposition is lost (died): see that it is safe, then recover" in end.reason
    assert lab.daemon.state.open_steps
    lab.start()
    assert lab.ended().end == "needs operator"  # nobody has said that it is mended
    lab.holds, lab.answers = set(), {"deposit": cut_off_deposit(film=film_record())}
    lab.start(recovered=True)
    assert lab.ended().end == "done"
    assert lab.daemon.state.samples[1].phase is Phase.OBSERVED
    (word,) = [r.entry for r in lab.entries() if isinstance(r.entry, e.CommandGiven)]
    assert (word.command, word.by) == ("recover", "tester")
    assert "station deposition is lost" in word.reason


def test_an_operator_who_is_needed_when_the_daemon_dies_is_needed_by_the_next(lab):
    begin_and_die(lab)
    journal = SqliteJournal(lab.path)
    journal.append([e.OperatorNeeded(reason="the arm cannot be moved")], len(lab.entries()), 1e4)
    lab.answers = {"deposit": DONE["deposit"]}
    lab.start()
    end = lab.ended()
    assert (end.end, end.reason) == ("needs operator", "the arm cannot be moved")
    lab.start(recovered=True)
    assert lab.ended().end == "done"


def test_a_campaign_that_is_not_gone_on_with_settles_what_was_under_way(lab):
    begin_and_die(lab)
    lab.answers = {"deposit": cut_off_deposit(film=film_record())}
    before = len(lab.entries())
    lab.start(abort=True)
    assert lab.ended().end == "aborted"
    assert lab.settled == [uid for uid in lab.settled if "deposit" in uid] != []
    assert not lab.daemon.state.open_steps
    assert lab.daemon.state.samples[1].film is not None
    added = [r.entry for r in lab.entries()[before:]]
    assert [entry.by for entry in added if isinstance(entry, e.CommandGiven)] == ["tester"]
    assert not [entry for entry in added if isinstance(entry, e.SampleSuggested | e.StepIntended)]


def test_a_campaign_that_needed_the_operator_can_be_ended_without_his_word(lab):
    lab.holds = {"transfer"}
    lab.start()
    assert lab.begun.wait(PATIENCE_S)
    lab.stations["robot"].end(answer("failed", {"moved": False, "holding": True}, "lost it"))
    assert lab.ended().end == "needs operator"
    lab.holds = set()
    lab.start(abort=True)
    assert lab.ended().end == "aborted"
    assert lab.daemon.state.samples[1].phase is Phase.QUARANTINED  # nobody said that it is back
    assert lab.daemon.state.samples[1].bound_for == "deposition"
    lab.start(abort=True)
    assert lab.ended().end == "aborted"
    assert lab.kinds().count("campaign_ended") == 2  # it is over


def test_a_sample_lost_on_its_way_is_in_its_slot_once_the_operator_says_so(lab):
    lab.holds = {"transfer"}
    lab.start()
    assert lab.begun.wait(PATIENCE_S)
    lab.stations["robot"].end(answer("failed", {"moved": False, "holding": True}, "lost it"))
    assert "find it, and put it back into its slot" in lab.ended().reason
    lab.holds = set()
    lab.start(recovered=True)
    end = lab.ended()
    assert (end.end, end.reason) == ("needs operator", "quarantined: samples 1")
    assert lab.daemon.state.samples[1].at_home


@pytest.mark.parametrize("command", [Command.HOLD, Command.STOP, Command.ABORT])
def test_an_order_in_the_middle_of_recovery_counts(lab, command):
    """The station's worker is being started again, and hears nothing."""
    station = at_film(lab)
    lab.turn("deposition", "lost")
    station.reachable = False
    lab.until(lambda state: state.lost_stations)
    lab.give(command)
    assert lab.give(command) == lab.daemon.state.mode.value  # twice is once
    station.reachable = True
    lab.turn("deposition", "back")
    lab.holds = set()
    station.end(cut_off_deposit(film=None))
    given = [r.entry.command for r in lab.entries() if isinstance(r.entry, e.CommandGiven)]
    assert given == [command.value]
    if command is Command.HOLD:
        lab.until(lambda state: state.mode is Mode.HELD)
        assert sum(station.started.values()) == 1
        lab.give(Command.RESUME)
    ends = {Command.HOLD: "done", Command.STOP: "stopped", Command.ABORT: "aborted"}
    assert lab.ended().end == ends[command]


AT = {"transfer": "robot", "deposit": "deposition", "measure": "magnetometry"}


@pytest.mark.parametrize("first", ["abort", "given up"])
@pytest.mark.parametrize(("plan", "name"), AT.items())
def test_an_abort_of_a_campaign_with_a_station_given_up_leaves_its_sample_to_a_person(lab, plan, name, first):
    lab.holds = {plan}
    lab.start()
    assert lab.begun.wait(PATIENCE_S)
    lab.turn(name, "lost")
    lab.until(lambda state: state.lost_stations)
    lab.stations[name].reachable = False
    lab.give(Command.ABORT if first == "abort" else Command.HOLD)
    lab.turn(name, "given up")
    if first == "given up":
        lab.until(lambda state: state.given_up)
        lab.give(Command.ABORT)
    end = lab.ended()
    assert end.end == "aborted"
    assert f"station {name} is not known to be safe" in end.reason
    assert not lab.daemon.state.open_steps
    (step,) = [r.entry for r in lab.entries() if isinstance(r.entry, e.StepEnded) and r.entry.end != "done"]
    sample = lab.daemon.state.samples[1]
    if plan == "measure":  # which does no harm to a film: it lies where it was, and is not measured
        assert (step.end, sample.phase, sample.place) == ("interrupted", Phase.DEPOSITED, "magnetometry")
    else:
        assert (step.end, sample.phase) == ("unknown", Phase.QUARANTINED)
    assert "operator_needed" in lab.kinds()
    lab.start(recovered=True)
    assert lab.ended() == end  # it is over: nobody goes on with it


def held_by_policy(lab, **recovery):
    """A daemon whose first deposition fails so that the policy holds, while a transfer could go on."""
    lab.spec = campaign(samples=1, recovery={"faults": {"instrument": {"actions": ["hold"]}}, **recovery})
    station = at_film(lab)
    station.end(answer("failed", no_film_outcome(), "no plasma", "instrument"))
    lab.until(lambda state: state.mode is Mode.HELD)
    return station


def test_a_hold_by_policy_begins_nothing_tells_no_station_and_waits_for_the_operator(lab):
    station = held_by_policy(lab)
    (hold,) = [r.entry for r in lab.entries() if isinstance(r.entry, e.CommandGiven)]
    assert (hold.command, hold.by, hold.after_steps) == ("hold", "recovery policy", True)
    assert hold.reason == "sample 1 could not be deposited: no plasma"
    assert lab.daemon.latest.faults == {"instrument": 1}
    assert station.told == []
    assert sum(station.started.values()) == 1
    lab.holds = set()
    lab.give(Command.RESUME)
    assert lab.ended().end == "done"
    assert lab.daemon.state.faults == {}


def test_status_says_which_interlock_a_station_waits_on(lab):
    station = at_film(lab)
    station.waiting_on = "gauge: not read for 12 s"
    lab.give(Command.HOLD)
    lab.give(Command.RESUME)  # each command is followed by a report
    lab.until(lambda state: lab.daemon.latest.stations["deposition"].waiting_on)
    assert lab.daemon.latest.stations["deposition"].waiting_on == "gauge: not read for 12 s"
    lab.holds = set()
    station.end(DONE["deposit"])
    assert lab.ended().end == "done"


def test_a_hold_by_policy_outlives_the_daemon(lab):
    held_by_policy(lab)
    lab.give(Command.HOLD)  # by a person too: forgives nothing
    state = fold(lab.entries())
    assert (state.mode, state.held_by_policy) == (Mode.HELD, True)
    lab.holds = set()
    lab.give(Command.STOP)
    end = lab.ended()
    assert end.end == "stopped"
    assert lab.daemon.state.samples[1].phase is Phase.DISCARDED


def test_a_candidate_that_comes_to_nothing_is_released_and_after_two_samples_withheld(lab):
    """Every deposition fails; the optimizer is asked each time without the sample among the pending ones."""
    asked = {}

    def ask(question, on_answer):
        asked[question.number] = question
        Suggestions().ask(question, on_answer)

    rule = {"actions": ["skip"], "wait_s": 0}
    lab.spec = campaign(samples=4, recovery={"faults": {"communication": rule}, "failures_in_a_row": 3})
    lab.holds = {"deposit"}
    lab.start(ask=ask)
    for _ in range(3):
        assert lab.begun.wait(PATIENCE_S)
        lab.begun.clear()
        lab.stations["deposition"].end(answer("failed", no_film_outcome(), "NoReply: silent", "communication"))
    lab.ended()
    told = {r.entry.sample: r.entry for r in lab.entries() if isinstance(r.entry, e.SampleSuggested)}
    assert told[1].withheld == []
    last = told[max(told)]
    assert len(last.withheld) == 1  # one sample for the candidate
    assert last.withheld[0] < last.sample
    assert not set(last.withheld) & set(last.pending)
    assert asked[last.sample].withheld == [{"composition": COMPOSITION, "settings": {}}]


def test_a_failure_is_tried_again_after_its_wait_and_the_class_is_in_the_journal(lab):
    rule = {"actions": ["retry", "reconnect", "skip"], "wait_s": 0}
    lab.spec = campaign(samples=1, recovery={"faults": {"communication": rule}})
    station = at_film(lab)
    for _ in range(2):
        lab.begun.clear()
        station.end(answer("failed", no_film_outcome(), "NoReply: silent", "communication"))
        assert lab.begun.wait(PATIENCE_S)
    lab.holds = set()
    station.end(DONE["deposit"])
    assert lab.ended().end == "done"
    intents = [r.entry for r in lab.entries() if isinstance(r.entry, e.StepIntended) and r.entry.plan == "deposit"]
    assert [(intent.attempt, intent.aid) for intent in intents] == [(1, ""), (2, "retry"), (3, "reconnect")]
    assert [station.orders[intent.step]["reconnect"] for intent in intents] == [False, False, True]
    faults = [r.entry.fault for r in lab.entries() if isinstance(r.entry, e.StepEnded) and r.entry.end == "failed"]
    assert faults == ["communication"] * 2


def test_the_breaker_ends_the_night_once_a_budget_is_spent(lab):
    lab.spec = campaign(
        samples=1, recovery={"faults": {"timeout": {"actions": ["retry", "skip"], "budget": 1, "wait_s": 0}}}
    )
    station = at_film(lab)
    lab.begun.clear()
    station.end(answer("failed", no_film_outcome(), "slow", "timeout"))
    assert lab.begun.wait(PATIENCE_S)
    station.end(answer("failed", no_film_outcome(), "slow", "timeout"))
    end = lab.ended()
    assert (end.end, end.reason) == (
        "needs operator",
        "2 faults of class timeout (the budget is 1): look at the journal",
    )


def test_a_hold_that_overtakes_its_step_holds_it_all_the_same(lab):
    station = at_film(lab)
    station.state = "safe"  # it has not begun yet
    lab.give(Command.HOLD)
    assert lab.daemon.state.mode is Mode.HOLDING
    station.told.clear()
    station.state = "running"
    lab.until(lambda state: state.mode is Mode.HELD)
    assert station.told == ["hold"]
    lab.give(Command.RESUME)
    lab.holds = set()
    station.end(DONE["deposit"])
    assert lab.ended().end == "done"


def test_a_command_that_makes_no_sense_changes_nothing(lab):
    station = at_film(lab)
    lab.give(Command.STOP)
    with pytest.raises(CommandRefused):
        lab.give(Command.RESUME)
    lab.holds = set()
    station.end(DONE["deposit"])
    assert lab.ended().end == "stopped"


def test_an_answer_that_comes_twice_is_taken_once(lab):
    station = at_film(lab)
    ((uid, on_end),) = station.open.items()
    lab.holds = set()
    on_end(uid, DONE["deposit"])
    on_end(uid, DONE["deposit"])
    assert lab.ended().end == "done"


def test_a_station_that_cannot_be_made_safe_is_a_reason_to_call_somebody(lab):
    station = at_film(lab)
    station.faults = ["gun1 could not be made safe; switch it off by hand"]
    lab.holds = set()
    station.end(DONE["deposit"])
    end = lab.ended()
    assert end.end == "needs operator"
    assert "station deposition is not known to be safe (gun1 could not be made safe" in end.reason


def test_the_optimizer_s_death_is_journaled_and_stops_nothing(lab):
    station = at_film(lab)
    for turn in ("lost", "back", "lost", "given up"):
        lab.suggestions.on_turn(OptimizerTurned(turn, "died"))
    lab.until(lambda state: state.version and "optimizer_restarted" in lab.kinds())
    lab.holds = set()
    station.end(DONE["deposit"])
    assert lab.ended().end == "done"
    told = [r.entry for r in lab.entries() if r.entry.kind.startswith("optimizer")]
    assert [(entry.kind, getattr(entry, "for_good", False)) for entry in told] == [
        ("optimizer_lost", False),
        ("optimizer_restarted", False),
        ("optimizer_lost", False),
        ("optimizer_lost", True),
    ]


# --- several operators, late ones, and requests that come twice -----------------------------------------


def asked(lab, command, by="anna", key="", seen=None):
    return lab.ask(Request(command, by, f"{by}'s reason", key or f"{by}-{command}-{seen}", seen))


def given(lab):
    return [(r.entry.command, r.entry.by) for r in lab.entries() if isinstance(r.entry, e.CommandGiven)]


def test_a_request_that_comes_again_is_answered_again_and_done_once(lab):
    station = at_film(lab)
    first = asked(lab, Command.HOLD, key="a")
    lab.until(lambda state: state.mode is Mode.HELD)
    assert asked(lab, Command.RESUME, key="b")["mode"] == "running"
    again = asked(lab, Command.HOLD, key="a")
    assert (first["mode"], first["again"]) == ("holding", False)
    assert (again["mode"], again["again"]) == ("holding", True)
    assert lab.daemon.state.mode is Mode.RUNNING
    assert given(lab) == [("hold", "anna"), ("resume", "anna")]
    assert station.told == ["hold", "resume"]


def test_it_is_known_to_the_next_daemon(lab):
    at_film(lab)
    asked(lab, Command.HOLD, key="a")
    lab.until(lambda state: state.mode is Mode.HELD)
    asked(lab, Command.RESUME, key="b")
    lab.holds = set()
    lab.answers = {}
    lab.start()
    assert lab.begun.wait(PATIENCE_S)
    assert asked(lab, Command.HOLD, key="a")["again"]
    assert lab.daemon.state.mode is Mode.RUNNING
    with pytest.raises(CommandRefused, match="the key 'a' is that of another request"):
        asked(lab, Command.ABORT, key="a")
    assert given(lab) == [("hold", "anna"), ("resume", "anna")]


def test_what_was_true_already_is_not_done_by_a_late_copy_either(lab):
    """Bert's hold changes nothing when it comes; had it left no trace, its copy would hold what anna resumed."""
    at_film(lab)
    asked(lab, Command.HOLD, "anna", key="a")
    assert asked(lab, Command.HOLD, "bert", key="b")["note"].startswith("it was so already: hold by anna")
    lab.until(lambda state: state.mode is Mode.HELD)
    asked(lab, Command.RESUME, "anna", key="c", seen=lab.daemon.state.version)
    assert asked(lab, Command.HOLD, "bert", key="b")["again"]
    assert lab.daemon.state.mode is Mode.RUNNING


def test_a_refusal_stays_one(lab):
    at_film(lab)
    asked(lab, Command.STOP, key="a")
    for _ in range(2):
        with pytest.raises(CommandRefused, match=r"cannot resume; .* before you came stop by anna"):
            asked(lab, Command.RESUME, "bert", key="b", seen=1)
        asked(lab, Command.HOLD, "anna", key="c")
    assert lab.daemon.state.mode in (Mode.HOLDING, Mode.HELD)


def test_a_stale_client_lifts_no_hold(lab):
    station = at_film(lab)
    asked(lab, Command.HOLD, "anna")
    lab.until(lambda state: state.mode is Mode.HELD)
    seen = lab.daemon.state.version
    asked(lab, Command.HOLD, "bert")  # he has his hands in the chamber
    with pytest.raises(CommandRefused, match=r"stays held: before you came hold by bert .*look again"):
        asked(lab, Command.RESUME, "anna", seen=seen)
    assert station.told == ["hold"]
    assert asked(lab, Command.STOP, "carl", seen=seen)["note"].startswith("still in force: hold by bert")
    assert lab.daemon.state.mode is Mode.HELD
    assert "resume" not in station.told
    assert asked(lab, Command.RESUME, "bert", seen=lab.daemon.state.version)["mode"] == "stopping"
    lab.holds = set()
    station.end(DONE["deposit"])
    assert lab.ended().end == "stopped"


@pytest.mark.parametrize("command", [Command.HOLD, Command.STOP, Command.ABORT])
def test_of_many_who_say_the_same_at_once_one_is_first_and_the_others_are_told_so(lab, command):
    at_film(lab)
    names = [f"operator {number}" for number in range(8)]
    barrier, told = threading.Barrier(len(names)), {}

    def ask(name):
        barrier.wait()
        told[name] = lab.daemon.command(Request(command, name, "r", name, 1))

    threads = [threading.Thread(target=ask, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers = {name: reply.result(PATIENCE_S) for name, reply in told.items()}
    (winner,) = [name for name, answer in answers.items() if answer["changed"]]
    others = [answer for name, answer in answers.items() if name != winner]
    assert {answer["first"]["by"] for answer in others} == {winner}
    assert all(f"{command} by {winner}" in answer["note"] for answer in others)


def test_an_abort_and_a_resume_at_once(lab):
    at_film(lab)
    asked(lab, Command.HOLD, "anna")
    lab.until(lambda state: state.mode is Mode.HELD)
    seen = lab.daemon.state.version
    abort = lab.daemon.command(Request(Command.ABORT, "bert", "smoke", "b", seen))
    resume = lab.daemon.command(Request(Command.RESUME, "anna", "done", "a", seen))
    assert abort.result(PATIENCE_S)["mode"] == "aborting"
    with pytest.raises(CommandRefused, match=r"cannot resume; .*before you came abort by bert .*smoke"):
        resume.result(PATIENCE_S)


# --- every command in every state, whatever else goes on -------------------------------------------------

BROUGHT_ABOUT_BY = {
    Mode.RUNNING: [],
    Mode.HOLDING: [Command.HOLD],
    Mode.HELD: [Command.HOLD],
    Mode.STOPPING: [Command.STOP],
    Mode.ABORTING: [Command.ABORT],
}
LAST_TOLD = {
    Mode.RUNNING: {"resume"},
    Mode.HOLDING: {"hold"},
    Mode.HELD: {"hold"},
    Mode.STOPPING: {"resume"},
    Mode.ABORTING: {"abort"},
}


def end_after(*modes):
    """How a campaign ends that has come through `modes` and was then left alone, or resumed."""
    return "aborted" if Mode.ABORTING in modes else "stopped" if Mode.STOPPING in modes else "done"


def slow_to_hold(station, monkeypatch):
    """A station that has not come to a gate yet."""
    monkeypatch.setattr(station, "hold", lambda reason: station._tell("hold", "holding"))


def brought_to(lab, mode, monkeypatch):
    station = at_film(lab)
    if mode is Mode.HOLDING:
        slow_to_hold(station, monkeypatch)
    for command in BROUGHT_ABOUT_BY[mode]:
        lab.give(command)
    lab.until(lambda state: state.mode is mode)
    return station


def check_cell(lab, mode, command):
    """Give `command` in `mode`: it does what the table says, and the journal says so too; the mode afterwards."""
    after = CAMPAIGN_TRANSITIONS.get((mode, command))
    if after is None:
        with pytest.raises(CommandRefused, match=f"the campaign is {mode}: cannot {command}"):
            asked(lab, command, key="cell")
        after = mode
    else:
        assert asked(lab, command, key="cell", seen=lab.daemon.state.version)["mode"] == after.value
    assert fold(lab.entries()).mode in (after, Mode.HELD if after is Mode.HOLDING else after)
    return after


@pytest.mark.parametrize("command", list(Command))
@pytest.mark.parametrize("mode", list(BROUGHT_ABOUT_BY))
def test_a_command_to_a_station_at_work(lab, mode, command, monkeypatch):
    station = brought_to(lab, mode, monkeypatch)
    before = list(station.told)
    after = check_cell(lab, mode, command)
    if after is not mode:
        assert station.told[-1] in LAST_TOLD[after]
    else:
        assert station.told == before
    assert sum(station.started.values()) == 1


@pytest.mark.parametrize("command", list(Command))
@pytest.mark.parametrize("mode", list(BROUGHT_ABOUT_BY))
def test_a_command_while_a_worker_is_started_again(lab, mode, command, monkeypatch):
    station = brought_to(lab, mode, monkeypatch)
    lab.turn("deposition", "lost")
    lab.until(lambda state: state.lost_stations)
    station.reachable = False
    told = list(station.told)
    after = check_cell(lab, mode, command)
    assert station.told == told  # nobody is there to hear it
    station.reachable = True
    lab.turn("deposition", "back")
    lab.holds = set()
    station.end(cut_off_deposit(film=None))
    if after in (Mode.HOLDING, Mode.HELD):
        lab.until(lambda state: state.mode is Mode.HELD and not state.open_steps)
        assert sum(station.started.values()) == 1
        lab.give(Command.RESUME)
    assert lab.ended().end == end_after(mode, after)


@pytest.mark.parametrize("command", list(Command))
@pytest.mark.parametrize("mode", list(BROUGHT_ABOUT_BY))
def test_a_command_while_the_next_daemon_recovers(lab, mode, command, monkeypatch):
    """It has asked what became of the step that it found open, and has no answer yet."""
    brought_to(lab, mode, monkeypatch)
    lab.start()
    assert lab.begun.wait(PATIENCE_S)
    station = lab.stations["deposition"]
    found = fold(lab.entries()).mode
    if mode is Mode.HOLDING:  # a station that has a new worker has nothing to bring to rest
        lab.until(lambda state: state.mode is mode or state.mode is Mode.HELD)
        found = lab.daemon.state.mode
    after = check_cell(lab, found, command)
    lab.holds = set()
    station.end(cut_off_deposit(film=None))
    if after in (Mode.HOLDING, Mode.HELD):
        lab.until(lambda state: state.mode is Mode.HELD and not state.open_steps)
        assert sum(station.started.values()) == 0
        lab.give(Command.RESUME)
    assert lab.ended().end == end_after(mode, after)


@pytest.mark.parametrize("command", list(Command))
def test_a_command_to_a_campaign_that_is_over(lab, command):
    lab.start()
    lab.ended()
    reply = lab.daemon.command(Request(command, "late", "r", "k", 1))
    lab.daemon.close()
    with pytest.raises(CommandRefused, match="the campaign is stopped"):
        reply.result(PATIENCE_S)


def test_a_copy_of_what_was_taken_is_known_also_when_it_is_over(lab):
    at_film(lab)
    asked(lab, Command.ABORT, key="k")
    lab.holds = set()
    lab.stations["deposition"].end(answer("aborted", {"begun": False}, "fire"))
    lab.ended()
    reply = lab.daemon.command(Request(Command.ABORT, "anna", "r", "k", 1))
    lab.daemon.close()
    assert reply.result(PATIENCE_S)["again"]


@pytest.mark.parametrize(("command", "end"), [(Command.ABORT, "aborted"), (Command.RECOVER, "done")])
def test_a_command_while_a_person_is_needed_and_a_step_still_runs(lab, command, end):
    """The campaign ends for want of him only when the step has ended."""
    station = at_film(lab)
    lab.turn("robot", "lost")
    lab.turn("robot", "given up")
    lab.until(lambda state: state.needs)
    version = lab.daemon.state.version
    with pytest.raises(CommandRefused, match="you are needed for something else since"):
        asked(lab, Command.RECOVER, key="early", seen=1)
    asked(lab, command, key="word", seen=version)
    lab.turn("robot", "back")
    lab.holds = set()
    station.end(answer("aborted", {"begun": False}, "r") if command is Command.ABORT else DONE["deposit"])
    assert lab.ended().end == end


def test_what_the_model_is_worth_is_journaled_with_each_suggestion(lab):
    assessment = {"observations": 3, "residuals": {"1": 0.5}, "within_one": 1.0, "concerns": []}

    def ask(question, on_answer):
        chosen = {"composition": COMPOSITION, "method": "gp", "seconds": 0.1, "assessment": assessment}
        on_answer(question.number, chosen)

    lab.holds = {"deposit"}
    lab.start(ask=ask)
    lab.until(lambda state: state.assessments)
    assert lab.daemon.state.assessments[0] == e.ModelAssessed(observed=0, residuals={"1": 0.5}, within_one=1.0)


def test_a_night_ends_when_the_model_sees_little_to_gain(lab):
    """What is suggested beside the second such assessment is not made."""

    def ask(question, on_answer):
        regret = 5.0 if len(question.observations) >= 8 else 50.0
        chosen = {"composition": COMPOSITION, "method": "gp", "seconds": 0.1, "assessment": {"regret": regret}}
        on_answer(question.number, chosen)

    lab.spec = campaign(samples=20, stopping={"regret": 10, "min_samples": 8})
    lab.start(ask=ask)
    lab.thread.join(PATIENCE_S)
    state = fold(lab.entries())
    earlier, last = list(state.assessments)[-2:]
    assert 8 <= earlier < last
    assert state.ended.reason == f"little to gain: at most 5 kA/m by the model of {last} observations"
    assert state.ended.end == "done"
    assert len(state.samples) == len(state.observations) < 20
    told = [r.entry.kind for r in lab.entries() if r.entry.kind in ("model_assessed", "sample_suggested")]
    assert told[-1] == "model_assessed"
    assert told.count("model_assessed") == told.count("sample_suggested") + 1
