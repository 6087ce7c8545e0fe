"""Why the optimizer chose what it chose, from the journal alone, in numbers and in the operator's words: pure.

`why` explains one suggestion by what was known when it was made; `why_of` finds that in a journal's entries.  All
values and sigmas are in the objective's unit, compositions are fractions, distances of compositions are at.%.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.campaign.fronts import words
from orchestrator.campaign.limits import binding
from orchestrator.campaign.observed import Direction
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.state import fold
from orchestrator.campaign.terms import Terms

NEAREST = 3
"""Measured neighbours that are told of a sample."""

MOSTLY = 2 / 3
"""A share above which one reason counts as the main one."""


class NotSuggested(LookupError):
    """The journal tells of no such sample."""


@dataclass(frozen=True)
class Neighbour:
    """A sample that had been measured, and how far away its film is: `distance_at_percent` in composition."""

    sample: int
    distance_at_percent: float
    composition: dict[str, float]
    settings: dict[str, float]
    value: float | None
    sigma: float | None
    validity: str


@dataclass(frozen=True)
class Why:
    """All that is known of one choice.

    `time` is lab time; `best_then` the best valid value by then.  `exploration` is the share of the expected
    improvement over it that the spread contributes (see `exploration`), the rest being exploitation; None without a
    model, without a best, or with several objectives.  Where films are judged by several quantities, `outcomes` has
    what is expected of each, and `front` how many films there were by then that no other was better than.  `nearest`:
    the measured films that are nearest, nearest first.  `runner_up` is the candidate that came second, as the optimizer
    told of it.  `binds` are the limits that the choice lies at, and `hyperparameters` the fit, both in words.
    `pending` are the samples under way that the choice took into account.
    """

    sample: int
    time: float
    composition: dict[str, float]
    settings: dict[str, float]
    method: str
    words: str
    unit: str
    mean: float | None
    sigma: float | None
    acquisition: float | None
    acquisition_name: str
    best_then: float | None
    exploration: float | None
    nearest: tuple[Neighbour, ...]
    runner_up: dict[str, Any] | None
    binds: tuple[str, ...]
    hyperparameters: tuple[str, ...]
    observed: int
    pending: tuple[int, ...]
    replicate: bool
    cut_short: bool
    seconds: float
    outcomes: dict[str, dict[str, Any]] = field(default_factory=dict)
    front: int = 0

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def why_of(entries: Iterable[e.Recorded], number: int) -> Why:
    """Why sample `number` was suggested.  Raises `NotSuggested` with the samples that there are."""
    before: list[e.Recorded] = []
    numbers: list[int] = []
    for recorded in entries:
        match recorded.entry:
            case e.SampleSuggested(sample=sample) as told if sample == number:
                state = fold(before)
                assert state.started is not None, "a fold has checked that a campaign starts first"
                campaign = Campaign.model_validate(state.started.campaign)
                best = best_of(state.observations, campaign.objective.direction, campaign.terms)
                return why(told, recorded.time, state.observations, best, campaign)
            case e.SampleSuggested(sample=sample):
                numbers.append(sample)
        before.append(recorded)
    there = f"samples {numbers[0]} to {numbers[-1]} were" if numbers else "none was"
    raise NotSuggested(f"sample {number} was never suggested; {there}")


def why(
    told: e.SampleSuggested,
    time: float,
    known: Sequence[e.ObservationMade],
    best: float | None,
    campaign: Campaign,
) -> Why:
    """All that is known of the choice `told`, made at lab time `time` when `known` were the observations that held,
    and `best` was the best valid value (None: there was none)."""
    share, terms = None, campaign.terms
    front = len(terms.front(known)) if terms.several else 0
    if told.mean is not None and told.sigma is not None and best is not None and not terms.several:
        share = exploration(told.mean, told.sigma, best, campaign.objective.direction)
    return Why(
        sample=told.sample,
        time=time,
        composition=dict(told.composition),
        settings=dict(told.settings),
        method=told.method,
        words=in_words(told, campaign, best, share, front),
        unit=campaign.objective.unit,
        mean=told.mean,
        sigma=told.sigma,
        acquisition=told.acquisition,
        acquisition_name=campaign.optimizer.acquisition,
        best_then=best,
        exploration=share,
        nearest=tuple(nearest(told, known, campaign)),
        runner_up=told.runner_up,
        binds=tuple(binding(told.composition, told.settings, campaign)),
        hyperparameters=tuple(fit_in_words(told.hyperparameters or {}, campaign.objective.unit)),
        observed=told.observed,
        pending=tuple(told.pending),
        replicate=told.replicate,
        cut_short=told.cut_short,
        seconds=told.seconds,
        outcomes={quantity: dict(each) for quantity, each in told.outcomes.items()},
        front=front,
    )


def best_of(known: Iterable[e.ObservationMade], direction: Direction, terms: Terms | None = None) -> float | None:
    """The best valid value of a film that keeps all limits; None if there is none."""
    kept = [o for o in known if o.validity == "valid" and not (terms and terms.broken(o))]
    values = [o.value for o in kept if o.value is not None]
    return None if not values else max(values) if direction == "max" else min(values)


def exploration(mean: float, sigma: float, best: float, direction: Direction) -> float | None:
    """Share of the expected improvement that the spread contributes, 0 to 1.

    With gain = mean - best (best - mean where less is better) and z = gain / sigma the expected improvement is
    sigma phi(z) + gain Phi(z) (Mockus 1975; Jones et al., J. Global Optim. 13, 455, 1998): the first term is there
    for the spread, the second for the mean.  Where the mean promises nothing, all of it is exploration.  None where
    there is neither spread nor promise.
    """
    gain = (mean - best) if direction == "max" else (best - mean)
    if sigma <= 0:
        return 0.0 if gain > 0 else None
    if gain <= 0:
        return 1.0
    z = gain / sigma
    by_spread = sigma * math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    by_mean = gain * 0.5 * math.erfc(-z / math.sqrt(2))
    return by_spread / (by_spread + by_mean)


def chance(mean: float, sigma: float, best: float, direction: Direction) -> float:
    """Probability that the truth is better than `best`, for a normal prediction."""
    gain = (mean - best) if direction == "max" else (best - mean)
    return 0.5 * math.erfc(-gain / sigma / math.sqrt(2)) if sigma > 0 else float(gain > 0)


def nearest(told: e.SampleSuggested, known: Iterable[e.ObservationMade], campaign: Campaign) -> list[Neighbour]:
    """The `NEAREST` observed films, nearest first: in at.%, and in hundredths of what each setting may range over."""
    found = []
    for o in known:
        away = distance(told.composition, o.composition)
        shifts = [_shift(name, told.settings[name], o.settings.get(name), campaign) for name in told.settings]
        beside = Neighbour(o.sample, away, dict(o.composition), dict(o.settings), o.value, o.sigma, o.validity)
        found.append((math.hypot(away, *shifts), o.sample, beside))
    return [beside for _, _, beside in sorted(found, key=lambda one: one[:2])[:NEAREST]]


def distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Euclidean distance of two compositions (fractions), at.%."""
    elements = one.keys() | other.keys()
    return 100 * math.hypot(*(one.get(el, 0.0) - other.get(el, 0.0) for el in elements))


