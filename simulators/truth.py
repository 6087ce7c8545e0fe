"""The hidden truth: what the properties of a film of a given composition are, by formula or by measured data."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from simulators import magnetism

PROPERTIES: dict[str, Callable[[dict[str, float]], float]] = {
    "saturation_magnetisation_ka_m": magnetism.saturation_magnetisation_ka_m,
    "coercivity_mt": magnetism.coercivity_mt,
    "kerr_rotation_mrad": magnetism.kerr_rotation_mrad,
    "squareness": magnetism.squareness,
    "anomalous_hall_uohm_cm": magnetism.anomalous_hall_uohm_cm,
}
COLUMNS = {  # names of property columns in a table, in small letters -> property, factor
    "saturation_magnetisation_ka_m": ("saturation_magnetisation_ka_m", 1.0),
    "ms_emu_cc": ("saturation_magnetisation_ka_m", 1.0),
    "bs_t": ("saturation_magnetisation_ka_m", 1e-3 / (4e-7 * np.pi)),
    "coercivity_mt": ("coercivity_mt", 1.0),
    "kerr_rotation_mrad": ("kerr_rotation_mrad", 1.0),
    "squareness": ("squareness", 1.0),
    "anomalous_hall_uohm_cm": ("anomalous_hall_uohm_cm", 1.0),
}
SUM_TOLERANCE = 0.015
LARGEST_LINEAR = 4  # dimensions: a Delaunay mesh beyond that is too slow to build
NEIGHBOURS = 8


class TruthError(ValueError):
    """The truth cannot be used; the message says what is wrong with the table, where, and what would be right."""


class Truth(Protocol):
    elements: frozenset[str]

    def properties(self, fractions: dict[str, float]) -> dict[str, float]:
        """Properties of the alloy with these atomic fractions (they need not sum to one exactly)."""


class FormulaTruth:
    """The closed-form magnetism of `simulators.magnetism`."""

    elements = frozenset(magnetism.ATOMIC_VOLUME_A3)

    def properties(self, fractions: dict[str, float]) -> dict[str, float]:
        c = _normalised(fractions, self.elements)
        return {name: formula(c) for name, formula in PROPERTIES.items()}


class TableTruth:
    """Measured data: CSV with a column of at.% (or of fractions) for each element, and property columns.

    Linear interpolation on the simplex, the nearest row outside the measured region; with more than
    `LARGEST_LINEAR` independent elements, the inverse-distance mean of the 8 nearest rows.  Properties that
    the table lacks come from the formula.  Raises `TruthError`.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        header, rows = self._read()
        symbols = [name for name in header if name in FormulaTruth.elements]
        if not symbols:
            raise self._error(
                f"no element columns among {', '.join(header)}; name them by symbol, for instance Fe,Co,Ni"
            )
        columns = self._property_columns([name for name in header if name not in symbols])
        values = self._numbers(header, rows)
        at = [header.index(symbol) for symbol in symbols]
        self.elements = frozenset(symbols)
        self._symbols = symbols
        self._interpolate: dict[str, _Simplex] = {}
        compositions = self._fractions(values[:, at])
        for name, (quantity, factor) in columns.items():
            self._interpolate[quantity] = _Simplex(compositions, values[:, header.index(name)] * factor)
        self._formula = FormulaTruth()

    def properties(self, fractions: dict[str, float]) -> dict[str, float]:
        c = _normalised(fractions, self.elements)
        point = np.array([c.get(symbol, 0.0) for symbol in self._symbols])
        measured = {quantity: simplex.at(point) for quantity, simplex in self._interpolate.items()}
        return self._formula.properties(c) | measured

    # --- reading ------------------------------------------------------------------------------------------

    def _error(self, what: str) -> TruthError:
        return TruthError(f"{self._path}: {what}")

    def _read(self) -> tuple[list[str], list[list[str]]]:
        try:
            text = self._path.read_text(encoding="utf-8-sig")
        except FileNotFoundError as error:
            raise self._error("there is no such file; give the path of a CSV table with --truth") from error
        except (OSError, UnicodeDecodeError) as error:
            raise self._error(f"cannot be read as text ({error})") from error
        table = [row for row in csv.reader(text.splitlines()) if any(cell.strip() for cell in row)]
        if len(table) < 2:
            raise self._error("holds no rows; it needs a header line and at least one composition")
        return [cell.strip() for cell in table[0]], table[1:]

    def _property_columns(self, names: list[str]) -> dict[str, tuple[str, float]]:
        known = ", ".join(sorted(COLUMNS))
        unknown = [name for name in names if name.lower() not in COLUMNS]
        if unknown:
            raise self._error(
                f"column {unknown[0]!r} is neither an element nor a known property ({known}); rename or remove it"
            )
        if not names:
            raise self._error(f"no property columns; add at least one of {known}")
        found = {name: COLUMNS[name.lower()] for name in names}
        if len({quantity for quantity, _ in found.values()}) < len(found):
            raise self._error(f"two columns give the same property: {', '.join(found)}; keep one")
        return found

    def _numbers(self, header: list[str], rows: list[list[str]]) -> np.ndarray:
        values = np.empty((len(rows), len(header)))
        for number, row in enumerate(rows, start=1):
            if len(row) != len(header):
                raise self._error(f"row {number} has {len(row)} cells, the header has {len(header)}")
            for i, cell in enumerate(row):
                try:
                    values[number - 1, i] = float(cell)
                except ValueError as error:
                    raise self._error(f"row {number}, column {header[i]}: {cell!r} is not a number") from error
        if not np.isfinite(values).all():
            number = int(np.argwhere(~np.isfinite(values))[0][0]) + 1
            raise self._error(f"row {number}: every value must be finite; remove rows that were not measured")
        return values

    def _fractions(self, contents: np.ndarray) -> np.ndarray:
        """contents (rows, elements) in at.% or fractions -> fractions."""
        sums = contents.sum(axis=1)
        whole = 100.0 if np.median(sums) > 2.0 else 1.0
        bad = np.flatnonzero((abs(sums / whole - 1) > SUM_TOLERANCE) | (contents < 0).any(axis=1))
        if len(bad):
            raise self._error(
                f"row {bad[0] + 1}: the elements sum to {sums[bad[0]]:g}, must be about {whole:g} with none negative"
                + (f" ({len(bad)} such rows)" if len(bad) > 1 else "")
            )
        return contents / sums[:, None]


