"""Whether what an operator wants made is something that the campaign could have chosen: pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from orchestrator.campaign.attached import POOL_TOLERANCE, Pool
from orchestrator.campaign.composition import SUM_TOLERANCE, Composition
from orchestrator.campaign.problems import NOTHING, Findings, Problem
from orchestrator.campaign.space import Rows, Space

if TYPE_CHECKING:
    from orchestrator.campaign.spec import Campaign

Candidate = tuple[dict[str, float], dict[str, float]]
"""A composition (fractions of every element of the campaign), and the settings that are searched."""


def candidate(campaign: Campaign, at_percent: Mapping[str, float], settings: Mapping[str, float]) -> Candidate:
    """What `at_percent` and `settings` are in the space, or the pool, of `campaign`.

    Raises `Findings`: each problem says what is wrong and what would be right, with the nearest that can be made.
    """
    problems = [*_elements(campaign, at_percent), *_settings(campaign, settings)]
    if problems:
        raise Findings(problems)
    if campaign.pool is not None:
        return _of_pool(campaign.pool, at_percent, settings)
    space = Space.of(campaign)
    if space.contains(at_percent, settings):
        return _at(space, space.nearest_row(at_percent, settings))
    # In a large space with constraints this takes a second.
    nearest = _at(space, space.round_to_lattice(at_percent, settings))
    raise Findings([_elsewhere("is not in the space of the campaign", *nearest)])


def _at(space: Space, row: Rows) -> Candidate:
    return dict(space.composition(row)), {name: float(value) for name, value in space.setting_values(row).items()}


def _elements(campaign: Campaign, at_percent: Mapping[str, float]) -> list[Problem]:
    known = campaign.ranges()
    strange = [element for element in at_percent if element not in known]
    if strange:
        right = f"take of {', '.join(known)}"
        return [Problem(("composition", el), at_percent[el], "is no element of the campaign", right) for el in strange]
    total = math.fsum(at_percent.values())
    if abs(total - 100.0) > (SUM_TOLERANCE if campaign.pool is None else POOL_TOLERANCE):
        return [Problem(("composition",), NOTHING, f"sums to {total:.6g} at.%", "let it sum to 100")]
    return []


def _settings(campaign: Campaign, settings: Mapping[str, float]) -> list[Problem]:
    searched = campaign.searched()
    problems = [
        Problem(("settings", name), NOTHING, "is searched, and no value is given", _values(campaign, name))
        for name in searched
        if name not in settings
    ]
    choose = f"give {', '.join(searched)}" if searched else "give none"
    problems += [
        Problem(("settings", name), value, "is no setting that is searched", choose)
        for name, value in settings.items()
        if name not in searched
    ]
    return problems


def _values(campaign: Campaign, name: str) -> str:
    low, high = campaign.extremes(name)
    return f"give one from {low:g} to {high:g}"


def _of_pool(pool: Pool, at_percent: Mapping[str, float], settings: Mapping[str, float]) -> Candidate:
    """The row of `pool` that this is."""
    wanted = np.array([at_percent.get(element, 0.0) for element in pool.elements])
    columns = np.array([pool.columns[name] for name in settings]).T.reshape(len(pool), -1)
    asked = np.array(list(settings.values()))
    away = np.abs(pool.at_percent - wanted).max(axis=1)
    spans = np.ptp(columns, axis=0)
    apart = np.abs(columns - asked) / np.where(spans > 0, spans, 1.0)
    row = int(np.argmin((away / 100.0) ** 2 + (apart**2).sum(axis=1)))
    amounts = pool.at_percent[row]
    fractions = dict(zip(pool.elements, (amounts / amounts.sum()).tolist(), strict=True))
    found = fractions, dict(zip(settings, columns[row].tolist(), strict=True))
    if away[row] > POOL_TOLERANCE or not np.array_equal(columns[row], asked):
        raise Findings([_elsewhere("is no candidate of the pool", *found)])
    return found


def _elsewhere(wrong: str, fractions: Mapping[str, float], settings: Mapping[str, float]) -> Problem:
    made = str(Composition(fractions))
    beside = "".join(f" {name}={value:g}" for name, value in settings.items())
    return Problem(("composition",), NOTHING, wrong, f"the nearest that is: {made}{beside}")
