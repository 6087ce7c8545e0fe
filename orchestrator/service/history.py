"""What steps took in this lab so far, beside their plans' own figures: pure.

Films differ, and so do campaigns: what is carried over from one to another is the ratio of what a step took to what its
plan says that it takes.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from orchestrator.campaign.entries import Plan
from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.state import CampaignState, Timing
from orchestrator.service.durations import Rates, planned_s, rates_known

Basis = Literal["this campaign", "earlier nights", "dry runs", "the plans"]
"""Whose steps an expectation is from, the most trusted first."""
ENOUGH = 5
"""Steps of a kind after which their own median counts."""
Z90 = 1.2816
"""Standard deviations from the median to the 90 % quantile of a normal distribution."""
PLANS: tuple[Plan, ...] = get_args(Plan)
BY_THE_PLANS: Mapping[Plan, float] = {"deposit": 1.3, "measure": 1.5, "transfer": 2.0, "retire": 2.0}
"""90 % quantile over median where nothing has been measured."""
UNKNOWN_RATES = 1.6
"""The same of a deposition whose rates nobody knows."""
BETWEEN: Mapping[Basis, float] = {"this campaign": 0.03, "earlier nights": 0.1, "dry runs": 0.1, "the plans": 0.2}
"""How far all steps of a night may be off together, relatively: another target, another robot speed."""


@dataclass(frozen=True)
class Expected:
    """Lab seconds of one step: the median and the 90 % quantile, and how many steps say so."""

    typical_s: float
    late_s: float
    basis: Basis
    steps: int = 0

    @property
    def sigma_s(self) -> float:
        return max(0.0, (self.late_s - self.typical_s) / Z90)


@dataclass(frozen=True)
class Pace:
    """Ratios of what steps of one kind took to their plans' figures."""

    ratios: tuple[float, ...] = ()

    @property
    def median(self) -> float:
        return statistics.median(self.ratios)

    @property
    def late(self) -> float:
        """The 90 % quantile, by interpolation."""
        ordered = sorted(self.ratios)
        at = 0.9 * (len(ordered) - 1)
        low = math.floor(at)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (at - low) * (ordered[high] - ordered[low])


@dataclass(frozen=True)
class History:
    """`paces` of earlier homes by basis and kind of step; `rates` are the last that were measured."""

    paces: Mapping[Basis, Mapping[Plan, Pace]] = field(default_factory=dict)
    rates: Rates = field(default_factory=dict)
    nights: int = 0
    _own: dict[Plan, tuple[Sequence[Timing], LabSpec, Pace]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, earlier: Iterable[tuple[CampaignState, bool]], lab: LabSpec) -> History:
        """From `earlier` campaigns in `lab`, the latest last, and whether each was a rehearsal."""
        ratios: dict[Basis, dict[Plan, list[float]]] = {}
        rates: dict[str, Mapping[str, float]] = {}
        nights = 0
        for state, rehearsed in earlier:
            nights += 1
            known = {**rates, **state.rates}
            found = ratios.setdefault("dry runs" if rehearsed else "earlier nights", {})
            for plan in PLANS:
                found.setdefault(plan, []).extend(_ratios(state, plan, lab, known))
            rates.update(state.rates)
        paces = {
            basis: {plan: Pace(tuple(told)) for plan, told in by_plan.items() if told}
            for basis, by_plan in ratios.items()
        }
        return cls(paces, rates, nights)

    def expected(self, plan: Plan, kwargs: Mapping[str, Any], lab: LabSpec, state: CampaignState | None) -> Expected:
        """A step with the arguments `kwargs`, in the campaign of `state`."""
        known = {**self.rates, **(state.rates if state is not None else {})}
        figure_s = planned_s(plan, kwargs, lab, known)
        own = self._pace(state, plan, lab, known) if state is not None else Pace()
        choices: list[tuple[Basis, Pace]] = [("this campaign", own)]
        choices += [(basis, self.paces.get(basis, {}).get(plan, Pace())) for basis in ("earlier nights", "dry runs")]
        for basis, pace in choices:
            if len(pace.ratios) >= ENOUGH:
                return Expected(figure_s * pace.median, figure_s * pace.late, basis, len(pace.ratios))
        late = BY_THE_PLANS[plan]
        if plan == "deposit" and not rates_known(kwargs["composition"], {**known, **kwargs.get("rates", {})}):
            late = UNKNOWN_RATES
        few = next((pace for _, pace in choices if pace.ratios), Pace((1.0,)))
        return Expected(figure_s * few.median, figure_s * few.median * late, "the plans")

    def _pace(self, state: CampaignState, plan: Plan, lab: LabSpec, known: Rates) -> Pace:
        """Of the campaign of `state`; worked out anew only when another step has been timed."""
        timings = state.timings.get(plan, ())
        kept = self._own.get(plan)
        if kept is None or kept[0] is not timings or kept[1] is not lab:
            kept = self._own[plan] = timings, lab, Pace(tuple(_ratios(state, plan, lab, known)))
        return kept[2]


NO_HISTORY = History()


def _ratios(state: CampaignState, plan: Plan, lab: LabSpec, known: Rates) -> Sequence[float]:
    timings = state.timings.get(plan, ())
    figures = ((timing.seconds, planned_s(plan, timing.intent.kwargs, lab, known)) for timing in timings)
    return [took / figure for took, figure in figures if took > 0 and figure > 0]
