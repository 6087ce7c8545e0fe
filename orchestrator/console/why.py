"""Why the optimizer chose what it chose, in the operator's words: pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.campaign.spec import Campaign, LinearConstraint
from orchestrator.campaign.state import CampaignState, Sample
from orchestrator.console.history import History
from orchestrator.console.shapes import Neighbour, Why

NEAREST = 3
CLOSE = 1e-6
"""A limit is met when a number is so close to it, relatively to 100 at.%."""


def why(sample: Sample, state: CampaignState, campaign: Campaign, history: History) -> Why:
    """All that is known of the choice of `sample`."""
    told, chosen = sample.suggestion, history.chosen[sample.number]
    share = None
    if told.mean is not None and told.sigma is not None and chosen.best is not None:
        share = exploration(told.mean, told.sigma, chosen.best, campaign.objective.direction)
    return Why(
        sample=sample.number,
        phase=sample.phase.value,
        time=chosen.time,
        composition=told.composition,
        settings=told.settings,
        method=told.method,
        words=in_words(told, campaign, chosen.best, share),
        mean=told.mean,
        sigma=told.sigma,
        acquisition=told.acquisition,
        acquisition_name=campaign.optimizer.acquisition,
        best_then=chosen.best,
        exploration=share,
        nearest=nearest(told, state, history, chosen.time),
        runner_up=told.runner_up,
        binds=[*_element_limits(told, campaign), *_setting_limits(told, campaign), *_constraints(told, campaign)],
        hyperparameters=_fit_in_words(told.hyperparameters or {}, campaign.objective.unit),
        observed=told.observed,
        pending=told.pending,
        replicate=told.replicate,
        cut_short=told.cut_short,
        seconds=told.seconds,
    )


def exploration(mean: float, sigma: float, best: float, direction: str) -> float | None:
    """Share of the expected improvement that the spread contributes.

    With z = (mean - best) / sigma the expected improvement is sigma phi(z) + (mean - best) Phi(z) (Mockus 1975; Jones
    et al., J. Global Optim. 13, 455, 1998): the first term is there for the spread, the second for the mean.  Where the
    mean promises nothing, all of it is exploration.  None where there is no spread and nothing is promised.
    """
    gain = (mean - best) if direction == "max" else (best - mean)
    if sigma <= 0:
        return 0.0 if gain > 0 else None
    if gain <= 0:
        return 1.0
    z = gain / sigma
    by_spread = sigma * math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    by_mean = gain * 0.5 * math.erfc(-z / math.sqrt(2))
    return by_spread / (by_spread + by_mean)


def in_words(told: e.SampleSuggested, campaign: Campaign, best: float | None, share: float | None) -> str:
    """One or two sentences."""
    unit = campaign.objective.unit
    if told.replicate:
        return "Nothing new is left within the campaign's limits: the best is made again."
    match told.method:
        case "space-filling":
            n, first = told.observed, campaign.optimizer.initial_samples
            return f"Spread over the space to begin with: {n} of {first} initial samples had been observed."
        case "random":
            return "Drawn at random over the space, as the campaign asks for."
        case "fallback":
            return "The optimizer could not be asked, so this is spread over the space."
    if told.mean is None or told.sigma is None:
        return "Chosen by the model."
    text = f"The model expects {told.mean:.4g} ± {told.sigma:.2g} {unit}"
    if best is None:
        return text + "; nothing valid had been measured yet."
    text += f"; the best then was {best:.4g} {unit}. "
    if share is None:
        return text + "It promises no improvement."
    if share == 1:
        return text + "Chosen to explore: only its uncertainty promises more than the best."
    if share > 2 / 3:
        return text + "Chosen mostly to explore: its outcome is uncertain."
    if share < 1 / 3:
        return text + "Chosen mostly for its promise: the model expects it to be better."
    return text + "Chosen for its promise and for its uncertainty alike."


def nearest(told: e.SampleSuggested, state: CampaignState, history: History, before: float) -> list[Neighbour]:
    """The observed samples that are nearest in composition, of those observed `before`."""
    known = [o for o in state.observations if history.observed_at.get(o.sample, math.inf) <= before]
    found = sorted((distance(told.composition, o.composition), o.sample, o) for o in known)[:NEAREST]
    return [
        Neighbour(sample=number, distance_at_percent=away, value=o.value, sigma=o.sigma, validity=o.validity)
        for away, number, o in found
    ]


def distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Euclidean distance of two compositions (fractions), at.%."""
    elements = one.keys() | other.keys()
    return 100 * math.sqrt(sum((one.get(el, 0.0) - other.get(el, 0.0)) ** 2 for el in elements))


