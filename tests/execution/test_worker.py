"""A station's worker, in this process: steps, orders, documents, faults."""

from __future__ import annotations

import json
import threading

import event_model
import pytest
from bluesky.utils import Msg

from drivers.errors import NoReply
from drivers.roles import DepositionStation
from orchestrator.execution import plans, vitals
from orchestrator.execution import station as station_module
from orchestrator.execution.documents import DocumentLog, DocumentLogError
from orchestrator.execution.plans import BadStep
from orchestrator.execution.steps import StepLog
from orchestrator.execution.worker import StationBusy, Worker
from orchestrator.service import settle
from simulators.clock import ScaledClock
from tests.execution import bench

SPEED = 1500.0
METADATA = {"campaign": "fe-co-ni", "sample": 7, "suggestion": 7, "attempt": 1}
FILM = {
    "composition": {"Fe": 0.6, "Co": 0.3, "Ni": 0.1},
    "thickness_nm": 20.0,
    "argon_pressure_pa": 0.5,
    "power_w": 100.0,
    "presputter_s": 20.0,
}
SCHEDULE_S = 15.0


def step(uid="s-1", plan="deposit", **kwargs):
    return {"uid": uid, "plan": plan, "kwargs": kwargs or FILM, "metadata": METADATA}


class Station:
    """A worker on a bench, and the truth behind it."""

    def __init__(self, tmp_path, build=bench.chamber, speed=SPEED) -> None:
        self.clock = ScaledClock.starting_now(speed)
        self.path = tmp_path / "station.db"
        self.station, self.world = build(self.clock, threads=True)
        self.worker = Worker(self.station, self.clock, str(self.path))

    def end(self, uid="s-1"):
        answer = self.worker.wait(uid, SCHEDULE_S)
        assert answer["state"] != "running"
        return answer

    def until(self, condition):
        """Wait for something to become true of the worker's status."""
        while not condition(self.worker.status()):
            threading.Event().wait(0.001)

    def at_message(self, number, order):
        """Call `order` when the plan yields its message `number` (from 0)."""
        count = iter(range(10**9))
        self.worker._engine._run_engine.msg_hook = lambda msg: order() if next(count) == number else None

    def documents(self):
        log = DocumentLog(self.path)
        documents = [(logged.name, logged.document) for logged in log.read()]
        log.close()
        return documents


@pytest.fixture
def made(tmp_path):
    stations = []

    def make(*args, **kwargs):
        stations.append(Station(tmp_path / str(len(stations)), *args, **kwargs))
        return stations[-1]

    for number in range(20):
        (tmp_path / str(number)).mkdir()
    yield make
    for station in stations:
        station.worker.close("test over")


def depositing(status):
    return (status["progress"] or {}).get("text") == "depositing"


def test_a_film_from_start_to_documents(made):
    on = made()
    assert on.worker.start(step())["state"] == "running"
    answer = on.end()
    assert answer["state"] == "done", answer["error"]
    assert answer["outcome"]["finished"]
    made_nm, sigma_nm = answer["outcome"]["thickness_nm"], answer["outcome"]["thickness_sigma_nm"]
    assert abs(made_nm - sum(on.world.dose_nm.values())) < 5 * sigma_nm
    assert [mark["mark"] for mark in answer["marks"]] == ["uncover", "cover"]
    assert on.world.is_safe()
    assert not on.world.unsafe
    assert on.worker.status()["state"] == "idle"
    documents = on.documents()
    for name, document in documents:
        validator = event_model.schema_validators[event_model.DocumentNames[name]]
        validator.validate(json.loads(json.dumps(document, allow_nan=False)))
    start, stop = documents[0][1], documents[-1][1]
    assert [start["uid"]] == answer["run_uids"]
    assert (start["campaign"], start["sample"], start["suggestion"], start["attempt"]) == ("fe-co-ni", "7", 7, 1)
    assert (start["plan_name"], start["step"], start["station"]) == ("deposit", "s-1", "deposition")
    assert start["lab_time"] > 0
    assert stop["exit_status"] == "success"
    units = {
        key: data["units"] for name, d in documents if name == "descriptor" for key, data in d["data_keys"].items()
    }
    assert units["gauge_pressure"] == "Pa"
    assert units["gun1_power"] == "W"


