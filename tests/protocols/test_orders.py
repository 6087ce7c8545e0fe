"""Hold, resume and abort before every message of every plan, judged by the world and not by what the plan believes.

The orders and the interlocks are the real ones; only the waiting is played.  A stop is no order to a plan: what is
under way is finished.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from orchestrator.execution import evidence
from orchestrator.execution.interlocks import Interlocks
from orchestrator.execution.orders import Orders
from orchestrator.service import settle
from protocols.deposition import deposit
from protocols.gates import Aborted, HeldTooLong, InterlockTripped, Passed, ProtocolError, Stopped
from protocols.magnetometry import measure
from protocols.transfer import retire, transfer
from tests.execution import bench
from tests.protocols.stage import EXCHANGE_S, Stage

FILM = {
    "composition": {"Fe": 0.6, "Co": 0.3, "Ni": 0.1},
    "thickness_nm": 4.0,
    "argon_pressure_pa": 0.5,
    "power_w": 100.0,
    "presputter_s": 5.0,
}
LOOP = {"coarse_step_mt": 200.0, "fine_step_mt": 10.0}
MOVE = {"source": "cassette/1", "destination": "deposition"}

SCRIPTS = {
    "hold-resume": ("hold", "resume"),
    "hold-abort": ("hold", "abort"),
    "hold-trip-resume": ("hold", "trip", "resume"),
    "hold-too-long": ("hold", "too long"),
    "abort": ("abort",),
    "abort-abort": ("abort", "abort"),
}
"""The first word is given before a message, the others while the plan is held, or else before the next ones."""


@dataclass
class Ordered(Stage):
    """A stage with an operator, who begins his script before message `at`."""

    station: object = None
    script: tuple[str, ...] = ()
    at: int = -1
    trip: object = None

    def __post_init__(self) -> None:
        self.given = Orders()
        self.interlocks = Interlocks(self.station, self.clock)
        self.left = list(self.script)
        self.tripped = False

    def perform(self, plan):
        return super().perform(self._listening(plan))

    def _listening(self, plan):
        """`plan`, with the operator's words between its messages."""
        answer, error = None, None
        while True:
            try:
                msg = plan.send(answer) if error is None else plan.throw(error)
            except StopIteration as end:
                return end.value
            if len(self.messages) >= self.at >= 0 and self.left and not self.given.hold_reason:
                self._say()
            answer, error = None, None
            try:
                answer = yield msg
            except Exception as thrown:  # noqa: BLE001 - the plan's to handle
                error = thrown

    def _say(self) -> None:
        match self.left.pop(0):
            case "hold":
                self.given.hold("asked for")
            case "resume":
                self.given.resume()
            case "abort":
                self.given.abort("asked for")
            case "trip":
                self.tripped = True
                self.trip()
            case "too long":
                raise HeldTooLong("too long")

    def _check(self) -> None:
        if self.given.abort_reason is not None:
            raise Aborted(self.given.abort_reason)

    def _look(self) -> None:
        self._check()
        if reasons := self.interlocks.tripped(self.clock.now()):
            raise InterlockTripped("; ".join(reasons))

    def _gate(self, msg) -> Passed:
        held = self.given.hold_reason is not None
        if not held:
            self.clock.advance(msg.args[0])
            self._refresh_all()
        self._look()
        return Passed(self.clock.now(), "hold" if held else "go")

    def _held(self, msg) -> float:
        self.holds += 1
        while self.given.hold_reason is not None:
            self._look()
            self.clock.advance(60.0)
            self._refresh_all()
            self._say()
        self._look()
        return self.clock.now()

    def _apply(self, msg):
        applied = super()._apply(msg)
        for setting, value in msg.args:
            self.interlocks.ordered(setting, value)
        return applied

    def _refresh(self, msg) -> float:
        self._check()
        self.clock.advance(EXCHANGE_S)
        return super()._refresh(msg)

    def _secure(self, msg):
        for setting, value in msg.args:
            self.interlocks.ordered(setting, value)
        return super()._secure(msg)

    def _refresh_all(self) -> None:
        """As the monitor does."""
        bench.read_once(self.station)


def prepared(build, plan, kwargs, trip, script=(), at=-1, **world):
    clock = bench.StepClock()
    station, truth = build(clock, **world)
    stage = Ordered(clock, station=station, script=script, at=at, trip=lambda: trip(station, truth))
    return stage, station, truth, plan(station, clock, **kwargs)


