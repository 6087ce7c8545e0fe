"""Campaigns for tests of the service, and a night played without processes.

`Night` is the daemon's loop over the pure parts that decide: policy, schedule, steps and outcomes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.campaign.actions import SearchAction, SearchRequest
from orchestrator.campaign.faults import AIDS_FOR
from orchestrator.campaign.labspec import load_lab
from orchestrator.campaign.search import Acted
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState
from orchestrator.service import acting, budget, outcomes, policy
from orchestrator.service.schedule import Interval, Layout, Step, next_steps
from orchestrator.service.steps import intent_of

LAB = load_lab(Path(__file__).parents[2] / "campaigns/labs/vsm.toml")
LAYOUT = Layout("chamber", "magnetometer", "robot")
START = 1.7e9
COMPOSITION = {"Fe": 0.5, "Co": 0.3, "Ni": 0.2}
SIGMA = dict.fromkeys(COMPOSITION, 0.01)


def campaign(
    *,
    samples: int = 5,
    lab_hours: float = 1000.0,
    direction: str = "max",
    unit: str = "kA/m",
    substrates: int | None = None,
    stopping: dict[str, Any] | None = None,
    recovery: dict[str, Any] | None = None,
    **other: dict[str, Any],
) -> Campaign:
    """A Fe-Co-Ni campaign for saturation magnetisation."""
    return Campaign.model_validate(
        {
            "name": "night",
            "elements": {element: {"step": 2} for element in COMPOSITION},
            "film": {"argon_pressure_pa": 0.5, "power_w": 100, "thickness_nm": 50},
            "objectives": [{"quantity": "saturation_magnetisation", "direction": direction, "unit": unit}],
            "budget": {"samples": samples, "lab_hours": lab_hours, "substrates": substrates},
            "stopping": stopping or {},
            "recovery": recovery or {},
            **other,
        }
    )


def rules(retries: int, then: str, *, wait_s: float = 60.0, budget: int = 1000) -> dict[str, Any]:
    """The same recovery rule for every class of fault."""
    return {
        "faults": {
            fault: {"actions": [*[aids[0]] * retries, then], "wait_s": wait_s, "longest_wait_s": 8 * wait_s}
            | {"budget": budget}
            for fault, aids in AIDS_FOR.items()
        }
    }


def film_outcome(*, finished: bool = True) -> dict[str, Any]:
    """What a deposition that began a film says."""
    return {
        "begun": True,
        "finished": finished,
        "composition": COMPOSITION,
        "composition_sigma": SIGMA,
        "thickness_nm": 50.0,
        "thickness_sigma_nm": 1.0,
        "doses": {element: {"thickness_nm": 50 * x, "seconds": 500.0} for element, x in COMPOSITION.items()},
        "rates": {element: {"nm_s_w": 0.001, "sigma": 1e-5} for element in COMPOSITION},
        "energy_kwh": dict.fromkeys(COMPOSITION, 0.125),
        "shutter_open_s": 500.0,
        "shutter_open_sigma_s": 0.1,
        "monitor_thickness_nm": 50.5,
        "remarks": [],
    }


def no_film_outcome() -> dict[str, Any]:
    """What a deposition that ended before its film says."""
    return {**film_outcome(finished=False), "begun": False, "composition": {}, "doses": {}, "rates": {}}


def loop_outcome(value: float = 1500.0, validity: str = "valid", reason: str = "") -> dict[str, Any]:
    """What a measurement says."""
    bound = {"bound": "lower"} if validity == "censored" else {}
    return {
        "quantities": {"saturation_magnetisation": {"value": value, "sigma": 10.0, "unit": "kA/m", **bound}},
        "validity": validity,
        "reason": reason,
        "loop": {"field_mt": [-300.0, 300.0], "signal": [-1.0, 1.0], "unit": "A m2"},
    }


REFERENCE = {"slot": 40, "value": 2e-6, "sigma": 1e-8, "tolerance": 0.03, "every_films": 2}
"""A lab's reference specimen."""


def reference_outcome(ratio: float = 1.0) -> dict[str, Any]:
    """What a measurement of the reference specimen says."""
    return {**loop_outcome(), "quantities": {"moment": {"value": 2e-6 * ratio, "sigma": 1e-9, "unit": "A m2"}}}


def carried_outcome(*, moved: bool, holding: bool = False) -> dict[str, Any]:
    """What a transfer says."""
    return {"moved": moved, "holding": holding, "at": ""}


def film_record(*, opening: float | None = 100.0, finished: bool = False) -> dict[str, Any]:
    """What a deposition has written down of a film that it uncovered at 100 s, and covered if not `opening`."""
    return {
        "begun": True,
        "finished": finished,
        "growth": {
            "rates_nm_s": {element: 0.1 * x for element, x in COMPOSITION.items()},
            "relative_sigma": dict.fromkeys(COMPOSITION, 0.01),
            "power_w": dict.fromkeys(COMPOSITION, 50.0),
        },
        "ledger": {
            "as_of": 130.0,
            "closed_s": 0.0 if opening else 500.0,
            "closed_sigma_s": 0.1,
            "opening": opening,
            "answered": bool(opening),
            "opened": opening,
            "target_s": 500.0,
        },
        "indicated": {"zeroed_at": 90.0, "nm_s": 0.1},
    }


