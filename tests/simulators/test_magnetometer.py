import math
import statistics
from itertools import pairwise

import pytest

from tests.simulators.world import DEPOSITION, MAGNETOMETRY, World, slot


@pytest.fixture
def measuring():
    world = World(seed=2)
    world.carry(slot(1), DEPOSITION)
    world.film(900, "gun1", "gun2")
    world.carry(DEPOSITION, MAGNETOMETRY)
    world.magnetometer.magnet.set_output(True)
    return world


def signal_am2(world, readings=40):
    """Mean of X over readings three time constants apart, in A m2."""
    values = []
    for _ in range(readings):
        world.wait(3 * world.magnetometer.detector.time_constant_s)
        values.append(world.magnetometer.detector.read()[0] * 1e-4)
    return statistics.mean(values)


def test_current_follows_with_the_coils_lag_and_field_with_the_current():
    world = World()
    magnet = world.magnetometer.magnet
    magnet.set_output(True)
    magnet.command(1.0)
    world.wait(0.05)
    reading = magnet.read()
    assert reading.current_a == pytest.approx(1 - math.exp(-0.5), abs=0.01)
    assert reading.voltage_v > 0.5 * reading.current_a + 0.1  # L dI/dt on top
    world.wait(3)
    assert magnet.read().voltage_v == pytest.approx(0.5, abs=0.02)
    assert world.magnetometer.probe.read_t() == pytest.approx(0.010, abs=0.0006)


def test_the_yoke_keeps_a_little_field():
    world = World()
    world.magnetometer.magnet.set_output(True)
    remanence = []
    for excursion in (10.0, -10.0):
        world.ramp(excursion)
        world.ramp(0.0)
        world.wait(5)
        remanence.append(1e3 * statistics.mean(world.magnetometer.probe.read_t() for _ in range(50)))
    assert remanence[0] - remanence[1] == pytest.approx(0.8, abs=0.05)


def test_without_output_no_current_flows():
    world = World()
    world.magnetometer.magnet.command(1.0)
    world.wait(5)
    assert world.magnetometer.magnet.read().current_a == pytest.approx(0, abs=0.005)
    assert not world.magnetometer.magnet.read().on


def test_a_saturated_film_gives_its_moment(measuring):
    world = measuring
    sample = world.magnetometer.sample
    expected = sample.properties(world.lab.truth)["saturation_magnetisation_ka_m"] * 1e3
    expected *= 25e-6 * sample.thickness_nm * 1e-9
    world.ramp(10.0)
    up = signal_am2(world)
    world.ramp(-10.0)
    down = signal_am2(world)
    diamagnetic = -4e-8 * 25 * 0.1
    assert (up - down) / 2 == pytest.approx(expected + diamagnetic, rel=0.02)
    assert expected > 20 * abs(diamagnetic)


def test_the_loop_opens_by_the_true_coercivity(measuring):
    world = measuring
    coercivity = world.magnetometer.sample.properties(world.lab.truth)["coercivity_mt"]
    world.ramp(10.0)
    world.ramp(0.0)
    remanent = signal_am2(world)
    world.ramp(-0.5 * coercivity / 10)
    before = signal_am2(world)
    world.ramp(-1.5 * coercivity / 10)
    after = signal_am2(world)
    assert remanent > before > 0 > after


def test_noise_falls_with_the_time_constant():
    spread = {}
    for tau in (0.1, 1.0):
        world = World()
        detector = world.magnetometer.detector
        detector.time_constant_s = tau
        world.wait(100)
        values = []
        for _ in range(400):
            world.wait(5 * tau)
            values.append(detector.read()[0])
        changes = [later - earlier for earlier, later in pairwise(values)]  # free of the slow drift
        spread[tau] = statistics.stdev(changes) / math.sqrt(2)
    assert spread[0.1] / spread[1.0] == pytest.approx(math.sqrt(10), rel=0.2)
    # 5e-10 A m2 at 1 s a point, i.e. in 0.5 Hz; one pole of 1 s has 0.25 Hz
    assert spread[1.0] * 1e-4 == pytest.approx(5e-10 / math.sqrt(2), rel=0.15)


def test_the_lock_in_needs_its_time_constant(measuring):
    world = measuring
    world.magnetometer.detector.time_constant_s = 10.0
    world.ramp(10.0)
    world.wait(1)
    early = world.magnetometer.detector.read()[0]
    world.wait(100)
    assert early < 0.8 * world.magnetometer.detector.read()[0]


def test_kerr_rotation_in_mrad():
    settings = {"quantity": "kerr_rotation", "scale": 100.0, "field_per_ampere_mt": 10.0, "film_area_mm2": 25.0}
    world = World(magnetometer=settings)
    world.carry(slot(1), DEPOSITION)
    world.film(900, "gun1", "gun2")
    world.carry(DEPOSITION, MAGNETOMETRY)
    world.magnetometer.magnet.set_output(True)
    volts = []
    for current in (10.0, -10.0):
        world.ramp(current)
        values = []
        for _ in range(200):
            world.wait(1)
            values.append(world.magnetometer.detector.read()[0])
        volts.append(statistics.mean(values))
    expected = world.magnetometer.sample.properties(world.lab.truth)["kerr_rotation_mrad"]
    assert 100 * (volts[0] - volts[1]) / 2 == pytest.approx(expected, rel=0.03)


def test_an_unknown_quantity_is_refused():
    with pytest.raises(ValueError, match="must be"):
        World(magnetometer={"quantity": "torque"})
