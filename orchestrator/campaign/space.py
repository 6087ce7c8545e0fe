"""Everything that a campaign may ask for, as one integer lattice: compositions, and the settings beside them.

Amounts are whole *units*, where the unit is the largest at.% that divides 100 and every step; settings are indices
on grids of their own.  So what is feasible, near, or taken is told exactly.

Notation::

    n                elements, in the campaign's order
    c                columns: the elements, then the settings
    total            units that make 100 at.%
    most             at most so many elements are present
    low, high, step  (c,) int64     bounds and step of each column
    rows             (m, c) int64   amounts in units, then indices
    d                features: fractions of the elements, then what the grids show of the settings
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.campaign import listing
from orchestrator.campaign.composition import SUM_TOLERANCE, Composition
from orchestrator.campaign.drawing import spread
from orchestrator.campaign.grid import Grid, Value, columns
from orchestrator.campaign.lattice import Amounts, common_unit, count_ways, exact, relative, running_sums
from orchestrator.campaign.linear import Column, Floats, Limits, Linear, Rows
from orchestrator.campaign.moves import Moves
from orchestrator.campaign.rounding import rounded

if TYPE_CHECKING:
    from orchestrator.campaign.spec import Campaign

__all__ = ["Linear", "Rows", "Space"]

COUNT_LIMIT = 2_000_000
ROUND_LIMIT = 100_000
SPREAD = 4096


@dataclass(frozen=True)
class Space:
    """The lattice of compositions, and of settings beside them, that a campaign may ask for.

    `bounds`: element -> (min, max, step) in at.%.  `constraints` are on at.% and on settings whose values are at
    equal distances.  Raises `ValueError` if a bound is no multiple of its step, or for a constraint on any other
    setting.

    >>> space = Space({"Fe": (0, 100, 50), "Co": (0, 100, 50)}, settings=[Grid("power_w", (50.0, 100.0))])
    >>> [(str(space.composition(row)), space.setting_values(row)["power_w"]) for row in space.enumerate()[:3]]
    [('Co100', 50.0), ('Co100', 100.0), ('Fe50Co50', 50.0)]
    """

    bounds: Mapping[str, tuple[float, float, float]]
    at_most: int | None = None
    constraints: Sequence[Linear] = ()
    settings: Sequence[Grid] = ()

    def __post_init__(self) -> None:
        for element, (low, high, step) in self.bounds.items():
            for bound in (low, high):
                if exact(bound) % exact(step):
                    raise ValueError(f"{element}: {bound:g} at.% is not a multiple of the step {step:g} at.%")
        uneven = {grid.name for grid in self.settings if grid.line is None}
        for constraint in self.constraints:
            for name in uneven.intersection(constraint.coefficients):
                raise ValueError(f"{name}: its values are not at equal distances, so no constraint can be linear in it")

    @classmethod
    def of(cls, campaign: Campaign) -> Space:
        """The space of `campaign`, which has no pool."""
        constraints = [
            Linear(
                constraint.coefficients,
                -math.inf if constraint.min is None else constraint.min,
                math.inf if constraint.max is None else constraint.max,
            )
            for constraint in campaign.constraints
        ]
        bounds = {element: (r.min, r.max, r.step) for element, r in campaign.elements.items()}
        return cls(bounds, campaign.at_most, tuple(constraints), campaign.film.grids())

    # --- the lattice ------------------------------------------------------------------------------------

    @cached_property
    def elements(self) -> tuple[str, ...]:
        return tuple(self.bounds)

    @cached_property
    def n(self) -> int:
        return len(self.elements)

    @cached_property
    def width(self) -> int:
        """Columns of a row."""
        return self.n + len(self.settings)

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
        return self._columns((low for low, _, _ in self.bounds.values()), [0 for _ in self.settings])

    @cached_property
    def high(self) -> Rows:
        return self._columns((high for _, high, _ in self.bounds.values()), [len(grid) - 1 for grid in self.settings])

    @cached_property
    def step(self) -> Rows:
        return self._columns((step for _, _, step in self.bounds.values()), [1 for _ in self.settings])

    def _columns(self, at_percents: Iterable[float], indices: Sequence[int]) -> Rows:
        units = [int(exact(at_percent) / self.unit) for at_percent in at_percents]
        return np.array([*units, *indices], dtype=np.int64)

    @cached_property
    def most(self) -> int:
        return min(self.n, self.at_most or self.n)

    @cached_property
    def limits(self) -> Limits:
        """The linear constraints, on the columns."""
        lines = [(Fraction(0), self.unit)] * self.n
        lines += [grid.line or (Fraction(0), Fraction(1)) for grid in self.settings]
        names = [*self.elements, *(grid.name for grid in self.settings)]
        bounds = zip(names, lines, self.low.tolist(), self.high.tolist(), strict=True)
        return Limits(self.constraints, [Column(name, *line, low, high) for name, line, low, high in bounds], self.n)

    def amounts(self, i: int) -> Amounts:
        """Every number that column `i` may have by itself, ascending."""
        return np.arange(self.low[i], self.high[i] + 1, self.step[i], dtype=np.int64)

    @cached_property
    def ways(self) -> list[NDArray[Any]]:
        """In how many ways a composition can be completed; see `lattice.count_ways`."""
        return count_ways([self.amounts(i) for i in range(self.n)], self.total, self.most)

    @cached_property
    def weights(self) -> list[Floats]:
        """`ways`, each table relative to its largest number."""
        return [relative(table) for table in self.ways]

    @cached_property
    def running(self) -> list[Floats]:
        """`weights` of what follows each element, summed over every amount that the element may leave."""
        return [running_sums(self.weights[i + 1], int(self.step[i])) for i in range(self.n)]

    @cached_property
    def moves(self) -> Moves:
        """From a row to its neighbours."""
        return Moves(self)

    # --- counting and listing ---------------------------------------------------------------------------

    def size(self, limit: int = COUNT_LIMIT) -> int:
        """How many rows there are.

        Without linear constraints exact, however many.  With them it takes enumeration: exact up to `limit`,
        and `limit` + 1 stands for "more than `limit`".
        """
        return listing.size(self, limit)

    def enumerate(self, limit: int = COUNT_LIMIT) -> Rows:
        """Every row, (m, c), in lexicographic order.  Raises `ValueError` if there are more than `limit`."""
        found, size = [self.none], 0
        for block in listing.blocks(self, self.width):
            found.append(block)
            size += len(block)
            if size > limit:
                raise ValueError(f"the space has more than {limit} compositions; draw a sample instead")
        return np.concatenate(found)

    def witness(self, patience: int = 300) -> Rows | None:
        """One row of the space, (c,); None if there is none.

        Under linear constraints that leave next to nothing, None may also mean that none was found in
        `patience` blocks.
        """
        for number, block in enumerate(listing.blocks(self, self.width)):
            if len(block):
                row: Rows = block[0]
                return row
            if number >= patience:
                break
        return None

    @property
    def none(self) -> Rows:
        """No rows."""
        return np.empty((0, self.width), dtype=np.int64)

    # --- drawing and rounding ---------------------------------------------------------------------------

    def sample(self, rng: np.random.Generator, m: int) -> Rows:
        """`m` rows drawn at random, (m, c); the same one may come twice.

        Uniform over the lattice if there are no linear constraints, or if these leave at least 2 % of it;
        otherwise spread over what is allowed, but not uniformly.  Raises `ValueError` if the space is empty,
        or so thin that no row can be found.
        """
        return spread(self, rng, m)

    def round_to_lattice(self, at_percent: Mapping[str, float], settings: Mapping[str, Value] | None = None) -> Rows:
        """The row nearest to `at_percent` and `settings` (least squares, in units and indices), (c,).

        Nearest for certain without linear constraints, and with them in a space of at most 100 000
        rows; in larger ones an allowed row near it.  Raises `ValueError` if there is none, if a setting is missing,
        or for a value that cannot be on its grid.
        """
        wanted = [at_percent.get(element, 0.0) / self.unit_at_percent for element in self.elements]
        return rounded(self, np.array([*wanted, *self._indices(settings or {})]))

    @cached_property
    def few(self) -> Rows | None:
        """All rows, if linear constraints leave so few that the nearest one is looked for among them."""
        return self.enumerate() if self.size(ROUND_LIMIT) <= ROUND_LIMIT else None

    @cached_property
    def scattered(self) -> Rows:
        """Rows all over the space, (m, c), the same each time."""
        return self.sample(np.random.default_rng(0), SPREAD)

    def empty(self) -> str:
        """What to say where there is no row."""
        return "no composition was found within the bounds, at_most and the constraints together"

    # --- belonging --------------------------------------------------------------------------------------

    def satisfied(self, rows: Rows) -> NDArray[np.bool_]:
        """Which `rows` satisfy the linear constraints, (m,); nothing else is looked at."""
        return self.limits.satisfied(rows)

    def has(self, rows: Rows) -> NDArray[np.bool_]:
        """Which `rows` are of the space, (m,)."""
        within = np.all((rows >= self.low) & (rows <= self.high) & (rows % self.step == 0), axis=1)
        parts = rows[:, : self.n]
        whole = (parts.sum(axis=1) == self.total) & ((parts > 0).sum(axis=1) <= self.most)
        belonging: NDArray[np.bool_] = within & whole & self.satisfied(rows)
        return belonging

    def contains(self, at_percent: Mapping[str, float], settings: Mapping[str, Value] | None = None) -> bool:
        """Whether `at_percent` with `settings` is of the space, within 1e-6 at.%, settings exactly.

        A missing element is 0; a missing setting is not of the space.
        """
        if any(amount and element not in self.bounds for element, amount in at_percent.items()):
            return False
        asked = np.array([at_percent.get(element, 0.0) for element in self.elements]) / self.unit_at_percent
        if not np.all(np.isfinite(asked)) or np.abs(asked).max() > 2 * self.total:
            return False
        told = settings or {}
        if any(grid.name not in told or told[grid.name] not in grid.values for grid in self.settings):
            return False
        row = self.nearest_row(at_percent, told)
        exactly = np.abs(row[: self.n] - asked).max() * self.unit_at_percent <= SUM_TOLERANCE
        return bool(exactly and self.has(row[np.newaxis])[0])

    def nearest_row(self, at_percent: Mapping[str, float], settings: Mapping[str, Value]) -> Rows:
        """Whole units and indices next to `at_percent` and `settings`, (c,), each by itself: a row of the space only
        if they are of it.  Raises `ValueError` as `round_to_lattice` does for settings."""
        asked = [at_percent.get(element, 0.0) / self.unit_at_percent for element in self.elements]
        row: Rows = np.rint([*asked, *self._indices(settings)]).astype(np.int64)
        return row

    def _indices(self, settings: Mapping[str, Value]) -> Iterator[int]:
        for grid in self.settings:
            if grid.name not in settings:
                raise ValueError(f"{grid.name} is a setting of the space, and no value is told")
            yield grid.index(settings[grid.name])

    # --- what rows stand for ----------------------------------------------------------------------------

    def composition(self, row: Rows) -> Composition:
        """The composition of one row, as fractions."""
        parts = (row[: self.n] / self.total).tolist()
        return Composition(dict(zip(self.elements, parts, strict=True)))

    def setting_values(self, row: Rows) -> dict[str, Value]:
        """The settings of one row, in the campaign's units."""
        return {
            grid.name: grid.values[index] for grid, index in zip(self.settings, row[self.n :].tolist(), strict=True)
        }

    def fractions(self, rows: Rows) -> Floats:
        """The compositions of `rows` as fractions, (m, n)."""
        fractions: Floats = rows[:, : self.n] / self.total
        return fractions

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What the features are called, (d,)."""
        return (*self.elements, *columns(self.settings))

    def features(self, rows: Rows) -> Floats:
        """What the model is shown of `rows`, (m, d)."""
        shown = [grid.features(rows[:, self.n + k]) for k, grid in enumerate(self.settings)]
        return np.concatenate([self.fractions(rows), *shown], axis=1)

    def vector(self, fractions: Mapping[str, float], settings: Mapping[str, Value]) -> Floats:
        """The same of what was made, on the lattice or not, (d,).  Raises `ValueError` as `round_to_lattice` does."""
        for grid in self.settings:
            if grid.name not in settings:
                raise ValueError(f"{grid.name} is a setting of the space, and no value is told")
        parts = [fractions.get(element, 0.0) for element in self.elements]
        return np.concatenate([parts, *(grid.vector(settings[grid.name]) for grid in self.settings)])
