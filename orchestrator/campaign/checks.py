"""The checks of a campaign that compare its keys with each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.campaign.attached import check_earlier, check_pool
from orchestrator.campaign.elements import SYMBOLS
from orchestrator.campaign.faults import AIDS_FOR, ENDS, FAULTS, Fault
from orchestrator.campaign.growing import check_growing
from orchestrator.campaign.lattice import exact
from orchestrator.campaign.problems import NOTHING, Findings, Problem
from orchestrator.campaign.quantities import UNITS
from orchestrator.campaign.space import Space
from orchestrator.campaign.table import nearest
from orchestrator.campaign.termchecks import check_terms

if TYPE_CHECKING:
    from orchestrator.campaign.spec import Campaign, ElementRange, FaultRule, Faults, Objective, OutcomeLimit

LARGEST = 3_000_000
"""Cells of the tables by which a space is counted; about a second and 200 MB."""


def check_element(element: ElementRange) -> None:
    """Raises `Findings`."""
    problems = []
    step = exact(element.step)
    if (step * 100) % 1:
        problems.append(Problem(("step",), element.step, "has more than two decimals", "give a multiple of 0.01 at.%"))
    for name, bound in (("min", element.min), ("max", element.max)):
        if exact(bound) % step:
            below = exact(bound) // step * step
            wrong = f"is not a multiple of the step {element.step:g}"
            problems.append(Problem((name,), bound, wrong, f"give {float(below):g} or {float(below + step):g} at.%"))
    if element.min > element.max:
        wrong = f"is more than max = {element.max:g}"
        problems.append(Problem(("min",), element.min, wrong, f"give at most {element.max:g} at.%"))
    if problems:
        raise Findings(problems)


def check_objective(objective: Objective | OutcomeLimit) -> None:
    """Raises `Findings`."""
    units = UNITS[objective.quantity]
    if objective.unit not in units:
        right = "give one of " + ", ".join(f'"{unit}"' for unit in units)
        raise Findings([Problem(("unit",), objective.unit, f"is no unit of {objective.quantity}", right)])


def check_limit(limit: OutcomeLimit) -> None:
    """Raises `Findings`."""
    check_objective(limit)
    if limit.min is None and limit.max is None:
        raise Findings([Problem((), NOTHING, "limits nothing", f"give min, max or both, in {limit.unit}")])
    if limit.min is not None and limit.max is not None and limit.min > limit.max:
        wrong = f"is more than max = {limit.max:g}"
        raise Findings([Problem(("min",), limit.min, wrong, f"give at most {limit.max:g} {limit.unit}")])


def check_faults(faults: Faults) -> None:
    """Raises `Findings`."""
    if problems := [problem.under((fault,)) for fault in FAULTS for problem in _rule(fault, faults.of(fault))]:
        raise Findings(problems)


def _rule(fault: Fault, rule: FaultRule) -> Iterator[Problem]:
    *attempts, last = rule.actions
    makes_sense = ", ".join(AIDS_FOR[fault])
    for number, action in enumerate(attempts):
        if action in ENDS:
            yield Problem(("actions", number), action, "ends the attempts, and is not the last", "put it last")
        elif action not in AIDS_FOR[fault]:
            wrong = f"is nothing to do about a fault of class {fault}"
            yield Problem(("actions", number), action, wrong, f"give one of {makes_sense}, {', '.join(ENDS)}")
    if last not in ENDS:
        wrong = "is a further attempt, and after it nothing is said"
        yield Problem(("actions", len(attempts)), last, wrong, f"end the list with one of {', '.join(ENDS)}")
    if rule.longest_wait_s < rule.wait_s:
        wrong = f"is less than wait_s = {rule.wait_s:g}"
        yield Problem(("longest_wait_s",), rule.longest_wait_s, wrong, f"give at least {rule.wait_s:g} s")


def check_campaign(campaign: Campaign) -> list[Problem]:
    """Everything that is wrong between the tables of a campaign whose tables are right by themselves."""
    problems = [*_settings(campaign), *(_pool(campaign) if campaign.pool else _lattice(campaign))]
    problems += [*_choosing(campaign), *_cost(campaign), *check_growing(campaign), *check_terms(campaign)]
    problems += [*_prior_data(campaign)] if not problems else []
    return problems or list(_feasible(campaign))


def _lattice(campaign: Campaign) -> Iterator[Problem]:
    if not campaign.elements:
        yield Problem(("elements",), NOTHING, "is missing", "give a table of the elements, or a pool")
        return
    yield from _symbols(campaign)
    yield from _bounds(campaign)
    yield from _constraints(campaign)
    for name in campaign.film.of_pool():
        yield Problem(("film", name), "pool", "is to be in a pool, and there is none", "give pool = FILE, or a number")
    for name in campaign.descriptors[:1]:
        yield Problem(("descriptors",), [name], "are columns of a pool, and there is none", "leave them out")


def _pool(campaign: Campaign) -> Iterator[Problem]:
    assert campaign.pool is not None
    for name in ("elements", "at_most", "constraints"):
        if getattr(campaign, name):
            yield Problem((name,), NOTHING, "is given beside a pool, whose rows say it all", "leave out one of the two")
    for name in campaign.film.settings():
        right = f'give one number, or {name} = "pool" and a column of it in the pool'
        yield Problem(("film", name), NOTHING, "is searched by itself, but the pool lists every candidate", right)
    yield from check_pool(campaign.pool, campaign.film.of_pool(), campaign.descriptors)


def _prior_data(campaign: Campaign) -> Iterator[Problem]:
    for number, data in enumerate(campaign.prior_data):
        judged = list(campaign.terms.units)[1:]
        yield from check_earlier(number, data, campaign.ranges(), campaign.searched(), judged)


def _symbols(campaign: Campaign) -> Iterator[Problem]:
    for symbol in campaign.elements:
        if symbol not in SYMBOLS:
            fixed = symbol.strip().capitalize()
            right = f'did you mean "{fixed}"?' if fixed in SYMBOLS else "give a symbol such as Fe"
            yield Problem(("elements", symbol), NOTHING, "is not the symbol of an element", right)


def _bounds(campaign: Campaign) -> Iterator[Problem]:
    least = sum(exact(element.min) for element in campaign.elements.values())
    most = sum(exact(element.max) for element in campaign.elements.values())
    if least > 100:
        wrong = f"the least amounts sum to {float(least):g} at.%"
        yield Problem(("elements",), NOTHING, wrong, "lower them to at most 100 at.%")
    if most < 100:
        wrong = f"the greatest amounts sum to {float(most):g} at.%"
        yield Problem(("elements",), NOTHING, wrong, "raise them to at least 100 at.%")
    required = [symbol for symbol, element in campaign.elements.items() if element.min > 0]
    if campaign.at_most is None:
        return
    if campaign.at_most > len(campaign.elements):
        wrong = f"is more than the {len(campaign.elements)} elements of the campaign"
        yield Problem(("at_most",), campaign.at_most, wrong, f"give at most {len(campaign.elements)}, or leave it out")
    if campaign.at_most < len(required):
        wrong = f"is less than the {len(required)} elements whose min is above 0 ({', '.join(required)})"
        yield Problem(("at_most",), campaign.at_most, wrong, f"give at least {len(required)}, or mins of 0")


def _constraints(campaign: Campaign) -> Iterator[Problem]:
    grids = {grid.name: grid for grid in campaign.film.grids()}
    for number, constraint in enumerate(campaign.constraints):
        at = ("constraints", number)
        for symbol, coefficient in constraint.coefficients.items():
            if symbol in grids and grids[symbol].line is None:
                wrong = "is a setting whose values are not at equal distances"
                yield Problem((*at, "coefficients", symbol), coefficient, wrong, "give it a step, or leave it out here")
            elif symbol not in campaign.elements and symbol not in grids:
                wrong = "is not an element of the campaign" + (", nor a setting that is searched" if grids else "")
                right = nearest(symbol, [*campaign.elements, *grids])
                yield Problem((*at, "coefficients", symbol), coefficient, wrong, right)
        if not any(constraint.coefficients.values()):
            yield Problem((*at, "coefficients"), constraint.coefficients, "are all 0", "give at least one other than 0")
        if constraint.min is None and constraint.max is None:
            yield Problem(at, NOTHING, "limits nothing", "give min, max or both, in at.%")
        elif constraint.min is not None and constraint.max is not None and constraint.min > constraint.max:
            wrong = f"is more than max = {constraint.max:g}"
            yield Problem((*at, "min"), constraint.min, wrong, f"give at most {constraint.max:g} at.%")


def _settings(campaign: Campaign) -> Iterator[Problem]:
    budget, loop = campaign.budget, campaign.measurement
    if budget.substrates is not None and budget.substrates < budget.samples:
        wrong = f"is less than samples = {budget.samples}"
        yield Problem(
            ("budget", "substrates"), budget.substrates, wrong, f"give at least {budget.samples}, one for each film"
        )
    if loop.fine_step_mt > loop.coarse_step_mt:
        wrong = f"is more than coarse_step_mt = {loop.coarse_step_mt:g}"
        right = f"give at most {loop.coarse_step_mt:g} mT"
        yield Problem(("measurement", "fine_step_mt"), loop.fine_step_mt, wrong, right)
    if loop.coarse_step_mt > loop.max_field_mt:
        wrong = f"is more than max_field_mt = {loop.max_field_mt:g}"
        right = f"give at most {loop.max_field_mt:g} mT; about a twentieth of it is usual"
        yield Problem(("measurement", "coarse_step_mt"), loop.coarse_step_mt, wrong, right)


def _choosing(campaign: Campaign) -> Iterator[Problem]:
    told = campaign.optimizer
    if told.acquisition == "ucb":
        return
    for name in ("exploration", "exploration_weight"):
        if (value := getattr(told, name)) != type(told).model_fields[name].default:
            wrong = f'is for acquisition = "ucb", and it is "{told.acquisition}"'
            yield Problem(("optimizer", name), value, wrong, "leave it out, or choose ucb")


def _cost(campaign: Campaign) -> Iterator[Problem]:
    cost = campaign.cost
    if cost is None:
        return
    elements = campaign.pool.elements if campaign.pool is not None else tuple(campaign.elements)
    for symbol in cost.elements:
        if symbol not in elements:
            wrong = "is not an element of the campaign"
            yield Problem(("cost", "elements", symbol), cost.elements[symbol], wrong, nearest(symbol, elements))
    for name in cost.settings:
        if name not in campaign.searched():
            wrong = "is not a setting that is searched"
            right = (
                nearest(name, campaign.searched()) if campaign.searched() else "leave it out: it is the same for all"
            )
            yield Problem(("cost", "settings", name), cost.settings[name], wrong, right)
    if cost.budget is not None and cost.budget < cost.film:
        wrong = f"is less than film = {cost.film:g}, what the first film costs"
        yield Problem(("cost", "budget"), cost.budget, wrong, f"give at least {cost.film:g}")


def _feasible(campaign: Campaign) -> Iterator[Problem]:
    if campaign.pool is not None:
        return
    space = Space.of(campaign)
    if space.n * (space.most + 1) * (space.total + 1) > LARGEST:
        wrong = f"{space.n} elements in units of {space.unit_at_percent:g} at.% are too many to count"
        yield Problem(("elements",), NOTHING, wrong, "set a smaller at_most, or give coarser steps")
    elif space.witness() is None:
        culprits = [name for name in ("at_most", "constraints") if getattr(campaign, name)]
        together = ", ".join(["bounds and steps", *culprits])
        wrong = f"no composition was found that sums to 100 at.% within {together}"
        yield Problem(
            ("elements",), NOTHING, wrong, "give wider bounds, equal steps that divide 100, or looser constraints"
        )
