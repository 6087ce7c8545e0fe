"""A CSV table of numbers, with the line of every row: the files that a campaign file names."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.campaign.problems import SpecError
from orchestrator.campaign.table import nearest

MAX_BYTES = 50_000_000
MAX_ROWS = 100_000
MOST_TOLD = 20
"""Problems told of one file."""
LABEL = "label"
"""A column of names for people, which is not read."""


@dataclass(frozen=True)
class Wanted:
    """A column that a table may have: its numbers are from `low` to `high`, in `unit`."""

    low: float = -math.inf
    high: float = math.inf
    unit: str = ""
    needed: bool = True

    def right(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if math.isinf(self.high):
            return f"give a finite number{unit}" if math.isinf(self.low) else f"give at least {self.low:g}{unit}"
        return f"give a number from {self.low:g} to {self.high:g}{unit}"

    def holds(self, number: float) -> bool:
        return math.isfinite(number) and self.low <= number <= self.high


@dataclass
class Numbers:
    """The numbers of a table by column, the line of each row, and what is wrong, each with its line."""

    name: str
    sha256: str
    columns: dict[str, list[float]] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def say(self, line: int, what: str) -> None:
        self.problems.append(f"{self.name}:{line}: {what}")

    def checked(self) -> Numbers:
        """This, if nothing is wrong.  Raises `SpecError`, with the first problems if there are many."""
        if len(self.problems) > MOST_TOLD:
            more = len(self.problems) - MOST_TOLD
            raise SpecError([*self.problems[:MOST_TOLD], f"{self.name}: and {more} more; mend these first"])
        if self.problems:
            raise SpecError(self.problems)
        return self


def read_numbers(path: Path, wanted: Mapping[str, Wanted]) -> Numbers:
    """The columns `wanted` of the CSV file at `path`, with a line of names first; a column "label" is passed over.

    Raises `SpecError` if the file cannot be read, or has no rows, or no such columns; what is wrong in rows is left in
    `problems`.
    """
    data = _bytes(path)
    table = Numbers(str(path), hashlib.sha256(data).hexdigest())
    try:
        rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        names = [name.strip() for name in next(rows, [])]
        _check_names(table, names, wanted)
        table.columns = {name: [] for name in names if name in wanted}
        for cells in rows:
            if any(cell.strip() for cell in cells):
                _take(table, rows.line_num, names, cells, wanted)
    except UnicodeDecodeError as error:
        raise SpecError([f"{path}: is not UTF-8 text ({error}); save it as UTF-8"]) from error
    except csv.Error as error:
        raise SpecError([f"{path}:{rows.line_num}: is not CSV here: {error}; mind the quotation marks"]) from error
    if not table.lines and not table.problems:
        table.say(1, "has no rows; give at least one below the line of names")
    return table


def _bytes(path: Path) -> bytes:
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise SpecError([f"{path}: has {size} bytes; a table has at most {MAX_BYTES}"])
        return path.read_bytes()
    except OSError as error:
        raise SpecError([f"{path}: cannot be read ({error}); check the path and its permissions"]) from error


def _check_names(table: Numbers, names: list[str], wanted: Mapping[str, Wanted]) -> None:
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            table.say(1, f'column "{name}" comes {names.count(name)} times; give it once')
        elif name not in wanted and name != LABEL:
            table.say(1, f'column "{name}": is not known; {nearest(name, [*wanted, LABEL])}')
    for name, column in wanted.items():
        if column.needed and name not in names:
            table.say(1, f'column "{name}" is missing; {column.right()} in each row')
    table.checked()


def _take(table: Numbers, line: int, names: list[str], cells: list[str], wanted: Mapping[str, Wanted]) -> None:
    if len(cells) != len(names):
        table.say(line, f"has {len(cells)} cells; give {len(names)}, one for each column")
        return
    if len(table.lines) == MAX_ROWS:
        table.say(line, f"is row {MAX_ROWS + 1}; a table has at most {MAX_ROWS}")
    row = dict(_row(table, line, dict(zip(names, cells, strict=True)), wanted))
    if len(row) == len(table.columns):
        table.lines.append(line)
        for name, number in row.items():
            table.columns[name].append(number)


def _row(
    table: Numbers, line: int, cells: Mapping[str, str], wanted: Mapping[str, Wanted]
) -> Iterator[tuple[str, float]]:
    for name in table.columns:
        try:
            number = float(cells[name])
        except ValueError:
            number = math.nan
        if wanted[name].holds(number):
            yield name, number
        else:
            table.say(line, f"{name} = {cells[name].strip() or 'nothing'}: cannot be; {wanted[name].right()}")
