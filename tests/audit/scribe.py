"""Writes nights that never were, into the files that the programs themselves would have written.

Journal, station logs and world log tell one story, told sequentially; times, doses and values are made up.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.campaign.faults import Fault
from orchestrator.campaign.spec import Recovery
from orchestrator.execution.documents import DocumentLog
from orchestrator.execution.steps import StepLog, StepState
from orchestrator.journal import SqliteJournal

START = 1_738_609_200.0
SLOTS = 8
STATIONS = {"transfer": "robot", "retire": "robot", "deposit": "deposition", "measure": "magnetometry"}

CAMPAIGN: dict[str, Any] = {
    "name": "fe-co",
    "seed": 1,
    "elements": {element: {"min": 0.0, "max": 100.0, "step": 2.0} for element in ("Fe", "Co")},
    "film": {"argon_pressure_pa": 0.5, "power_w": 100.0, "thickness_nm": 50.0},
    "objectives": [{"quantity": "saturation_magnetisation", "direction": "max", "unit": "kA/m"}],
    "budget": {"samples": 5, "lab_hours": 12.0, "substrates": 6},
    "recovery": Recovery().model_dump(mode="json"),
}


_FAULTS: dict[str, Fault] = {
    "transfer": "robot",
    "retire": "robot",
    "deposit": "instrument",
    "measure": "measurement",
}
"""What a step fails as here."""


def _gun(element: str) -> dict[str, Any]:
    return {"role": "gun", "settings": {"target": element}, "limits": {"power": [0.0, 200.0]}}


LAB: dict[str, Any] = {
    "name": "bench",
    "cassette": {"slots": SLOTS, "filled": None},
    "stations": {
        "deposition": {"kind": "deposition", "devices": {"gun1": _gun("Fe"), "gun2": _gun("Co")}},
        "magnetometry": {
            "kind": "magnetometry",
            "field_per_ampere_mt": 40.0,
            "devices": {"magnet": {"role": "magnet", "limits": {"current": [-10.0, 10.0]}}},
        },
        "robot": {"kind": "transfer", "devices": {"arm": {"role": "mover"}}},
    },
}


class Scribe:
    """Writes a night into `home`; `now` is lab time, and every method moves it on."""

    def __init__(
        self, home: Path, reference: dict[str, Any] | None = None, virtual: dict[str, Any] | None = None
    ) -> None:
        home.mkdir(parents=True)
        self.home = home
        self.now = START
        self.version = 0
        self.journal = SqliteJournal(home / "journal.db")
        paths = {name: home / f"{name}.documents.db" for name in LAB["stations"]}
        self.documents = {name: DocumentLog(path) for name, path in paths.items()}
        self.steps = {name: StepLog(path) for name, path in paths.items()}
        self.world = (home / "world.jsonl").open("w")
        self.places: dict[int, str] = {}
        self.substrates: dict[int, int] = {}
        self.films: dict[int, e.FilmDeposited] = {}
        self.intents: dict[str, e.StepIntended] = {}
        self.marks: dict[str, list[dict[str, Any]]] = {}
        lab = LAB if reference is None else {**LAB, "reference": reference}
        if reference is not None:
            self.places[e.REFERENCE] = f"cassette/{reference['slot']}"
            self.substrates = {e.REFERENCE: reference["slot"]}
        campaign = CAMPAIGN
        if virtual is not None:
            campaign = {**CAMPAIGN, "virtual": virtual}
            stations = {name: {"kind": "virtual", "calculator": "slater-pauling"} for name in virtual}
            lab = {**lab, "stations": {**LAB["stations"], **stations}}
        self.say(e.CampaignStarted(campaign=campaign, lab=lab, by="anna"), e.DaemonStarted(boot="boot-1"))

    # --- the three kinds of file ----------------------------------------------------------------------

    def say(self, *entries: e.Entry) -> None:
        self.version = self.journal.append(entries, self.version, self.now)

    def saw(self, event: str, sample: int, **fields: Any) -> None:
        """The world's side; every sample is on the substrate of the same number, the reference in its own slot."""
        substrate = self.substrates.get(sample, sample)
        told = {"t": round(self.now, 3), "event": event, "substrate": substrate, **fields}
        self.world.write(json.dumps(told) + "\n")

    def begin(self, plan: e.Plan, sample: int, attempt: int = 1, **kwargs: Any) -> str:
        """A step is intended, and begun by its station 2 s later."""
        self.now += 5
        station = STATIONS[plan]
        claims = [station, *({kwargs.get("source"), kwargs.get("destination")} & LAB["stations"].keys())]
        uid = f"{plan}-{sample}-{self.version + 1}"
        intent = e.StepIntended(
            step=uid, plan=plan, sample=sample, attempt=attempt, station=station, claims=claims, kwargs=kwargs
        )
        self.intents[uid] = intent
        self.say(intent)
        self.now += 2
        metadata = {"campaign": CAMPAIGN["name"], "sample": sample, "suggestion": sample, "attempt": attempt}
        self.steps[station].begin({"uid": uid, "plan": plan, "kwargs": kwargs, "metadata": metadata}, self.now)
        start = {"plan_name": plan, "step": uid, "station": station, **metadata, "sample": str(sample)}
        self.documents[station].append("start", {"uid": f"run-{uid}", "time": 0.0, **start})
        keys = {"power": {"lower_ctrl_limit": 0.0, "upper_ctrl_limit": 200.0}, "pressure": {}}
        descriptor = {"uid": f"descriptor-{uid}", "run_start": f"run-{uid}", "data_keys": keys}
        self.documents[station].append("descriptor", descriptor)
        self.event(uid)
        return uid

    def event(self, uid: str) -> None:
        log = self.documents[self.intents[uid].station]
        log.append("event", {"descriptor": f"descriptor-{uid}", "data": {"power": 100.0, "pressure": 0.5}})

    def mark(self, uid: str, mark: str) -> None:
        self.marks.setdefault(uid, []).append({"mark": mark, "time": self.now})
        self.steps[self.intents[uid].station].mark(uid, mark, {}, self.now)

    def stop(self, uid: str, state: str, outcome: dict[str, Any]) -> None:
        """The station's own end of a step."""
        station = self.intents[uid].station
        self.event(uid)
        end = {"run_start": f"run-{uid}", "exit_status": "success", "num_events": {"primary": 2}}
        self.documents[station].append("stop", {"uid": f"stop-{uid}", **end})
        self.steps[station].end(uid, StepState(state), outcome, "", [f"run-{uid}"], self.now)

    def end(self, uid: str, state: e.StepEnd, outcome: dict[str, Any], *facts: e.Entry) -> None:
        """The station's end of a step, and 2 s later the journal's."""
        self.stop(uid, state, outcome)
        self.now += 2
        fault = _FAULTS[self.intents[uid].plan] if state == "failed" else ""
        self.say(*facts, e.StepEnded(step=uid, end=state, fault=fault, run_uids=[f"run-{uid}"]))

    def cut_off(self, uid: str, looked: dict[str, Any]) -> dict[str, Any]:
        """Everything of ours dies; a new daemon's worker finds the step, looks, and calls it unknown.  The evidence."""
        self.steps[self.intents[uid].station].interrupt(uid, looked, self.now)
        self.say(e.DaemonStarted(boot="boot-2"))
        return {**looked, "marks": self.marks[uid]}

    def close(self) -> Path:
        self.journal.close()
        for log in (*self.documents.values(), *self.steps.values()):
            log.close()
        self.world.close()
        return self.home

    # --- what a night is made of ----------------------------------------------------------------------

    def act(self, kind: Any, **told: Any) -> None:
        """An operator does something about the search; she has seen everything."""
        self.now += 30
        self.say(kind(by="anna", reason="as it looks", key=f"key-{self.version}", seen=self.version, **told))

    def suggest(
        self,
        sample: int,
        observed: int = 0,
        pending: Sequence[int] = (),
        slot: int | None = None,
        method: str = "space-filling",
    ) -> None:
        """On the substrate of the same number, or on that in `slot`."""
        self.now += 3
        slot = sample if slot is None else slot
        self.places[sample] = f"cassette/{slot}"
        self.substrates[sample] = slot
        self.say(
            e.SampleSuggested(
                sample=sample,
                slot=slot,
                composition=asked_for(sample),
                method=method,
                observed=observed,
                pending=list(pending),
                seconds=0.1,
            )
        )

    def transfer(self, sample: int, destination: str) -> None:
        source, self.places[sample] = self.places[sample], destination
        uid = self.begin("transfer", sample, source=source, destination=destination)
        self.pick(uid, sample, source)
        self.place(uid, sample, source, destination)
        moved = e.SampleMoved(sample=sample, source=source, destination=destination)
        self.end(uid, "done", {"moved": True}, moved)

    def pick(self, uid: str, sample: int, place: str) -> None:
        self.mark(uid, "pick")
        self.now += 20
        if place == "magnetometry":
            self.saw("measured", sample, readings=100, max_field_mt=300.0)
        self.saw("picked", sample, place=place)

    def place(self, uid: str, sample: int, source: str, place: str) -> None:
        self.mark(uid, "place")
        self.now += 20
        self.saw("placed", sample, place=place)
        self.saw("moved", sample, **{"from": source, "to": place})

    def grips_nothing(self, sample: int, destination: str) -> None:
        """A transfer that fails and leaves the sample where it is."""
        uid = self.begin("transfer", sample, source=self.places[sample], destination=destination)
        self.mark(uid, "pick")
        self.now += 30
        self.end(uid, "failed", {"moved": False, "holding": False})

    def film(self, sample: int, *, finished: bool = True) -> e.FilmDeposited:
        self.films[sample] = e.FilmDeposited(
            sample=sample,
            finished=finished,
            composition=asked_for(sample),
            composition_sigma={"Fe": 0.003, "Co": 0.003},
            thickness_nm=50.0 if finished else 20.0,
            thickness_sigma_nm=0.5,
            doses={el: {"thickness_nm": 25.0, "seconds": 500.0, "power_w": 100.0} for el in ("Fe", "Co")},
            shutter_open_s=500.0,
        )
        return self.films[sample]

    def grow(self, uid: str, sample: int, seconds: float) -> None:
        self.now += 600
        self.mark(uid, "uncover")
        self.now += 1
        self.saw("film_begun", sample)
        self.now += seconds

    def sources_off(self, sample: int, thickness_nm: float = 50.2) -> None:
        fe = asked_for(sample)["Fe"] + 0.001
        true = {"saturation_magnetisation_ka_m": _value(sample) + 5.0, "coercivity_mt": 2.0}
        made = {"composition": {"Fe": fe, "Co": 1 - fe}, "thickness_nm": thickness_nm, "true_properties": true}
        self.saw("film_finished", sample, **made)

    def deposit(self, sample: int, attempt: int = 1) -> None:
        uid = self.begin("deposit", sample, attempt, composition=asked_for(sample), power_w=100.0)
        self.grow(uid, sample, 500.0)
        self.sources_off(sample)
        film = self.film(sample)
        self.now += 5
        self.end(uid, "done", {"begun": True, **_told(film)}, film)

    def strikes_not(self, sample: int) -> None:
        """A deposition that fails before a film is begun."""
        uid = self.begin("deposit", sample, composition=asked_for(sample), power_w=100.0)
        self.now += 300
        self.end(uid, "failed", {"begun": False})

    def measure(self, sample: int, validity: e.Validity = "valid", attempt: int = 1) -> None:
        uid = self.begin("measure", sample, attempt, max_field_mt=300.0)
        self.now += 800
        ms = {"value": _value(sample), "sigma": 12.0, "unit": "kA/m"}
        loop = {"field_mt": [-300.0, 300.0], "signal": [-1.0, 1.0]}
        if validity == "failed":
            self.end(uid, "failed", {}, self.observation(sample, validity, {}, None))
            return
        quantities = {"saturation_magnetisation": ms}
        outcome = {"validity": validity, "quantities": quantities, "loop": loop}
        self.end(uid, "done", outcome, self.observation(sample, validity, quantities, loop))

    def check(self, ratio: float = 1.0, *facts: e.Entry) -> None:
        """The reference specimen, in the magnetometer, is measured; `facts` follow from what it shows."""
        uid = self.begin("measure", e.REFERENCE, max_field_mt=300.0)
        self.now += 800
        value, sigma, verdict = 2e-6 * ratio, 1e-9, "good" if abs(ratio - 1) <= 0.03 else "drifted"
        shown: dict[str, Any] = {"value": value, "sigma": sigma, "unit": "A m2", "ratio_sigma": 0.005}
        found = e.ReferenceMeasured(expected=2e-6, expected_sigma=1e-8, ratio=ratio, verdict=verdict, **shown)
        quantities = {"moment": {"value": value, "sigma": sigma, "unit": "A m2"}}
        self.stop(uid, "done", {"validity": "valid", "quantities": quantities})
        self.now += 2
        self.say(found, e.StepEnded(step=uid, end="done", run_uids=[f"run-{uid}"]), *facts)

    def measures_nothing(self, sample: int) -> None:
        """A measurement that fails and is to be made again."""
        uid = self.begin("measure", sample, max_field_mt=300.0)
        self.now += 700
        self.end(uid, "failed", {"validity": "failed"})

    def observation(
        self, sample: int, validity: e.Validity, quantities: dict[str, Any], loop: dict[str, Any] | None
    ) -> e.ObservationMade:
        film = self.films[sample]
        return e.ObservationMade(
            sample=sample,
            composition=film.composition,
            composition_sigma=film.composition_sigma,
            value=None if validity == "failed" else _value(sample),
            sigma=None if validity == "failed" else 12.0,
            unit="kA/m",
            validity=validity,
            bound="lower" if validity == "censored" else None,
            reason="" if validity == "valid" else "the loop does not close",
            quantities=quantities,
            loop=loop,
        )

    def dies_depositing(self, sample: int) -> None:
        """The daemon and its workers die under a film; the next daemon settles it by evidence."""
        uid = self.begin("deposit", sample, composition=asked_for(sample), power_w=100.0)
        self.grow(uid, sample, 200.0)
        self.sources_off(sample, 20.1)
        self.now += 60
        looked = {"substrate_shutter": "closed", "monitor_thickness_nm": 20.3}
        evidence = self.cut_off(uid, looked)
        self.now += 10
        settled = e.StepEnded(step=uid, end="interrupted", error="the worker died", evidence=evidence)
        self.say(self.film(sample, finished=False), settled)

    def made_safe(self, reason: str) -> None:
        for station in LAB["stations"]:
            self.now += 2
            self.say(e.StationMadeSafe(station=station, reason=reason))


def asked_for(sample: int) -> dict[str, float]:
    return {"Fe": round(0.5 + 0.06 * sample, 2), "Co": round(0.5 - 0.06 * sample, 2)}


def _value(sample: int) -> float:
    return 1500.0 + 40.0 * sample


def _told(film: e.FilmDeposited) -> dict[str, Any]:
    """A film as a station's outcome."""
    return film.model_dump(mode="json", exclude={"v", "kind", "sample"})
