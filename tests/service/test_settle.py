"""What became of a step that was cut off: at every message of the plans, on a bench whose truth is known."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import dataclass, field

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestrator.execution import evidence, safety
from orchestrator.execution.documents import plain
from orchestrator.service import settle
from orchestrator.service.settle import Unsettled
from protocols.deposition import deposit
from protocols.gates import Aborted
from protocols.transfer import retire, transfer
from tests.execution import bench
from tests.protocols.stage import Died, Stage

FILM = {
    "composition": {"Fe": 0.6, "Co": 0.3, "Ni": 0.1},
    "thickness_nm": 12.0,
    "argon_pressure_pa": 0.5,
    "power_w": 100.0,
    "presputter_s": 20.0,
}
DEATH = "SIGKILL"
SYNC_S = 0.003


@dataclass
class Remembering(Stage):
    """A stage whose marks and records reach a disk; `synced` is what of them outlasts a power cut."""

    synced: dict = field(default_factory=dict)

    def _mark(self, msg):
        now = super()._mark(msg)
        self.marks[-1] = ("", {"mark": msg.args[0], "time": now, **plain(msg.kwargs)})
        self.synced = copy.deepcopy(self.outcome)
        self.clock.advance(SYNC_S)
        return now

    def _record(self, msg):
        self.outcome = plain(msg.args[0])
        if "synced" in msg.kwargs:
            self.synced = self.outcome

    def until(self, plan, last: int) -> bool:
        """Carry out messages up to number `last`, and die; whether the plan had ended by then."""
        self.last = last
        try:
            self.perform(plan)
        except Died:
            return False
        except Aborted:
            pass
        return True


def looked_at(station, clock, stage, *, power_cut=False):
    """The answer of the next worker for a step that was cut off."""
    before = evidence.look(station, clock)
    begun = clock.now()
    safety.make_safe(station)
    clock.advance(1.0)
    seen = {"before": [before], "safe": {"begun": begun, "done": clock.now()}, "after": evidence.look(station, clock)}
    outcome = stage.synced if power_cut else stage.outcome
    said = {"state": "unknown", "outcome": outcome, "marks": [mark for _, mark in stage.marks], "evidence": seen}
    return json.loads(json.dumps(said))


# --- depositions ----------------------------------------------------------------------------------------


def chamber():
    clock = bench.StepClock()
    station, world = bench.chamber(clock)
    return station, world, Remembering(clock), deposit(station, clock, **FILM)


def messages_of_a_film() -> int:
    _, _, stage, plan = chamber()
    stage.until(plan, 10**6)
    return len(stage.messages)


def widest_nm(settled) -> float:
    """How far a film may be from what is said of it: the dose is anything in its interval, the rates are measured."""
    return math.sqrt(3) * settled["thickness_sigma_nm"] + 0.02 * settled["thickness_nm"]


@pytest.mark.parametrize("away_s", [0.0, 4.0, 300.0])
def test_a_film_cut_off_by_a_death_is_what_its_settlement_says(away_s):
    exact = 0
    for last in range(messages_of_a_film()):
        station, world, stage, plan = chamber()
        stage.until(plan, last)
        stage.clock.advance(away_s)  # nobody is there, and what is open stays open
        settled = settle.deposit(looked_at(station, stage.clock, stage))
        assert settled["begun"] is (world.times_opened > 0), last
        true_nm = sum(world.dose_nm.values())
        if not settled["begun"]:
            assert true_nm == 0, last
            continue
        assert abs(settled["thickness_nm"] - true_nm) <= widest_nm(settled), last
        assert settled["composition"]["Fe"] == pytest.approx(0.6, abs=0.02)
        exact += settled["finished"]
    assert exact >= 3  # it was covered, and only its end was not logged


def test_a_film_is_known_of_however_little_of_what_was_recorded_reached_the_disk():
    """The power of our machine fails, and not that of the lab: what is open there stays open, what burns burns on."""
    for last in range(messages_of_a_film()):
        for order in (None, "abort"):
            station, world, stage, plan = chamber()
            if order and last:
                stage.orders = {last - 1: order}
            stage.until(plan, last + (5 if order else 0))
            if any(world.unsafe):
                continue
            stage.clock.advance(600.0)
            try:
                settled = settle.deposit(looked_at(station, stage.clock, stage, power_cut=True))
            except Unsettled:
                assert world.times_opened
                continue
            assert settled["begun"] is (world.times_opened > 0), (last, order)


def test_a_film_cut_off_by_a_power_cut_is_between_what_is_known_and_what_may_be():
    unsettled = 0
    for last in range(messages_of_a_film()):
        station, world, stage, plan = chamber()
        stage.until(plan, last)
        world.bring()
        true_nm = sum(world.dose_nm.values())
        world.lit = dict.fromkeys(world.lit, False)
        world.substrate_open, world.shown_nm, world.flow = False, 0.0, 0.0
        stage.clock.advance(600.0)
        try:
            settled = settle.deposit(looked_at(station, stage.clock, stage, power_cut=True))
        except Unsettled:
            unsettled += 1
            continue
        assert settled["begun"] is (world.times_opened > 0), last
        if settled["begun"]:
            assert abs(settled["thickness_nm"] - true_nm) <= widest_nm(settled), last
    assert unsettled  # nothing that is synced tells whether the shutter opened, until it has closed


def record(**changes):
    """What a deposition has written down of a film of 1 nm/s."""
    ledger = {"as_of": 130.0, "closed_s": 0.0, "closed_sigma_s": 0.0, "opening": 100.0, "opened": 100.1}
    growth = {"rates_nm_s": {"Fe": 1.0}, "relative_sigma": {"Fe": 0.0}, "power_w": {"Fe": 100.0}}
    ledger |= {"target_s": 60.0, **changes}
    ledger = {"answered": ledger["opened"] is not None, **ledger}
    indicated = {"zeroed_at": 90.0, "nm_s": 1.0}
    return {"begun": True, "finished": False, "growth": growth, "ledger": ledger, "indicated": indicated}


def look(time, shutter="open", thickness=None, gun="on", watts=100.0, **monitor):
    """What is seen at `time`: with the flux on since 90 s, unless said otherwise."""
    shown = time - 90.0 if thickness is None else thickness
    readings = {
        "monitor": {"substrate_shutter": shutter, "thickness": shown, "fault": "", **monitor},
        "gun Fe": {"output": gun, "shutter": "open", "actual_power": watts if gun == "on" else 0.0},
    }
    return {"time": time, "readings": readings, "troubles": {}}


def said(*before, film=None, marks=("uncover",), safe=(205.0, 206.0)):
    film = record() if film is None else film
    return {
        "state": "unknown",
        "outcome": {"begun": True, "remarks": [], "film": film},
        "marks": [{"mark": mark, "time": 100.0, "film": film} for mark in marks],
        "evidence": {"before": list(before), "safe": {"begun": safe[0], "done": safe[1]}},
    }


def dose(answer):
    """Seconds under the flux, and half the width of what is possible."""
    film = settle.deposit(answer)
    return film["shutter_open_s"], math.sqrt(3) * film["shutter_open_sigma_s"]


def between(low, high):
    return pytest.approx(((low + high) / 2, (high - low) / 2), abs=0.3)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        # seen open: known until then, and possible until it was made safe
        (said(look(200.0)), (99.8, 106.0)),
        # seen open twice, since the first to look died as well: known until the second
        (said(look(150.0), look(200.0)), (99.8, 106.0)),
        # seen open, and closed by one that died before it could say so
        (said(look(150.0), look(200.0, "closed", gun="off")), (49.8, 100.0)),
        # closed by the plan while it lived: at its target at the latest
        (said(look(200.0, "closed")), (29.8, 66.0)),
        # closed by a power cut, and the monitor was reset
        (said(look(200.0, "closed", 0.0, gun="off")), (29.8, 100.0)),
        # closed by a power cut that the monitor outlived: the flux ended when it stopped counting
        (said(look(200.0, "closed", 60.0, gun="off")), (29.8, 58.7)),
        # the guns tripped, and the shutter stayed open
        (said(look(200.0, "open", 60.0, gun="off")), (42.5, 58.7)),
        # nothing to see on the monitor
        (said(look(200.0, "closed", gun="off", fault="crystal failed")), (29.8, 100.0)),
        (said(look(200.0, fault="crystal failed")), (99.8, 106.0)),
        # never confirmed to be open, but seen so
        (said(look(200.0), film=record(opened=None, as_of=100.0)), (95.0, 106.0)),
        # opened a second time, after a hold
        (said(look(200.0), film=record(closed_s=20.0)), (119.8, 126.0)),
        # covered: exact
        (said(film=record(opening=None, opened=None, closed_s=33.0)), (33.0, 33.0)),
        # a second opening that never came about
        (said(look(200.0, "closed"), film=record(opened=None, as_of=100.0, closed_s=20.0)), (20.0, 20.0)),
    ],
)
def test_the_dose_is_between_what_is_known_and_what_may_be(answer, seconds):
    assert dose(answer) == between(*seconds)


def test_an_open_shutter_with_the_guns_off_tells_of_no_flux_until_then():
    """Whoever recovered before died between the guns and the shutter: the monitor is too coarse for a thin film."""
    film = settle.deposit(said(look(132.0, gun="off", thickness=41.0)))
    assert film["shutter_open_s"] - math.sqrt(3) * film["shutter_open_sigma_s"] == pytest.approx(29.8, abs=0.5)


def test_a_shutter_that_was_to_open_and_is_closed_under_a_burning_plasma_never_opened():
    unopened = record(opened=None, as_of=100.0)
    assert settle.deposit(said(look(101.0, "closed"), film=unopened))["begun"] is False
    assert settle.deposit({**said(marks=()), "outcome": {"begun": False}})["begun"] is False


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (said(look(200.0, None)), "nobody saw whether the substrate shutter was open"),
        (said(), "nobody saw whether"),
        (said(look(150.0, "closed"), look(200.0, "open")), "seen closed, and later open"),
        (said(look(200.0, gun=None)), "guns do not agree .Fe was not read"),
        (said(look(200.0, watts=60.0)), "ran at 60.0 W instead of 100 W"),
        (said(look(200.0, thickness=200.0)), "shows 200 nm, where at most 110 nm can be"),
        (said(look(200.0, "closed", gun="off"), film=record(opened=None, as_of=100.0)), "a film or none"),
        (said(look(200.0, "closed"), film=record(opened=None, answered=True)), "nobody saw whether it did"),
        (said(look(120.0, "closed", thickness=0.0)), "time was set back"),
        (said(look(200.0), marks=()), "without the mark that comes before it"),
        (said(look(200.0), film={**record(), "ledger": {}}), "cannot be read"),
        ({**said(look(200.0)), "marks": None}, "nobody knows what the station had set out to"),
        ({**said(look(200.0)), "evidence": None}, "nobody saw"),
        ({**said(), "evidence": {"before": [look(200.0)]}}, "nobody knows when it was closed"),
    ],
)
def test_what_contradicts_itself_or_is_missing_is_for_a_person(answer, why):
    with pytest.raises(Unsettled, match=why):
        settle.deposit(answer)


def test_guns_that_do_not_agree_make_another_film():
    film = record()
    film["growth"]["power_w"] = {"Fe": 100.0, "Co": 50.0}
    seen = look(200.0)
    seen["readings"]["gun Co"] = {"output": "off", "shutter": "open", "actual_power": 0.0}
    with pytest.raises(Unsettled, match="Fe emits, Co is off"):
        settle.deposit(said(seen, film=film))


moments = st.floats(0.0, 400.0, allow_nan=False)


@settings(deadline=None, max_examples=300)
@given(
    recorded_s=moments,
    died_s=moments,
    away_s=st.floats(0.1, 2000.0),
    safe_s=st.floats(0.0, 5.0),
    cut_s=st.none() | moments,
    monitor=st.sampled_from(["counts", "was reset", "failed"]),
    tooling=st.floats(0.95, 1.05),
)
def test_the_true_dose_is_never_outside_what_is_said_to_be_possible(
    recorded_s, died_s, away_s, safe_s, cut_s, monitor, tooling
):
    """Opened at 100 s; recorded, then dead; the power fails or not; somebody looks, and makes it safe."""
    opened = 100.0
    assume(recorded_s <= died_s)
    as_of, died = opened + recorded_s, opened + died_s
    looked = died + away_s
    cut = None if cut_s is None else died + cut_s
    cut = None if cut is None or cut >= looked else cut
    lit, closed = cut is None, cut is not None
    flux_end = looked + safe_s if cut is None else cut
    truth = flux_end - opened
    if cut is None or monitor == "counts":
        shown = tooling * ((looked if cut is None else cut) - 90.0)
    else:
        shown = 0.0 if monitor == "was reset" else None
    seen = look(looked, "closed" if closed else "open", thickness=shown, gun="on" if lit else "off")
    if monitor == "failed":
        seen["readings"]["monitor"]["thickness"] = None
    film = record(opening=opened, opened=opened, as_of=as_of, target_s=1e6)
    middle, half = dose(said(seen, film=film, safe=(looked, looked + safe_s)))
    assert abs(truth - middle) <= half + 1e-6


# --- transfers ------------------------------------------------------------------------------------------


def robot(source="cassette/1", destination="deposition", arm=None):
    clock = bench.StepClock()
    station, world = bench.robot(clock, world=arm)
    return station, world, Remembering(clock), transfer(station, clock, source=source, destination=destination)


def truth(world):
    return "gripper" if world.holding else next(iter(world.occupied), "nowhere")


@pytest.mark.parametrize("power_cut", [False, True])
def test_a_sample_cut_off_on_its_way_is_where_its_settlement_says_and_arrives_after_all(power_cut):
    kwargs = {"source": "cassette/1", "destination": "deposition"}
    found, last, ended = set(), 0, False
    while not ended:
        station, world, stage, plan = robot()
        ended = stage.until(plan, last)
        answer = looked_at(station, stage.clock, stage, power_cut=power_cut)
        last += 1
        place = settle.transfer(kwargs, answer)
        assert place == truth(world), last
        found.add(place)
        if place == "gripper":
            on = Remembering(stage.clock)
            assert on.perform(transfer(station, stage.clock, source="gripper", destination="deposition"))["moved"]
        else:
            Remembering(stage.clock).perform(retire(station, stage.clock))
        assert not world.collisions
        assert truth(world) == ("deposition" if place == "gripper" else place)
        assert world.pose == (*bench.PLACES["cassette/1"].pose[:2], 80.0, *bench.PLACES["cassette/1"].pose[3:])
    assert found == {"cassette/1", "gripper", "deposition"}


def test_one_that_goes_on_from_the_gripper_may_be_cut_off_as_well():
    kwargs = {"source": "gripper", "destination": "magnetometry"}
    last, ended = 0, False
    while not ended:
        arm = bench.Arm(occupied=())
        arm.holding = arm.closed = True
        arm.pose = (60.0, 210.0, 130.0, 180.0, 0.0, 90.0)  # ten millimetres above the chamber's holder
        station, world, stage, plan = robot("gripper", "magnetometry", arm)
        ended = stage.until(plan, last)
        last += 1
        assert settle.transfer(kwargs, looked_at(station, stage.clock, stage)) == truth(world)
        assert not world.collisions


def at_rest(outcome=None, marks=(), state="unknown", **mover):
    mover = {"holding": 0, "gripper": "open", "pose": list(bench.PLACES["deposition"].pose), **mover}
    return {
        "state": state,
        "outcome": {"moved": False, "holding": False, **(outcome or {})},
        "marks": [{"mark": mark, "time": 1.0, "pose": list(bench.PLACES["deposition"].pose)} for mark in marks],
        "evidence": {"after": {"time": 9.0, "readings": {"mover": mover}, "troubles": {}}},
    }


PICKED = {"holding": True}


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        (at_rest(), "cassette/1"),
        (at_rest(marks=["pick"]), "cassette/1"),
        (at_rest(marks=["pick"], holding=1, gripper="closed"), "gripper"),
        (at_rest(PICKED, ["pick"], holding=1, gripper="closed"), "gripper"),
        (at_rest(PICKED, ["pick", "place"], holding=1, gripper="closed"), "gripper"),
        (at_rest(PICKED, ["pick", "place"]), "deposition"),
        (at_rest({"moved": True}, ["pick", "place"], pose=[0.0] * 6), "deposition"),
        (at_rest(PICKED, ["pick", "place"], state="failed"), "deposition"),
    ],
)
def test_where_a_sample_is(answer, place):
    assert settle.transfer({"source": "cassette/1", "destination": "deposition"}, answer) == place


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (at_rest(PICKED, ["pick"]), "had picked the sample at cassette/1, and is empty"),
        (at_rest(PICKED, ["pick", "place"], pose=[0.0] * 6), "not open at deposition"),
        (at_rest(PICKED, ["pick", "place"], pose=[None] * 6), "not open at deposition"),
        (at_rest(PICKED, ["pick", "place"], gripper="closed"), "not open at deposition"),
        (at_rest(holding=1, gripper="closed"), "holds a part that it should not hold"),
        (at_rest({"moved": True}, ["pick", "place"], holding=1), "holds a part that it should not hold"),
        (at_rest(holding=None), "says neither"),
        (at_rest(gripper="unknown"), "says neither"),
        ({**at_rest(), "evidence": {"after": {"readings": {}, "troubles": {"mover": "NoReply"}}}}, "NoReply"),
        ({**at_rest(), "evidence": {"before": []}}, "nobody looked"),
        ({**at_rest(), "evidence": None}, "nobody looked"),
    ],
)
def test_a_sample_that_may_be_anywhere_is_for_a_person(answer, why):
    with pytest.raises(Unsettled, match=why):
        settle.transfer({"source": "cassette/1", "destination": "deposition"}, answer)


def test_a_look_at_an_arm_waits_until_it_rests():
    """A gripper goes on opening after its worker is dead."""
    clock = bench.StepClock()
    station, world = bench.robot(clock)
    world.holding, moments = True, iter([True, False, False])
    refresh = station.mover.refresh

    def still_opening():
        world.holding = next(moments, False)
        refresh()

    station.mover.refresh = still_opening
    assert evidence.look_at_rest(station, clock)["readings"]["mover"]["holding"] == 0
    turns = iter(range(100))
    station.mover.refresh = lambda: station.mover.pose.update((float(next(turns)),) * 6)
    restless = evidence.look_at_rest(station, clock)
    assert restless["troubles"] == {"mover": "does not come to rest"}
