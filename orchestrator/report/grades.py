"""The report card of a self-driving lab, from the journal: pure facts.

The measures are those of Volk and Abolhasani, Performance metrics to unleash the power of self-driving labs in
chemistry and materials science, Nature Communications 15, 1378 (2024): degree of autonomy, operational lifetime
(demonstrated and theoretical, assisted and unassisted), throughput (demonstrated and theoretical), experimental
precision from unbiased replicates, material usage, accessible parameter space, optimisation efficiency.  Two are ours:
films that gave a valid value, and interventions in 24 hours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from orchestrator.campaign.space import Space
from orchestrator.report.belief import campaign_of
from orchestrator.report.consumables import Gas, gas_litres, substrates, targets
from orchestrator.report.facts import Night, valid_of
from orchestrator.report.formats import HOUR_S, counted, number, percent, short, with_sigma
from orchestrator.report.random_search import RandomSearch
from orchestrator.report.repeats import replicates

MOST_COUNTED = 2_000_000
"""Candidates of a space with constraints that are counted; more are said to be more."""


@dataclass(frozen=True)
class Grade:
    """`value` is None when it is not known; then `how` says what is missing."""

    measure: str
    value: str | None
    how: str


def grades(night: Night, search: RandomSearch | str, gas: Gas | None) -> list[Grade]:
    """All of them, known or not."""
    return [
        _autonomy(night),
        _unassisted(night),
        _assisted(night),
        _theoretical_lifetime(night),
        _throughput(night),
        _theoretical_throughput(night),
        _precision(night),
        _yield(night),
        _material(night, gas),
        _space(night),
        _efficiency(search),
        _interventions(night),
    ]


# --- people ---------------------------------------------------------------------------------------------


def interventions(night: Night) -> list[float]:
    """Lab times at which a person intervened."""
    return [act.time for act in night.acts]


def own_samples(night: Night) -> int:
    """Samples that a person chose."""
    return sum(sample.suggestion.method == "operator" for sample in night.samples)


def unassisted_s(night: Night) -> float:
    """The longest time without an intervention."""
    cuts = [night.start, *interventions(night), night.end]
    return max(b - a for a, b in pairwise(cuts))


def _autonomy(night: Night) -> Grade:
    if not night.samples:
        return Grade("degree of autonomy", None, "nothing was suggested yet")
    chosen, commands = own_samples(night), len(interventions(night))
    told = (
        f"{len(night.samples) - chosen} of {counted(len(night.samples), 'sample')} chosen, made and measured by the "
        f"machine, {counted(commands, 'act')} of people"
    )
    return Grade("degree of autonomy", "semi-closed loop" if chosen or commands else "closed loop", told)


def _unassisted(night: Night) -> Grade:
    measure = "lifetime, unassisted"
    if not night.bars:
        return Grade(measure, None, "no station has done anything yet")
    return Grade(
        measure, f"{unassisted_s(night) / HOUR_S:.1f} h", "demonstrated: the longest time in which nobody did anything"
    )


def _assisted(night: Night) -> Grade:
    measure = "lifetime, assisted"
    if not night.bars:
        return Grade(measure, None, "no station has done anything yet")
    return Grade(measure, f"{night.hours:.1f} h", "demonstrated: from the campaign's start to its last entry")


def _theoretical_lifetime(night: Night) -> Grade:
    """What of substrates and targets is used up first, at the rate of this night."""
    measure = "lifetime, theoretical"
    films, used = len(night.films), substrates(night)
    if not films or night.hours <= 0:
        return Grade(measure, None, "no film was finished")
    limits = [(float(films + used.left), "substrates")] if used.left is not None else []
    lasting = [(target.films_left(films), target.element) for target in targets(night)]
    limits += [(float(films + left), f"the {element} target") for left, element in lasting if left is not None]
    if not limits:
        return Grade(measure, None, "the lab file tells of no cassette and no life of a target")
    most, what = min(limits)
    hours = most * night.hours / films
    return Grade(
        measure, f"{hours:.0f} h", f"until {what} would be used up at this rate, {most:.0f} films from the start"
    )


def _interventions(night: Night) -> Grade:
    measure = "interventions in 24 h"
    if night.hours <= 0:
        return Grade(measure, None, "no time has passed")
    count = len(interventions(night))
    return Grade(
        measure, f"{24 * count / night.hours:.1f}", f"{counted(count, 'act')} of people in {night.hours:.1f} h"
    )


# --- films ----------------------------------------------------------------------------------------------


def _throughput(night: Night) -> Grade:
    measure = "throughput, demonstrated"
    if not night.films or night.hours <= 0:
        return Grade(measure, None, "no film was finished")
    valid = night.validities("valid")
    told = f"{counted(len(night.films), 'film')} in {night.hours:.1f} h, {counted(valid, 'valid value')} among them"
    return Grade(measure, f"{len(night.films) / night.hours:.2f} films/h", told)


def _theoretical_throughput(night: Night) -> Grade:
    """That of the station which a film keeps longest, if it never waited and nothing failed."""
    measure = "throughput, theoretical"
    busy = {station: seconds for station in night.stations if (seconds := _per_film(night, station))}
    if not busy or not night.films:
        return Grade(measure, None, "no film has gone all the way")
    slowest = max(busy, key=lambda station: busy[station])
    told = f"{slowest} is the bottleneck: each film keeps it {busy[slowest] / 60:.0f} min, transfers included"
    return Grade(measure, f"{HOUR_S / busy[slowest]:.2f} films/h", told)


def _per_film(night: Night, station: str) -> float:
    """Seconds that a film keeps `station`: its done steps and those that claimed it, over the films."""
    done = [bar for bar in night.bars if station in bar.intent.claims and bar.end_word == "done" and bar.intent.sample]
    carried = {bar.intent.sample for bar in done}
    return sum(bar.end - bar.start for bar in done) / len(carried) if carried else 0.0


def _yield(night: Night) -> Grade:
    measure, films = "films that gave a valid value", len(night.films)
    if not films:
        return Grade(measure, None, "no film was finished")
    valid = sum(valid_of(night, sample) is not None for sample in night.films)
    failed = sum(bar.end_word in ("failed", "aborted", "unknown") for bar in night.bars)
    return Grade(measure, percent(valid / films), f"{valid} of {films}; {counted(failed, 'step')} failed on the way")


def _precision(night: Night) -> Grade:
    measure, found = "experimental precision", replicates(night)
    if found is None:
        return Grade(measure, None, "nothing was made twice; make a composition again, with others between")
    relative = f", {percent(found.relative)} of the mean" if found.relative is not None else ""
    told = f"pooled standard deviation of replicates, {counted(found.degrees, 'degree')} of freedom{relative}"
    return Grade(measure, with_sigma(found.sigma, None, night.unit), told)


def _material(night: Night, gas: Gas | None) -> Grade:
    measure, films = "material for a film", len(night.films)
    if not films:
        return Grade(measure, None, "no film was finished")
    parts = [*_energy(night, films), *_volume(night)]
    if gas is not None:
        parts.append(f"{gas_litres(night, gas) / films:.1f} standard litres of gas")
    used = substrates(night)
    told = f"{(used.filmed + used.bare) / films:.2f} substrates, {', '.join(parts) or 'energy and gas not known'}"
    return Grade(measure, f"{_thickness(night):.0f} nm", told)


def _thickness(night: Night) -> float:
    made = [sample.film.thickness_nm for sample in night.films if sample.film]
    return sum(made) / len(made)


def _energy(night: Night, films: int) -> Iterator[str]:
    used = [target.used_kwh for target in targets(night) if target.used_kwh]
    if used:
        yield f"{1000 * sum(used) / films:.0f} Wh at the targets"


def _volume(night: Night) -> Iterator[str]:
    """What lies on the substrate; what the target loses is more."""
    size = (night.lab.get("cassette") or {}).get("substrate") or {}
    width, height = size.get("width_mm"), size.get("height_mm")
    if isinstance(width, int | float) and isinstance(height, int | float):
        yield f"{short(width * height * _thickness(night) * 1e-6)} mm³ on the substrate"


# --- the search -----------------------------------------------------------------------------------------


def _space(night: Night) -> Grade:
    measure, campaign = "accessible space", campaign_of(night)
    if campaign is None:
        return Grade(measure, None, "the campaign is of a form that cannot be read any more")
    if campaign.pool is not None:
        return Grade(measure, counted(len(campaign.pool), "candidate"), f"a table; {_dimensions(night)}")
    size = Space.of(campaign).size(MOST_COUNTED)
    shown = f"{size:,}".replace(",", "\u2009") if size < 1e7 else short(size)
    limited = bool(campaign.constraints) and size > MOST_COUNTED
    return Grade(measure, f"{'more than ' if limited else ''}{shown} candidates", _dimensions(night))


def _dimensions(night: Night) -> str:
    free = max(0, len(night.elements) - 1) + len(night.settings)
    settings = f", and {', '.join(name.replace('_', ' ') for name in night.settings)}" if night.settings else ""
    return f"{counted(free, 'dimension')}: compositions of {', '.join(night.elements) or 'nothing'}{settings}"


def _efficiency(search: RandomSearch | str) -> Grade:
    measure = "optimisation efficiency"
    if isinstance(search, str):
        return Grade(measure, None, search)
    more = "more than " if search.needed is None else ""
    films = f"{more}{search.most if search.needed is None else search.needed}"
    times = math.floor(search.acceleration * 10) / 10
    return Grade(
        measure,
        f"{more}{number(times, 0 if times >= 10 else 1)} × random",
        f"in worlds that the model believes in, random search needs {films} films (median) to make one that cannot be "
        f"told from the best of these {search.films}",
    )