def _element_limits(told: e.SampleSuggested, campaign: Campaign) -> Iterable[str]:
    for element, (low, high) in campaign.ranges().items():
        amount = 100 * told.composition.get(element, 0.0)
        if _meets(amount, low) and (low > 0 or campaign.at_most is None):
            yield f"{element} at its least, {low:g} at.%"
        elif _meets(amount, high):
            yield f"{element} at its most, {high:g} at.%"
    present = sum(share > CLOSE for share in told.composition.values())
    if campaign.at_most is not None and present == campaign.at_most:
        yield f"at most {campaign.at_most} elements"


def _setting_limits(told: e.SampleSuggested, campaign: Campaign) -> Iterable[str]:
    for setting, value in told.settings.items():
        low, high = campaign.extremes(setting)
        if low == high:
            continue
        if value <= low:
            yield f"{setting} at its least, {low:g}"
        elif value >= high:
            yield f"{setting} at its greatest, {high:g}"


def _constraints(told: e.SampleSuggested, campaign: Campaign) -> Iterable[str]:
    for constraint in campaign.constraints:
        total = weighted(constraint, told.composition, told.settings)
        for limit, sign in ((constraint.min, "≥"), (constraint.max, "≤")):
            if limit is not None and _meets(total, limit):
                equal = constraint.min == constraint.max
                yield f"{_sum(constraint)} {'=' if equal else sign} {limit:g}"
                if equal:
                    break


def weighted(constraint: LinearConstraint, composition: Mapping[str, float], settings: Mapping[str, float]) -> float:
    """The constraint's sum, of at.% and values of settings."""
    return sum(
        weight * (100 * composition.get(name, 0.0) if name not in settings else settings[name])
        for name, weight in constraint.coefficients.items()
    )


def _sum(constraint: LinearConstraint) -> str:
    parts = [name if weight == 1 else f"{weight:g} {name}" for name, weight in constraint.coefficients.items()]
    return " + ".join(parts).replace("+ -", "- ")


def _meets(amount: float, limit: float) -> bool:
    return abs(amount - limit) <= 100 * CLOSE


def _fit_in_words(told: Mapping[str, Any], unit: str) -> list[str]:
    if reason := told.get("reason"):
        return [f"No fit: {reason}"]
    processes = told.get("processes")
    if not isinstance(processes, list) or not processes:
        return []
    lengths: dict[str, list[float]] = {}
    for process in processes:
        for name, length in process["lengthscales"].items():
            lengths.setdefault(name, []).append(float(length))
    far = [f"{name} {min(each):.2g} to {max(each):.2g}" for name, each in lengths.items()]
    amplitudes, noises = ([float(p[key]) for p in processes] for key in ("amplitude", "noise"))
    return [
        f"Fitted to {told.get('fitted_to')} values, by {len(processes)} processes of equal weight.",
        f"Values change over (lengthscales, at.% or the setting's unit): {', '.join(far)}.",
        f"They vary by {min(amplitudes):.3g} to {max(amplitudes):.3g} {unit}; unexplained noise "
        f"{min(noises):.2g} to {max(noises):.2g} {unit}.",
    ]
