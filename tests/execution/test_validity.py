"""What becomes of a measurement that goes wrong: from the bytes on the wires to what the model is told.

The real drivers speak to simulated instruments over links that keep the bytes in memory, in a lab time that moves only
when the plan waits.  `docs/explanation/validity.md` has the same table in words.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from drivers.errors import NoReply
from drivers.kepco_bop import KepcoBop as Kepco
from drivers.lakeshore_475 import LakeShore475
from drivers.roles import MagnetometryStation
from drivers.srs_sr830 import Sr830
from orchestrator.campaign import entries as e
from orchestrator.execution.analysis import of_measurement
from orchestrator.execution.documents import plain
from protocols.magnetometry import measure
from simulators.kepco_bop import KepcoBop
from simulators.lakeshore_475 import Lakeshore475
from simulators.srs_sr830 import Sr830 as SimulatedSr830
from tests.execution.bench import InlinePort
from tests.protocols.stage import Stage
from tests.service.nights import DONE, Night, answer, campaign, rules
from tests.simulators.world import DEPOSITION, MAGNETOMETRY, World, slot

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "validity.md"
SCALE = 1e-4
LATENCY_S = 1e-3
LEAST_S = 1e-6
"""No sleep takes no time: a ramp that paces itself by the clock counts on that."""
LOOP = {"max_field_mt": 90.0, "coarse_step_mt": 10.0, "fine_step_mt": 0.5, "dwell_s": 1.0}


class Wire:
    """A link to an instrument in this process."""

    timeout_s = 1.0

    def __init__(self, instrument, address, lab):
        self.address, self._instrument, self._lab = address, instrument, lab
        self._buffer = instrument.greeting()

    def send(self, request):
        self._lab.advance(LATENCY_S)
        self._buffer += self._instrument.receive(request)

    def receive(self, framing, timeout_s=None):
        if not self._buffer or (length := framing(self._buffer)) is None:
            raise NoReply(f"{self.address}: no reply")
        frame, self._buffer = self._buffer[:length], self._buffer[length:]
        return frame

    def drain(self):
        stale, self._buffer = self._buffer, b""
        return stale

    def close(self):
        pass


class Lab:
    """A film in the magnetometer of a simulated lab, whose clock the drivers share."""

    def __init__(self, *faults, film=True, seconds=900.0, scale=SCALE):
        settings = {"quantity": "moment", "scale": SCALE, "field_per_ampere_mt": 10.0, "film_area_mm2": 25.0}
        self.world = World(seed=2, magnetometer=settings, faults=list(faults))
        if film:
            self.world.carry(slot(1), DEPOSITION)
            self.world.film(seconds, "gun1", "gun2")
            self.world.carry(DEPOSITION, MAGNETOMETRY)
        parts = self.world.magnetometer
        self.station = MagnetometryStation(
            name="vsm",
            magnet=self._device(Kepco, KepcoBop(parts.magnet), "TCPIP::magnet", max_slew_a_s=2.0),
            field_meter=self._device(LakeShore475, Lakeshore475(parts.probe), "/dev/hall"),
            signal=self._device(Sr830, SimulatedSr830(parts.detector), "GPIB0::8::INSTR"),
            quantity="moment",
            scale=scale,
            scale_sigma=0.01,
            field_per_ampere_mt=10.0,
            film_area_mm2=25.0,
        )

    # the clock of drivers and plan

    resolution_s = 0.0

    def now(self):
        return self.world.clock.now()

    def real_s(self, lab_s):
        return lab_s

    def advance(self, lab_s):
        self.world.wait(lab_s)

    def sleep(self, lab_s):
        self.world.wait(max(LEAST_S, lab_s))

    def patience_s(self, lab_s):
        return lab_s + 5.0

    def measure(self, **changes):
        """The outcome, as the station's worker makes it."""
        kwargs = {**LOOP, "thickness_nm": self.thickness_nm(), "thickness_sigma_nm": 0.5, **changes}
        outcome = Stage(self).perform(measure(self.station, self, **kwargs))
        return plain(of_measurement(outcome, self.station, kwargs))

    def thickness_nm(self):
        sample = self.world.magnetometer.sample
        return sample.thickness_nm if sample else 50.0

    def _device(self, driver, instrument, address, **settings):
        port = InlinePort()
        port.link = Wire(instrument, address, self)
        device = driver(port, name=driver.role, clock=self, **settings)
        device.identify()
        return device


