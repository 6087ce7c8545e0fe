"""What was observed of films that are judged by several quantities, as status, tables and pages show it: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.campaign.state import CampaignState
from orchestrator.campaign.terms import Terms

Outcomes = Mapping[str, Mapping[str, Any]]


def front_of(state: CampaignState) -> list[dict[str, Any]]:
    """The films that no other is better than, the best in the first objective first: "sample", "composition",
    "settings", and "outcomes", as the observation has them.  Empty with one objective."""
    names = {"sample", "composition", "settings", "outcomes"}
    return [seen.model_dump(mode="json", include=names) for seen in state.front]


def by_worth(terms: Terms, seen: Iterable[e.ObservationMade]) -> list[e.ObservationMade]:
    """Films that count, the best first: with several objectives by their weights, those of the front before all others;
    of equals the earlier."""
    counting = [one for one in seen if terms.counts(one)]
    if not terms.several:
        sign = terms.aims[0].sign if terms.aims else 1.0
        return sorted(counting, key=lambda one: -sign * (one.value or 0.0))
    front = terms.front(counting)
    numbers = {one.sample for one in front}
    rest = [one for one in counting if one.sample not in numbers]
    return [*_ranked(terms, front), *_ranked(terms, rest)]


def _ranked(terms: Terms, films: list[e.ObservationMade]) -> list[e.ObservationMade]:
    utilities = terms.utilities([terms.values(one) or () for one in films])
    return [one for _, one in sorted(zip(utilities, films, strict=True), key=lambda told: (-told[0], told[1].sample))]


def words(outcomes: Outcomes) -> str:
    """Values in one line, such as ``saturation magnetisation 1800 ± 20 kA/m, coercivity ≥ 3.1 ± 0.2 mT``."""
    return ", ".join(f"{name.replace('_', ' ')} {value_words(told)}" for name, told in outcomes.items())


def value_words(told: Mapping[str, Any]) -> str:
    """One value, measured or expected, with its uncertainty and unit."""
    value, sigma = told.get("value", told.get("mean")), told.get("sigma")
    if not isinstance(value, int | float):
        return "not measured"
    unit = "" if told.get("unit") in (None, "", "1") else f" {told['unit']}"
    spread = f" ± {_plainly(sigma, 2)}" if isinstance(sigma, int | float) else ""
    side = {"lower": "≥ ", "upper": "≤ "}.get(str(told.get("bound")), "")
    return f"{side}{_plainly(value, 4)}{spread}{unit}"


def _plainly(number: float, digits: int) -> str:
    """With so many significant digits; a large one is written out."""
    return f"{number:.0f}" if 10**digits <= abs(number) < 1e6 else f"{number:.{digits}g}"


def standing(terms: Terms, seen: e.ObservationMade, front: Iterable[int]) -> str:
    """Where a film stands: "front", "dominated", or which limits it does not keep; "" where that has no meaning."""
    if terms.plain or seen.validity != "valid":
        return ""
    if broken := terms.broken(seen):
        return f"not {', not '.join(str(limit) for limit in broken)}"
    if not terms.several:
        return "within limits"
    return "front" if seen.sample in front else "dominated"
