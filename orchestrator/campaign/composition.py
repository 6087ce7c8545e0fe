"""What a film is made of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from orchestrator.campaign.elements import SYMBOLS

SUM_TOLERANCE = 1e-6


class Composition(Mapping[str, float]):
    """What a film is made of: element symbol -> atomic fraction; immutable, the fractions sum to 1."""

    __slots__ = ("_fractions",)

    def __init__(self, fractions: Mapping[str, float]) -> None:
        """Raises `ValueError` for unknown elements, negative fractions, or a sum that is not 1 within 1e-6."""
        kept = {element: float(fraction) for element, fraction in fractions.items()}
        for element, fraction in kept.items():
            if element not in SYMBOLS:
                raise ValueError(f"{element!r} is not the symbol of an element")
            if not 0.0 <= fraction <= 1.0 + SUM_TOLERANCE:
                raise ValueError(f"the fraction of {element} must be between 0 and 1, not {fraction!r}")
        total = math.fsum(kept.values())
        if not abs(total - 1.0) <= SUM_TOLERANCE:
            raise ValueError(f"the fractions of a composition must sum to 1, not {total!r}")
        self._fractions = kept

    @classmethod
    def from_at_percent(cls, at_percent: Mapping[str, float]) -> Composition:
        return cls({element: float(amount) / 100.0 for element, amount in at_percent.items()})

    def at_percent(self) -> dict[str, float]:
        return {element: 100.0 * fraction for element, fraction in self._fractions.items()}

    def __getitem__(self, element: str) -> float:
        return self._fractions[element]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fractions)

    def __len__(self) -> int:
        return len(self._fractions)

    def __hash__(self) -> int:
        return hash(frozenset(self._fractions.items()))

    def __repr__(self) -> str:
        return f"Composition({self._fractions!r})"

    def __str__(self) -> str:
        """As chemists write it, absent elements left out.

        >>> str(Composition({"Fe": 0.7, "Co": 0.3, "Ni": 0.0}))
        'Fe70Co30'
        """
        rounded = {element: round(100.0 * fraction, 2) for element, fraction in self._fractions.items()}
        return "".join(f"{element}{amount:g}" for element, amount in rounded.items() if amount > 0)