def cut_off_deposit(*, film: dict[str, Any] | None) -> dict[str, Any]:
    """The answer to a deposition whose worker died: before its film, or with `film` written down."""
    marks = [] if film is None else [{"mark": "uncover", "time": 100.0, "film": film}]
    monitor = {"substrate_shutter": "open" if film else "closed", "thickness": 0.1 * 70.0, "fault": ""}
    guns = {f"gun {el}": {"output": "on", "shutter": "open", "actual_power": 50.0} for el in COMPOSITION}
    look = {"time": 160.0, "readings": {"monitor": monitor, **guns}, "troubles": {}}
    return {
        **answer("unknown", {"begun": film is not None, "film": film}, "the worker died"),
        "marks": marks,
        "evidence": {"before": [look], "safe": {"begun": 160.5, "done": 161.0}, "after": look},
    }


def cut_off_transfer(
    *, marks: tuple[str, ...] = (), gripping: bool = False, state: str = "unknown", **outcome: bool
) -> dict[str, Any]:
    """The answer to a transfer whose worker died, or that failed, and what the arm showed at rest."""
    pose = [0.0, 0.0, 100.0, 0.0, 0.0, 0.0]
    mover = {"holding": int(gripping), "gripper": "closed" if gripping else "open", "pose": pose}
    return {
        **answer(state, {"moved": False, "holding": False, **outcome}, "the worker died"),
        "marks": [{"mark": mark, "time": 1.0, "pose": pose} for mark in marks],
        "evidence": {"after": {"time": 9.0, "readings": {"mover": mover}, "troubles": {}}},
    }


def answer(state: str, outcome: dict[str, Any] | None = None, error: str = "", fault: str = "") -> dict[str, Any]:
    """A worker's final word."""
    return {"state": state, "outcome": outcome or {}, "error": error, "fault": fault, "run_uids": ["run"]}


DONE = {
    "retire": answer("done", {"retired": True}),
    "transfer": answer("done", carried_outcome(moved=True)),
    "deposit": answer("done", film_outcome()),
    "measure": answer("done", loop_outcome()),
}


class Night:
    """A campaign being run, in a lab with so many `slots`, and perhaps a `reference` specimen.  `on_claim(intent)` is
    called for every step that is started."""

    def __init__(
        self,
        spec: Campaign,
        *,
        slots: int = 30,
        reference: dict[str, Any] | None = None,
        on_claim: Callable[[e.StepIntended], None] = lambda _: None,
    ) -> None:
        self._campaign = spec
        interval = Interval(reference["every_films"] if reference else 1)
        self.layout = replace(LAYOUT, slots=tuple(range(1, slots + 1)), reference=interval)
        self.state = CampaignState()
        self.entries: list[e.Recorded] = []
        self.now = START
        self.asked = False
        self._turns = 0
        self._on_claim = on_claim
        self.append(e.CampaignStarted(campaign=spec.model_dump(mode="json"), lab={"reference": reference}, by="tester"))

    @property
    def campaign(self) -> Campaign:
        return budget.as_changed(self._campaign, self.state)

    def append(self, *entries: e.Entry) -> None:
        for entry in entries:
            stored = e.from_json(e.to_json(entry))
            self.entries.append(e.Recorded(version=self.state.version + 1, time=self.now, entry=stored))
            self.state.apply(self.entries[-1])

    def decide(self) -> list[e.StepIntended]:
        """Whatever is to be done now; the steps that were started."""
        state, now = self.state, self.now
        while verdicts := policy.verdicts(state, self.campaign, now, "tester"):
            self.append(*verdicts)
        if own := policy.own_sample(state, self.campaign, self.layout, now):
            self.append(own)
        claimed = [self._claim(step) for step in next_steps(state, self.layout) if self.ripe(step)]
        if not self.asked:
            self.asked = policy.wants_sample(state, self.campaign, self.layout, now)
            self._turns = state.search.turns
        if not self.asked and (end := policy.conclusion(state, self.campaign, self.layout, now)):
            self.append(end)
        return claimed

    def ripe(self, step: Step) -> bool:
        """Whether `step` may begin now; here nothing ever waits."""
        return True

    def suggest(self) -> None:
        """The suggestion that was asked for comes."""
        asked, self.asked = self.asked, False
        if (asked and self._turns != self.state.search.turns) or self.state.search.queue:
            return  # chosen without what is known since, or out of turn
        number = len(self.state.samples) + 1
        pending = [sample.number for sample in self.state.pending]
        self.append(
            e.SampleSuggested(
                sample=number,
                slot=policy.free_slot(self.state, self.layout),
                composition=COMPOSITION,
                method="gp",
                observed=len(self.state.observations),
                pending=pending,
                seconds=0.1,
            )
        )

    def act(self, action: SearchAction, by: str = "anna", reason: str = "r", seen: int | None = None) -> bool:
        """An operator asks for `action`; whether anything changed.  Raises `CommandRefused`."""
        site = acting.Site(self.state, self.campaign, LAB, self.layout, self.now)
        decided = acting.decide(SearchRequest(action, by, reason, seen=seen), site)
        if isinstance(decided, Acted):
            return False
        self.append(decided)
        return True

    def end_step(self, uid: str, said: dict[str, Any]) -> None:
        """Step `uid` ended with the worker's final word `said`."""
        intent = self.state.open_steps[uid].intent
        self.append(*outcomes.facts(self.state, self.campaign, intent, said))

    def _claim(self, step: Step) -> e.StepIntended:
        intent = intent_of(step, self.state, self.campaign, f"{step.plan}-{self.state.version + 1}")
        self.append(intent)
        self._on_claim(intent)
        return intent