def _shift(setting: str, one: float, other: float | None, campaign: Campaign) -> float:
    low, high = campaign.extremes(setting)
    return 0.0 if other is None or high <= low else 100 * (one - other) / (high - low)


def in_words(
    told: e.SampleSuggested, campaign: Campaign, best: float | None, share: float | None, front: int = 0
) -> str:
    """The choice in one to three sentences; `front` is how many films there were that no other was better than."""
    unit = campaign.objective.unit
    if told.replicate:
        return "Nothing new is left within the campaign's limits, so the best is made again."
    match told.method:
        case "operator":
            return "An operator asked for it; no optimizer chose."
        case "space-filling":
            n, first = told.observed, campaign.optimizer.initial_samples
            return f"Spread over the space to begin with: {n} of {first} initial samples had been observed."
        case "growing":
            root = campaign.optimizer.growing.root(tuple(campaign.elements))
            return f"Grown from {root}: an element screened in it, or a step from a composition by its upper bound."
        case "random":
            return "Drawn at random over the space, as the campaign asks for."
        case "fallback":
            return "The optimizer could not be asked, so this is spread over the space."
    if told.mean is None or told.sigma is None:
        return f"Chosen by {told.method}; it told no prediction."
    if told.outcomes and (campaign.terms.several or best is None):
        return _of_several(told, campaign, front)
    text = f"The model expects {plainly(told.mean, 4)} ± {plainly(told.sigma, 2)} {unit}"
    if likely := _limits_in_words(told):
        text += f", and {likely}"
    if best is None:
        return text + "; nothing valid had been measured yet."
    odds = chance(told.mean, told.sigma, best, campaign.objective.direction)
    text += f"; the best by then was {plainly(best, 4)} {unit}, and this beats it with {odds:.0%} probability. "
    if share is None:
        return text + "It promises no improvement."
    if share == 1:
        return text + "Chosen to explore: only its uncertainty promises more than the best."
    if share > MOSTLY:
        return text + "Chosen mostly to explore: for what is not known of it."
    if share < 1 - MOSTLY:
        return text + "Chosen mostly to exploit: the model expects it to be better."
    return text + "Chosen to exploit and to explore alike."


