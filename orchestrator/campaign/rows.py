"""Samples and loops as tables: columns with units, one row for a sample or for a point of a loop.  Pure.

Amounts are at.%; values and predictions are in the objective's unit.  What is not known is None, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.campaign.film import Film
from orchestrator.campaign.fronts import standing
from orchestrator.campaign.sample import Sample
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import CampaignState
from orchestrator.campaign.table import noted
from orchestrator.campaign.terms import Terms

Cell = str | int | float | bool | None


@dataclass(frozen=True)
class Column:
    """A column's name, its unit ("" for what has none, "1" for a plain ratio) and what it holds."""

    name: str
    unit: str
    kind: type[str] | type[int] | type[float] | type[bool]

    @property
    def title(self) -> str:
        """The name with its unit, such as ``thickness [nm]``."""
        return f"{self.name} [{self.unit}]" if self.unit not in ("", "1") else self.name


@dataclass(frozen=True)
class Rows:
    """A table: every row has a cell for every column."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def as_dicts(self) -> list[dict[str, Cell]]:
        """Each row by column name."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


def samples(state: CampaignState, campaign: Campaign, chosen: Iterable[Sample] | None = None) -> Rows:
    """A row for every sample, or for those `chosen`."""
    elements, settings = list(campaign.ranges()), list(campaign.searched())
    unit = campaign.objective.unit
    outcomes = {} if campaign.terms.plain else campaign.terms.units
    columns = (
        *_columns("", int, "sample"),
        *_columns("", str, "state"),
        *_columns("", int, "slot"),
        *_columns("", str, "place", "method"),
        *_columns("at.%", float, *(f"asked_{element}" for element in elements)),
        *(Column(f"asked_{name}", _unit_of(name), float) for name in settings),
        *_columns(unit, float, "predicted", "predicted_sigma"),
        *_columns("", bool, "film_finished"),
        *_columns("at.%", float, *(f"made_{element}" for element in elements)),
        *_columns("at.%", float, *(f"made_{element}_sigma" for element in elements)),
        *(Column(f"made_{name}", _unit_of(name), float) for name in settings),
        *_columns("nm", float, "thickness", "thickness_sigma"),
        *_columns(unit, float, "value", "value_sigma"),
        *_columns("", str, "validity", "bound"),
        *_outcome_columns(outcomes),
        *_columns("", bool, "rejected"),
        *_columns("", str, "remark"),
    )
    front = {seen.sample for seen in state.front}
    rows = [
        _row(sample, elements, settings, state.terms, front)
        for sample in (state.samples.values() if chosen is None else chosen)
    ]
    return Rows(columns, tuple(rows))


def _outcome_columns(outcomes: Mapping[str, str]) -> list[Column]:
    """Of each quantity that films are judged by, if they are several; and where the film stands."""
    found = []
    for quantity, unit in outcomes.items():
        found += _columns(unit, float, f"predicted_{quantity}", f"predicted_{quantity}_sigma")
        found += [*_columns(unit, float, quantity, f"{quantity}_sigma"), *_columns("", str, f"{quantity}_validity")]
    return [*found, *_columns("", str, "standing")] if outcomes else []


def _outcome_cells(sample: Sample, terms: Terms, front: Set[int]) -> list[Cell]:
    if terms.plain:
        return []
    seen = sample.observation
    cells: list[Cell] = []
    for quantity in terms.units:
        told, made = sample.suggestion.outcomes.get(quantity, {}), seen.outcomes.get(quantity, {}) if seen else {}
        numbers = [told.get("mean"), told.get("sigma"), made.get("value"), made.get("sigma")]
        cells += [number if isinstance(number, int | float) else None for number in numbers]
        cells.append(str(made["validity"]) if "validity" in made else None)
    held = seen is not None and sample.rejected is None
    return [*cells, (standing(terms, seen, front) or None) if held and seen else None]


def _columns(unit: str, kind: Any, *names: str) -> list[Column]:
    return [Column(name, unit, kind) for name in names]


def _unit_of(setting: str) -> str:
    """The unit of a key of [film]."""
    return noted(Film.model_fields.get(setting), "unit")


def _row(
    sample: Sample, elements: Sequence[str], settings: Sequence[str], terms: Terms, front: Set[int]
) -> tuple[Cell, ...]:
    told, film, seen = sample.suggestion, sample.film, sample.observation
    made = film.composition if film else None
    sigma = film.composition_sigma if film else None
    return (
        sample.number,
        sample.phase.value,
        sample.slot,
        sample.place,
        told.method,
        *_percent(told.composition, elements),
        *(told.settings.get(name) for name in settings),
        told.mean,
        told.sigma,
        film.finished if film else None,
        *_percent(made, elements),
        *_percent(sigma, elements),
        *((seen.settings if seen else {}).get(name) for name in settings),
        film.thickness_nm if film else None,
        film.thickness_sigma_nm if film else None,
        seen.value if seen else None,
        seen.sigma if seen else None,
        seen.validity if seen else None,
        seen.bound if seen else None,
        *_outcome_cells(sample, terms, front),
        sample.rejected is not None if seen else None,
        (seen.reason if seen else "") or sample.note or None,
    )


def _percent(fractions: Mapping[str, float] | None, elements: Sequence[str]) -> list[float | None]:
    """In at.%; an element that is not named has none of it."""
    if fractions is None:
        return [None] * len(elements)
    return [round(100 * fractions.get(element, 0.0), 10) for element in elements]


LOOP_COLUMNS = (
    Column("sample", "", int),
    Column("measurement", "", int),
    Column("point", "", int),
    Column("field", "mT", float),
    Column("signal", "", float),
    Column("signal_unit", "", str),
    Column("film", "", float),
    Column("film_unit", "", str),
    Column("overloaded", "", bool),
    Column("time", "s", float),
)
"""`signal` is what the magnetometer measured, `film` what the film alone gives, each in the unit beside it; `time` is
lab time since the loop's first point, and `measurement` counts those of a sample."""


def loops(entries: Iterable[e.Recorded], chosen: set[int] | None = None) -> Rows:
    """A row for every point of every loop of an observation, or of those of the samples `chosen`."""
    times: dict[int, int] = {}
    rows: list[tuple[Cell, ...]] = []
    for recorded in entries:
        match recorded.entry:
            case e.ObservationMade(sample=number, loop=dict(loop)) if chosen is None or number in chosen:
                times[number] = times.get(number, 0) + 1
                rows += _points(number, times[number], loop)
    return Rows(LOOP_COLUMNS, tuple(rows))


def _points(sample: int, measurement: int, loop: Mapping[str, Any]) -> Iterable[tuple[Cell, ...]]:
    field = loop["field_mt"]
    columns = [loop.get(name) or [None] * len(field) for name in ("signal", "film", "overloaded", "at_s")]
    for point, (at, signal, film, overloaded, time) in enumerate(zip(field, *columns, strict=True), 1):
        yield (
            sample,
            measurement,
            point,
            at,
            signal,
            loop.get("unit"),
            film,
            loop.get("film_unit"),
            None if overloaded is None else bool(overloaded),
            time,
        )
