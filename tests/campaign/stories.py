"""Entries for hand-written stories: shorthand with sensible fillings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from orchestrator.campaign import entries as e
from orchestrator.campaign.faults import Fault
from orchestrator.campaign.state import CampaignState

STARTED = e.CampaignStarted(campaign={"name": "story"}, lab={"name": "bench"}, by="tester")
COMPOSITION = {"Fe": 0.5, "Co": 0.3, "Ni": 0.2}


def suggested(sample: int, slot: int | None = None) -> e.SampleSuggested:
    return e.SampleSuggested(
        sample=sample, slot=slot or sample, composition=COMPOSITION, method="gp", observed=0, pending=[], seconds=0.1
    )


def intended(step: str, plan: e.Plan, sample: int, claims: Iterable[str], **kwargs: Any) -> e.StepIntended:
    claims = list(claims)
    return e.StepIntended(
        step=step, plan=plan, sample=sample, attempt=1, station=claims[0], claims=claims, kwargs=kwargs
    )


def ended(step: str, end: e.StepEnd = "done", error: str = "", fault: Fault | Literal[""] = "") -> e.StepEnded:
    return e.StepEnded(step=step, end=end, error=error, fault=fault)


def film(sample: int, finished: bool = True) -> e.FilmDeposited:
    return e.FilmDeposited(
        sample=sample,
        finished=finished,
        composition=COMPOSITION,
        composition_sigma={"Fe": 0.01, "Co": 0.01, "Ni": 0.01},
        thickness_nm=50.0,
        thickness_sigma_nm=1.0,
        doses={"Fe": {"thickness_nm": 25.0, "seconds": 500.0, "power_w": 100.0}},
        shutter_open_s=500.0,
    )


def observed(sample: int, value: float | None = 1500.0, validity: e.Validity = "valid") -> e.ObservationMade:
    return e.ObservationMade(
        sample=sample,
        composition=COMPOSITION,
        composition_sigma={"Fe": 0.01},
        value=value,
        sigma=None if value is None else 10.0,
        unit="kA/m",
        validity=validity,
        bound="lower" if validity == "censored" else None,
        quantities={},
    )


def moved(sample: int, source: str, destination: str) -> e.SampleMoved:
    return e.SampleMoved(sample=sample, source=source, destination=destination)


def command(word: str) -> e.CommandGiven:
    return e.CommandGiven(command=word, by="tester", reason="because")


def transfer(step: str, sample: int, source: str, destination: str, *places: str) -> list[e.Entry]:
    """A whole transfer; `places` are the stations at its ends."""
    return [
        intended(step, "transfer", sample, ["robot", *places], source=source, destination=destination),
        moved(sample, source, destination),
        ended(step),
    ]


def tell(state: CampaignState, *entries: e.Entry, dt: float = 60.0) -> CampaignState:
    """Apply `entries`, `dt` lab seconds apart."""
    for entry in entries:
        state.apply(e.Recorded(version=state.version + 1, time=state.time + dt, entry=entry))
    return state


def story(*entries: e.Entry) -> CampaignState:
    """The state after a campaign started and `entries` followed, a minute apart."""
    return tell(CampaignState(), STARTED, *entries)
