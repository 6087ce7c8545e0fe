"""The daemon and what operators do about the search: turns, choices that are asked for again, keys, the next daemon."""

from __future__ import annotations

import pytest

from orchestrator import rpc
from orchestrator.campaign import entries as e
from orchestrator.campaign.actions import (
    Accept,
    ChangeBudget,
    Note,
    OwnSample,
    Reject,
    Repeat,
    SearchRequest,
    Veto,
    Withdraw,
)
from orchestrator.campaign.commands import Request
from orchestrator.campaign.lifecycle import Command, CommandRefused, Phase
from orchestrator.campaign.state import fold
from orchestrator.service.api import Api
from orchestrator.service.asking import give
from orchestrator.service.home import Home
from tests.service.nights import COMPOSITION, DONE, campaign
from tests.service.played import LAB, PATIENCE_S, at_film, played

IRON = OwnSample(composition={"Fe": 100.0})
NICKEL = OwnSample(composition={"Ni": 100.0})


@pytest.fixture
def lab(tmp_path):
    with played(tmp_path / "journal.db") as lab:
        yield lab


class Optimizer:
    """Answers when it is told to."""

    def __init__(self):
        self.asked = []

    def ask(self, question, on_answer):
        self.asked.append((question, on_answer))

    def answer(self, composition=COMPOSITION):
        question, on_answer = self.asked[-1]
        on_answer(question.number, {"composition": composition, "method": "gp", "seconds": 0.1})


def do(lab, action, key="", by="anna", seen=None):
    return lab.daemon.act(SearchRequest(action, by, "r", key, seen)).result(PATIENCE_S)


def started(lab, samples=3):
    """A daemon that has asked for its first sample."""
    optimizer = Optimizer()
    lab.spec = campaign(samples=samples)
    lab.start(ask=optimizer.ask)
    lab.until(lambda _: optimizer.asked)
    return optimizer


def test_an_own_sample_takes_the_next_turn_and_the_choice_that_did_not_know_of_it_is_asked_for_again(lab):
    lab.holds = {"deposit"}
    optimizer = started(lab)
    told = do(lab, IRON)
    assert (told["action"], told["changed"], told["number"]) == ("sample", True, 1)
    lab.until(lambda state: state.samples)
    sample = lab.daemon.state.samples[1]
    assert (sample.suggestion.method, sample.suggestion.composition["Fe"], sample.own.by) == ("operator", 1.0, "anna")
    optimizer.answer()
    assert lab.begun.wait(PATIENCE_S)
    assert len(lab.daemon.state.samples) == 1  # it was chosen without knowing of the first
    lab.holds = set()
    lab.stations["deposition"].end(DONE["deposit"])
    lab.until(lambda _: len(optimizer.asked) == 2)
    assert optimizer.asked[-1][0].number == 2


def test_of_several_each_has_its_turn_and_the_night_ends_with_the_budget(lab):
    lab.holds = {"deposit"}
    optimizer = started(lab, samples=2)
    do(lab, IRON)
    optimizer.answer()
    assert lab.begun.wait(PATIENCE_S)
    do(lab, NICKEL)
    with pytest.raises(CommandRefused, match="the budget of 2 samples is used up by 1 films and 1 queued"):
        do(lab, IRON)
    lab.holds = set()
    lab.stations["deposition"].end(DONE["deposit"])
    assert lab.ended().end == "done"
    made = [sample.suggestion.composition for sample in lab.daemon.state.samples.values()]
    assert [max(composition, key=composition.get) for composition in made] == ["Fe", "Ni"]


def test_what_was_vetoed_is_told_to_the_optimizer_and_its_substrate_is_the_next_one_s(lab):
    lab.holds = {"transfer"}
    optimizer = started(lab)
    optimizer.answer()
    assert lab.begun.wait(PATIENCE_S)
    told = do(lab, Veto(sample=1))
    assert (told["changed"], told["mode"]) == (True, "running")
    lab.holds = {"deposit"}
    lab.stations["robot"].end(DONE["transfer"])
    lab.until(lambda _: len(optimizer.asked) == 2)
    question = optimizer.asked[-1][0]
    assert (question.number, question.pending) == (2, [])
    assert question.vetoed == [{"composition": COMPOSITION, "settings": {}}]
    lab.until(lambda state: not state.slots_used)
    optimizer.answer({"Fe": 1.0, "Co": 0.0, "Ni": 0.0})
    lab.until(lambda state: 2 in state.samples)
    assert lab.daemon.state.samples[2].slot == 1
    assert lab.daemon.state.samples[1].phase is Phase.VETOED


def test_a_film_that_may_have_been_begun_is_not_vetoed(lab):
    at_film(lab)
    with pytest.raises(CommandRefused, match="sample 1 is depositing: cannot veto it; its film may have been begun"):
        do(lab, Veto(sample=1))


def after_one(lab):
    """One sample is observed, and the next is being chosen."""
    optimizer = started(lab)
    optimizer.answer()
    lab.until(lambda state: state.observations and not state.open_steps)
    lab.until(lambda _: len(optimizer.asked) >= 2)
    while (known := len(optimizer.asked[-1][0].observations)) == 0:  # it was asked while the first was measured
        optimizer.answer()
        lab.until(lambda _: len(optimizer.asked[-1][0].observations) > known)
    return optimizer


