"""XRF results: the table of compositions that the instrument's program exports (Bruker, Fischer, Rigaku).

Source: no maker documents its export, so this reads tables as they commonly are: a header line with an element in each
column of amounts, ``Fe (at%)``, ``Fe [wt.%]``, or ``Fe`` with a line of units below; separated by tabs, semicolons or
commas; numbers with points or, unless commas separate, with commas; ``<LOD`` or ``< 0.1`` for what is too little.
Unverified on hardware.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from drivers.results.folder import Incomplete
from drivers.results.text import number, text_of, whole_lines
from drivers.wire.errors import Malformed

_ELEMENT = re.compile(r"([A-Z][a-z]?)\s*(?:[\[(]?\s*(at|wt|mass|atom)?\.?\s*-?\s*%\s*[\])]?)?", re.ASCII)
_ERROR = re.compile(r"(?i:err(?:or)?|sigma|std\.?|±|\+/-)[\s._]*([A-Z][a-z]?)\b.*", re.ASCII)
_UNIT = re.compile(r"[\[(]?\s*(at|wt|mass|atom)\.?\s*-?\s*%\s*[\])]?", re.ASCII | re.IGNORECASE)
_THICKNESS = re.compile(r"(?:thickness|d)\s*[\[(]?\s*(nm|um|µm|μm)\s*[\])]?", re.IGNORECASE)
_PLACE = re.compile(r"([xy])\s*[\[(]?\s*mm\s*[\])]?", re.IGNORECASE)
_BELOW = re.compile(r"<\s*(LOD|LLD|[\d.,]+)", re.IGNORECASE)
NAMES = ("sample", "sample id", "id", "name", "specimen", "probe")
NM = {"nm": 1.0, "um": 1e3, "µm": 1e3, "μm": 1e3}
FULL = (95.0, 105.0)  # what amounts must sum to, in per cent


@dataclass(frozen=True)
class XrfPoint:
    """One point on one sample: amounts in per cent of `unit` ("at" or "wt"), with standard uncertainties where given.

    Elements `below` the limit of detection have the amount 0.
    """

    sample: str
    unit: str
    amounts: Mapping[str, float]
    sigmas: Mapping[str, float] = field(default_factory=dict)
    below: frozenset[str] = frozenset()
    thickness_nm: float | None = None
    place_mm: tuple[float, float] | None = None

    def fractions(self, masses: Mapping[str, float]) -> dict[str, float]:
        """Atomic fractions, that sum to one; `masses` in u are needed for weights.  Raises `Malformed`."""
        if self.unit == "wt" and (unknown := self.amounts.keys() - masses.keys()):
            raise Malformed(f"no atomic mass of {', '.join(sorted(unknown))}, so weights give no composition")
        parts = {
            symbol: amount / masses[symbol] if self.unit == "wt" else amount for symbol, amount in self.amounts.items()
        }
        total = sum(parts.values())
        return {symbol: part / total for symbol, part in parts.items()}


def read(content: bytes) -> tuple[XrfPoint, ...]:
    """Raises `Malformed`, `Incomplete`."""
    lines = [line for line in whole_lines(text_of(content)) if line.strip()]
    if len(lines) < 2:
        raise Incomplete("no rows yet")
    separator = next((mark for mark in "\t;," if mark in lines[0]), None)
    if separator is None:
        raise Malformed(f"not a table: {lines[0][:60]!r}")
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator)]
    layout = _Layout(rows[0], rows[1], comma=separator != ",")
    body = rows[2 if layout.unit_row else 1 :]
    if not body:
        raise Incomplete("no rows yet")
    if any(len(row) < len(rows[0]) for row in body):
        raise Incomplete("a row is shorter than the header")
    if long := [row for row in body if any(row[len(rows[0]) :])]:
        raise Malformed(f"a row is longer than the header (a decimal comma between commas?): {long[0]}")
    return tuple(layout.point(row) for row in body)


class _Layout:
    """What stands in which column."""

    def __init__(self, header: list[str], second: list[str], *, comma: bool) -> None:
        self.comma = comma
        units = [found[1] if (found := _UNIT.fullmatch(cell)) else None for cell in second]
        self.unit_row = any(units) and not any(_is_number(cell, comma) for cell in second)
        self.elements: dict[str, int] = {}
        self.errors: dict[str, int] = {}
        self.places: dict[str, int] = {}
        self.thickness: tuple[int, float] | None = None
        self.name: int | None = None
        kinds = set()
        for column, cell in enumerate(header):
            if found := _THICKNESS.fullmatch(cell):
                self.thickness = (column, NM[found[1].lower()])
            elif found := _PLACE.fullmatch(cell):
                self.places[found[1].lower()] = column
            elif found := _ERROR.fullmatch(cell):
                self.errors[found[1]] = column
            elif cell.lower() in NAMES:
                self.name = column
            elif found := _ELEMENT.fullmatch(cell):
                unit = found[2] or (units[column] if self.unit_row and column < len(units) else None)
                if unit is not None:
                    kinds.add("wt" if unit.lower() in ("wt", "mass") else "at")
                    self.elements[found[1]] = column
        if not self.elements:
            raise Malformed(f"no column of an element in at.% or wt.%: {', '.join(header)}")
        if len(kinds) > 1:
            raise Malformed("some elements are in at.%, others in wt.%; export one of the two")
        if self.name is None:
            raise Malformed(f"no column that names the sample (one of {', '.join(NAMES)}): {', '.join(header)}")
        (self.unit,) = kinds

    def point(self, row: list[str]) -> XrfPoint:
        assert self.name is not None
        sample = row[self.name]
        if not sample:
            raise Malformed(f"a row names no sample: {row}")
        amounts, below = {}, set()
        for symbol, column in self.elements.items():
            if _BELOW.fullmatch(row[column]):
                below.add(symbol)
                amounts[symbol] = 0.0
            else:
                amounts[symbol] = self._amount(row[column], sample, symbol)
        total = sum(amounts.values())
        if not FULL[0] <= total <= FULL[1]:
            raise Malformed(f"sample {sample}: amounts sum to {total:g} %, not to 100 %")
        sigmas = {
            symbol: number(row[column], comma=self.comma)
            for symbol, column in self.errors.items()
            if symbol in self.elements and row[column]
        }
        thickness = None
        if self.thickness is not None and row[self.thickness[0]]:
            thickness = self.thickness[1] * number(row[self.thickness[0]], comma=self.comma)
        place = None
        if self.places.keys() == {"x", "y"} and all(row[column] for column in self.places.values()):
            place = (
                number(row[self.places["x"]], comma=self.comma),
                number(row[self.places["y"]], comma=self.comma),
            )
        return XrfPoint(sample, self.unit, amounts, sigmas, frozenset(below), thickness, place)

    def _amount(self, cell: str, sample: str, symbol: str) -> float:
        amount = number(cell, comma=self.comma)
        if not 0 <= amount <= FULL[1]:
            raise Malformed(f"sample {sample}: {amount:g} % of {symbol}")
        return amount


def _is_number(cell: str, comma: bool) -> bool:
    try:
        number(cell, comma=comma)
    except Malformed:
        return False
    return True
