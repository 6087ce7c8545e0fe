"""VSM results of Quantum Design's MultiVu: ``.dat`` files.

Source: MultiPyVu's MultiVuDataFile (``[Header]``, ``[Data]``, comma-separated, ``Time Stamp (sec)``).  Unverified on
hardware: the names of the VSM's columns.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import Any

from drivers.results.folder import Incomplete
from drivers.results.text import number, text_of, whole_lines
from drivers.wire.errors import Malformed

TIME, TEMPERATURE, FIELD, MOMENT, SIGMA = (
    "Time Stamp (sec)",
    "Temperature (K)",
    "Magnetic Field (Oe)",
    "Moment (emu)",
    "M. Std. Err. (emu)",
)
MT_PER_OE = 0.1
AM2_PER_EMU = 1e-3


@dataclass(frozen=True)
class VsmLoop:
    """Points in the order of their measurement; `sigma_am2` is empty if the file has none."""

    title: str
    at_s: tuple[float, ...]
    field_mt: tuple[float, ...]
    moment_am2: tuple[float, ...]
    sigma_am2: tuple[float, ...] = ()
    temperature_k: tuple[float, ...] = ()

    def outcome(self) -> dict[str, Any]:
        """As a measure plan tells its loop, for the analysis of moments with a scale of 1 A m2 a unit."""
        at = [second - self.at_s[0] for second in self.at_s]
        loop = {"field_mt": list(self.field_mt), "signal": list(self.moment_am2), "unit": "A m2", "at_s": at}
        return {"loop": {**loop, "overloaded": [False] * len(at)}}


def read(content: bytes) -> VsmLoop:
    """Rows without a field or a moment (a comment, a temperature) are passed over.

    Raises `Malformed`, `Incomplete`.
    """
    lines = whole_lines(text_of(content))
    marks = [line.strip() for line in lines]
    if "[Header]" not in marks[:1]:
        raise Malformed(f"not a MultiVu data file: it begins with {lines[0][:40] if lines else ''!r}")
    if "[Data]" not in marks:
        raise Incomplete("no [Data] yet")
    begin = marks.index("[Data]") + 1
    rows = list(csv.reader(lines[begin:]))
    if not rows:
        raise Incomplete("no columns yet")
    columns = [name.strip() for name in rows[0]]
    missing = [name for name in (TIME, FIELD, MOMENT) if name not in columns]
    if missing:
        raise Malformed(f"no column {missing[0]!r}; there are {', '.join(columns)}")
    if any(len(row) < len(columns) for row in rows[1:] if row):
        raise Incomplete("a row is shorter than the header")
    if long := [row for row in rows[1:] if any(row[len(columns) :])]:
        raise Malformed(f"a row is longer than the header (a decimal comma?): {long[0]}")
    table = [dict(zip(columns, row, strict=False)) for row in rows[1:] if row]
    points = [row for row in table if row[FIELD].strip() and row[MOMENT].strip()]
    if not points:
        raise Incomplete("no points yet")

    def column(name: str, factor: float = 1.0) -> tuple[float, ...]:
        if name not in columns or not all(row[name].strip() for row in points):
            return ()
        return tuple(factor * number(row[name]) for row in points)

    title = next((line.partition(",")[2].strip() for line in lines[:begin] if line.startswith("TITLE,")), "")
    at = column(TIME)
    if not at:
        raise Malformed("a point has no time stamp")
    return VsmLoop(
        title,
        at,
        column(FIELD, MT_PER_OE),
        column(MOMENT, AM2_PER_EMU),
        column(SIGMA, AM2_PER_EMU),
        column(TEMPERATURE),
    )