def _of_several(told: e.SampleSuggested, campaign: Campaign, front: int) -> str:
    """What is expected of each quantity, and what was sought."""
    text = f"The model expects {words(told.outcomes)}"
    text += f"; {likely}. " if (likely := _limits_in_words(told)) else ". "
    if not front and campaign.terms.limits:
        return text + "No film had kept the limits by then: it was chosen for its chance to."
    if campaign.optimizer.acquisition == "scalarised":
        return text + "Chosen for one trade-off of the objectives."
    beaten = "No film had been measured" if not front else f"By then {front} films were such that none was better"
    return text + f"{beaten}: chosen for what it is expected to add to the volume that they cover."


def _limits_in_words(told: e.SampleSuggested) -> str:
    chances = [
        f"the limit of {quantity.replace('_', ' ')} is kept with {each['probability']:.0%} probability"
        for quantity, each in told.outcomes.items()
        if isinstance(each.get("probability"), float)
    ]
    return ", ".join(chances)


def fit_in_words(told: Mapping[str, Any], unit: str) -> list[str]:
    """The hyper-parameters that a suggestion was made with (see `Surrogate.describe`), a sentence for each."""
    if reason := told.get("reason"):
        return [f"No fit: {reason}"]
    processes = told.get("processes")
    if not isinstance(processes, list) or not processes:
        return []
    lengths: dict[str, list[float]] = {}
    for process in processes:
        for name, length in process["lengthscales"].items():
            lengths.setdefault(name, []).append(float(length))
    far = ", ".join(f"{name} {_range(each)}" for name, each in lengths.items())
    amplitudes, noises = ([float(process[key]) for process in processes] for key in ("amplitude", "noise"))
    return [
        f"Fitted to {told.get('fitted_to')} values, by {len(processes)} processes of equal weight.",
        f"Values change over (lengthscales, in at.% or the setting's unit): {far}.",
        f"They vary by {_range(amplitudes)} {unit}; noise that nothing explains: {_range(noises)} {unit}.",
    ]


def _range(numbers: Sequence[float]) -> str:
    low, high = plainly(min(numbers), 2), plainly(max(numbers), 2)
    return low if low == high else f"{low} to {high}"


def plainly(number: float, digits: int) -> str:
    """`number` with so many significant digits; a large one is written out."""
    return f"{number:.0f}" if 10**digits <= abs(number) < 1e6 else f"{number:.{digits}g}"
