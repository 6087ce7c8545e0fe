"""How films are made: the keys of [film], each a constant or a setting that is searched."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from orchestrator.campaign.grid import Grid
from orchestrator.campaign.lattice import exact
from orchestrator.campaign.problems import NOTHING, Findings, Key, Problem
from orchestrator.campaign.table import Number, Table, interval_of, key

MOST_VALUES = 10_001
"""Values of one setting."""
POOL = "pool"


class Setting(Table):
    """A range or a choice of values, in place of a constant: the campaign searches it too.

    Either `min` and `max`, or `choices`.
    """

    min: Number | None = key("The least value.", default=None, right="a number")
    max: Number | None = key("The greatest value.", default=None, right="a number")
    step: Number | None = key(
        "Values are whole multiples of this above `min`, and `max` is one; whole numbers have a step of 1.  Absent: a "
        "thousandth of the range or, on a logarithmic scale, 1000 equal ratios.",
        default=None,
        gt=0,
    )
    choices: tuple[Number, ...] | None = key("The values, where they are not at equal distances.", default=None)
    scale: Literal["linear", "log", "category"] = key(
        "How the model sees it: by value, by its logarithm, or (choices only) as categories that are in no order.",
        default="linear",
    )

    @model_validator(mode="after")
    def _check(self) -> Setting:
        if problems := _problems(self):
            raise Findings(problems)
        return self

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest value."""
        values = self.choices or (self.min or 0.0, self.max or 0.0)
        return min(values), max(values)

    def grid(self, name: str) -> Grid:
        """All values."""
        if self.choices:
            ordered = self.choices if self.scale == "category" else tuple(sorted(self.choices))
            return Grid(name, ordered, self.scale)
        return Grid.spaced(name, *self.ends, self.step, self.scale)


def _problems(setting: Setting) -> list[Problem]:
    low, high, step, choices = setting.min, setting.max, setting.step, setting.choices
    if choices is not None:
        return _choices(setting)
    missing = [name for name in ("min", "max") if getattr(setting, name) is None]
    if missing:
        return [Problem((name,), NOTHING, "is missing", "give min and max, or choices = [...]") for name in missing]
    assert low is not None
    assert high is not None
    problems = []
    if low >= high:
        problems.append(Problem(("min",), low, f"is not less than max = {high:g}", "give a range, or one number"))
    elif step is not None and (exact(high) - exact(low)) % exact(step):
        below = exact(low) + (exact(high) - exact(low)) // exact(step) * exact(step)
        wrong = f"is no whole number of steps of {step:g} above min = {low:g}"
        right = f"give {float(below):g} or {float(below + exact(step)):g}"
        problems.append(Problem(("max",), high, wrong, right))
    elif step is not None and (exact(high) - exact(low)) / exact(step) >= MOST_VALUES:
        right = f"give at least {(high - low) / (MOST_VALUES - 1):g}"
        problems.append(Problem(("step",), step, f"makes more than {MOST_VALUES} values", right))
    if setting.scale == "category":
        problems.append(Problem(("scale",), "category", "is for choices", 'give "linear" or "log", or choices = [...]'))
    if setting.scale == "log" and low <= 0:
        problems.append(Problem(("min",), low, "has no logarithm", 'give more than 0, or scale = "linear"'))
    return problems


def _choices(setting: Setting) -> list[Problem]:
    choices = setting.choices or ()
    problems = [
        Problem((name,), getattr(setting, name), "is given beside choices", f"leave out {name}, or the choices")
        for name in ("min", "max", "step")
        if getattr(setting, name) is not None
    ]
    if len(set(choices)) < 2 or len(set(choices)) < len(choices) or len(choices) > MOST_VALUES:
        problems.append(Problem(("choices",), list(choices), "are not several values, each once", "give two or more"))
    elif setting.scale == "log" and min(choices) <= 0:
        problems.append(Problem(("choices",), list(choices), "has one without a logarithm", "give more than 0"))
    return problems


def _form(given: Any) -> str:
    """Which of the three forms a key of [film] has; what is none of them is held to be a bad number."""
    if isinstance(given, dict | Setting):
        return "setting"
    return "pool" if given == POOL else "number"


_FORM = Discriminator(_form)
_Range = Annotated[Setting, Tag("setting")]
_Column = Annotated[Literal["pool"], Tag("pool")]


Pressure = Annotated[Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0.15, le=5), Tag("number")] | _Range
                     | _Column, _FORM]  # fmt: skip
Power = Annotated[Annotated[float, Field(strict=True, allow_inf_nan=False, ge=3, le=1500), Tag("number")] | _Range
                  | _Column, _FORM]  # fmt: skip
Thickness = Annotated[Annotated[float, Field(strict=True, allow_inf_nan=False, ge=1, le=5000), Tag("number")] | _Range
                      | _Column, _FORM]  # fmt: skip
Seconds = Annotated[Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=7200), Tag("number")] | _Range
                    | _Column, _FORM]  # fmt: skip
Temperature = Annotated[Annotated[float, Field(strict=True, allow_inf_nan=False, ge=20, le=1000), Tag("number")]
                        | _Range | _Column, _FORM]  # fmt: skip


class Film(Table):
    """How every film is made.  In place of a number a key may have a range, `{ min, max, step, scale }`, or choices,
    `{ choices = [...], scale }`, and the campaign searches it too; or "pool", and the pool has a column of it."""

    argon_pressure_pa: Pressure = key("Argon pressure while the plasma burns.", unit="Pa")
    power_w: Power = key(
        "Power of the strongest gun; the others follow the composition.  Raised within the guns' limits where a "
        "minor element would otherwise fall below 4 W.",
        unit="W",
    )
    thickness_nm: Thickness = key("Thickness of the film.", unit="nm")
    presputter_s: Seconds = key(
        "How long each gun burns behind its closed shutter before a film.", unit="s", default=180.0
    )
    temperature_c: Temperature | None = key(
        "Substrate temperature.  No lab can heat films yet: leave it out.",
        unit="°C",
        default=None,
    )

    @model_validator(mode="after")
    def _check(self) -> Film:
        problems = [
            problem.under((name,)) for name, setting in self.settings().items() for problem in _beyond(name, setting)
        ]
        if problems:
            raise Findings(problems)
        return self

    def constants(self) -> dict[str, float]:
        """The keys that are the same for every film."""
        return {name: value for name, value in self if isinstance(value, float | int)}

    def settings(self) -> dict[str, Setting]:
        """The keys that are searched, as ranges or choices."""
        return {name: value for name, value in self if isinstance(value, Setting)}

    def of_pool(self) -> tuple[str, ...]:
        """The keys that the pool has columns of."""
        return tuple(name for name, value in self if value == POOL)

    def grids(self) -> tuple[Grid, ...]:
        """The values of every setting that is searched."""
        return tuple(setting.grid(name) for name, setting in self.settings().items())


def bounds_of(name: str) -> tuple[float, float]:
    """Between which values a key of [film] must be, whatever the lab."""
    return interval_of(Film.model_fields[name])


def _beyond(name: str, setting: Setting) -> list[Problem]:
    """What of `setting` no lab could do."""
    low, high = bounds_of(name)
    right = f"give {low:g} to {high:g}"
    named: list[tuple[Key, float]] = [(("choices", k), value) for k, value in enumerate(setting.choices or ())]
    named += [((end,), getattr(setting, end)) for end in ("min", "max") if getattr(setting, end) is not None]
    wrong = {True: f"is less than {low:g}", False: f"is more than {high:g}"}
    return [Problem(at, value, wrong[value < low], right) for at, value in named if not low <= value <= high]