def test_a_loop_is_analysed(made):
    on = made(bench.magnetometer)
    on.worker.start(step(plan="measure", max_field_mt=300, thickness_nm=50.0, thickness_sigma_nm=0.5))
    answer = on.end()
    assert answer["state"] == "done", answer["error"]
    outcome = answer["outcome"]
    assert outcome["validity"] == "valid"
    found = outcome["quantities"]["saturation_magnetisation"]
    assert abs(found["value"] - 1600) < 4 * found["sigma"]
    assert len(outcome["loop"]["field_mt"]) == len(outcome["loop"]["signal"])
    json.dumps(answer, allow_nan=False)
    events = [d for name, d in on.documents() if name == "event"]
    assert len(events) == len(outcome["loop"]["field_mt"])


def test_a_transfer(made):
    on = made(bench.robot)
    on.worker.start(step(plan="transfer", source="cassette/1", destination="deposition"))
    assert on.end()["outcome"]["moved"] is True
    on.worker.start(step("s-2", plan="transfer", source="cassette/1", destination="magnetometry"))
    answer = on.end("s-2")
    assert answer["state"] == "failed"
    assert "gripped nothing at cassette/1" in answer["error"]
    assert on.worker.status()["state"] == "safe"


def test_starting_a_step_twice_is_starting_it_once(made):
    on = made()
    on.worker.start(step())
    on.worker.start(step())
    first = on.end()
    assert on.worker.start(step()) == first
    assert on.world.times_opened == 1


def test_one_step_at_a_time(made):
    on = made()
    on.worker.start(step())
    with pytest.raises(StationBusy, match="busy with step s-1; step s-2 was not begun"):
        on.worker.start(step("s-2"))
    on.worker.abort("enough")
    assert on.end()["state"] == "aborted"
    assert on.worker.wait("s-2", 1)["state"] == "never begun"


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ({"uid": ""}, "needs a uid"),
        ({"plan": "anneal"}, "no plan is called 'anneal'; there are deposit, calibrate, measure, transfer, retire"),
        ({"plan": "measure"}, "station deposition cannot measure"),
        ({"kwargs": {"thickness_nm": 5}}, "missing a required argument: 'composition'"),
        ({"kwargs": {**FILM, "colour": "red"}}, "unexpected keyword argument 'colour'"),
        ({"metadata": {"a.b": 1}}, r"no '\.' or '/': a\.b"),
    ],
)
def test_a_step_that_cannot_be_begun_is_not(made, bad, complaint):
    on = made()
    with pytest.raises(BadStep, match=complaint):
        on.worker.start({**step(), **bad})
    assert on.worker.status()["state"] == "safe"


def test_a_hold_covers_the_substrate_keeps_the_plasma_and_the_dose_goes_on(made):
    on = made()
    on.worker.start(step())
    on.until(depositing)
    on.until(lambda s: on.world.substrate_open)
    assert on.worker.hold("coffee") == "holding"
    on.until(lambda s: s["state"] == "held")
    assert not on.world.substrate_open
    assert all(on.world.lit.values())
    assert on.worker.status()["hold_reason"] == "coffee"
    assert on.worker.resume() == "running"
    answer = on.end()
    assert answer["state"] == "done"
    assert on.world.times_opened == 2
    made_nm, sigma_nm = answer["outcome"]["thickness_nm"], answer["outcome"]["thickness_sigma_nm"]
    assert abs(made_nm - sum(on.world.dose_nm.values())) < 5 * sigma_nm
    assert on.worker.status()["hold_reason"] is None or on.worker.status()["step"] is None


def test_an_abort_in_the_film_leaves_an_unfinished_one_and_a_safe_chamber(made):
    on = made()
    on.worker.start(step())
    on.until(lambda s: on.world.substrate_open)
    assert on.worker.abort("fire drill") == "aborting"
    answer = on.end()
    assert answer["state"] == "aborted"
    assert answer["error"].startswith("fire drill")
    assert answer["outcome"]["begun"]
    assert not answer["outcome"]["finished"]
    assert on.world.is_safe()
    assert on.worker.status()["state"] == "safe"
    stop = on.documents()[-1][1]
    assert (stop["exit_status"], stop["reason"]) == ("abort", "fire drill")


