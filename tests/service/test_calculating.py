from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator import rpc
from orchestrator.campaign import entries as e
from orchestrator.campaign.labspec import load_lab
from orchestrator.campaign.spec import load_campaign
from orchestrator.campaign.state import CampaignState
from orchestrator.journal import SqliteJournal
from orchestrator.service import calculating
from orchestrator.service import daemon as daemon_module
from orchestrator.service.calculating import GIVEN_UP, Calculating
from orchestrator.service.daemon import Daemon
from orchestrator.service.happenings import StationTurned
from tests.campaign.test_calculations import intent, result
from tests.execution.bench import StepClock
from tests.service.nights import COMPOSITION, DONE

ROOT = Path(__file__).parents[2]
LAB = load_lab(ROOT / "campaigns/labs/moke-theory.toml")
SPEC = load_campaign(ROOT / "campaigns/fe-co-ni-theory.toml")
LANES = LAB.lanes(SPEC.virtual)
PATIENCE_S = 20.0


def told(value=1800.0, **other):
    said = {"kerr_rotation": {"value": value * 4e-4, "sigma": 0.0, "unit": "mrad"}}
    return {
        "fidelity": "closed-form",
        "composition": COMPOSITION,
        "seconds": 0.0,
        "remembered": False,
        "quantities": said,
        **other,
    }


def answer(state="done", outcome=None, error="", fault=""):
    return {"state": state, "outcome": told() if outcome is None else outcome, "error": error, "fault": fault}


# --- what came of a calculation ------------------------------------------------------------------------


def test_a_result_is_told_in_the_unit_of_the_objective():
    ended = calculating.ended(SPEC, intent(1), answer())
    assert (ended.end, ended.unit, ended.fidelity) == ("done", "mrad", "closed-form")
    assert ended.value == pytest.approx(0.72)


@pytest.mark.parametrize(
    "outcome",
    [{}, {"quantities": {}}, told(quantities={}), told(value=float("nan")), told(composition={"Fe": 0.5})],
)
def test_an_outcome_that_makes_no_sense_is_a_failure_and_no_value(outcome):
    ended = calculating.ended(SPEC, intent(1), answer(outcome=outcome))
    assert (ended.end, ended.value, ended.fault) == ("failed", None, "protocol")


@pytest.mark.parametrize(
    ("state", "end"),
    [("failed", "failed"), ("refused", "failed"), ("never begun", "interrupted"), ("aborted", "interrupted")],
)
def test_what_did_not_end_well_has_no_value(state, end):
    ended = calculating.ended(SPEC, intent(1), answer(state, {}, "why", "timeout"))
    assert (ended.end, ended.value, ended.error) == (end, None, "why")
    assert ended.fault == ("timeout" if end == "failed" else "")


# --- what may be calculated ----------------------------------------------------------------------------


def after(*entries):
    state = CampaignState()
    for version, entry in enumerate((started(), *entries), 1):
        state.apply(e.Recorded(version, float(version), entry))
    return state


def started():
    return e.CampaignStarted(campaign=SPEC.model_dump(mode="json"), lab={}, by="tester")


def failed(count):
    return [entry for n in range(1, count + 1) for entry in (intent(n), result(n, "failed", error="no"))]


def test_a_busy_or_dead_process_and_a_spent_or_failing_station_calculate_nothing():
    def free(state, dead=(), spec=SPEC):
        return calculating.budget(state, spec, LANES, frozenset(dead)).lanes.get("theory", ())

    few = SPEC.model_copy(update={"virtual": {"theory": SPEC.virtual["theory"].model_copy(update={"calculations": 1})}})
    assert free(after()) == ("theory.1", "theory.2")
    assert free(after(intent(1))) == ("theory.2",)
    assert free(after(), dead=["theory.1"]) == ("theory.2",)
    assert free(after(intent(1), result(1)), spec=few) == ()
    assert free(after(*failed(GIVEN_UP - 1))) != ()
    assert free(after(*failed(GIVEN_UP))) == ()


