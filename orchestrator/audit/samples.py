"""Checks of what becomes of every sample: one film, one observation or a named end, and nothing made up."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from orchestrator.audit.records import Fact, Records, Step, StepRecord
from orchestrator.audit.ruling import Breach, Ruling, Unchecked, rule
from orchestrator.campaign import entries as e

SUM_OFF = 1e-6
SAME = 1e-9
"""A fraction that went through the journal twice is the same number."""


def film_once(records: Records) -> Iterator[Ruling]:
    for film in records.of(e.FilmDeposited):
        first = records.films[film.entry.sample]
        yield rule(film is not first, Breach("a second film", (first.version, film.version), sample=film.entry.sample))


def deposit_on_bare(records: Records) -> Iterator[Ruling]:
    """No deposition is intended where a film is, or may be."""
    for step in records.steps.values():
        if step.plan != "deposit":
            continue
        film = records.films.get(step.sample)
        before = {film.version: "onto a film"} if film is not None else {}
        for other in records.steps_on(step.sample, "deposit"):
            if other.end is not None and other.ended_as == "unknown":
                before[other.end.version] = "where an earlier one may have left a film"
        since = min((version for version in before if version < step.intent.version), default=0)
        message = f"a deposition {before.get(since)}"
        yield rule(since > 0, Breach(message, (since, step.intent.version), step.sample, step.uid))


def film_accounted(records: Records) -> Iterator[Ruling]:
    """A film is observed, discarded or quarantined before the campaign ends by itself."""
    over = records.over
    for number, film in records.films.items():
        settled = number in records.observed or number in records.discarded or number in records.quarantined
        if not settled and not records.ended_by_itself:
            end = "has not ended" if over is None else f"ended as {over.entry.end}"
            yield Unchecked(f"the campaign {end} with the film of sample {number} waiting (entry {film.version})")
            continue
        yield rule(
            not settled,
            Breach("a film was forgotten: neither observed nor given up", (film.version,), sample=number),
        )


def given_up_by_name(records: Records) -> Iterator[Ruling]:
    """Who gives a sample up says who and why, once, and never of one that is observed."""
    told: dict[tuple[int, str], int] = {}
    for fact in records.facts:
        entry = fact.entry
        if not isinstance(entry, e.SampleDiscarded | e.SampleQuarantined):
            continue
        before = told.setdefault((entry.sample, entry.kind), fact.version)
        observed = records.observed.get(entry.sample)
        if not entry.reason or (isinstance(entry, e.SampleDiscarded) and not entry.by):
            yield Breach("a sample is given up without a name or a reason", (fact.version,), entry.sample)
        elif before != fact.version and entry.sample != e.REFERENCE:  # which the operator puts back
            yield Breach(f"{entry.kind} twice", (before, fact.version), entry.sample)
        else:
            discarded = isinstance(entry, e.SampleDiscarded) and observed is not None
            yield rule(
                discarded,
                Breach("a sample is observed and discarded", (fact.version,), entry.sample),
            )


def settled_left_alone(records: Records) -> Iterator[Ruling]:
    """A sample that is observed or given up is only brought home; one that was lost is not even that."""
    for step in records.steps.values():
        since = _settled(records, step)
        message = f"a {step.plan} of a sample that is {' and '.join(since)}"
        versions = (*since.values(), step.intent.version)
        yield rule(bool(since), Breach(message, versions, step.sample, step.uid))


def _settled(records: Records, step: Step) -> dict[str, int]:
    """Why `step` may not be done to its sample any more, and since which version."""
    aside = None if step.sample == e.REFERENCE else records.quarantined.get(step.sample)
    ends: dict[str, Fact[Any] | None] = {"quarantined": aside}
    home = f"cassette/{records.substrates.get(step.sample)}"
    transfers = records.steps_on(step.sample, "transfer")
    lost = any(s.ended_as == "unknown" and s.versions[-1] < step.intent.version for s in transfers)
    if step.plan == "retire" or (step.intent.entry.kwargs.get("destination") == home and not lost):
        return {}
    ends |= {"vetoed": records.vetoed.get(step.sample)}
    ends |= {"observed": records.observed.get(step.sample), "discarded": records.discarded.get(step.sample)}
    return {word: fact.version for word, fact in ends.items() if fact and fact.version < step.intent.version}


def measured_has_film(records: Records) -> Iterator[Ruling]:
    """Nothing is measured before it has a film."""
    for step in records.steps.values():
        if step.plan == "measure" and step.sample != e.REFERENCE:
            film = records.films.get(step.sample)
            none = film is None or film.version > step.intent.version
            yield rule(none, Breach("a bare substrate is measured", (step.intent.version,), step.sample, step.uid))


def unknown_settled(records: Records) -> Iterator[Ruling]:
    """A deposition or transfer that nobody saw end is settled by the evidence that its station kept, or its sample
    is quarantined at once."""
    for step in records.steps.values():
        log = records.stations.get(step.intent.entry.station)
        record = log.steps.get(step.uid) if log else None
        cut_off = record is not None and record.state in ("running", "unknown")
        if step.end is None or not (cut_off or step.ended_as == "unknown") or step.plan not in ("deposit", "transfer"):
            continue  # a measurement or a retreat does no harm: it may simply be made again
        aside = records.quarantined.get(step.sample)
        at_once = aside is not None and not any(
            step.versions[-1] < other.intent.version < aside.version
            for other in records.steps.values()
            if other.sample == step.sample
        )
        wrong = "" if step.evidence or at_once else "unknown, and settled by no evidence"
        if step.evidence and record is not None and log is not None:
            wrong = _other_evidence(step, record, [mark.mark for mark in log.marks if mark.step == step.uid])
        yield rule(bool(wrong), Breach(wrong, step.versions, step.sample, step.uid))


def _other_evidence(step: Step, record: StepRecord, marks: list[str]) -> str:
    """What the outcome goes by that is not what the station kept."""
    told = step.evidence.get("marks")
    named = [mark.get("mark") for mark in told if isinstance(mark, dict)] if isinstance(told, list) else []
    if named != marks:
        return f"settled by marks ({', '.join(map(str, named))}) that are not its station's ({', '.join(marks)})"
    other = [key for key, value in record.evidence.items() if step.evidence.get(key) != value]
    return f"settled by evidence ({', '.join(other)}) that is not its station's" if other else ""


def quarantine_alerts(records: Records) -> Iterator[Ruling]:
    """A campaign with a quarantined sample does not end without calling the operator."""
    calls = [f.version for f in records.of(e.OperatorNeeded)]
    for number, fact in records.quarantined.items():
        if records.over is None:
            yield Unchecked(f"the campaign has not ended; sample {number} is quarantined")
            continue
        called = records.over.entry.end in ("needs operator", "aborted") or any(v > fact.version for v in calls)
        yield rule(not called, Breach("quarantined, and no operator was called", (fact.version,), number))


def observed_once(records: Records) -> Iterator[Ruling]:
    """One that was withdrawn, or is to be made again, no longer counts."""
    standing: dict[int, int] = {}
    for fact in records.facts:
        match fact.entry:
            case e.ObservationMade(sample=number):
                first = standing.setdefault(number, fact.version)
                yield rule(first != fact.version, Breach("observed twice", (first, fact.version), sample=number))
            case e.ObservationWithdrawn(sample=number) | e.MeasurementRequested(sample=number):
                standing.pop(number, None)


def observed_what_was_made(records: Records) -> Iterator[Ruling]:
    """The model is told the film's composition with its uncertainty."""
    for fact in records.of(e.ObservationMade):
        film = records.films.get(fact.entry.sample)
        if film is None or film.version > fact.version:
            yield Breach("observed, and there is no film", (fact.version,), fact.entry.sample)
            continue
        same = _same(fact.entry.composition, film.entry.composition)
        same = same and _same(fact.entry.composition_sigma, film.entry.composition_sigma)
        yield rule(
            not same,
            Breach("the composition told is not the film's", (film.version, fact.version), fact.entry.sample),
        )


