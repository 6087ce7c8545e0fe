"""A night that never was: a journal with everything in it that a report has to show.

Times and values are made up; the order of entries is what the daemon writes.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.campaign.state import slot_place

START = 1_738_609_200.0  # Mon 3 Feb 2025, 19:00 UTC
TRANSFER_S, DEPOSIT_S, MEASURE_S = 95.0, 1490.0, 830.0
ELEMENTS = ("Fe", "Co", "Ni")


def campaign(elements: Sequence[str] = ELEMENTS, samples: int = 25, **changes: Any) -> dict[str, Any]:
    """A campaign as the journal holds it."""
    told = {
        "name": "fe-co-ni",
        "seed": 1,
        "at_most": None,
        "elements": {element: {"min": 0, "max": 100, "step": 2} for element in elements},
        "constraints": [{"coefficients": {"Ni": 1.0}, "min": None, "max": 60.0}],
        "film": {"argon_pressure_pa": 0.5, "power_w": 100.0, "thickness_nm": 50.0, "temperature_c": None},
        "objectives": [{"quantity": "saturation_magnetisation", "direction": "max", "unit": "kA/m"}],
        "budget": {"samples": samples, "lab_hours": 12.0, "substrates": None},
        "stopping": {"target": None, "no_improvement_samples": None},
        "optimizer": {"method": "gp", "initial_samples": 6, "acquisition": "log_ei", "max_pool": 200000},
        "measurement": {"max_field_mt": 300.0, "dwell_s": 6.0, "coarse_step_mt": 15.0, "fine_step_mt": 1.0},
        "recovery": {"faults": {"instrument": {"actions": ["retry", "skip"]}}, "failures_in_a_row": 3},
    }
    return told | changes


LAB: dict[str, Any] = {
    "name": "bench-1",
    "stations": {
        "deposition": {"kind": "deposition"},
        "magnetometry": {"kind": "magnetometry"},
        "robot": {"kind": "transfer"},
    },
}


def recorded(timed: Sequence[tuple[float, e.Entry]]) -> list[e.Recorded]:
    """`timed` in order of time, numbered."""
    ordered = sorted(timed, key=lambda pair: pair[0])
    return [e.Recorded(version=n, time=time, entry=entry) for n, (time, entry) in enumerate(ordered, 1)]


class Script:
    """Writes a night's entries; each method carries a sample one step on and moves `now`."""

    def __init__(self, told: dict[str, Any], seed: int = 7) -> None:
        self.rng = random.Random(seed)
        self.told = told
        self.elements = list(told["elements"])
        self.now = START
        self.timed: list[tuple[float, e.Entry]] = []
        self.robot_busy: list[tuple[float, float]] = []
        self.magnetometer_free = START
        self.say(e.CampaignStarted(campaign=told, lab=LAB, by="anna"))

    def say(self, *entries: e.Entry, at: float | None = None) -> None:
        self.timed += [(self.now if at is None else at, entry) for entry in entries]

    def composition(self, number: int) -> dict[str, float]:
        """Spread out at first, closing in later."""
        wide = 1.0 if number <= 6 else max(0.12, 1.2 - 0.06 * number)
        centre = [0.66, 0.32, 0.02] if len(self.elements) == 3 else [1 / len(self.elements)] * len(self.elements)
        cuts = sorted([0, *(self.rng.randrange(51) for _ in self.elements[1:]), 50])
        spread = [(b - a) / 50 for a, b in pairwise(cuts)]
        units = [round(50 * (wide * s + (1 - wide) * c)) for s, c in zip(spread, centre, strict=True)]
        units[0] += 50 - sum(units)
        return {element: unit / 50 for element, unit in zip(self.elements, units, strict=True)}

    def suggest(self, number: int) -> dict[str, float]:
        asked = self.composition(number)
        method = "space-filling" if number <= 6 else "fallback" if number == 21 else "gp"
        self.say(
            e.SampleSuggested(
                sample=number, slot=number, composition=asked, method=method, observed=0, pending=[], seconds=0.3
            )
        )
        return asked

    def begin(self, plan: e.Plan, number: int, claims: list[str], attempt: int = 1, **kwargs: Any) -> str:
        uid = f"{plan}-{number}-{len(self.timed)}"
        self.say(
            e.StepIntended(
                step=uid, plan=plan, sample=number, attempt=attempt, station=claims[0], claims=claims, kwargs=kwargs
            )
        )
        return uid

    def end(self, uid: str, end: e.StepEnd = "done", error: str = "") -> None:
        self.say(e.StepEnded(step=uid, end=end, error=error, run_uids=[f"run-{uid}"]))

    def transfer(self, number: int, source: str, destination: str) -> None:
        claims = ["robot", *(place for place in (source, destination) if place in LAB["stations"])]
        if destination == "magnetometry":
            self.now = max(self.now, self.magnetometer_free)
        takes = TRANSFER_S * self.rng.uniform(0.95, 1.1)
        for start, end in sorted(self.robot_busy):
            if start < self.now + takes and self.now < end:
                self.now = end
        uid = self.begin("transfer", number, claims, source=source, destination=destination)
        self.robot_busy.append((self.now, self.now + takes))
        self.now += takes
        if source == "magnetometry":
            self.magnetometer_free = self.now
        self.say(e.SampleMoved(sample=number, source=source, destination=destination))
        self.end(uid)

    def deposit(self, number: int, asked: dict[str, float], *, pause_s: float = 0.0, finished: bool = True) -> None:
        uid = self.begin("deposit", number, ["deposition"])
        if pause_s:
            hold = e.CommandGiven(command="hold", by="anna", reason="checking the argon bottle")
            self.say(hold, at=self.now + 400)
            self.say(e.CampaignHeld(), at=self.now + 404)
            self.say(e.CommandGiven(command="resume", by="anna", reason=""), at=self.now + 400 + pause_s)
        self.now += DEPOSIT_S * self.rng.uniform(0.9, 1.12) + pause_s
        self.say(self.film(number, asked, finished))
        self.end(uid)

    def film(self, number: int, asked: dict[str, float], finished: bool = True) -> e.FilmDeposited:
        parts = {el: max(0.0, x + self.rng.gauss(0, 0.006)) if x else 0.0 for el, x in asked.items()}
        total = sum(parts.values())
        return e.FilmDeposited(
            sample=number,
            finished=finished,
            composition={el: x / total for el, x in parts.items()},
            composition_sigma={el: 0.004 + 0.004 * self.rng.random() if x else 0.0 for el, x in asked.items()},
            thickness_nm=self.rng.gauss(50, 0.6),
            thickness_sigma_nm=0.5,
            doses={},
            shutter_open_s=720.0,
        )

    def measure(self, number: int, attempt: int = 1) -> str:
        uid = self.begin("measure", number, ["magnetometry"], attempt)
        self.now += MEASURE_S * self.rng.uniform(0.9, 1.15)
        return uid

    def observe(self, number: int, validity: e.Validity = "valid", reason: str = "") -> e.ObservationMade:
        made = next(x for _, x in reversed(self.timed) if isinstance(x, e.FilmDeposited) and x.sample == number)
        ms = _magnetisation(made.composition) + self.rng.gauss(0, 12)
        hc = 0.8 + 24 * made.composition.get("Co", 0.1) ** 2 + self.rng.random()
        value = None if validity == "failed" else ms if validity == "valid" else 0.8 * ms
        return e.ObservationMade(
            sample=number,
            composition=made.composition,
            composition_sigma=made.composition_sigma,
            value=value,
            sigma=None if value is None else self.rng.uniform(9, 16),
            unit="kA/m",
            validity=validity,
            bound="lower" if validity == "censored" else None,
            reason=reason,
            quantities={"coercivity": {"value": hc, "sigma": 0.15 + 0.02 * hc, "unit": "mT"}} if value else {},
            loop=_loop(self.rng, ms, hc) if value else _loop(self.rng, 20.0, 1.0, noise=60),
        )