class _Simplex:
    """Values over compositions (rows, elements), in as many dimensions as the rows really span."""

    def __init__(self, compositions: np.ndarray, values: np.ndarray) -> None:
        # Imported here: scipy takes longer to load than everything that a formula needs.
        from scipy.interpolate import LinearNDInterpolator
        from scipy.spatial import cKDTree

        self._centre = compositions.mean(axis=0)
        _, spread, axes = np.linalg.svd(compositions - self._centre, full_matrices=False)
        self._axes = axes[spread > 1e-6 * max(1.0, len(compositions) ** 0.5)]
        points = (compositions - self._centre) @ self._axes.T
        self._values = values
        self._tree = cKDTree(points) if len(self._axes) else None
        self._linear: Callable[[np.ndarray], float] | None = None
        if len(self._axes) == 1:
            order = np.argsort(points[:, 0])
            x, y = points[order, 0], values[order]
            self._linear = lambda point: float(np.interp(point[0], x, y))
        elif 1 < len(self._axes) <= LARGEST_LINEAR:
            mesh = LinearNDInterpolator(points, values)
            self._linear = lambda point: float(mesh(point[None])[0])

    def at(self, composition: np.ndarray) -> float:
        if self._tree is None:
            return float(self._values.mean())
        point = (composition - self._centre) @ self._axes.T
        if self._linear is not None:
            value = self._linear(point)
            return value if np.isfinite(value) else float(self._values[self._tree.query(point)[1]])
        distances, nearest = self._tree.query(point, k=min(NEIGHBOURS, len(self._values)))
        weights = 1.0 / np.maximum(np.atleast_1d(distances), 1e-9) ** 2
        return float(np.average(self._values[np.atleast_1d(nearest)], weights=weights))


def _normalised(fractions: dict[str, float], known: frozenset[str]) -> dict[str, float]:
    present = {symbol: fraction for symbol, fraction in fractions.items() if fraction > 0}
    unknown = sorted(present.keys() - known)
    if unknown:
        raise TruthError(f"the truth knows nothing of {', '.join(unknown)}; it covers {', '.join(sorted(known))}")
    total = sum(present.values())
    if not total:
        raise TruthError("a composition without any element has no properties")
    return {symbol: fraction / total for symbol, fraction in present.items()}