@pytest.mark.parametrize("order", ["hold", "abort"])
def test_an_order_at_any_message_of_the_real_engine(made, order):
    on = made()
    count = []
    on.worker._engine._run_engine.msg_hook = count.append
    on.worker.start(step())
    assert on.end()["state"] == "done"
    for number in range(3, len(count), max(1, len(count) // 7)):
        on = made()
        on.at_message(number, lambda worker=on.worker: getattr(worker, order)("asked"))
        on.worker.start(step())
        if order == "hold":
            on.until(lambda s: s["state"] in ("held", "idle"))
            on.worker.resume()
        answer = on.end()
        assert answer["state"] in ("done", "aborted"), answer["error"]
        assert on.world.is_safe()
        assert not on.world.unsafe
        assert answer["outcome"]["begun"] == (on.world.times_opened > 0)
        assert on.world.times_opened <= (2 if order == "hold" else 1)


def test_lost_gas_trips_the_interlock_and_ends_the_film(made):
    on = made()
    on.world.gas_lost_at_dose_nm = 8.0
    on.worker.start(step(**{**FILM, "thickness_nm": 400.0}))
    answer = on.end()
    assert answer["state"] == "failed"
    assert "InterlockTripped" in answer["error"]
    assert "plasma" in answer["error"]
    assert answer["outcome"]["begun"]
    assert on.world.is_safe()
    assert on.worker.status()["state"] == "safe"


def test_a_gun_that_cannot_be_made_safe_is_named_to_the_operator(made):
    on = made()
    on.worker.start(step())
    on.until(lambda s: on.world.substrate_open)
    bench.silence(on.station.guns["Co"])
    answer = on.worker.safe("fire drill")
    assert not answer["safe"]
    assert any("gun2 could not be made safe" in fault and "by hand" in fault for fault in answer["faults"])
    assert not on.world.lit["Fe"]
    assert not on.world.substrate_open
    assert on.world.flow == 0
    assert any("gun2" in fault for fault in on.worker.status()["faults"])


def test_making_an_idle_station_safe_again_and_again(made):
    on = made()
    for _ in range(3):
        assert on.worker.safe("bedtime") == {"safe": True, "faults": [], "stuck": False}
    assert on.worker.status()["state"] == "safe"
    on.worker.start(step())
    assert on.end()["state"] == "done"


def test_a_refresh_that_fails_is_shown_to_the_operator(made):
    on = made()
    on.station.gauge.fails["refresh"] = NoReply("gauge: nothing came")
    on.until(lambda s: any("gauge: NoReply" in fault for fault in s["faults"]))


def test_orders_to_an_idle_station_change_nothing(made):
    on = made()
    assert on.worker.hold("coffee") == "safe"
    assert on.worker.resume() == "safe"
    assert on.worker.abort("why not") == "safe"
    on.worker.start(step())
    assert on.end()["state"] == "done"


def test_status_is_plain_json_with_values_and_units(made):
    on = made()
    status = json.loads(json.dumps(on.worker.status(), allow_nan=False))
    assert status["readings"]["gauge_pressure"]["unit"] == "Pa"
    assert status["readings"]["gun1_output"]["value"] == "off"


def test_a_step_cut_off_by_a_death_is_unknown_to_the_next_worker(made, tmp_path):
    log = StepLog(tmp_path / "0" / "station.db")
    log.begin(step(), 1.0)
    log.mark("s-1", "uncover", {}, 2.0)
    log.close()
    on = made()
    answer = on.worker.start(step())
    assert answer["state"] == "unknown"
    assert "uncover" in answer["error"]
    assert on.world.times_opened == 0


def test_a_worker_makes_its_station_safe_before_it_takes_a_step_and_keeps_what_it_saw_before(made, tmp_path):
    log = StepLog(tmp_path / "0" / "station.db")
    log.begin(step(), 1.0)
    log.record("s-1", {"begun": True})
    log.close()

    def left_burning(clock, threads):
        station, world = bench.chamber(clock, threads=threads)
        world.flow, world.substrate_open = 24.0, True
        world.lit["Fe"], world.shutter["Fe"], world.power["Fe"] = True, True, 100.0
        return station, world

    on = made(left_burning)
    assert on.world.is_safe()
    assert on.worker.status()["state"] == "safe"
    answer = on.worker.wait("s-1", 0)
    assert answer["state"] == "unknown"
    assert answer["outcome"] == {"begun": True}
    (before,) = answer["evidence"]["before"]
    assert before["readings"]["monitor"]["substrate_shutter"] == "open"
    assert before["readings"]["gun Fe"]["output"] == "on"
    assert before["readings"]["gun Co"]["output"] == "off"
    safe = answer["evidence"]["safe"]
    assert before["time"] <= safe["begun"] <= safe["done"] <= answer["evidence"]["after"]["time"]
    assert answer["evidence"]["after"]["readings"]["monitor"]["substrate_shutter"] == "closed"


def test_a_station_that_cannot_be_made_safe_takes_no_step_and_what_was_cut_off_stays_so(made, tmp_path, monkeypatch):
    log = StepLog(tmp_path / "0" / "station.db")
    log.begin(step(), 1.0)

    def stuck(clock, threads):
        station, world = bench.chamber(clock, threads=threads)
        station.guns["Co"].fails["output off"] = NoReply("gun2: nothing came")
        return station, world

    with pytest.raises(station_module.NotSafe, match=r"gun2 could not be made safe .*switch it off by hand"):
        made(stuck)
    assert log.cut_off() == ["s-1"]
    assert len(log.answer("s-1")["evidence"]["before"]) == 1
    log.close()


def test_a_transfer_that_failed_says_what_the_gripper_holds_then(made):
    on = made(bench.robot)
    on.station.mover.fails["pose"] = NoReply("arm: nothing came")
    on.worker.start(step(plan="transfer", source="cassette/1", destination="deposition"))
    answer = on.end()
    assert answer["state"] == "failed"
    assert answer["evidence"]["after"]["readings"]["mover"]["holding"] == 0
    assert on.worker._steps.answer("s-1") == answer


def test_status_tells_a_driver_that_hangs_from_one_that_works(made):
    on = made()
    assert on.worker.status()["blocked"] == []
    released = threading.Event()
    on.station.gauge.port.submit(lambda: released.wait(60))
    on.until(lambda s: s["blocked"])
    (hangs,) = on.worker.status()["blocked"]
    assert hangs.startswith("a call to gauge hangs since")
    assert on.worker.status()["conversations_s"]["gauge"] > 3
    released.set()
    on.until(lambda s: not s["blocked"])


def test_status_tells_of_an_engine_that_does_not_turn(made, monkeypatch):
    monkeypatch.setattr(vitals, "LOOP_S", 0.3)
    on = made()
    released = threading.Event()
    on.worker._engine.loop.call_soon_threadsafe(released.wait, 60)
    on.until(lambda s: s["blocked"])
    assert "its run engine's loop has not turned" in on.worker.status()["blocked"][0]
    released.set()
    on.until(lambda s: not s["blocked"])


def test_resuming_with_an_interlock_tripped_opens_nothing(made):
    """It trips in the hold already, and the film ends there: what was resumed is the campaign."""
    on = made()
    on.worker.start(step(**{**FILM, "thickness_nm": 1e5}))
    on.until(lambda s: on.world.substrate_open)
    on.worker.hold("coffee")
    on.until(lambda s: s["state"] == "held")
    on.world.gas_lost_at_dose_nm = 0.0
    on.worker.resume()
    answer = on.end()
    assert answer["state"] == "failed"
    assert "InterlockTripped" in answer["error"]
    assert on.world.times_opened == 1 or not on.world.substrate_open
    assert on.world.is_safe()
    assert answer["outcome"]["begun"]
    assert not answer["outcome"]["finished"]


def test_a_resume_while_a_reading_is_too_old_leaves_the_shutter_closed_until_it_comes_back(made):
    on = made()
    on.worker.start({**step(), "interlock_wait_s": 1e5})
    on.until(lambda s: on.world.substrate_open)
    on.worker.hold("coffee")
    on.until(lambda s: s["state"] == "held")
    on.station.gauge.fails["refresh"] = NoReply("gauge: silent")
    on.until(lambda s: "gauge: not read for" in s["waiting_on"])
    on.worker.resume()
    on.until(lambda s: s["state"] == "waiting")
    assert "gauge: not read for" in on.worker.status()["waiting_on"]
    assert not on.world.substrate_open
    on.station.gauge.fails.clear()
    answer = on.end()
    assert (answer["state"], answer["outcome"]["finished"]) == ("done", True)
    assert on.world.times_opened == 2
    made_nm, sigma_nm = answer["outcome"]["thickness_nm"], answer["outcome"]["thickness_sigma_nm"]
    assert abs(made_nm - sum(on.world.dose_nm.values())) < 5 * sigma_nm


def test_an_interlock_that_trips_in_a_hold_ends_it_and_a_resume_afterwards_changes_nothing(made):
    on = made()
    on.worker.start(step(**{**FILM, "thickness_nm": 1e5}))
    on.until(lambda s: on.world.substrate_open)
    on.worker.hold("coffee")
    on.until(lambda s: s["state"] == "held")
    on.world.gas_lost_at_dose_nm = 0.0
    assert on.end()["state"] == "failed"
    assert on.worker.resume() == "safe"
    assert on.world.times_opened == 1
    assert on.world.is_safe()


def test_a_film_is_not_held_for_longer_than_policy_allows(made):
    on = made()
    on.worker.start({**step(**{**FILM, "thickness_nm": 1e5}), "hold_limit_s": 600.0})
    on.until(lambda s: on.world.substrate_open)
    on.worker.hold("coffee")
    answer = on.end()
    assert answer["state"] == "aborted"  # not failed: the sample is not to blame
    assert answer["error"] == "held (coffee); policy lets go of the plasma after 600 s"
    assert on.world.is_safe()
    made_nm, sigma_nm = answer["outcome"]["thickness_nm"], answer["outcome"]["thickness_sigma_nm"]
    assert abs(made_nm - sum(on.world.dose_nm.values())) < 5 * sigma_nm


def test_where_policy_puts_the_plasma_out_a_hold_breaks_the_film_off_and_a_resume_opens_nothing(made):
    on = made()
    on.worker.start({**step(**{**FILM, "thickness_nm": 1e5}), "hold_limit_s": 0.0})
    on.until(lambda s: on.world.substrate_open)
    on.worker.hold("coffee")
    answer = on.end()
    assert (answer["state"], answer["error"]) == ("aborted", "held (coffee); policy lets go of the plasma")
    assert on.worker.resume() == "safe"
    assert on.world.is_safe()
    assert on.world.times_opened == 1
    assert (answer["outcome"]["begun"], answer["outcome"]["finished"]) == (True, False)
    made_nm, sigma_nm = answer["outcome"]["thickness_nm"], answer["outcome"]["thickness_sigma_nm"]
    assert abs(made_nm - sum(on.world.dose_nm.values())) < 5 * sigma_nm


def test_before_the_film_too_it_puts_the_plasma_out_and_nothing_is_begun(made):
    on = made()
    on.worker.start({**step(), "hold_limit_s": 0.0})
    on.until(lambda s: any(on.world.lit.values()))
    on.worker.hold("coffee")
    answer = on.end()
    assert (answer["state"], answer["outcome"]["begun"]) == ("aborted", False)
    assert on.world.is_safe()


def test_an_end_that_cannot_be_logged_makes_the_step_unknown(made, monkeypatch):
    on = made()

    def full(*args):
        raise DocumentLogError("disk full")

    monkeypatch.setattr(on.worker._steps, "end", full)
    monkeypatch.setattr(station_module, "LOG_PATIENCE_S", 0.0)
    on.worker.start(step())
    assert on.worker.wait("s-1", SCHEDULE_S)["state"] == "unknown"
    answer = on.worker.wait("s-1", 1)
    assert "disk full" in answer["error"]
    assert on.world.is_safe()
    settled = settle.deposit(answer)  # nobody but this worker knows, and it says what it knows
    assert settled["finished"]
    assert settled["thickness_nm"] == answer["outcome"]["thickness_nm"]


def test_a_disk_that_is_full_for_a_while_is_waited_for(made, monkeypatch):
    on = made()
    end, fulls = on.worker._steps.end, iter([True, True])

    def full(*args):
        if next(fulls, False):
            raise DocumentLogError("disk full")
        end(*args)

    monkeypatch.setattr(on.worker._steps, "end", full)
    monkeypatch.setattr(station_module, "LOG_RETRY_S", 0.01)
    on.worker.start(step())
    assert on.end()["state"] == "done"


@pytest.mark.parametrize("way", ["message", "loop"])
def test_a_stuck_engine_does_not_keep_the_station_from_being_made_safe(made, monkeypatch, way):
    on = made()
    released = threading.Event()
    stuck = threading.Event()

    def hang(station, clock):
        yield Msg("apply", None, (station.gas.flow, 20.0), (station.guns["Fe"].power, 50))
        yield Msg("apply", None, (station.guns["Fe"].output, "on"))
        stuck.set()
        if way == "loop":
            released.wait(60)  # what a device that blocks in set() does to the engine's loop
        yield Msg("sleep", None, 60.0)

    monkeypatch.setattr(station_module, "ABORT_PATIENCE_S", 0.2)
    monkeypatch.setitem(plans.PROCEDURES, "hang", plans.Procedure(hang, DepositionStation))
    on.worker.start({"uid": "s-1", "plan": "hang"})
    assert stuck.wait(30)
    assert on.world.lit["Fe"]
    answer = on.worker.safe("fire drill")
    assert answer["safe"]
    assert answer["stuck"] or way == "message"
    assert on.world.is_safe()
    released.set()
    assert on.end()["state"] == "aborted"
    assert on.worker.status()["state"] == "safe"
    on.worker.start(step("s-2"))
    assert on.end("s-2")["state"] == "done"
