"""Each hazard is seen once when it is provoked, and never in correct use."""

import json

import pytest

from simulators.hazards import Hazards
from simulators.worldlog import WorldLog
from tests.simulators.world import DEPOSITION, HOME, MAGNETOMETRY, World, slot


def test_a_correct_night_has_no_hazard_and_is_told_in_full(tmp_path):
    path = tmp_path / "night" / "world.jsonl"
    log = WorldLog(path)
    world = World(log=log)
    world.carry(slot(1), DEPOSITION)
    world.film(300, "gun1", "gun2")
    film = world.chamber.substrate
    composition, thickness = film.composition(), film.thickness_nm
    world.carry(DEPOSITION, MAGNETOMETRY)
    world.magnetometer.magnet.set_output(True)
    for current in (8.0, -8.0, 0.0):
        world.ramp(current)
        world.wait(1)
        world.magnetometer.detector.read()
    world.magnetometer.magnet.set_output(False)
    world.carry(MAGNETOMETRY, slot(1))

    log.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    told = [(line["event"], line["substrate"]) for line in lines]
    carried = [("picked", 1), ("placed", 1), ("moved", 1)]
    assert told == [
        *carried,
        ("film_begun", 1),
        ("film_finished", 1),
        *carried,
        ("measured", 1),
        *carried,
    ]
    by_event = {line["event"]: line for line in lines}
    assert by_event["moved"]["from"] == "magnetometry"
    assert by_event["moved"]["to"] == "cassette/1"
    finished = by_event["film_finished"]
    assert finished["composition"] == pytest.approx(composition)
    assert finished["thickness_nm"] == pytest.approx(thickness)
    assert finished["true_properties"]["saturation_magnetisation_ka_m"] > 1500
    assert by_event["film_begun"]["t"] == pytest.approx(finished["t"] - 300, abs=1)
    assert by_event["measured"]["readings"] == 3
    assert by_event["measured"]["max_field_mt"] == pytest.approx(80, abs=1)
    assert [line["t"] for line in lines] == sorted(line["t"] for line in lines)
    summary = world.lab.summary()
    assert summary["hazards"] == []
    assert [(f["substrate"], f["times_begun"], f["measured"]) for f in summary["films"]] == [(1, 1, 1)]


def test_a_held_film_is_one_film():
    world = World()
    world.carry(slot(1), DEPOSITION)
    world.argon()
    world.strike("gun1")
    world.expose(60, "gun1")
    world.wait(3600)
    assert world.log.of("film_finished") == []
    world.expose(60, "gun1")
    world.put_out()
    assert len(world.log.of("film_begun")) == len(world.log.of("film_finished")) == 1
    assert world.hazards() == []


def test_a_film_picked_up_with_the_plasma_on_is_finished():
    world = World()
    world.carry(slot(1), DEPOSITION)
    world.argon()
    world.strike("gun1")
    world.expose(60, "gun1")
    world.carry(DEPOSITION, slot(1))
    assert len(world.log.of("film_finished")) == 1
    assert world.hazards() == []


def test_reading_without_both_field_directions_is_no_measurement():
    world = World()
    world.carry(slot(1), MAGNETOMETRY)
    world.magnetometer.magnet.set_output(True)
    world.ramp(5.0)
    world.magnetometer.detector.read()
    world.ramp(0.0)
    world.carry(MAGNETOMETRY, slot(1))
    assert world.log.of("measured") == []


def provoke_high_pressure(world):
    world.chamber.vacuum.pumping_m3_s /= 20
    world.strike("gun1")
    world.chamber.gas.set_flow(80)
    world.wait(200)
    world.put_out()


def provoke_no_gas(world):
    world.chamber.gas.set_flow(0)
    world.wait(60)
    world.chamber.guns["gun1"].set_power(50)
    world.chamber.guns["gun1"].set_output(True)
    world.wait(300)


def provoke_gas_loss(world):
    world.strike("gun1")
    world.chamber.gas.set_flow(0)
    world.wait(300)


def provoke_no_substrate(world):
    world.strike("gun1")
    world.expose(100, "gun1")


def provoke_twice(world):
    world.put_out()
    world.carry(slot(1), DEPOSITION)
    world.film(100, "gun1")
    world.film(100, "gun2")


def provoke_robot_in(world):
    world.arm.move_to(DEPOSITION)
    world.chamber.crystal.set_substrate_shutter(True)
    world.wait(10)
    world.chamber.crystal.set_substrate_shutter(False)


