"""Which of a campaign's limits a film lies at, in words: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.campaign.spec import Campaign, LinearConstraint

CLOSE = 1e-4
"""A limit is met when a sum is so close to it, in at.% or in the setting's unit."""


def binding(composition: Mapping[str, float], settings: Mapping[str, float], campaign: Campaign) -> Iterator[str]:
    """Each limit of `campaign` that a film of `composition` (fractions) and `settings` lies at."""
    yield from _elements(composition, campaign)
    yield from _settings(settings, campaign)
    for constraint in campaign.constraints:
        yield from _constraint(constraint, composition, settings)


def _elements(composition: Mapping[str, float], campaign: Campaign) -> Iterator[str]:
    for element, (low, high) in campaign.ranges().items():
        amount = 100 * composition.get(element, 0.0)
        if _met(amount, low) and (low > 0 or campaign.at_most is None):
            yield f"{element} at its least, {low:g} at.%"
        elif _met(amount, high):
            yield f"{element} at its most, {high:g} at.%"
    present = sum(100 * share > CLOSE for share in composition.values())
    if campaign.at_most is not None and present == campaign.at_most:
        yield f"at most {campaign.at_most} elements"


def _settings(settings: Mapping[str, float], campaign: Campaign) -> Iterator[str]:
    for setting, value in settings.items():
        low, high = campaign.extremes(setting)
        if low < high and value <= low:
            yield f"{setting} at its least, {low:g}"
        elif low < high and value >= high:
            yield f"{setting} at its greatest, {high:g}"


def _constraint(
    constraint: LinearConstraint, composition: Mapping[str, float], settings: Mapping[str, float]
) -> Iterator[str]:
    total = weighted(constraint, composition, settings)
    if constraint.min is not None and constraint.min == constraint.max:
        yield f"{_sum(constraint)} = {constraint.min:g}"
    elif constraint.min is not None and _met(total, constraint.min):
        yield f"{_sum(constraint)} at its least, {constraint.min:g}"
    elif constraint.max is not None and _met(total, constraint.max):
        yield f"{_sum(constraint)} at its most, {constraint.max:g}"


def weighted(constraint: LinearConstraint, composition: Mapping[str, float], settings: Mapping[str, float]) -> float:
    """The constraint's sum, of at.% of elements and values of settings."""
    return sum(
        weight * (settings[name] if name in settings else 100 * composition.get(name, 0.0))
        for name, weight in constraint.coefficients.items()
    )


def _sum(constraint: LinearConstraint) -> str:
    parts = [name if weight == 1 else f"{weight:g} {name}" for name, weight in constraint.coefficients.items()]
    return " + ".join(parts).replace("+ -", "- ")


def _met(amount: float, limit: float) -> bool:
    return abs(amount - limit) <= CLOSE