def disturbed(build, plan, kwargs, trip, script, **world):
    """The plan with the script begun before each of its messages: (index, stage, station, world, what it raised)."""
    stage, _, _, undisturbed = prepared(build, plan, kwargs, trip, **{k: make() for k, make in world.items()})
    stage.perform(undisturbed)
    for at in range(len(stage.messages)):
        made = {key: make() for key, make in world.items()}
        stage_, station, truth, tried = prepared(build, plan, kwargs, trip, script, at, **made)
        raised = None
        try:
            stage_.perform(tried)
        except (Stopped, ProtocolError) as stopped:
            raised = stopped
        yield at, stage_, station, truth, raised


def plasma_lost(station, chamber):
    chamber.lit["Fe"] = False


def magnet_fault(station, film):
    station.magnet.refresh = lambda: station.magnet.fault.update("over-temperature")
    station.magnet.fault.update("over-temperature")


def arm_fault(station, arm):
    station.mover.refresh = lambda: station.mover.fault.update("protective stop")
    station.mover.fault.update("protective stop")


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_message_of_a_deposition(script):
    ends = set()
    for at, stage, _, chamber, raised in disturbed(bench.chamber, deposit, FILM, plasma_lost, SCRIPTS[script]):
        outcome = stage.outcome
        ends.add(type(raised).__name__)
        assert chamber.is_safe(), at
        assert not chamber.unsafe, at
        assert chamber.times_opened <= 1 + stage.holds, at
        if not outcome:
            assert chamber.times_opened == 0, at
            continue
        assert outcome["begun"] is (chamber.times_opened > 0), at
        made = sum(chamber.dose_nm.values())
        assert abs(outcome["thickness_nm"] - made) <= 5 * outcome["thickness_sigma_nm"] + 0.01, at
        assert outcome["finished"] or raised is not None, at
        assert not (outcome["finished"] and isinstance(raised, InterlockTripped)), at
    wanted = {
        "hold-resume": {"NoneType"},
        "hold-abort": {"Aborted", "NoneType"},
        "hold-trip-resume": {"InterlockTripped", "NoneType"},
        "hold-too-long": {"HeldTooLong", "NoneType"},
        "abort": {"Aborted", "NoneType"},
        "abort-abort": {"Aborted", "NoneType"},
    }
    assert ends <= wanted[script]
    assert ends - {"NoneType"} == wanted[script] - {"NoneType"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_message_of_a_loop(script):
    stopped = 0
    for at, stage, _, film, raised in disturbed(bench.magnetometer, measure, LOOP, magnet_fault, SCRIPTS[script]):
        stopped += raised is not None
        assert film.current_a == 0, at
        assert raised is None or script != "hold-resume", (at, raised)
        assert not stage.outcome or raised is not None or stage.outcome["loop"]["field_mt"], at
    assert bool(stopped) is (script != "hold-resume")


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_message_of_a_transfer(script):
    """The sample is where the journal will say: settled from what the plan recorded and the arm showed at rest."""
    for at, stage, station, arm, raised in disturbed(bench.robot, transfer, MOVE, arm_fault, SCRIPTS[script]):
        assert not arm.collisions, at
        if not stage.outcome:
            assert arm.occupied == {"cassette/1"}, at
            continue
        answer = {
            "state": "done" if raised is None else "aborted" if isinstance(raised, Aborted) else "failed",
            "outcome": stage.outcome,
            "marks": [{"mark": mark, **facts} for mark, facts in stage.marks],
            "evidence": {"after": evidence.look_at_rest(station, stage.clock)},
        }
        place = settle.transfer(MOVE, answer)
        assert arm.occupied == ({place} if place != "gripper" else set()), (at, place)
        assert arm.holding is (place == "gripper"), (at, place)
        assert raised is None or script != "hold-resume", (at, raised)


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_message_of_a_retreat(script):
    def standing():
        arm = bench.Arm(occupied=("deposition",))
        arm.pose = bench.PLACES["deposition"].pose
        return arm

    for at, _, _, arm, _raised in disturbed(bench.robot, retire, {}, arm_fault, SCRIPTS[script], world=standing):
        assert not arm.collisions, at
        assert arm.occupied == {"deposition"}, at
        assert not arm.holding, at