def provoke_robot_in_by_gun(world):
    world.strike("gun1")
    world.chamber.guns["gun1"].set_shutter(True)
    world.arm.move_to(DEPOSITION)
    world.wait(10)
    world.arm.move_to(HOME)


def provoke_occupied(world):
    world.arm.move_to(slot(1))
    world.arm.grip(True)
    world.arm.move_to(slot(2))
    world.wait(5)
    world.arm.move_to(HOME)


def provoke_drop(world):
    world.arm.move_to(slot(1))
    world.arm.grip(True)
    world.arm.move_to(HOME)
    world.arm.grip(False)


def provoke_closed_gripper(world):
    world.arm.grip(True)
    world.arm.move_to(slot(2))


def provoke_step(world):
    world.magnetometer.magnet.set_output(True)
    world.magnetometer.magnet.command(5.0)
    world.wait(20)


def provoke_fast_ramp(world):
    world.magnetometer.magnet.set_output(True)
    world.ramp(9.0, slew_a_s=3.6)  # steps of 1.8 A are small enough, two a second are too many
    world.ramp(-9.0, slew_a_s=3.6)
    world.ramp(9.0, slew_a_s=3.6)


def provoke_switching_off_under_current(world):
    world.magnetometer.magnet.set_output(True)
    world.ramp(5.0)
    world.magnetometer.magnet.set_output(False)


def provoke_current(world):
    world.magnetometer.magnet.set_output(True)
    world.ramp(11.0)
    world.wait(5)
    world.ramp(0.0)


def provoke_no_pump(world):
    world.chamber.set_pump(False)
    world.wait(20)
    world.chamber.gas.set_flow(0)


@pytest.mark.parametrize(
    ("provoke", "kind"),
    [
        (provoke_high_pressure, "plasma_outside_pressure_window"),
        (provoke_no_gas, "plasma_outside_pressure_window"),
        (provoke_gas_loss, "plasma_outside_pressure_window"),
        (provoke_no_substrate, "deposition_on_no_substrate"),
        (provoke_twice, "deposition_twice"),
        (provoke_robot_in, "shutter_open_while_robot_in"),
        (provoke_robot_in_by_gun, "shutter_open_while_robot_in"),
        (provoke_occupied, "robot_collision"),
        (provoke_drop, "robot_collision"),
        (provoke_closed_gripper, "robot_collision"),
        (provoke_step, "magnet_slew"),
        (provoke_fast_ramp, "magnet_slew"),
        (provoke_switching_off_under_current, "magnet_slew"),
        (provoke_current, "magnet_current"),
        (provoke_no_pump, "gas_without_pump"),
    ],
)
def test_a_hazard_is_told_once(provoke, kind):
    world = World()
    world.argon()
    provoke(world)
    assert world.hazards() == [kind]
    assert world.log.of("hazard")[0]["detail"]


def test_a_second_film_on_a_film_is_begun_a_second_time():
    world = World()
    provoke_twice(world)
    assert [line["substrate"] for line in world.log.of("film_begun")] == [1, 1]
    assert world.lab.summary()["films"][0]["times_begun"] == 2


def test_a_hazard_that_comes_back_is_told_again():
    world = World()
    provoke_robot_in(world)
    world.arm.move_to(HOME)
    provoke_robot_in(world)
    assert world.hazards() == ["shutter_open_while_robot_in"] * 2


def test_an_approach_pose_is_not_in_the_chamber():
    world = World()
    world.chamber.crystal.set_substrate_shutter(True)
    x, y, z, *angles = DEPOSITION
    world.arm.move_to((x, y, z + 40, *angles))
    assert world.hazards() == []


def test_closing_on_nothing_is_no_collision():
    world = World()
    world.arm.move_to(slot(4))
    world.arm.grip(True)
    assert not world.arm.holding
    assert world.hazards() == []


def test_a_ramp_within_the_limit_may_arrive_in_bunches():
    """Steps sent each half second, but heard in groups, as a busy machine delivers them."""
    world = World()
    magnet = world.magnetometer.magnet
    magnet.set_output(True)
    for i in range(1, 11):
        magnet.command(float(i))
        world.wait(0.05 if i % 3 else 1.4)
    assert world.hazards() == []


def test_unknown_kinds_are_mistakes():
    with pytest.raises(ValueError, match="is not a hazard"):
        Hazards(WorldLog()).happened("boredom", 0.0, "")


def test_the_log_may_be_closed_twice(tmp_path):
    log = WorldLog(tmp_path / "world.jsonl")
    log.close()
    log.close()
    log.write("late", t=1.0)
    assert log.of("late")
    assert (tmp_path / "world.jsonl").read_text() == ""