def full_night(told: dict[str, Any] | None = None, seed: int = 7) -> list[e.Recorded]:
    """25 samples, with a retried deposition, a failed and a censored measurement, a discarded sample and a hold."""
    script = Script(told or campaign(), seed)
    samples = script.told["budget"]["samples"]
    for number in range(1, samples + 1):
        asked = script.suggest(number)
        script.transfer(number, slot_place(number), "deposition")
        if number in (5, 18) and not _struck(script, number):
            continue
        script.deposit(number, asked, pause_s=1260.0 if number == 12 else 0.0)
        script.transfer(number, "deposition", "magnetometry")
        leaving = script.now
        _measured(script, number)
        script.transfer(number, "magnetometry", slot_place(number))
        finished, script.now = script.now, leaving
    script.now = finished + 2
    script.say(e.StationMadeSafe(station="deposition", reason="budget"))
    script.say(e.CampaignEnded(end="done", reason=f"budget: {samples} samples"))
    return recorded(script.timed)


def _struck(script: Script, number: int) -> bool:
    """The plasma fails to strike: once for sample 5, twice for 18, which is then given up."""
    for attempt in range(1, 2 if number == 5 else 3):
        uid = script.begin("deposit", number, ["deposition"], attempt)
        script.now += 240
        script.end(uid, "failed", "gun2 (Co): no plasma after 3 ignitions at 0.50 Pa, 98 W; see that its target is in")
    if number == 5:
        return True
    script.say(e.SampleDiscarded(sample=number, by="recovery policy", reason="could not be deposited"))
    script.transfer(number, "deposition", slot_place(number))
    return False


def _measured(script: Script, number: int) -> None:
    if number == 9:
        reason = "signal is noise: 0.4 of it follows the field (at least 0.95 should); see the sample's contact"
        script.end(script.measure(number), "failed", reason)
        uid = script.measure(number, 2)
        script.say(script.observe(number, "failed", reason))
        script.end(uid, "failed", reason)
        return
    uid = script.measure(number)
    reason = "not saturated at 300 mT: the slope there is 8 % of the signal"
    script.say(script.observe(number, "censored", reason) if number == 14 else script.observe(number))
    script.end(uid)


def _magnetisation(made: dict[str, float]) -> float:
    fe, co, ni = (made.get(element, 0.0) for element in ELEMENTS)
    return 1720 * fe + 1420 * co + 490 * ni + 1150 * fe * co + 300 * fe * ni + 120 * (1 - fe - co - ni)


def _loop(rng: random.Random, ms: float, hc: float, noise: float = 9.0) -> dict[str, Any]:
    """Down from +300 mT and up again, in fine steps around the reversal."""
    half = [300.0 - 15 * n for n in range(17)] + [float(h) for h in range(42, -43, -3)]
    half += [-60.0 - 15 * n for n in range(17)]
    down = [(h, ms * math.tanh((h + hc) / (6 + hc / 3)) + rng.gauss(0, noise)) for h in half]
    up = [(-h, ms * math.tanh((-h - hc) / (6 + hc / 3)) + rng.gauss(0, noise)) for h in half]
    return {"field_mt": [h for h, _ in down + up], "signal": [m for _, m in down + up], "unit": "kA/m"}
