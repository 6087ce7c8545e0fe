"""What a film is judged by: the objectives and the limits of a campaign, as every decision about them asks.

Pure Python, from the campaign as the journal holds it or as it was read: the fold judges every observation by it.

Notation
--------
aim         an objective: a quantity that is to be large or small
limit       what a quantity must be, at least and at most
a better film is at least as good in every aim, and better in one (it *dominates*)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from orchestrator.campaign.quantities import UNITS, from_unit, to_unit

if TYPE_CHECKING:
    from orchestrator.campaign.entries import ObservationMade
    from orchestrator.campaign.spec import Campaign

Direction = Literal["max", "min"]
MARGIN = 0.1
"""Of the range of the non-dominated values, between the worst of them and a reference value that nobody gave: so has
the field (Ishibuchi et al., IEEE CEC 2011; BoTorch's `infer_reference_point`)."""


@dataclass(frozen=True)
class Aim:
    """An objective, in its unit.  `weight` is against the other aims; `reference` is the worst value that is worth
    having beside a gain in another, None if it is to follow from what was observed."""

    quantity: str
    direction: Direction
    unit: str
    weight: float = 1.0
    reference: float | None = None

    @property
    def sign(self) -> float:
        """+1 where more is better, else -1."""
        return 1.0 if self.direction == "max" else -1.0


@dataclass(frozen=True)
class Limit:
    """What a quantity must be, in `unit`: from `low` to `high`, either infinite where there is none."""

    quantity: str
    unit: str
    low: float = -math.inf
    high: float = math.inf

    def kept(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        bounds = [f"at least {self.low:g}"] if self.low > -math.inf else []
        bounds += [f"at most {self.high:g}"] if self.high < math.inf else []
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{self.quantity.replace('_', ' ')} {' and '.join(bounds)}{unit}"


@dataclass(frozen=True)
class Terms:
    """At least one aim, each of another quantity, and at most one limit of a quantity."""

    aims: tuple[Aim, ...] = ()
    limits: tuple[Limit, ...] = ()

    @classmethod
    def of(cls, campaign: Mapping[str, Any]) -> Terms:
        """Those of a campaign as plain values, however old its form.  Limits are in the unit of the objective of the
        same quantity, or else in that of the first limit of it."""
        aims = tuple(_aim(told) for told in campaign.get("objectives") or () if isinstance(told, Mapping))
        units = {aim.quantity: aim.unit for aim in aims}
        limits: dict[str, Limit] = {}
        for told in campaign.get("limits") or ():
            quantity, unit = str(told["quantity"]), units.setdefault(str(told["quantity"]), str(told["unit"]))
            low, high = (_converted(quantity, told.get(end), str(told["unit"]), unit) for end in ("min", "max"))
            before = limits.get(quantity, Limit(quantity, unit))
            limits[quantity] = Limit(
                quantity,
                unit,
                before.low if low is None else max(before.low, low),
                before.high if high is None else min(before.high, high),
            )
        return cls(aims, tuple(limits.values()))

    @classmethod
    def of_campaign(cls, campaign: Campaign) -> Terms:
        """Those of a campaign that was read."""
        return cls.of(campaign.model_dump(mode="json", include={"objectives", "limits"}))

    @property
    def several(self) -> bool:
        """Whether there is more than one aim, and so no single best film."""
        return len(self.aims) > 1

    @property
    def plain(self) -> bool:
        """Whether one value says all of a film."""
        return len(self.aims) == 1 and not self.limits

    @property
    def units(self) -> dict[str, str]:
        """Every quantity that is judged -> its unit, the aims first."""
        aims = {aim.quantity: aim.unit for aim in self.aims}
        return aims | {limit.quantity: limit.unit for limit in self.limits}

    def limit_of(self, quantity: str) -> Limit | None:
        return next((limit for limit in self.limits if limit.quantity == quantity), None)

    def weighed(self, weights: Mapping[str, float]) -> Terms:
        """The same with other weights; aims that are not named keep theirs."""
        return replace(
            self, aims=tuple(replace(aim, weight=weights.get(aim.quantity, aim.weight)) for aim in self.aims)
        )

    # --- films ----------------------------------------------------------------------------------------

    def values(self, seen: ObservationMade) -> tuple[float, ...] | None:
        """What `seen` says of the aims, in their units and order; None unless all are measured."""
        told = [_value(seen, aim.quantity, first=k == 0) for k, aim in enumerate(self.aims)]
        return None if None in told else tuple(value for value in told if value is not None)

    def broken(self, seen: ObservationMade) -> tuple[Limit, ...]:
        """The limits that a film does not keep, or of which it is not known."""
        first = self.aims[0].quantity if self.aims else ""
        values = [(limit, _value(seen, limit.quantity, first=limit.quantity == first)) for limit in self.limits]
        return tuple(limit for limit, value in values if value is None or not limit.kept(value))

    def counts(self, seen: ObservationMade) -> bool:
        """Whether `seen` is of a film that can be the best, or one of the best: valid, and within all limits."""
        return seen.validity == "valid" and self.values(seen) is not None and not self.broken(seen)

    def dominates(self, one: Sequence[float], other: Sequence[float]) -> bool:
        """Whether a film with values `one` is better than one with `other`."""
        gains = [aim.sign * (a - b) for aim, a, b in zip(self.aims, one, other, strict=True)]
        return min(gains) >= 0 and max(gains) > 0

    def front(self, seen: Iterable[ObservationMade]) -> list[ObservationMade]:
        """Those of `seen` that count and that no other is better than, the best in the first aim first; of equals the
        earlier one alone."""
        kept: list[tuple[tuple[float, ...], ObservationMade]] = []
        for one in seen:
            kept = self.joined(kept, one)
        return [one for _, one in sorted(kept, key=lambda told: -self.aims[0].sign * told[0][0])]

    def joined(
        self, front: list[tuple[tuple[float, ...], ObservationMade]], one: ObservationMade
    ) -> list[tuple[tuple[float, ...], ObservationMade]]:
        """`front`, values with their observations, once `one` is known too; the same list if that changes nothing."""
        values = self.values(one) if self.counts(one) else None
        if values is None or any(other == values or self.dominates(other, values) for other, _ in front):
            return front
        return [*(told for told in front if not self.dominates(values, told[0])), (values, one)]

    # --- trade-offs -----------------------------------------------------------------------------------

    def utilities(self, values: Sequence[Sequence[float]]) -> list[float]:
        """How good each of several films is by the weights, 0 at most: minus its greatest weighted distance from the
        best in every aim, in ranges of these films (the Tchebycheff scalarisation; Steuer and Choo, Math. Program. 26,
        326, 1983).  A small share of the sum tells films apart that are equal in the worst."""
        if not values:
            return []
        shares = [aim.weight / sum(other.weight for other in self.aims) for aim in self.aims]
        signed = [[aim.sign * v for aim, v in zip(self.aims, film, strict=True)] for film in values]
        best, worst = [max(column) for column in zip(*signed, strict=True)], [min(c) for c in zip(*signed, strict=True)]
        spans = [high - low or 1.0 for high, low in zip(best, worst, strict=True)]
        away = [
            [share * (high - v) / span for share, high, v, span in zip(shares, best, film, spans, strict=True)]
            for film in signed
        ]
        return [-max(film) - SUM_SHARE * sum(film) for film in away]

    def references(self, values: Sequence[Sequence[float]]) -> tuple[float, ...]:
        """The reference value of each aim, in its unit: as given, or a little worse than the worst of the non-dominated
        `values`; by the range of these, or where there is none, of nothing at all."""
        found = []
        for k, aim in enumerate(self.aims):
            column = [aim.sign * film[k] for film in values] or [0.0]
            low, high = min(column), max(column)
            margin = MARGIN * (high - low or abs(high) or 1.0)
            found.append(aim.sign * (low - margin) if aim.reference is None else aim.reference)
        return tuple(found)


SUM_SHARE = 0.05
"""Of the sum of the weighted distances, beside the greatest (ParEGO: Knowles, IEEE Trans. Evol. Comput. 10, 50,
2006)."""


def _aim(told: Mapping[str, Any]) -> Aim:
    weight, reference = told.get("weight"), told.get("reference")
    return Aim(
        str(told.get("quantity", "")),
        "min" if told.get("direction") == "min" else "max",
        str(told.get("unit", "")),
        1.0 if weight is None else float(weight),
        None if reference is None else float(reference),
    )


def _converted(quantity: str, value: float | None, given: str, unit: str) -> float | None:
    if value is None or given == unit or quantity not in UNITS:
        return value
    return to_unit(quantity, from_unit(quantity, value, given), unit)


def _value(seen: ObservationMade, quantity: str, *, first: bool) -> float | None:
    """The measured value of `quantity`, None if there is none or only a bound."""
    told = seen.outcomes.get(quantity)
    if told is None:
        return seen.value if first and seen.validity == "valid" else None
    value = told.get("value")
    return float(value) if told.get("validity") == "valid" and isinstance(value, int | float) else None
