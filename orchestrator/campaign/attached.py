"""Tables that a campaign file names: the pool of candidates, and earlier observations.

They are read when the campaign file is, and are part of the campaign from then on: what was read goes into the
journal, so that nothing depends on the files any more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.campaign.csv_source import Numbers, Wanted, read_numbers
from orchestrator.campaign.elements import SYMBOLS
from orchestrator.campaign.film import POOL, Film, bounds_of
from orchestrator.campaign.problems import NOTHING, Key, Problem, SpecError
from orchestrator.campaign.quantities import UNITS
from orchestrator.campaign.table import Number, Table, Text, key, located, noted
from orchestrator.campaign.toml_source import Source

Floats = NDArray[np.float64]

AT_PERCENT = Wanted(0.0, 100.0, "at.%")
POOL_TOLERANCE = 1e-4
"""By how much the amounts of a candidate may miss 100 at.%: rounding in the last digits."""
MEASURED_TOLERANCE = 1.0
"""And those of a film that was measured; they are taken as parts of their sum."""
VALUE, SIGMA = "value", "sigma"
OF_SIGMA = "_sigma"
"""Follows the name of another quantity where its standard deviations are told."""


class _Attached(Table):
    """A table of numbers that was in `file`."""

    file: Text = key("Where it was read from.")
    sha256: Text = key("Digest of the file as it was then.")
    columns: dict[Text, tuple[Number, ...]] = key("Name of each column -> its numbers, row by row.", min_length=1)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def elements(self) -> tuple[str, ...]:
        """The elements that it has columns of."""
        return tuple(name for name in self.columns if name in SYMBOLS)

    @property
    def at_percent(self) -> Floats:
        """The compositions, at.%, (m, n)."""
        return np.array([self.columns[element] for element in self.elements]).T

    def even(self) -> bool:
        return len({len(numbers) for numbers in self.columns.values()}) == 1


class Pool(_Attached):
    """The candidates of a campaign, one in each row: at.% of its elements, and settings and descriptors if there are
    any.  In the file this is the path of a CSV table."""


class EarlierData(_Attached):
    """Observations made before the campaign: at.% of its elements, its settings, value and sigma."""


def with_tables(source: Source) -> Source:
    """`source` with the tables in place of the paths that it names.  Raises `SpecError`.

    What is not named as it should be is left as it is, for the campaign's own checks.
    """
    tables, folder = dict(source.tables), Path(source.name).parent
    settings = _settings(tables.get("film"))
    _check_there(source, folder)
    if isinstance(path := tables.get("pool"), str):
        of_pool = [name for name, given in settings.items() if given == POOL]
        tables["pool"] = _told(_pool(folder / path, of_pool, _texts(tables.get("descriptors"))), path)
    if isinstance(paths := tables.get("prior_data"), list) and all(isinstance(path, str) for path in paths):
        elements = _elements(tables)
        searched = [name for name, given in settings.items() if isinstance(given, dict) or given == POOL]
        judged = _judged(tables)
        tables["prior_data"] = [_told(_earlier(folder / path, elements, searched, judged), path) for path in paths]
    return replace(source, tables=tables)


def _check_there(source: Source, folder: Path) -> None:
    """Raises `SpecError` for files that are named and are not there."""
    named: list[tuple[Key, str]] = [(("pool",), path) for path in _texts([source.tables.get("pool")])]
    named += [(("prior_data", k), path) for k, path in enumerate(_texts(source.tables.get("prior_data")))]
    problems = [
        Problem(at, path, "there is no such file", "give its path from the folder of this file")
        for at, path in named
        if "\0" in path or not (folder / path).is_file()
    ]
    if problems:
        raise SpecError(located(source, problems))


def _told(table: Numbers, path: str) -> dict[str, Any]:
    columns = {name: tuple(numbers) for name, numbers in table.columns.items()}
    return {"file": path, "sha256": table.sha256, "columns": columns}


def _settings(film: Any) -> Mapping[str, Any]:
    """What the keys of [film] say that are known there."""
    return {name: film[name] for name in Film.model_fields if name in film} if isinstance(film, dict) else {}


def _texts(given: Any) -> list[str]:
    return [text for text in given if isinstance(text, str)] if isinstance(given, list) else []


def _elements(tables: Mapping[str, Any]) -> list[str]:
    match tables:
        case {"pool": {"columns": {**columns}}}:
            return [name for name in columns if name in SYMBOLS]
        case {"elements": {**elements}}:
            return [name for name in elements if isinstance(name, str)]
    return []


def _film_columns(names: Iterable[str]) -> dict[str, Wanted]:
    return {name: Wanted(*bounds_of(name), noted(Film.model_fields[name], "unit")) for name in names}


def _pool(path: Path, settings: Iterable[str], descriptors: Iterable[str]) -> Numbers:
    symbols = dict.fromkeys(SYMBOLS, replace(AT_PERCENT, needed=False))
    wanted = {**symbols, **dict.fromkeys(descriptors, Wanted()), **_film_columns(settings)}
    table = read_numbers(path, wanted)
    if not any(name in SYMBOLS for name in table.columns):
        table.say(1, "has no column of an element; name each by its symbol, such as Fe")
    else:
        _check_sums(table, POOL_TOLERANCE)
        _check_once(table)
    return table.checked()


def _judged(tables: Mapping[str, Any]) -> list[str]:
    """Quantities that films are judged by, beside the first objective's, which is the value."""
    told = [one for name in ("objectives", "limits") for one in tables.get(name) or () if isinstance(one, dict)]
    names = list(dict.fromkeys(str(one.get("quantity")) for one in told))
    return [name for name in names[1:] if name in UNITS]


