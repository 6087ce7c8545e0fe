"""A Hall loop on the bench, from the field to the resistivity, and what becomes of the current when it is disturbed."""

from __future__ import annotations

import contextlib
import itertools
import math

import pytest
from ophyd import Component as Cpt

from drivers.instrument import Reading, Setting
from drivers.roles import devices
from orchestrator.execution.hall import of_measurement
from protocols.gates import Aborted, DeviceWrong, ProtocolError
from protocols.magnetometry import measure
from tests.execution import bench
from tests.protocols.stage import Stage

LOOP = {"max_field_mt": 400.0, "coarse_step_mt": 20.0, "fine_step_mt": 2.0, "dwell_s": 2.0}
THICKNESS = {"thickness_nm": 30.0, "thickness_sigma_nm": 0.3}
RHO_UOHM_CM = 0.6
SATURATION_MT = 250.0
MISPLACED_OHM = 1.5  # far more than the 0.2 ohm that are looked for


class BenchHall(bench.BenchInstrument):
    current = Cpt(Setting, units="A", write="_write_current", value=0.0)
    resistance = Cpt(Reading, units="ohm")
    compliance = Cpt(Reading, value=0)
    fault = Cpt(Reading, value="")

    def refresh(self) -> None:
        self.stumble("refresh")
        turned = min(1.0, max(-1.0, self.world.field_mt / SATURATION_MT))
        anomalous = RHO_UOHM_CM / 3.0
        value = anomalous * turned + 1e-6 * self.world.field_mt + MISPLACED_OHM * (1 - 1e-3 * turned**2)
        flows = self.current.get() != 0.0 and not self.world.open
        self.resistance.update(value + self.world.rng.gauss(0, 1e-5) if flows else math.nan)
        self.compliance.update(int(self.world.open and self.current.get() != 0.0))
        self.fault.update("")

    def make_safe(self) -> None:
        self.current.update(0.0)

    def _write_current(self, amps: float) -> None:
        self.stumble("current")
        self.world.currents.append(amps)
        self.current.update(amps)


def prepare(orders=None, **changes):
    clock = bench.StepClock()
    station, world = bench.magnetometer(clock)
    world.open, world.currents = False, []
    station.hall = BenchHall(station.magnet.port, name="delta", clock=clock, world=world)
    station.signal, station.quantity, station.scale, station.scale_sigma = None, "hall_resistance", 1.0, 0.005
    station.hall_current_a = 1e-3
    stage = Stage(clock, orders or {})
    return station, world, stage, measure(station, clock, **{**LOOP, **THICKNESS, **changes})


def test_from_field_to_resistivity():
    station, world, stage, plan = prepare()
    outcome = stage.perform(plan)
    loop = outcome["loop"]
    assert loop["unit"] == "ohm"
    assert (loop["field_mt"][0], min(loop["field_mt"]), loop["field_mt"][-1]) == pytest.approx((400, -400, 400))
    assert len(stage.events) == len(loop["field_mt"]) < 180
    assert world.current_a == 0
    assert world.currents == [1e-3, 0.0]
    found = of_measurement(outcome, station, THICKNESS)
    assert found["validity"] == "valid", found["reason"]
    rho = found["quantities"]["anomalous_hall_resistivity"]
    assert abs(rho["value"] - RHO_UOHM_CM) < 3 * rho["sigma"]
    assert rho["sigma"] < 0.02 * RHO_UOHM_CM


def test_steps_are_fine_where_the_film_turns_whatever_the_contacts_add():
    _, _, stage, plan = prepare()
    fields = stage.perform(plan)["loop"]["field_mt"]
    steps = [abs(b - a) for a, b in itertools.pairwise(fields) if max(abs(a), abs(b)) < SATURATION_MT]
    assert max(steps) <= 0.11 * SATURATION_MT  # a twentieth of the swing


def test_open_contacts_are_told_before_the_loop_and_are_no_zero():
    _, world, stage, plan = prepare()
    world.open = True
    with pytest.raises(DeviceWrong, match=r"delta: no resistance .* look at the four contacts"):
        stage.perform(plan)
    assert world.current_a == 0
    assert world.currents == [1e-3, 0.0]


def test_contacts_that_open_on_the_way_make_a_failed_measurement():
    station, world, stage, plan = prepare()
    drive = world.drive

    def opening(current_a, field_per_ampere_mt):
        world.open = world.open or (len(stage.events) > 20)
        drive(current_a, field_per_ampere_mt)

    world.drive = opening
    found = of_measurement(stage.perform(plan), station, THICKNESS)
    assert (found["validity"], found["quantities"]) == ("failed", {})
    assert "the Hall meter was overloaded" in found["reason"]


def test_a_current_that_nobody_gave_is_refused():
    station, _, stage, plan = prepare()
    station.hall_current_a = 0.0
    with pytest.raises(ProtocolError, match="hall_current_a is not given"):
        stage.perform(plan)


def test_an_abort_before_any_message_leaves_magnet_and_film_without_current():
    coarse = {"coarse_step_mt": 300.0, "fine_step_mt": 100.0}
    _, _, stage, plan = prepare(**coarse)
    stage.perform(plan)
    for index in range(len(stage.messages)):
        station, world, disturbed, plan = prepare({index: "abort"}, **coarse)
        with contextlib.suppress(Aborted):
            disturbed.perform(plan)
        assert world.current_a == 0
        assert station.hall.current.get() == 0.0


def test_the_hall_meter_is_among_what_is_made_safe():
    station, *_ = prepare()
    assert [device.name for device in devices(station)] == ["magnet", "delta", "hall"]