def test_the_first_film_waits_for_its_head_start_and_for_nothing_that_cannot_come():
    class Nobody:
        def ask_calculation(self, question, on_answer):
            raise AssertionError("nothing is to be asked")

    def waits(state, dead=()):
        it = Calculating(LAB, SPEC, dict.fromkeys(LANES, object()), Nobody())
        for lane in dead:
            it.turned(StationTurned(lane, "given up", "died"))
        return it.waiting(state, SPEC)

    wanted = SPEC.virtual["theory"].head_start
    done = [entry for n in range(1, wanted + 1) for entry in (intent(n), result(n))]
    assert waits(after())
    assert waits(after(*done[:-2]))
    assert not waits(after(*done))
    assert not waits(after(*failed(GIVEN_UP)))
    assert not waits(after(), dead=LANES)


# --- the daemon -----------------------------------------------------------------------------------------


class Station:
    """Played: steps end at once, but for those of a calculator that `waits`."""

    def __init__(self, name, lab):
        self.name, self.lab, self.waiting_on = name, lab, ""
        self.open, self.aborted = {}, threading.Event()

    def watch(self, on_turn):
        self.on_turn = on_turn

    def start(self, step, on_end):
        if step["plan"] != "calculate":
            on_end(step["uid"], DONE_KERR[step["plan"]])
            return
        self.lab.calculated.append((self.name, step["uid"]))
        said = self.lab.say(step)
        if said is None:
            self.open[step["uid"]] = on_end
        else:
            on_end(step["uid"], said)

    def settle(self, uid, on_end):
        self.lab.settled.append(uid)
        on_end(uid, answer("never begun", {}, "a new worker", "death"))

    def status(self):
        return {"state": "safe"}

    def hold(self, reason): ...

    def resume(self): ...

    def abort(self, reason):
        self.aborted.set()
        for uid, on_end in list(self.open.items()):
            del self.open[uid]
            on_end(uid, answer("aborted", {}, reason))

    def make_safe(self, reason):
        return []


def kerr(value=0.7):
    said = DONE["measure"]["outcome"]
    quantities = {"kerr_rotation": {"value": value, "sigma": 0.01, "unit": "mrad"}}
    return {**DONE["measure"], "outcome": {**said, "quantities": quantities}}


DONE_KERR = {**DONE, "measure": kerr()}


class Suggestions:
    def __init__(self, most):
        self.most, self.asked, self.questions = most, 0, []

    def watch(self, on_turn): ...

    def ask(self, question, on_answer):
        self.questions.append(question)
        on_answer(question.number, {"composition": COMPOSITION, "method": "gp", "seconds": 0.1})

    def ask_calculation(self, question, on_answer):
        self.asked += 1
        if self.asked > self.most:
            on_answer(None)
            return
        said = {"station": "theory", "composition": COMPOSITION, "settings": {}, "method": "value", "worth": -1.0}
        on_answer(said)


class Lab:
    def __init__(self, path, most=20, films=2):
        self.path, self.calculated, self.settled = path, [], []
        self.say = lambda step: answer()
        self.spec = SPEC.model_copy(update={"budget": SPEC.budget.model_copy(update={"samples": films})})
        self.suggestions = Suggestions(most)

    def run(self, calculators=True, **run):
        stations = {name: Station(name, self) for name in LAB.instruments}
        self.lanes = {lane: Station(lane, self) for lane in LANES} if calculators else {}
        with closing(SqliteJournal(self.path)) as journal:
            daemon = Daemon(
                self.spec,
                LAB,
                journal,
                stations,
                self.suggestions,
                StepClock(),
                by="tester",
                calculators=self.lanes,
            )
            self.daemon = daemon
            return daemon.run(**run), list(journal.read())


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setattr(daemon_module, "TICK_S", 0.01)
    return Lab(tmp_path / "journal.db")


def kinds(entries):
    return [recorded.entry.kind for recorded in entries]


