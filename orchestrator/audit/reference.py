"""Checks of the reference specimen: that no value stands that it does not vouch for."""

from __future__ import annotations

import math
from collections.abc import Iterator

from orchestrator.audit.records import Fact, Records
from orchestrator.audit.ruling import Breach, Ruling, rule
from orchestrator.campaign import entries as e

SAME = 1e-9


def reference_bare(records: Records) -> Iterator[Ruling]:
    """Nothing is deposited on the reference specimen, and its substrate is no sample's."""
    if records.reference is None:
        return
    for step in records.steps.values():
        onto = step.plan == "deposit" and step.sample == e.REFERENCE
        yield rule(onto, Breach("a deposition onto the reference specimen", step.versions, step.sample, step.uid))
    for fact in records.of(e.SampleSuggested):
        taken = fact.entry.slot == records.reference["slot"]
        yield rule(taken, Breach("its slot is the reference specimen's", (fact.version,), fact.entry.sample))


def reference_ruled(records: Records) -> Iterator[Ruling]:
    """A verdict on the magnetometer is what the station recorded, held against what the lab file says."""
    known = records.reference or {}
    for fact in records.of(e.ReferenceMeasured):
        told, wrong = fact.entry, ""
        if not known:
            wrong = "the lab has no reference specimen"
        elif told.expected != known["value"] or not math.isclose(told.ratio, told.value / known["value"], abs_tol=SAME):
            wrong = f"{told.value:g} is not {told.ratio:g} times the {known['value']:g} that it is known to have"
        elif (abs(told.ratio - 1) <= known["tolerance"]) != (told.verdict == "good"):
            wrong = f"{told.ratio:g} counts as {told.verdict}, the tolerance is {known['tolerance']:g}"
        elif _recorded(records, fact) not in (None, (told.value, told.sigma)):
            wrong = "not what its station recorded"
        yield rule(bool(wrong), Breach(wrong, (fact.version,), told.sample))


def _recorded(records: Records, fact: Fact[e.ReferenceMeasured]) -> tuple[float, float] | None:
    """Value and sigma in the station's own log; None if it was cut off or keeps none."""
    for step in records.steps_on(e.REFERENCE, "measure"):
        log = records.stations.get(step.intent.entry.station)
        record = log.steps.get(step.uid) if log and step.covers(fact) else None
        quantities = record.outcome.get("quantities") if record else None
        if isinstance(quantities, dict) and len(quantities) == 1:
            (shown,) = quantities.values()
            return shown.get("value"), shown.get("sigma")
    return None


def values_vouched_for(records: Records) -> Iterator[Ruling]:
    """Every value was observed after a good verdict, so many films later at most; and of a campaign that ended by
    itself, before another.  What stands at a drift that was given up on is withdrawn, and nothing else is."""
    if records.reference is None:
        return
    most, since, good = int(records.reference["every_films"]), dict[int, int](), False
    for fact in records.facts:
        match fact.entry:
            case e.ReferenceMeasured(verdict=verdict):
                good = verdict == "good"
                since = {} if good else since
            case e.ObservationMade(sample=number, validity=validity) if validity != "failed":
                since[number] = fact.version
                message = "after no good verdict" if not good else f"as the {len(since)}. since the last verdict"
                wrong = not good or len(since) > most
                yield rule(wrong, Breach(f"a value is observed {message}", (fact.version,), number))
            case e.ObservationWithdrawn(sample=number):
                wrong = good or since.pop(number, None) is None
                yield rule(wrong, Breach("withdrawn without a drift", (fact.version,), number))
            case e.MeasurementRequested(sample=number):
                since.pop(number, None)
            case e.OperatorNeeded(reason=reason) if not good and "drifted" in reason:
                yield rule(bool(since), Breach("a drift leaves values standing", (fact.version, *since.values())))
    yield rule(
        records.ended_by_itself and bool(since), Breach("no verdict follows on these values", tuple(since.values()))
    )
