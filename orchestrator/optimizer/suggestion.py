"""What the optimizer is told, and what it answers: plain records that cross to other processes as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Value = float | str

VALIDITIES = ("valid", "censored", "failed")
SIDES = {"lower": 1.0, "upper": -1.0}


@dataclass(frozen=True)
class Candidate:
    """What can be made: a composition (fractions) and the settings beside it; or a row of a plain table."""

    composition: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Value] = field(default_factory=dict)
    row: int | None = None

    @classmethod
    def of(cls, told: Candidate | Mapping[str, Any]) -> Candidate:
        """`told` itself, or the candidate with its "composition", "settings" or "row".  Raises `TypeError`."""
        return told if isinstance(told, Candidate) else cls(**told)

    def at_percent(self) -> dict[str, float]:
        """The composition in at.%."""
        return {element: 100.0 * fraction for element, fraction in self.composition.items()}

    def number(self, setting: str) -> float:
        """The value of `setting`.  Raises `ValueError` if none is told, or no finite number."""
        value = self.settings.get(setting)
        if value is None or isinstance(value, str) or not math.isfinite(value):
            raise ValueError(f"{setting} is a setting of the campaign: give its value, not {value!r}")
        return float(value)


@dataclass(frozen=True)
class Observation:
    """What one sample turned out to be.

    `composition` is what was made (fractions) with `settings` as they were applied, or `row` that of a plain table that
    was; `value` is the objective with standard deviation `sigma`, both in its unit.  The value of a censored
    observation is a bound, and `bound` says of which side: the truth is at least ("lower") or at most ("upper") that.
    A failed one has no value.  `asked` is what was suggested, if it is known: it is not suggested again, however far
    from it the film turned out.  `composition_sigma` is how well the fractions of what was made are known.
    `station` is the virtual station that calculated it, "" for a film.
    `outcomes`, where films are judged by several quantities: of each its "validity", and unless it failed its "value",
    "sigma" and "bound".
    """

    sample: int
    composition: Mapping[str, float] = field(default_factory=dict)
    value: float | None = None
    sigma: float | None = None
    validity: str = "valid"
    bound: str | None = None
    composition_sigma: Mapping[str, float] | None = None
    asked: Candidate | Mapping[str, Any] | None = None
    settings: Mapping[str, Value] = field(default_factory=dict)
    row: int | None = None
    station: str = ""
    outcomes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def made(self) -> Candidate:
        """What was made."""
        return Candidate(self.composition, self.settings, self.row)

    def __post_init__(self) -> None:
        if self.validity not in VALIDITIES:
            raise ValueError(f"sample {self.sample}: validity is one of {', '.join(VALIDITIES)}, not {self.validity!r}")
        if not all(math.isfinite(fraction) for fraction in self.composition.values()):
            raise ValueError(f"sample {self.sample}: its composition has a fraction that is not a number")
        for element, sigma in (self.composition_sigma or {}).items():
            if not (math.isfinite(sigma) and sigma >= 0):
                wrong = f"the sigma of its fraction of {element} must be finite and not negative, not {sigma!r}"
                raise ValueError(f"sample {self.sample}: {wrong}")
        if (self.validity == "censored") != (self.bound in SIDES):
            raise ValueError(
                f"sample {self.sample}: a censored observation, and no other, has a lower or upper bound, "
                f"and this {self.validity} one {self.bound!r}"
            )
        if self.validity != "failed":
            self._check_numbers()
        for quantity, told in self.outcomes.items():
            self._check_outcome(quantity, told)

    def _check_outcome(self, quantity: str, told: Mapping[str, Any]) -> None:
        validity, value, sigma = told.get("validity"), told.get("value"), told.get("sigma") or 0.0
        if validity not in VALIDITIES or (validity == "censored") != (told.get("bound") in SIDES):
            raise ValueError(f"sample {self.sample}: {quantity} is {validity!r}, with the bound {told.get('bound')!r}")
        if validity != "failed" and (value is None or not math.isfinite(value)):
            raise ValueError(f"sample {self.sample}: a {validity} {quantity} needs a value, not {value!r}")
        if not (math.isfinite(sigma) and sigma >= 0):
            raise ValueError(
                f"sample {self.sample}: sigma of {quantity} must be finite and not negative, not {sigma!r}"
            )

    def _check_numbers(self) -> None:
        if self.value is None or not math.isfinite(self.value):
            raise ValueError(f"sample {self.sample}: a {self.validity} observation needs a value, not {self.value!r}")
        if self.sigma is not None and not (math.isfinite(self.sigma) and self.sigma >= 0):
            raise ValueError(f"sample {self.sample}: sigma must be finite and not negative, not {self.sigma!r}")


@dataclass(frozen=True)
class Forecast:
    """A candidate and what the model expects of it, in the objective's unit.

    `mean` and `sigma` follow from the observations alone.  `acquisition` also counts what is pending; it is in
    the model's own units (see `surrogate`) and only ranks the candidates of one suggestion.  `cost` is in the unit of
    the campaign, `feasibility` the probability that a film can be made and measured; None where they play no part.
    `outcomes`, where films are judged by several quantities: of each the "mean", "sigma" and "unit", and where it is
    limited the "probability" that the film keeps to it; `mean` and `sigma` are then those of the first objective.
    """

    composition: Mapping[str, float]
    mean: float | None = None
    sigma: float | None = None
    acquisition: float | None = None
    settings: Mapping[str, Value] = field(default_factory=dict)
    row: int | None = None
    cost: float | None = None
    feasibility: float | None = None
    outcomes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Suggestion:
    """The next candidate to make, exactly a point of the campaign's lattice or a row of its pool, and why.

    `method`: "space-filling" (too little is known for a model), "gp", "growing", "random" or "fallback" (no optimizer
    could be asked).  `replicate`: this repeats what was measured, since nothing new is left, or since that tells more
    (then `acquisition` is the logarithm of the knowledge gradient, and `runner_up` the best that is new).  `cut_short`:
    time was up before the search had ended.  `cost` and `feasibility` are those of `Forecast`.  `hyperparameters` are
    in the objective's unit; lengthscales are at.% of each element, and the unit of each setting, or decades where it is
    logarithmic.  `seconds` is real time.
    """

    number: int
    composition: Mapping[str, float]
    method: str
    mean: float | None = None
    sigma: float | None = None
    acquisition: float | None = None
    runner_up: Forecast | None = None
    hyperparameters: dict[str, Any] | None = None
    replicate: bool = False
    seconds: float = 0.0
    settings: Mapping[str, Value] = field(default_factory=dict)
    row: int | None = None
    cut_short: bool = False
    cost: float | None = None
    feasibility: float | None = None
    outcomes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def candidate(self) -> Candidate:
        """What is to be made."""
        return Candidate(self.composition, self.settings, self.row)

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Chart:
    """What the model of `observed` observations expects of several candidates, in their order.

    `mean` and `sigma` are in the objective's unit; `acquisition` also counts what is pending, and only ranks them.
    """

    observed: int
    mean: list[float]
    sigma: list[float]
    acquisition: list[float]

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)