def test_calculations_are_made_before_and_beside_films_each_between_its_intent_and_its_end(lab):
    end, entries = lab.run()
    found = kinds(entries)
    assert end.end == "done"
    assert found.count("calculation_intended") == found.count("calculation_ended") == 20
    first_film = found.index("sample_suggested")
    assert found[:first_film].count("calculation_ended") >= SPEC.virtual["theory"].head_start
    assert found.count("film_deposited") == 2
    assert {lane for lane, _ in lab.calculated} <= set(LANES)
    stations = [seen.get("station", "") for seen in lab.suggestions.questions[-1].observations]
    assert stations.count("theory") >= SPEC.virtual["theory"].head_start


def test_films_go_on_without_a_calculator_that_fails(lab):
    lab.say = lambda step: answer("failed", {}, "ProgramMissing: there is no program", "communication")
    end, entries = lab.run()
    assert end.end == "done"
    assert kinds(entries).count("film_deposited") == 2
    assert kinds(entries).count("calculation_intended") == GIVEN_UP


def test_films_go_on_when_nothing_is_worth_calculating_and_it_is_not_asked_again_until_more_is_known(lab):
    lab.suggestions.most = 0
    end, entries = lab.run()
    assert end.end == "done"
    assert "calculation_intended" not in kinds(entries)
    assert lab.suggestions.asked <= 1 + 2 * 2


def test_a_calculation_that_does_not_end_is_let_go_when_the_films_are_made(lab):
    lab.suggestions.most = 17  # the head start, and one that takes longer than the films
    lab.say = lambda step: answer() if len(lab.calculated) <= 16 else None
    end, entries = lab.run()
    assert end.end == "done"
    (last,) = [r.entry for r in entries if r.entry.kind == "calculation_ended" and r.entry.end != "done"]
    assert (last.end, last.value) == ("interrupted", None)
    assert any(station.aborted.is_set() for station in lab.lanes.values())


def test_calculations_that_a_death_cut_off_are_settled_and_the_campaign_goes_on(lab):
    with closing(SqliteJournal(lab.path)) as journal:
        journal.append([started(), intent(1), intent(2, "theory.2")], 0, 0.0)
    end, entries = lab.run()
    assert sorted(lab.settled) == ["c1", "c2"]
    interrupted = [r.entry for r in entries if r.entry.kind == "calculation_ended" and r.entry.end == "interrupted"]
    assert [entry.calculation for entry in interrupted] == [1, 2]
    assert end.end == "done"
    assert kinds(entries).count("calculation_intended") == 22


def test_a_daemon_without_the_calculators_that_a_journal_tells_of_ends_what_they_did(lab):
    with closing(SqliteJournal(lab.path)) as journal:
        journal.append([started(), intent(1)], 0, 0.0)
    end, entries = lab.run(calculators=False)
    assert end.end == "done"
    assert [r.entry.end for r in entries if r.entry.kind == "calculation_ended"] == ["interrupted"]


def test_a_lost_process_calls_nobody_and_one_that_is_back_calculates_again(lab):
    lab.lanes = {}
    it = Calculating(LAB, SPEC, {lane: Station(lane, lab) for lane in LANES}, lab.suggestions)
    for lane in LANES:
        it.turned(StationTurned(lane, "lost", "died"))
    it.consider(after(), SPEC)
    assert lab.suggestions.asked == 0
    it.turned(StationTurned("theory.2", "back", "died"))
    it.consider(after(), SPEC)
    assert lab.suggestions.asked == 1


def test_an_abort_that_does_not_arrive_is_given_again():
    class Deaf(Station):
        def abort(self, reason):
            raise rpc.Unreachable("being started again")

    it = Calculating(LAB, SPEC, {lane: Deaf(lane, None) for lane in LANES}, Suggestions(0))
    assert it.let_go(after(intent(1)), SPEC, "over") == []
    it.turned(StationTurned("theory.1", "given up", "died"))
    assert [ended.end for ended in it.let_go(after(intent(1)), SPEC, "over")] == ["interrupted"]
