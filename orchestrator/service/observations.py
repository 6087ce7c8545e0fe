"""From the outcome of a measurement to what the model is told: pure."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from orchestrator.campaign import entries as e
from orchestrator.campaign.quantities import from_unit, to_unit
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
    outcomes = _outcomes(campaign, outcome, censored)
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
        outcomes=outcomes,
        loop=outcome.get("loop"),
    )


def _outcomes(campaign: Campaign, outcome: dict[str, Any], censored: bool) -> dict[str, dict[str, Any]]:
    """What the loop tells of each quantity that films are judged by, in its unit; nothing where the value of the one
    objective says all.  Raises `NoValue` for one that is missing."""
    if campaign.terms.plain:
        return {}
    units = campaign.terms.units
    return {name: _outcome(name, unit, _measured(outcome, name, censored), censored) for name, unit in units.items()}


def _outcome(quantity: str, unit: str, measured: dict[str, Any], censored: bool) -> dict[str, Any]:
    value, sigma = (
        to_unit(quantity, from_unit(quantity, measured[key], measured["unit"]), unit) for key in ("value", "sigma")
    )
    told = {"validity": "censored" if censored else "valid", "value": value, "sigma": sigma, "unit": unit}
    return {**told, "bound": measured["bound"]} if censored else told


def _partly(campaign: Campaign, outcome: dict[str, Any], reason: str) -> dict[str, dict[str, Any]]:
    """The same of a measurement that is not good enough: what is missing has failed."""
    if campaign.terms.plain:
        return {}
    found: dict[str, dict[str, Any]] = {}
    censored = outcome.get("validity") == "censored"
    for name, unit in campaign.terms.units.items():
        try:
            found[name] = _outcome(name, unit, _measured(outcome, name, censored), censored)
        except (LookupError, TypeError, ValueError) as none:
            why = str(none) if isinstance(none, NoValue) else reason
            found[name] = {"validity": "failed", "value": None, "unit": unit, "reason": why}
    return found


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
    """That there is no value, with whatever was measured if it can be kept.  Of several quantities those that were
    read are told."""
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
        measured = {
            "quantities": outcome.get("quantities") or {},
            "loop": outcome.get("loop"),
            "outcomes": _partly(campaign, outcome, reason),
        }
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
