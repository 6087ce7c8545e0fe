"""The commands between plans and station, on a bare run engine."""

from __future__ import annotations

import threading

import pytest
from bluesky.utils import Msg

from drivers.errors import Fault, SettingError
from orchestrator.execution.engine import Engine, EngineError
from orchestrator.execution.gate import Gates
from orchestrator.execution.lifecycle import Happening, Lifecycle, State
from orchestrator.execution.orders import Orders
from protocols.gates import Aborted, InterlockTripped
from simulators.clock import ScaledClock
from tests.execution import bench


class Rules:
    """Interlocks that trip when they are told to."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.clearing = False
        self.seen: list[tuple[str, object]] = []

    def ordered(self, setting, value) -> None:
        self.seen.append((setting.name, value))

    def tripped(self, now: float) -> list[str]:
        return self.reasons

    def may_clear(self, now: float) -> bool:
        return self.clearing


class Bench:
    """A run engine with the commands, and a chamber of devices with port threads."""

    def __init__(self) -> None:
        self.clock = ScaledClock.starting_now(100.0)
        self.station, self.world = bench.chamber(self.clock, threads=True)
        self.orders = Orders()
        self.rules = Rules()
        self.lifecycle = Lifecycle()
        self.lifecycle.happened(Happening.STARTED)
        self.marks = []
        self.gates = Gates(
            self.clock,
            self.orders,
            self.rules,
            lifecycle=self.lifecycle,
            mark=lambda name, facts: self.marks.append((name, facts)),
        )
        self.documents = []
        self.engine = Engine(self.gates, self.orders, lambda name, doc: self.documents.append((name, doc)))

    def run(self, plan):
        return self.engine.run(plan, {})


@pytest.fixture(scope="module")
def shared():
    return Bench()


@pytest.fixture
def on(shared):
    shared.orders.clear()
    shared.rules.reasons, shared.rules.seen = [], []
    shared.lifecycle.state = State.RUNNING
    shared.gates.begin()
    shared.documents.clear()
    shared.marks.clear()
    yield shared
    for device in (*shared.station.guns.values(), shared.station.monitor, shared.station.gas):
        device.fails = {}
        device.slow_s = 0.0
        device.safe().wait(10)


def one(msg):
    return (yield msg)


def test_a_gate_lets_its_slice_pass_and_tells_the_time(on):
    before = on.clock.now()
    passed = on.run(one(Msg("gate", None, 1.0, 0.5, "depositing")))
    assert passed.verdict == "go"
    assert passed.now >= before + 1.0
    assert on.gates.progress == (0.5, "depositing")


def test_an_abort_ends_a_slice_at_once(on):
    timer = threading.Timer(0.05, on.orders.abort, ["enough"])
    timer.start()
    with pytest.raises(Aborted, match="enough"):
        on.run(one(Msg("gate", None, 1e6)))
    timer.join()


def test_a_hold_ends_a_slice_at_once_and_is_waited_out(on):
    def plan():
        passed = yield Msg("gate", None, 1e6)
        assert passed.verdict == "hold"
        yield Msg("held")
        return (yield Msg("gate", None, 0.0)).verdict

    def operator():
        on.lifecycle.happened(Happening.HOLD_ASKED)
        on.orders.hold("coffee")
        while on.lifecycle.state is not State.HELD:
            threading.Event().wait(0.001)
        on.lifecycle.happened(Happening.RESUMED)
        on.orders.resume()

    timer = threading.Timer(0.05, operator)
    timer.start()
    assert on.run(plan()) == "go"
    timer.join()


@pytest.mark.parametrize("wait", [Msg("gate", None, 1.0), Msg("held")])
def test_an_interlock_ends_a_gate_and_a_hold(on, wait):
    on.orders.hold("coffee")
    on.rules.reasons = ["gauge: 9 Pa", "gun1: gone"]
    with pytest.raises(InterlockTripped, match="gauge: 9 Pa; gun1: gone"):
        on.run(one(wait))


def test_an_interlock_that_may_clear_is_waited_for_as_in_a_hold(on):
    """The plan is told to hold, so that it closes its shutters, and goes on once all is well."""
    on.gates.begin(interlock_wait_s=1000.0)
    on.rules.reasons, on.rules.clearing = ["gauge: not read for 12 s"], True
    seen = []

    def plan():
        passed = yield Msg("gate", None, 0.0)
        timer.start()
        yield Msg("held")
        return passed.verdict, (yield Msg("gate", None, 0.0)).verdict

    def clears():
        while on.lifecycle.state is not State.WAITING:
            pass
        seen.append((on.lifecycle.state, on.gates.waiting_on))
        on.rules.reasons = []

    timer = threading.Thread(target=clears)
    assert on.run(plan()) == ("hold", "go")
    timer.join()
    assert seen == [(State.WAITING, "gauge: not read for 12 s")]
    assert (on.lifecycle.state, on.gates.waiting_on) == (State.RUNNING, "")


@pytest.mark.parametrize(("clearing", "wait_s"), [(True, 0.0), (False, 1000.0), (True, 5.0)])
def test_an_interlock_is_not_waited_for_if_it_cannot_clear_nor_for_longer_than_policy_allows(on, clearing, wait_s):
    on.gates.begin(interlock_wait_s=wait_s)
    on.rules.reasons, on.rules.clearing = ["gauge: not read for 12 s"], clearing

    def plan():
        yield Msg("gate", None, 0.0)
        yield Msg("held")

    before = on.clock.now()
    with pytest.raises(InterlockTripped, match="not read for 12 s"):
        on.run(plan())
    assert on.clock.now() - before >= (wait_s if clearing else 0.0)


def test_nothing_is_opened_while_an_interlock_is_waited_for(on):
    on.gates.begin(interlock_wait_s=1000.0)
    on.rules.reasons, on.rules.clearing = ["gauge: not read for 12 s"], True
    shutter = on.station.monitor.substrate_shutter
    with pytest.raises(InterlockTripped):
        on.run(one(Msg("apply", None, (shutter, "open"))))
    assert not on.world.substrate_open


def test_a_resume_with_an_interlock_tripped_leaves_the_station_waiting_on_it(on):
    on.gates.begin(interlock_wait_s=1000.0)
    on.rules.reasons, on.rules.clearing = ["gauge: not read for 12 s"], True
    on.lifecycle.happened(Happening.HOLD_ASKED)
    on.orders.hold("coffee")
    seen = []

    def operator():
        while on.lifecycle.state is not State.HELD:
            pass
        on.lifecycle.happened(Happening.RESUMED)
        on.orders.resume()
        while on.lifecycle.state is not State.WAITING:
            pass
        seen.append(on.gates.waiting_on)
        on.rules.reasons = []

    timer = threading.Thread(target=operator)
    timer.start()
    on.run(one(Msg("held")))
    timer.join()
    assert seen == ["gauge: not read for 12 s"]
    assert on.lifecycle.state is State.RUNNING


def test_an_abort_ends_a_hold(on):
    on.orders.hold("coffee")
    timer = threading.Timer(0.05, on.orders.abort, ["enough"])
    timer.start()
    with pytest.raises(Aborted, match="enough"):
        on.run(one(Msg("held")))
    timer.join()


def test_waiting_is_a_state(on):
    states = []

    def plan():
        yield Msg("gate", None, 0.1, waiting=True)
        states.append(on.lifecycle.state)
        yield Msg("gate", None, 0.1)
        states.append(on.lifecycle.state)

    on.run(plan())
    assert states == [State.WAITING, State.RUNNING]


def test_settings_are_applied_together_and_timed(on):
    gun, gas = on.station.guns["Fe"], on.station.gas
    applied = on.run(one(Msg("apply", None, (gas.flow, 20.0), (gun.power, 50))))
    assert on.world.flow == 20.0
    assert on.world.power["Fe"] == 50
    assert applied.begun < applied.done
    assert ("gun1_power", 50) in on.rules.seen


def test_nothing_is_sent_if_one_of_the_values_is_not_allowed(on):
    with pytest.raises(SettingError, match="outside the limits"):
        on.run(one(Msg("apply", None, (on.station.gas.flow, 20.0), (on.station.guns["Fe"].power, 5000))))
    assert on.world.flow == 0


def test_a_device_s_own_error_reaches_the_plan(on):
    on.station.gas.fails["flow"] = Fault("argon: valve stuck")

    def plan():
        try:
            yield Msg("apply", None, (on.station.gas.flow, 20.0))
        except Fault as fault:
            return str(fault)

    assert on.run(plan()) == "argon: valve stuck"


def test_after_an_abort_nothing_is_sent_but_what_is_safe(on):
    monitor = on.station.monitor

    def plan():
        on.orders.abort("enough")
        with pytest.raises(Aborted) as refused:
            yield Msg("apply", None, (monitor.substrate_shutter, "open"))
        assert not refused.value.sent
        with pytest.raises(Aborted):
            yield Msg("mark", None, "uncover")
        with pytest.raises(Aborted):
            yield Msg("refresh", None, monitor)
        secured = yield Msg("secure", None, (monitor.substrate_shutter, "closed"))
        yield Msg("record", None, {"begun": False})
        return secured.problems

    assert on.run(plan()) == ()
    assert on.world.times_opened == 0
    assert on.marks == []
    assert on.gates.outcome == {"begun": False}


def test_an_abort_does_not_wait_for_a_slow_device_and_says_that_the_order_was_sent(on):
    on.station.gas.slow_s = 0.5
    timer = threading.Timer(0.05, on.orders.abort, ["enough"])
    timer.start()
    with pytest.raises(Aborted) as aborted:
        on.run(one(Msg("apply", None, (on.station.gas.flow, 20.0))))
    assert aborted.value.sent
    timer.join()


def test_securing_tries_everything_and_reports_what_failed(on):
    guns = on.station.guns
    on.run(one(Msg("apply", None, *((gun.shutter, "open") for gun in guns.values()))))
    bench.silence(guns["Co"])
    secured = on.run(one(Msg("secure", None, *((gun.shutter, "closed") for gun in guns.values()))))
    assert len(secured.problems) == 1
    assert "gun2_shutter not closed: gun2: nothing came" in secured.problems[0]
    assert on.world.shutter == {"Fe": False, "Co": True, "Ni": False}


def test_refreshing_reads_the_wire(on):
    on.world.flow = 7.0
    on.run(one(Msg("refresh", None, on.station.gas, on.station.gauge)))
    assert on.station.gas.actual_flow.get() == 7.0
    on.world.flow = 0.0


def test_marks_reach_whoever_keeps_them(on):
    on.run(one(Msg("mark", None, "uncover", dose_s=0.0)))
    assert on.marks == [("uncover", {"dose_s": 0.0})]


def test_an_abort_reaches_a_plan_that_passes_no_gate_once_so_that_it_can_tidy_up(on):
    seen = []

    def plan():
        try:
            for _ in range(1000):
                on.orders.abort("enough")
                yield Msg("null")
                seen.append("went on")
        finally:
            yield Msg("null")
            seen.append("tidied up")

    with pytest.raises(Aborted):
        on.run(plan())
    assert seen == ["tidied up"]


def test_a_plan_that_hangs_in_a_message_can_be_given_up(on):
    def plan():
        try:
            yield Msg("sleep", None, 60)
        finally:
            yield Msg("secure", None, (on.station.gas.flow, 0.0))

    timer = threading.Timer(0.05, on.engine.give_up, ["it hangs"])
    timer.start()
    with pytest.raises(Exception, match=r"interrupted|abort|paused|ended the plan") as given_up:
        on.run(plan())
    assert given_up.type.__name__ in (EngineError.__name__, "RunEngineInterrupted")
    timer.join()
    assert on.run(one(Msg("gate", None, 0.0))).verdict == "go"  # and the engine goes on


def test_a_log_that_cannot_be_written_ends_the_run():
    orders = Orders()
    clock = ScaledClock.starting_now(100.0)

    def full(name, document):
        raise OSError("disk full")

    engine = Engine(Gates(clock, orders, Rules()), orders, full)
    with pytest.raises(OSError, match="disk full"):
        engine.run((Msg(command) for command in ("open_run", "close_run")), {})
