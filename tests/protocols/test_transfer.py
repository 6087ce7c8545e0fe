"""Carrying a sample, and every way in which that can go wrong."""

from __future__ import annotations

import contextlib
import itertools

import pytest

from drivers.errors import Fault
from protocols.gates import Aborted, ProtocolError
from protocols.transfer import retire, transfer
from tests.execution import bench
from tests.protocols.stage import Stage


def prepare(orders=None, source="cassette/1", destination="deposition", arm=None):
    clock = bench.StepClock()
    station, world = bench.robot(clock, world=arm)
    stage = Stage(clock, orders or {})
    return (
        station,
        world,
        stage,
        lambda: stage.perform(transfer(station, clock, source=source, destination=destination)),
    )


def test_a_sample_is_picked_placed_and_the_stations_left_free():
    station, world, stage, run = prepare()
    outcome = run()
    assert outcome["moved"]
    assert not outcome["holding"]
    assert world.occupied == {"deposition"}
    assert not world.collisions
    assert world.pose[2] == bench.PLACES["cassette/1"].pose[2] + 40
    assert [mark for mark, _ in stage.marks] == ["pick", "place"]
    poses = [m.args[0][1] for m in stage.messages if m.command == "apply" and m.args[0][0] is station.mover.pose]
    for before, after in itertools.pairwise(poses):  # down and up only above a place
        assert before[:2] == after[:2] or (before[2] - 40 >= 40 and after[2] - 40 >= 40)


def test_an_empty_slot_is_told_apart():
    _, world, stage, run = prepare(source="cassette/2")
    with pytest.raises(ProtocolError, match="gripped nothing at cassette/2"):
        run()
    assert not stage.outcome["moved"]
    assert not stage.outcome["holding"]
    assert world.occupied == {"cassette/1"}


def test_a_full_gripper_stays_where_it_is():
    arm = bench.Arm()
    arm.holding = True
    _, world, _stage, run = prepare(arm=arm)
    with pytest.raises(ProtocolError, match="already holds a part"):
        run()
    assert world.pose == (0.0,) * 6


def test_a_sample_lost_on_the_way_is_missed():
    arm = bench.Arm()
    arm.slips_at = "deposition"
    station, world, stage, run = prepare(arm=arm)
    refresh = station.mover.refresh

    def lose() -> None:
        world.holding = world.holding and world.pose[2] < 100
        refresh()

    station.mover.refresh = lose
    with pytest.raises(ProtocolError, match="lost the sample between cassette/1 and deposition"):
        run()
    assert not stage.outcome["moved"]


@pytest.mark.parametrize("places", [("cassette/9", "deposition"), ("deposition", "oven")])
def test_an_unknown_place_is_refused(places):
    _, _, _, run = prepare(source=places[0], destination=places[1])
    with pytest.raises(ProtocolError, match=r"no place is called .*; the lab has cassette/1, cassette/2"):
        run()


def test_nowhere_to_go_is_refused():
    _, _, _, run = prepare(destination="cassette/1")
    with pytest.raises(ProtocolError, match="both source and destination"):
        run()


def test_a_robot_in_error_ends_the_transfer_and_keeps_what_it_holds():
    station, world, stage, run = prepare()
    gripper = station.mover.world

    def stop_once_holding(verb: str) -> None:
        if gripper.holding and verb == "pose":
            raise Fault("arm: protective stop 2")

    station.mover.stumble = stop_once_holding
    with pytest.raises(Fault, match="protective stop"):
        run()
    assert world.holding
    assert stage.outcome == {
        "moved": False,
        "holding": True,
        "gripping": True,
        "source": "cassette/1",
        "destination": "deposition",
        "at": "cassette/1",
    }


def test_the_sample_is_never_lost_sight_of_wherever_an_abort_falls():
    _, _, stage, run = prepare()
    run()
    for index in range(len(stage.messages)):
        _, world, aborted, disturbed = prepare({index: "abort"})
        with contextlib.suppress(Aborted):
            disturbed()
        assert not world.collisions
        if not aborted.outcome:
            continue
        if aborted.outcome["moved"]:
            assert world.occupied == {"deposition"}
        elif world.holding:
            assert world.occupied == set()
        else:
            assert world.occupied in ({"cassette/1"}, {"deposition"})


def test_a_hold_anywhere_only_delays():
    _, _, stage, run = prepare()
    run()
    for index in range(len(stage.messages)):
        _, world, _, disturbed = prepare({index: "hold"})
        assert disturbed()["moved"]
        assert world.occupied == {"deposition"}


# --- from the gripper, and out of the way ---------------------------------------------------------------


def gripping(pose):
    arm = bench.Arm(occupied=())
    arm.holding = arm.closed = True
    arm.pose = pose
    return arm


def poses(stage, station):
    return [m.args[0][1] for m in stage.messages if m.command == "apply" and m.args[0][0] is station.mover.pose]


@pytest.mark.parametrize("above_mm", [0.0, 7.0, 40.0])
def test_a_sample_in_the_gripper_is_carried_on_and_first_of_all_straight_up(above_mm):
    x, y, z, *angles = bench.PLACES["deposition"].pose
    station, world, stage, run = prepare(None, "gripper", "magnetometry", gripping((x, y, z + above_mm, *angles)))
    assert run()["moved"]
    assert world.occupied == {"magnetometry"}
    assert not world.collisions
    assert [mark for mark, _ in stage.marks] == ["place"]
    above = (x, y, z + 40.0, *angles)
    first = poses(stage, station)[0]
    assert first == (above if above_mm < 40 else (60.0, -210.0, 130.0, 180.0, 0.0, -90.0))


def test_one_that_is_between_two_places_goes_on_as_it_is():
    station, world, stage, run = prepare(None, "gripper", "cassette/1", gripping((20.0, 90.0, 150.0, 180.0, 0.0, 30.0)))
    assert run()["moved"]
    assert world.occupied == {"cassette/1"}
    assert poses(stage, station)[0][:2] == bench.PLACES["cassette/1"].pose[:2]


def test_a_gripper_that_should_hold_a_sample_and_is_empty_is_told():
    _, world, stage, run = prepare(None, "gripper", "cassette/1", bench.Arm(occupied=()))
    with pytest.raises(ProtocolError, match="should hold the sample, and holds nothing; look for it"):
        run()
    assert world.pose == (0.0,) * 6
    assert stage.outcome["gripping"] is False


def test_an_empty_arm_opens_rises_and_leaves_the_stations():
    clock = bench.StepClock()
    arm = bench.Arm(occupied=("deposition",))
    arm.pose = bench.PLACES["deposition"].pose
    station, world = bench.robot(clock, world=arm)
    stage = Stage(clock)
    assert stage.perform(retire(station, clock)) == {"retired": True}
    assert world.occupied == {"deposition"}
    assert [pose[2] for pose in poses(stage, station)] == [160.0, 80.0]
    assert world.pose[:2] == bench.PLACES["cassette/1"].pose[:2]
    assert not world.collisions
    assert stage.marks == []


def test_an_arm_that_holds_something_is_not_sent_away_with_it():
    clock = bench.StepClock()
    station, world = bench.robot(clock, world=gripping(bench.PLACES["deposition"].pose))
    with pytest.raises(ProtocolError, match="holds a part; find out which"):
        Stage(clock).perform(retire(station, clock))
    assert world.holding
