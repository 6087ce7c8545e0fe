"""From the outcome of a measurement to what the model is told: pure."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from orchestrator.campaign import entries as e
from orchestrator.campaign.quantities import from_unit
from orchestrator.campaign.sample import Sample
from orchestrator.campaign.spec import Campaign


class NoValue(LookupError):
    """The loop says nothing of the campaign's objective; the message says why.  `again`: another one may."""

    def __init__(self, message: str, *, again: bool) -> None:
        super().__init__(message)
        self.again = again


def observation(campaign: Campaign, sample: Sample, outcome: dict[str, Any]) -> e.ObservationMade:
    """Raises `NoValue`; `ValidationError`, `LookupError` or `TypeError` if a value or its unit makes no sense."""
    objective, censored = campaign.objective, outcome["validity"] == "censored"
    measured = _measured(outcome, objective.quantity, censored)
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
        bound=measured["bound"] if censored else None,
        reason=outcome.get("reason") or "",
        quantities=outcome["quantities"],
        loop=outcome.get("loop"),
    )


def _measured(outcome: dict[str, Any], quantity: str, censored: bool) -> dict[str, Any]:
    """What was read off the loop for `quantity`: a value, or a bound that has a side."""
    name, reason = quantity.replace("_", " "), outcome.get("reason") or "no reason is told"
    match outcome["quantities"]:
        case {**quantities} if quantity not in quantities:
            raise NoValue(f"the loop tells no {name}: {reason}", again=True)
        case {**quantities} if isinstance(measured := quantities[quantity], dict):
            if censored and measured.get("bound") is None:
                raise NoValue(f"the loop does not even bound the {name}: {reason}", again=False)
            return measured
    raise TypeError(f"no quantities, but {outcome['quantities']!r}")


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
    """The composition that was made, of a sample that has a film, and the settings that were applied."""
    assert sample.film is not None
    return {
        "composition": sample.film.composition,
        "composition_sigma": sample.film.composition_sigma,
        "settings": applied(sample),
    }


def applied(sample: Sample) -> dict[str, float]:
    """The settings that are searched, as the film got them: its thickness as it is, the power of its strongest gun as
    it was, and the others as they were asked for, since no film is begun before they are reached."""
    film = sample.film
    assert film is not None
    powers = [dose["power_w"] for dose in film.doses.values() if "power_w" in dose]
    found = {"thickness_nm": film.thickness_nm}
    if powers:
        found["power_w"] = max(powers)
    return {name: found.get(name, asked) for name, asked in sample.suggestion.settings.items()}
