"""From the outcome of a measurement to what the model is told: pure."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from orchestrator.campaign import entries as e
from orchestrator.campaign.quantities import from_unit
from orchestrator.campaign.sample import Sample
from orchestrator.campaign.spec import Campaign


def observation(campaign: Campaign, sample: Sample, outcome: dict[str, Any]) -> e.ObservationMade:
    """Raises `ValidationError`, `LookupError` or `TypeError` if a value or its unit is missing."""
    objective = campaign.objective
    measured = outcome["quantities"][objective.quantity]
    value, sigma = (
        objective.to_unit(from_unit(objective.quantity, measured[key], measured["unit"])) for key in ("value", "sigma")
    )
    return e.ObservationMade(
        sample=sample.number,
        **_made(sample),
        value=value,
        sigma=sigma,
        unit=objective.unit,
        validity=outcome["validity"],
        reason=outcome.get("reason") or "",
        quantities=outcome["quantities"],
        loop=outcome.get("loop"),
    )


def failed_observation(campaign: Campaign, sample: Sample, outcome: dict[str, Any], reason: str) -> e.ObservationMade:
    """That there is no value, with whatever was measured if it can be kept."""
    failed = e.ObservationMade(
        sample=sample.number,
        **_made(sample),
        value=None,
        sigma=None,
        unit=campaign.objective.unit,
        validity="failed",
        reason=reason,
        quantities={},
    )
    try:
        measured = {"quantities": outcome.get("quantities") or {}, "loop": outcome.get("loop")}
        return e.ObservationMade.model_validate({**failed.model_dump(), **measured})
    except ValidationError:
        return failed


def _made(sample: Sample) -> dict[str, Any]:
    """The composition that was made, of a sample that has a film."""
    assert sample.film is not None
    return {"composition": sample.film.composition, "composition_sigma": sample.film.composition_sigma}
