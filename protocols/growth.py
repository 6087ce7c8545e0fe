"""What a film is made of, from the rates it grows at and the time it was open to them: pure.

The deposition states its film with these while it grows.  Whoever finds a deposition cut off states the film
with the same, from what the plan had written down and the time that the evidence allows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from protocols import rates


@dataclass(frozen=True)
class Indicated:
    """What the thickness monitor shows while the guns' shutters are open, whatever the substrate's does: zero at
    lab time `zeroed_at`, and `nm_s` more each second."""

    zeroed_at: float
    nm_s: float


@dataclass(frozen=True)
class Growth:
    """At what rates a film grows, for each element: nm/s, their relative uncertainties, and the power, W."""

    rates_nm_s: Mapping[str, float]
    relative_sigma: Mapping[str, float]
    power_w: Mapping[str, float]

    @property
    def nm_s(self) -> float:
        """Of all elements together."""
        return sum(self.rates_nm_s.values())

    def film(self, open_s: float, sigma_s: float) -> dict[str, Any]:
        """The film after `open_s` seconds under the flux: composition, thickness and doses, as JSON has them.

        The time is the same for all elements, but for its ends: the shutters of guns and substrate may have closed in
        any order.  So a film of which not even the time is known is not of a well-known composition.
        """
        made = {element: nm_s * open_s for element, nm_s in self.rates_nm_s.items()}
        ends = min(1.0, sigma_s / open_s) if open_s > 0 else 0.0
        relative = {element: math.hypot(sigma, ends) for element, sigma in self.relative_sigma.items()}
        fractions = rates.achieved(self.rates_nm_s) if self.rates_nm_s else {}
        variance = sum((nm * self.relative_sigma[element]) ** 2 for element, nm in made.items())
        variance += (self.nm_s * sigma_s) ** 2
        return {
            "composition": fractions,
            "composition_sigma": rates.fraction_sigmas(fractions, relative),
            "thickness_nm": sum(made.values()),
            "thickness_sigma_nm": variance**0.5,
            "doses": {
                element: {"thickness_nm": nm, "seconds": open_s, "power_w": self.power_w[element]}
                for element, nm in made.items()
            },
            "shutter_open_s": open_s,
            "shutter_open_sigma_s": sigma_s,
        }


@dataclass(frozen=True)
class Ledger:
    """The dose as of lab time `as_of`: `closed_s` seconds, sure to `closed_sigma_s`, in completed openings.

    `opening`: since when the substrate shutter may be open, None if it is closed; `answered`: whether the order to
    open was answered, well or not; `opened`: when it was seen to open.  `target_s` is the dose at which the film is
    finished.
    """

    as_of: float
    closed_s: float
    closed_sigma_s: float
    opening: float | None
    answered: bool
    opened: float | None
    target_s: float


@dataclass(frozen=True)
class Record:
    """What a deposition writes down of its film before it uncovers it, while it grows, and once it is covered."""

    begun: bool
    finished: bool
    growth: Growth
    ledger: Ledger
    indicated: Indicated | None = field(default=None)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Record:
        """The record that `plain` holds.  Raises `KeyError`, `TypeError` or `ValueError` if it holds none."""
        seen = plain["indicated"]
        return cls(
            begun=bool(plain["begun"]),
            finished=bool(plain["finished"]),
            growth=Growth(**plain["growth"]),
            ledger=Ledger(**plain["ledger"]),
            indicated=None if seen is None else Indicated(**seen),
        )
