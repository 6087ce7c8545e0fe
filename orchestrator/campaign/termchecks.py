"""The checks of objectives and limits against each other, and against what can be asked of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.campaign.problems import NOTHING, Problem

if TYPE_CHECKING:
    from orchestrator.campaign.spec import Campaign

FOR_SEVERAL = ("log_ei", "scalarised")
"""Acquisitions of several objectives."""
FOR_LIMITS = ("log_ei", "pi", "ucb", "thompson")
"""Acquisitions of one objective beside limits: the others would take a film for the best that breaks one."""


def check_terms(campaign: Campaign) -> Iterator[Problem]:
    """Everything that is wrong between objectives, limits, and what goes by them."""
    yield from _each_once(campaign)
    yield from _limits(campaign)
    yield from _acquisition(campaign)
    yield from _stopping(campaign)
    for number, objective in enumerate(campaign.objectives):
        if objective.reference is not None and len(campaign.objectives) == 1:
            wrong = "is for several objectives, and there is one"
            right = "leave it out, or give it as a limit of the quantity"
            yield Problem(("objectives", number, "reference"), objective.reference, wrong, right)


def _each_once(campaign: Campaign) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, objective in enumerate(campaign.objectives):
        if objective.quantity in seen:
            wrong, right = "is an objective already", "give each quantity once, or a limit of it"
            yield Problem(("objectives", number, "quantity"), objective.quantity, wrong, right)
        seen.add(objective.quantity)


def _limits(campaign: Campaign) -> Iterator[Problem]:
    limits = campaign.terms.limits
    for number, given in enumerate(campaign.limits):
        limit = next(limit for limit in limits if limit.quantity == given.quantity)
        if limit.low > limit.high:
            wrong, right = "leaves nothing beside the other limit of this quantity", "give limits that leave a range"
            yield Problem(("limits", number, "quantity"), given.quantity, wrong, right)
            return


def _acquisition(campaign: Campaign) -> Iterator[Problem]:
    told, several = campaign.optimizer, len(campaign.objectives) > 1
    at = ("optimizer", "acquisition")
    if several and told.acquisition not in FOR_SEVERAL:
        right = f"give one of {', '.join(FOR_SEVERAL)}"
        yield Problem(at, told.acquisition, "is for one objective, and there are several", right)
    elif not several and told.acquisition == "scalarised":
        right = "give log_ei, or a second [[objectives]]"
        yield Problem(at, told.acquisition, "trades objectives against each other, and there is one", right)
    elif not several and campaign.limits and told.acquisition not in FOR_LIMITS:
        right = f"give one of {', '.join(FOR_LIMITS)}"
        yield Problem(at, told.acquisition, "does not go by limits on what is measured", right)
    if told.trade_off != "weights" and told.acquisition != "scalarised":
        wrong = f'is for acquisition = "scalarised", and it is "{told.acquisition}"'
        yield Problem(("optimizer", "trade_off"), told.trade_off, wrong, "leave it out, or choose scalarised")
    if told.method == "growing" and not campaign.terms.plain:
        wrong = "goes by one objective without limits"
        yield Problem(("optimizer", "method"), told.method, wrong, "give gp")
    if campaign.virtual and not campaign.terms.plain:
        wrong = "is led by one objective without limits"
        yield Problem(("virtual",), NOTHING, wrong, "leave it out, or give one [[objectives]] and no [[limits]]")
    if told.replicate == "by_value" and not campaign.terms.plain:
        wrong = "goes by one objective without limits"
        yield Problem(("optimizer", "replicate"), told.replicate, wrong, "leave it out")


def _stopping(campaign: Campaign) -> Iterator[Problem]:
    stopping = campaign.stopping
    if len(campaign.objectives) > 1:
        asked = [("target", stopping.target), ("improvement", stopping.improvement or None)]
        for name, value in asked:
            if value is not None:
                wrong = "is of one objective, and there are several"
                yield Problem(("stopping", name), value, wrong, "leave it out; limits say what a film must have")
    if not campaign.terms.plain and stopping.regret is not None:
        wrong, right = "goes by one objective without limits", "leave it out, or give improvement_probability"
        yield Problem(("stopping", "regret"), stopping.regret, wrong, right)
