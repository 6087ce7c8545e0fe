"""Compositions, and the lattice of those that a campaign may ask for.

Everything on the lattice is exact: amounts are whole *units*, where the unit is the largest at.% that divides
100 and every step.

Notation::

    n                elements, in the campaign's order
    total            units that make 100 at.%
    most             at most so many elements are present
    low, high, step  (n,) int64     bounds and step of each element, units
    rows             (m, n) int64   compositions, units
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.campaign.drawing import descend, draw, nearest
from orchestrator.campaign.elements import SYMBOLS
from orchestrator.campaign.lattice import Amounts, common_unit, count_ways, exact, relative
from orchestrator.campaign.linear import Limits, Linear, Rows

if TYPE_CHECKING:
    from orchestrator.campaign.spec import Campaign

__all__ = ["Composition", "Linear", "Rows", "Space"]

SUM_TOLERANCE = 1e-6
BLOCK_ROWS = 20_000
COUNT_LIMIT = 2_000_000
ROUND_LIMIT = 100_000


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


@dataclass(frozen=True)
class Space:
    """The lattice of compositions that a campaign may ask for.

    `bounds`: element -> (min, max, step) in at.%.  Raises `ValueError` if a bound is no multiple of its step.

    >>> space = Space({"Fe": (0, 100, 50), "Co": (0, 100, 50)})
    >>> [str(space.composition(row)) for row in space.enumerate()]
    ['Co100', 'Fe50Co50', 'Fe100']
    """

    bounds: Mapping[str, tuple[float, float, float]]
    at_most: int | None = None
    constraints: Sequence[Linear] = ()

    def __post_init__(self) -> None:
        for element, (low, high, step) in self.bounds.items():
            for bound in (low, high):
                if exact(bound) % exact(step):
                    raise ValueError(f"{element}: {bound:g} at.% is not a multiple of the step {step:g} at.%")

    @classmethod
    def of(cls, campaign: Campaign) -> Space:
        """The space of `campaign`."""
        constraints = [
            Linear(
                constraint.coefficients,
                -math.inf if constraint.min is None else constraint.min,
                math.inf if constraint.max is None else constraint.max,
            )
            for constraint in campaign.constraints
        ]
        bounds = {element: (r.min, r.max, r.step) for element, r in campaign.elements.items()}
        return cls(bounds, campaign.at_most, tuple(constraints))

    # --- the lattice ------------------------------------------------------------------------------------

    @cached_property
    def elements(self) -> tuple[str, ...]:
        return tuple(self.bounds)

    @cached_property
    def unit(self) -> Fraction:
        """at.% of one unit."""
        return common_unit(exact(step) for _, _, step in self.bounds.values())

    @cached_property
    def unit_at_percent(self) -> float:
        return float(self.unit)

    @cached_property
    def total(self) -> int:
        return int(100 / self.unit)

    @cached_property
    def low(self) -> Rows:
        return self._in_units(low for low, _, _ in self.bounds.values())

    @cached_property
    def high(self) -> Rows:
        return self._in_units(high for _, high, _ in self.bounds.values())

    @cached_property
    def step(self) -> Rows:
        return self._in_units(step for _, _, step in self.bounds.values())

    def _in_units(self, at_percents: Iterator[float]) -> Rows:
        return np.array([int(exact(at_percent) / self.unit) for at_percent in at_percents], dtype=np.int64)

    @cached_property
    def most(self) -> int:
        return min(len(self.elements), self.at_most or len(self.elements))

    @cached_property
    def limits(self) -> Limits:
        """The linear constraints, in units."""
        return Limits(self.constraints, self.elements, self.unit_at_percent, self.low, self.high)

    def amounts(self, i: int) -> Amounts:
        """Every amount that element `i` may have by itself, units, ascending."""
        return np.arange(self.low[i], self.high[i] + 1, self.step[i], dtype=np.int64)

    @cached_property
    def ways(self) -> list[NDArray[Any]]:
        """In how many ways a composition can be completed; see `lattice.count_ways`."""
        return count_ways([self.amounts(i) for i in range(len(self.elements))], self.total, self.most)

    @cached_property
    def _reachable(self) -> list[NDArray[np.bool_]]:
        """Where `ways` is not 0."""
        return [np.array(table > 0, dtype=bool) for table in self.ways]

    @cached_property
    def weights(self) -> list[NDArray[np.float64]]:
        """`ways`, each table relative to its largest number."""
        return [relative(table) for table in self.ways]

    # --- counting and listing ---------------------------------------------------------------------------

    def size(self, limit: int = COUNT_LIMIT) -> int:
        """How many compositions there are.

        Without linear constraints exact, however many.  With them it takes enumeration: exact up to `limit`,
        and `limit` + 1 stands for "more than `limit`".
        """
        size = int(self.ways[0][self.most, self.total])
        if not self.limits or not size:
            return size
        size = 0
        for block in self.blocks():
            size += len(block)
            if size > limit:
                return limit + 1
        return size

    def enumerate(self, limit: int = COUNT_LIMIT) -> Rows:
        """Every composition, in units, (m, n), in lexicographic order.

        Raises `ValueError` if there are more than `limit`.
        """
        found, size = [self._none], 0
        for block in self.blocks():
            found.append(block)
            size += len(block)
            if size > limit:
                raise ValueError(f"the space has more than {limit} compositions; draw a sample instead")
        return np.concatenate(found)

    def blocks(self) -> Iterator[Rows]:
        """The lattice in blocks of rows, depth first, in lexicographic order.

        Branches that cannot be completed are cut; one that linear constraints make barren after all gives an
        empty block.
        """
        stack: list[Rows] = [np.empty((1, 0), dtype=np.int64)]
        while stack:
            rows = stack.pop()
            i = rows.shape[1]
            if i == len(self.elements):
                yield rows[self.satisfied(rows)]
                continue
            rows, later = self._grown(rows)
            if len(later):
                stack.append(later)
            rows = rows[self.limits.completable(rows, self.total - rows.sum(axis=1))]
            if len(rows):
                stack.append(rows)
            else:
                yield self._none

    def _grown(self, rows: Rows) -> tuple[Rows, Rows]:
        """The first of `rows` (m, i) with every amount of element i that leaves them completable, about
        `BLOCK_ROWS` of them; and the rest of `rows`."""
        i = rows.shape[1]
        amounts = self.amounts(i)
        left, present = self.total - rows.sum(axis=1), (rows > 0).sum(axis=1)
        states, state_of = np.unique(present * (self.total + 1) + left, return_inverse=True)
        k, room = (part[:, np.newaxis] for part in np.divmod(states, self.total + 1))
        after, room_after = self.most - k - (amounts > 0), room - amounts
        fits = self._reachable[i + 1][np.maximum(after, 0), np.maximum(room_after, 0)]
        fits &= (after >= 0) & (room_after >= 0)  # (states, amounts)
        counts = fits.sum(axis=1)
        taken = max(1, int(np.searchsorted(np.cumsum(counts[state_of]), BLOCK_ROWS)))
        rows, later, state_of = rows[:taken], rows[taken:], state_of[:taken]
        chosen = np.concatenate([np.flatnonzero(fits[state]) for state in range(len(states))])
        firsts, each = (np.cumsum(counts) - counts)[state_of], counts[state_of]
        within = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
        added = amounts[chosen[np.repeat(firsts, each) + within]]
        return np.column_stack([np.repeat(rows, each, axis=0), added]), later

    def witness(self, patience: int = 300) -> Rows | None:
        """One composition of the space, in units, (n,); None if there is none.

        Under linear constraints that leave next to nothing, None may also mean that none was found in
        `patience` blocks.
        """
        for number, block in enumerate(self.blocks()):
            if len(block):
                row: Rows = block[0]
                return row
            if number >= patience:
                break
        return None

    @property
    def _none(self) -> Rows:
        return np.empty((0, len(self.elements)), dtype=np.int64)

    # --- drawing and rounding ---------------------------------------------------------------------------

    def sample(self, rng: np.random.Generator, n: int) -> Rows:
        """`n` compositions drawn at random, in units, (n, elements); the same one may come twice.

        Uniform over the lattice if there are no linear constraints, or if these leave at least 2 % of it;
        otherwise spread over what is allowed, but not uniformly.  Raises `ValueError` if the space is empty,
        or so thin that compositions cannot be found.
        """
        found, missing, cut, barren = [self._none], n, False, 0
        while missing > 0:
            asked = max(missing, 256)
            rows = draw(self, rng, asked, cut=cut)
            barren = 0 if len(rows) else barren + 1
            if barren > 10:
                raise ValueError(self._empty())
            cut = cut or (bool(self.limits) and len(rows) < 0.02 * asked)
            found.append(rows[:missing])
            missing -= len(found[-1])
        return np.concatenate(found)

    def round_to_lattice(self, at_percent: Mapping[str, float]) -> Rows:
        """The composition of the space nearest to `at_percent` (least squares), in units, (n,).

        Nearest for certain without linear constraints, and with them in a space of at most 100 000
        compositions; in larger ones an allowed composition near it.  Raises `ValueError` if there is none.
        """
        wanted = np.array([at_percent.get(element, 0.0) for element in self.elements]) / self.unit_at_percent
        rounded = np.rint(wanted).astype(np.int64)
        if self.has(rounded[np.newaxis])[0]:
            return rounded
        near = nearest(self, wanted)
        if near is None:
            raise ValueError(self._empty())
        if self.satisfied(near[np.newaxis])[0]:
            return near
        few = self.size(ROUND_LIMIT) <= ROUND_LIMIT
        rows = self.enumerate() if few else self.sample(np.random.default_rng(0), 20_000)
        if not len(rows):
            raise ValueError(self._empty())
        return descend(self, rows[np.argmin(((rows - wanted) ** 2).sum(axis=1))], wanted)

    def _empty(self) -> str:
        return "no composition was found within the bounds, at_most and the constraints together"

    # --- belonging --------------------------------------------------------------------------------------

    def satisfied(self, rows: Rows) -> NDArray[np.bool_]:
        """Which `rows` satisfy the linear constraints, (m,); nothing else is looked at."""
        return self.limits.satisfied(rows)

    def has(self, rows: Rows) -> NDArray[np.bool_]:
        """Which `rows` are compositions of the space, (m,)."""
        within = np.all((rows >= self.low) & (rows <= self.high) & (rows % self.step == 0), axis=1)
        whole = (rows.sum(axis=1) == self.total) & ((rows > 0).sum(axis=1) <= self.most)
        belonging: NDArray[np.bool_] = within & whole & self.satisfied(rows)
        return belonging

    def contains(self, at_percent: Mapping[str, float]) -> bool:
        """Whether `at_percent` is a composition of the space, within 1e-6 at.%; a missing element is 0."""
        if any(amount and element not in self.bounds for element, amount in at_percent.items()):
            return False
        asked = np.array([at_percent.get(element, 0.0) for element in self.elements]) / self.unit_at_percent
        if not np.all(np.isfinite(asked)) or np.abs(asked).max() > 2 * self.total:
            return False
        row = np.rint(asked).astype(np.int64)
        exactly = np.abs(row - asked).max() * self.unit_at_percent <= SUM_TOLERANCE
        return bool(exactly and self.has(row[np.newaxis])[0])

    def composition(self, row: Rows) -> Composition:
        """One row of units as fractions."""
        return Composition(dict(zip(self.elements, (row / self.total).tolist(), strict=True)))

    def fractions(self, rows: Rows) -> NDArray[np.float64]:
        """Rows of units as fractions, (m, n)."""
        fractions: NDArray[np.float64] = rows / self.total
        return fractions