def fault(kind, size=1.0):
    return {"kind": kind, "size": size}


FATES = {
    "nothing": (lambda: Lab().measure(), "valid", ""),
    "not saturated": (lambda: Lab().measure(**UNSATURATED), "censored", "not saturated"),
    "squareness of a loop that is not saturated": (
        lambda: Lab().measure(**UNSATURATED),
        "failed",
        "does not even bound the squareness",
    ),
    "noise": (lambda: Lab(fault("noise", 3e4)).measure(), "again", "signal to noise too low"),
    "no sample": (lambda: Lab(film=False).measure(), "again", "is a sample in the magnetometer"),
    "cable off": (lambda: Lab(fault("cable_off")).measure(), "again", "signal to noise too low"),
    "no signal at all": (lambda: Lab(fault("dead")).measure(), "again", "no contact, or a cable is off"),
    "overload": (lambda: Lab(fault("pick_up", 2.0)).measure(), "again", "the lock-in was overloaded"),
    "drift within the loop": (lambda: Lab(fault("drift", 1.0)).measure(), "again", "the loop does not close"),
    "wrong phase": (lambda: Lab(scale=-SCALE).measure(), "failed", "turn the lock-in's phase"),
    "thickness not known": (lambda: Lab().measure(thickness_nm=None), "failed", "the film's thickness is not known"),
}
"""What goes wrong -> the measurement, what follows (valid, censored, failed at once, or made again), and why."""
UNSATURATED = {"max_field_mt": 10.0, "coarse_step_mt": 5.0}


@pytest.mark.parametrize("wrong", FATES)
def test_what_follows(wrong):
    outcome, fate, reason = FATES[wrong]
    told = json.loads(json.dumps(outcome(), allow_nan=False))
    objective = "squareness" if wrong.startswith("squareness") else "saturation_magnetisation"
    first, second = observe(told, objective, retries=1), observe(told, objective, retries=0)
    if fate == "again":
        assert first is None, "not measured again"
        assert (second.validity, second.value) == ("failed", None)
    else:
        assert first == second, "measured again"
        assert second.validity == fate
        assert (second.value is None) == (fate == "failed")
        assert second.bound == ("lower" if fate == "censored" else None)
    assert reason in second.reason


def test_a_value_and_a_bound_agree_with_the_hidden_truth():
    lab = Lab()
    true = lab.world.magnetometer.sample.properties(lab.world.lab.truth)["saturation_magnetisation_ka_m"]
    value = observe(lab.measure(), retries=0)
    bound = observe(lab.measure(**UNSATURATED), retries=0)
    assert abs(value.value - true) < 3 * value.sigma
    assert bound.value < true


def test_the_page_tells_of_each():
    page = PAGE.read_text()
    assert [wrong for wrong in FATES if f"| {wrong} |" not in page] == []


def observe(outcome, quantity="saturation_magnetisation", *, retries):
    """What the model is told of a sample measured with this `outcome`; None if it is measured again."""
    spec = campaign(samples=1, recovery=rules(retries, "skip"))
    if quantity == "squareness":
        objective = spec.objective.model_copy(update={"quantity": quantity, "unit": "1"})
        spec = spec.model_copy(update={"objectives": (objective,)})
    night = Night(spec)
    night.decide()
    night.suggest()
    while not any(step.plan == "measure" for step in night.decide()):
        uid, step = next(iter(night.state.open_steps.items()))
        night.end_step(uid, DONE[step.intent.plan])
    (uid,) = night.state.open_steps
    night.end_step(uid, answer("done", outcome))
    observations = [r.entry for r in night.entries if isinstance(r.entry, e.ObservationMade)]
    return observations[0] if observations else None