def _earlier(path: Path, elements: Iterable[str], settings: Iterable[str], judged: Iterable[str]) -> Numbers:
    symbols = dict.fromkeys(elements, replace(AT_PERCENT, needed=False))
    seen = {VALUE: Wanted(), SIGMA: Wanted(low=0.0, needed=False)}
    for name in judged:
        seen |= {name: Wanted(needed=False), name + OF_SIGMA: Wanted(low=0.0, needed=False)}
    table = read_numbers(path, {**symbols, **_film_columns(settings), **seen})
    _check_sums(table, MEASURED_TOLERANCE)
    return table.checked()


def _check_sums(table: Numbers, tolerance: float) -> None:
    columns = [numbers for name, numbers in table.columns.items() if name in SYMBOLS]
    for line, *amounts in zip(table.lines, *columns, strict=True):
        if abs((total := math.fsum(amounts)) - 100.0) > tolerance:
            table.say(line, f"its amounts sum to {total:g} at.%; let them sum to 100")


def _check_once(table: Numbers) -> None:
    names = [name for name in table.columns if name in SYMBOLS or name in Film.model_fields]
    first: dict[tuple[float, ...], int] = {}
    for line, row in zip(table.lines, zip(*(table.columns[name] for name in names), strict=True), strict=True):
        if (before := first.setdefault(row, line)) != line:
            table.say(line, f"is the same candidate as line {before}; give it once")


def check_pool(pool: Pool, settings: Iterable[str], descriptors: Iterable[str]) -> list[Problem]:
    """What does not fit between a pool and its campaign, however it came to it."""
    needed = [*settings, *descriptors]
    problems = [
        Problem(("pool",), NOTHING, f'has no column "{name}"', "add it to the table")
        for name in needed
        if name not in pool.columns
    ]
    if not pool.elements or not pool.even() or not len(pool):
        problems.append(Problem(("pool",), NOTHING, "is no table of compositions", "give the path of a CSV file"))
    elif np.abs(pool.at_percent.sum(axis=1) - 100.0).max() > POOL_TOLERANCE or pool.at_percent.min() < 0:
        problems.append(Problem(("pool",), NOTHING, "has amounts that do not sum to 100 at.%", "mend the table"))
    return problems


def check_earlier(
    number: int, data: EarlierData, elements: Iterable[str], settings: Iterable[str], judged: Iterable[str] = ()
) -> list[Problem]:
    """What does not fit between earlier observations and their campaign, however they came to it; `judged` are the
    quantities that films are judged by beside the first objective's."""
    at, known = ("prior_data", number), {*elements, *settings, VALUE, SIGMA}
    known |= {name + end for name in judged for end in ("", OF_SIGMA)}
    problems = [
        Problem(at, NOTHING, f'has no column "{name}"', "add it to the table")
        for name in (VALUE, *settings)
        if name not in data.columns
    ]
    problems += [
        Problem(at, NOTHING, f'has a column "{name}", which is no element or setting of the campaign', "take it out")
        for name in data.columns
        if name not in known
    ]
    if not problems and (not data.even() or not len(data) or not data.elements):
        problems.append(Problem(at, NOTHING, "is no table of observations", "give the path of a CSV file"))
    elif not problems and np.abs(data.at_percent.sum(axis=1) - 100.0).max() > MEASURED_TOLERANCE:
        problems.append(Problem(at, NOTHING, "has amounts that do not sum to 100 at.%", "mend the table"))
    return problems
