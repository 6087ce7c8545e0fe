"""Checks of the settings that were chosen, and of what films were asked for with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.audit.records import Records
from orchestrator.audit.ruling import Breach, Ruling, Unchecked, rule
from orchestrator.campaign import entries as e


def settings_as_chosen(records: Records) -> Iterator[Ruling]:
    """Each sample has a value of every setting that is searched, of its range, and of no other; and its film is asked
    for with these, and with the campaign's constants."""
    film = records.started.campaign.get("film") if records.started else None
    if records.started is None or not isinstance(film, dict):
        yield Unchecked("the campaign says nothing of its films")
        return
    given = records.started.campaign.get("pool")
    pool = given if isinstance(given, dict) else {}
    searched = {name: given for name, given in film.items() if isinstance(given, dict | str)}
    chosen: dict[int, Mapping[str, float]] = {}
    for fact in records.of(e.SampleSuggested):
        told = fact.entry
        chosen[told.sample] = told.settings
        wrong = sorted(set(told.settings) ^ set(searched))
        wrong += [n for n, v in told.settings.items() if n in searched and not _of(searched[n], n, v, pool)]
        message = f"{', '.join(wrong)}: not chosen as the campaign says"
        yield rule(bool(wrong), Breach(message, (fact.version,), told.sample))
    constants = {name: given for name, given in film.items() if isinstance(given, int | float)}
    for step in records.steps.values():
        if step.plan == "deposit":
            asked, meant = step.intent.entry.kwargs, {**constants, **chosen.get(step.sample, {})}
            other = [name for name in meant if name in asked and asked[name] != meant[name]]
            other += [name for name in chosen.get(step.sample, {}) if name not in asked]
            message = f"{', '.join(other)}: not asked for as it was chosen"
            yield rule(bool(other), Breach(message, (step.intent.version,), step.sample, step.uid))


def _of(given: Any, name: str, value: float, pool: Mapping[str, Any]) -> bool:
    """Whether `value` is one that the campaign allows."""
    match given:
        case {"choices": [*choices]}:
            return value in choices
        case {"min": float() | int() as low, "max": float() | int() as high}:
            return bool(low <= value <= high)
        case str():
            return value in pool.get("columns", {}).get(name, [])
    return False