def _same(one: dict[str, float], other: dict[str, float]) -> bool:
    return one.keys() == other.keys() and all(math.isclose(one[el], other[el], abs_tol=SAME) for el in one)


def no_made_up_value(records: Records) -> Iterator[Ruling]:
    """Failed has no number; valid and censored have one, with its uncertainty, in the objective's unit; censored
    says which side its bound is of."""
    unit = _unit(records)
    for fact in records.of(e.ObservationMade):
        told, wrong = fact.entry, ""
        if told.validity == "failed":
            wrong = "failed, and has a value" if told.value is not None or told.sigma is not None else ""
        elif told.value is None or told.sigma is None:
            wrong = f"{told.validity}, and has no value with an uncertainty"
        elif not math.isfinite(told.value) or not told.sigma >= 0:
            wrong = f"{told.value} +- {told.sigma} is no measurement"
        elif unit is not None and told.unit != unit:
            wrong = f"in {told.unit}, but the objective is in {unit}"
        elif (told.validity == "censored") != (told.bound is not None):
            wrong = f"{told.validity}, and {told.bound or 'neither a lower nor an upper'} bound"
        if told.validity != "valid" and not told.reason:
            wrong = wrong or f"{told.validity}, and nothing says why"
        yield rule(bool(wrong), Breach(wrong, (fact.version,), told.sample))


def _unit(records: Records) -> str | None:
    if records.started is None:
        return None
    match records.started.campaign.get("objectives"):
        case [{"unit": str(unit)}, *_]:
            return unit
    return None


def compositions_whole(records: Records) -> Iterator[Ruling]:
    """Every composition sums to 1 and is of the campaign's elements."""
    campaign = records.started.campaign if records.started else {}
    pool = campaign.get("pool")
    allowed = pool.get("columns") if isinstance(pool, dict) else campaign.get("elements")
    for fact in records.facts:
        if isinstance(fact.entry, e.SampleSuggested | e.FilmDeposited | e.ObservationMade):
            made = fact.entry.composition
            off = not made or min(made.values()) < 0 or abs(sum(made.values()) - 1) > SUM_OFF
            strange = sorted(set(made) - set(allowed)) if isinstance(allowed, dict) else []
            message = f"of {', '.join(strange)}, which the campaign has not" if strange else "does not sum to 1"
            yield rule(off or bool(strange), Breach(f"a composition {message}", (fact.version,), fact.entry.sample))
