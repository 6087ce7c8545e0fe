import pytest

from drivers.wire.framing import until
from simulators.faults import Disconnected, FaultError, FaultyInstrument, wire_faults
from simulators.instrument import SimulatedInstrument
from tests.simulators.world import World, slot


class Echo(SimulatedInstrument):
    framing = staticmethod(until(b"\n"))

    def __init__(self):
        super().__init__()
        self.heard = []

    def answer(self, message):
        self.heard.append(message)
        return message


def faulty(seed=1, **fault):
    world = World(devices={"echo": {"driver": "echo"}}, faults=[{"device": "echo", **fault}])
    faults = wire_faults({"devices": {"echo": {}}, "faults": [{"device": "echo", **fault}]})
    echo = Echo()
    return world, echo, FaultyInstrument(echo, faults, world.lab, seed)


@pytest.mark.parametrize(
    ("kind", "reply"), [("no_reply", b""), ("garbage_prefix", b"\xff\x00read?\n"), ("partial", b"rea")]
)
def test_a_fault_spoils_the_reply_once_at_its_time(kind, reply):
    world, echo, instrument = faulty(kind=kind, at=100)
    assert instrument.receive(b"read?\n") == b"read?\n"
    world.wait(101)
    assert instrument.receive(b"read?\n") == reply
    assert instrument.receive(b"read?\n") == b"read?\n"
    assert len(echo.heard) == 3  # what was asked was done


def test_a_late_reply_comes_after_the_next_one():
    world, _, instrument = faulty(kind="late", at=0, delay_s=2.0)
    assert instrument.receive(b"one\n") == b""
    due = instrument.due()
    assert due == pytest.approx(world.clock.t + 2)
    assert instrument.receive(b"two\n") == b"two\n"
    world.wait(2.1)
    assert instrument.speak() == b"one\n"
    assert instrument.due() is None
    assert instrument.speak() == b""


def test_a_disconnection_loses_the_request():
    _, echo, instrument = faulty(kind="disconnect", at=0)
    with pytest.raises(Disconnected):
        instrument.receive(b"one\n")
    assert echo.heard == []
    assert instrument.greeting() == b""
    assert instrument.receive(b"two\n") == b"two\n"


def test_random_faults_are_seeded():
    def silences(seed):
        _, _, instrument = faulty(seed, kind="no_reply", probability=0.2)
        return [instrument.receive(b"?\n") == b"" for _ in range(200)]

    assert silences(1) == silences(1)
    assert silences(1) != silences(2)
    assert 20 <= sum(silences(1)) <= 60


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"device": "gun1", "kind": "gremlin", "at": 1}, "must be one of no_reply"),
        ({"device": "gun1", "kind": "late"}, "give either"),
        ({"device": "gun1", "kind": "late", "at": 1, "probability": 0.5}, "give either"),
        ({"device": "gun1", "kind": "late", "probability": 1.5}, "not 0 to 1"),
        ({"device": "gun9", "kind": "late", "at": 1}, "the devices are gun1"),
        ({"device": "gun1", "at": 1}, "missing"),
        ({"device": "gun1", "kind": "late", "at": 1, "colour": "red"}, "colour"),
    ],
)
def test_a_fault_that_cannot_be_is_explained(fault, message):
    with pytest.raises(FaultError, match=message):
        wire_faults({"devices": {"gun1": {}}, "faults": [fault]})


def test_faults_of_the_world_come_at_their_times():
    kinds = [{"kind": "crystal_fails", "at": 300}, {"kind": "pick_up", "size": 5.0, "at": 200, "until": 250}]
    world = World(faults=kinds)
    detector = world.lab.magnetometer.detector
    world.wait(199)
    assert abs(detector.read()[0]) < 0.1
    world.wait(2)
    world.lab.now()
    assert detector.read()[0] > 4
    world.wait(60)
    assert abs(detector.read()[0]) < 0.1
    assert not world.lab.chamber.crystal.read().failed
    world.wait(60)
    world.lab.now()
    assert world.lab.chamber.crystal.read().failed


def test_a_gripper_that_misses_leaves_the_substrate_where_it_is():
    world = World(slots=[1], faults=[{"kind": "grips_nothing", "at": 0, "times": 2}])
    arm = world.lab.arm
    arm.move_to(slot(1))
    held = []
    for _ in range(3):
        arm.grip(True)
        held.append(arm.holding)
        if not arm.holding:
            arm.grip(False)
    assert held == [False, False, True]


def test_a_fault_of_the_world_that_makes_no_sense_is_refused():
    with pytest.raises(FaultError, match="a fault of the world"):
        World(faults=[{"kind": "crystal_fails", "at": 0, "device": "monitor"}])


def test_what_fails_in_the_chamber_is_seen_by_its_instruments():
    kinds = [{"kind": kind, "at": 100} for kind in ("turbo_fails", "water_fails", "sensor_breaks")]
    world = World(faults=kinds)
    lab = world.lab
    assert (lab.turbo.read().trouble, all(lab.relays.inputs), lab.heater.read().broken) == ("", True, False)
    world.wait(101)
    assert (lab.turbo.read().trouble, lab.relays.inputs[1], lab.heater.read().broken) == ("Err006", False, True)
    assert lab.chamber.vacuum.pump_on
    world.wait(900)
    assert lab.turbo.read().speed < 0.3
    assert not lab.chamber.vacuum.pump_on