def test_a_choice_by_a_value_that_is_rejected_meanwhile_is_asked_for_again(lab):
    optimizer = after_one(lab)
    asked, samples = len(optimizer.asked), len(lab.daemon.state.samples)
    do(lab, Reject(sample=1))
    optimizer.answer()
    lab.until(lambda _: len(optimizer.asked) > asked)
    assert len(lab.daemon.state.samples) == samples
    assert 1 not in [told["sample"] for told in optimizer.asked[-1][0].observations]
    do(lab, Accept(sample=1))
    optimizer.answer()
    lab.until(lambda _: len(optimizer.asked) > asked + 1)
    assert optimizer.asked[-1][0].observations[0]["sample"] == 1


def test_a_choice_that_comes_when_the_budget_no_longer_pays_for_it_is_not_made(lab):
    lab.holds = {"deposit"}
    optimizer = started(lab)
    optimizer.answer()
    assert lab.begun.wait(PATIENCE_S)
    lab.holds = set()
    lab.stations["deposition"].end(DONE["deposit"])
    lab.until(lambda _: len(optimizer.asked) == 2)
    do(lab, ChangeBudget(samples=1))
    optimizer.answer()
    assert lab.ended().end == "done"
    assert len(lab.daemon.state.samples) == 1


def test_a_sample_is_measured_again(lab):
    after_one(lab)
    do(lab, Repeat(sample=1))
    lab.until(lambda state: state.samples[1].phase is Phase.OBSERVED and not state.open_steps)
    assert [r.entry.sample for r in lab.entries() if isinstance(r.entry, e.ObservationMade)].count(1) == 2


def test_a_budget_that_is_raised_is_that_of_the_next_daemon_too(lab):
    at_film(lab)
    assert do(lab, ChangeBudget(samples=2))["changed"]
    assert lab.daemon.campaign.budget.samples == 2
    lab.holds, lab.answers = set(), {"deposit": DONE["deposit"]}
    lab.start()
    end = lab.ended()
    assert (end.end, end.reason) == ("done", "budget: 2 samples")
    assert len(lab.daemon.state.samples) == 2
    assert vars(fold(lab.entries())) == vars(lab.daemon.state)


def test_the_same_request_twice_is_done_once_also_by_the_next_daemon(lab):
    at_film(lab)
    first, again = (do(lab, Note(sample=1, text="a scratch"), key="k") for _ in range(2))
    assert (first["changed"], first["again"], again["again"]) == (True, False, True)
    assert (again["entry"], again["first"]["by"]) == (first["entry"], "anna")
    with pytest.raises(CommandRefused, match="the key 'k' is that of another request: note of sample 1"):
        do(lab, Note(sample=1, text="two scratches"), key="k")
    with pytest.raises(CommandRefused, match="the key 'k' is that of another request"):
        lab.ask(Request(Command.HOLD, "anna", "r", "k"))
    lab.holds = set()
    lab.answers = {"deposit": DONE["deposit"]}
    lab.start()
    reply = lab.daemon.act(SearchRequest(Note(sample=1, text="a scratch"), "anna", "r", "k"))
    lab.ended()
    lab.daemon.close()
    assert reply.result(PATIENCE_S)["again"]
    assert [r.entry.kind for r in lab.entries()].count("sample_noted") == 1


def test_a_copy_of_what_changed_nothing_changes_nothing_later(lab):
    lab.holds = {"deposit"}
    started(lab)
    do(lab, IRON)
    assert lab.begun.wait(PATIENCE_S)
    do(lab, NICKEL)
    do(lab, Withdraw(queued=2), key="a")
    assert do(lab, Withdraw(queued=2), key="b", by="bert")["note"].startswith("it was so already: withdraw of own samp")
    assert do(lab, Withdraw(queued=2), key="b", by="bert")["changed"] is False
    assert lab.kinds().count("own_sample_withdrawn") == 1


def test_what_comes_too_late_is_refused(lab):
    lab.start()
    lab.ended()
    reply = lab.daemon.act(SearchRequest(Note(sample=1, text="t"), "late"))
    lab.daemon.close()
    with pytest.raises(CommandRefused, match="the campaign is stopped"):
        reply.result(PATIENCE_S)


def test_an_action_from_another_process(lab, tmp_path):
    at_film(lab)
    api = Api(LAB)
    api.serve(lab.daemon)
    with rpc.serve({"daemon": api}, "t") as server:
        home = Home(tmp_path)
        home.announce(server.uris["daemon"], "t")
        told = give(home, SearchRequest(Note(sample=1, text="a scratch"), "anna"))
        assert (told["changed"], told["number"]) == (True, 1)
        with pytest.raises(rpc.RemoteError, match="sample 1 is depositing") as refused:
            give(home, SearchRequest(Veto(sample=1), "anna", "r"))
        assert refused.value.kind == "CommandRefused"
        with home.connect() as daemon, pytest.raises(rpc.RemoteError, match="veto: sample: is missing") as wrong:
            daemon.act("veto", {}, "anna", "r", "k", 1)
        assert wrong.value.kind == "SpecError"
    (noted,) = [r.entry for r in lab.entries() if isinstance(r.entry, e.SampleNoted)]
    assert noted.key
    assert noted.seen
