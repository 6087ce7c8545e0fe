"""Where the model is asked for a picture, and the picture: pure but for the asking.

Notation
--------
n       elements of the campaign
m       points of a panel
shares  (m, k) fractions of a panel's elements, k of 1 to 3
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from orchestrator.campaign.limits import weighted
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState, best, candidate_of
from orchestrator.console.shapes import Map, MapPanel

TERNARY_STEPS = 32
"""Steps along an edge: 561 points."""
PAIR_STEPS = 22
MOST_PAIRS = 6
TOLERANCE = 1e-6

Chart = Callable[[list[dict[str, Any]], list[dict[str, Any]], int], dict[str, Any]]
"""(candidates, pending, number of the suggestion) -> what the model expects; empty without a model."""


@dataclass(frozen=True)
class Panel:
    """Points to be asked for; `candidates` are as the optimizer takes them."""

    kind: str
    elements: list[str]
    fixed: dict[str, float]
    shares: list[list[float]]
    candidates: list[dict[str, Any]]


def chart(state: CampaignState, campaign: Campaign, ask: Chart) -> Map | None:
    """The model over the campaign's space as it would be asked for the next suggestion; None without a model."""
    found = panels(state, campaign)
    candidates = [candidate for panel in found for candidate in panel.candidates]
    told = ask(candidates, [candidate_of(sample) for sample in state.pending], len(state.samples) + 1)
    if not told:
        return None
    parts, begun = [], 0
    for panel in found:
        part = slice(begun, begun := begun + len(panel.candidates))
        parts.append(
            MapPanel(
                kind=panel.kind,  # type: ignore[arg-type]  # one of its words
                elements=panel.elements,
                fixed=panel.fixed,
                compositions=panel.shares,
                feasible=[feasible(candidate, campaign) for candidate in panel.candidates],
                mean=told["mean"][part],
                sigma=told["sigma"][part],
                acquisition=told["acquisition"][part],
            )
        )
    return Map(observed=told["observed"], unit=campaign.objective.unit, panels=parts)


def panels(state: CampaignState, campaign: Campaign) -> list[Panel]:
    """A line for one or two elements, a ternary for three, else a panel for each pair (the first six).

    Settings, and the other elements' amounts relative to each other, are those of the best sample so far, or the
    middle of their ranges.
    """
    elements = list(campaign.ranges())
    around, settings = _around(state, campaign, elements)
    if len(elements) <= 3:
        kind = "ternary" if len(elements) == 3 else "line"
        shares = [list(point) for point in simplex(len(elements), TERNARY_STEPS)]
        return [_panel(kind, elements, {}, settings, shares)]
    return [
        _panel("pair", list(pair), _rest(around, pair), settings, [[x, y] for x, y in _triangle()])
        for pair in list(combinations(elements, 2))[:MOST_PAIRS]
    ]


def simplex(n: int, steps: int) -> Iterator[tuple[float, ...]]:
    """Fractions of n elements in whole multiples of 1 / steps that sum to 1."""
    if n == 1:
        yield (1.0,)
    elif n == 2:
        yield from ((i / steps, (steps - i) / steps) for i in range(steps + 1))
    else:
        for i in range(steps + 1):
            yield from ((i / steps, j / steps, (steps - i - j) / steps) for j in range(steps - i + 1))


def feasible(candidate: Mapping[str, Any], campaign: Campaign) -> bool:
    """Whether the campaign's limits allow it, on its lattice or not."""
    composition, settings = candidate["composition"], candidate["settings"]
    for element, (low, high) in campaign.ranges().items():
        if not low - TOLERANCE <= 100 * composition.get(element, 0.0) <= high + TOLERANCE:
            return False
    if campaign.at_most is not None and sum(x > TOLERANCE for x in composition.values()) > campaign.at_most:
        return False
    for constraint in campaign.constraints:
        total = weighted(constraint, composition, settings)
        low = -math.inf if constraint.min is None else constraint.min
        high = math.inf if constraint.max is None else constraint.max
        if not low - TOLERANCE <= total <= high + TOLERANCE:
            return False
    return True


def _around(state: CampaignState, campaign: Campaign, elements: list[str]) -> tuple[dict[str, float], dict[str, float]]:
    top = best(state, campaign.objective.direction)
    composition = dict(top.composition) if top else dict.fromkeys(elements, 1 / len(elements))
    settings = dict(top.settings) if top else {}
    for name in campaign.searched():
        settings.setdefault(name, sum(campaign.extremes(name)) / 2)
    return composition, settings


def _rest(around: Mapping[str, float], pair: tuple[str, ...]) -> dict[str, float]:
    """Of what is not the pair, each other element's share."""
    others = {element: share for element, share in around.items() if element not in pair}
    total = sum(others.values())
    return {el: share / total if total > TOLERANCE else 1 / len(others) for el, share in others.items()}


def _triangle() -> Iterator[tuple[float, float]]:
    return ((x, y) for x, y, _ in simplex(3, PAIR_STEPS))


def _panel(
    kind: str, elements: list[str], rest: dict[str, float], settings: dict[str, float], shares: list[list[float]]
) -> Panel:
    candidates = []
    for point in shares:
        left = 1 - sum(point)
        others = {element: share * left for element, share in rest.items()}
        candidates.append(
            {"composition": {**dict(zip(elements, point, strict=True)), **others}, "settings": dict(settings)}
        )
    return Panel(kind, elements, {**rest, **settings}, shares, candidates)
