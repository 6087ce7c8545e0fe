"""Checks of the stations' own logs against the journal: every run, step and mark, both ways."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from orchestrator.audit.records import CLOCK_S, Fact, Records, Run, StationLog, Step, StepRecord
from orchestrator.audit.ruling import FINE, Breach, Ruling, Unchecked, rule
from orchestrator.campaign import entries as e

CUT_OFF = ("running", "unknown")
"""States of a step whose worker died under it."""


def _logs(records: Records) -> list[StationLog]:
    return list(records.stations.values())


def documents_intact(records: Records) -> Iterator[Ruling]:
    for log in _logs(records):
        yield from (Breach(wrong.message) for wrong in log.misread)
        yield from (FINE for _ in range(log.looked))


def runs_whole(records: Records) -> Iterator[Ruling]:
    """A run has one start, first; one stop, last, that counts its events.  One without a stop was cut off, or its
    log could not be written; its step is not done, then."""
    for log in _logs(records):
        for run in log.runs.values():
            step = _step_of(run)
            record = log.steps.get(step or "")
            if run.stop is None and record is not None and record.state != "done":
                yield Unchecked(f"run {run.uid} has no stop document: its step is {record.state}")
                continue
            wrong = _unwhole(run)
            yield rule(bool(wrong), Breach(f"station {log.station}: {wrong}", step=step, run=run.uid))


def _unwhole(run: Run) -> str:
    if run.names.count("start") != 1 or run.names[0] != "start":
        return "the run's documents do not begin with its start"
    stops = run.names.count("stop")
    if stops == 0:
        return "the run has no stop document"
    if stops > 1 or run.names[-1] != "stop":
        return "the run goes on after its stop document"
    events = sum((run.stop or {}).get("num_events", {}).values())
    there = run.names.count("event")
    return f"the run's stop counts {events} events, {there} are there" if events != there else ""


def _step_of(run: Run) -> str | None:
    step = (run.start or {}).get("step")
    return step if isinstance(step, str) else None


def runs_logged(records: Records) -> Iterator[Ruling]:
    """Every run that an outcome names is in its station's log, and is that step's; a step that is done has one."""
    for step in records.steps.values():
        if step.end is None:
            continue
        log = records.stations.get(step.intent.entry.station)
        if step.ended_as == "done" and not step.end.entry.run_uids and not step.evidence:
            yield Breach("done without a run", (step.end.version,), step.sample, step.uid)
        for uid in step.end.entry.run_uids:
            run = log.runs.get(uid) if log else None
            wrong = "is in no document log" if run is None else _disagreement(run, step)
            yield rule(bool(wrong), Breach(f"its run {wrong}", step.versions, step.sample, step.uid, uid))


def _disagreement(run: Run, step: Step) -> str:
    """What the run's start document says otherwise than the step's intent."""
    intent, start = step.intent.entry, run.start
    if start is None:
        return "has no start document"
    wanted = {
        "step": intent.step,
        "plan_name": intent.plan,
        "sample": str(intent.sample),
        "attempt": intent.attempt,
        "station": intent.station,
    }
    other = [f"{key} {start.get(key)!r}, not {value!r}" for key, value in wanted.items() if start.get(key) != value]
    return f"is of {', '.join(other)}" if other else ""


def runs_intended(records: Records) -> Iterator[Ruling]:
    """No run without a step that was intended, and none that its outcome forgets, unless it was cut off."""
    for log in _logs(records):
        for run in log.runs.values():
            uid = _step_of(run)
            step = records.steps.get(uid or "")
            if step is None:
                yield Breach(f"station {log.station}: a run of no step that was intended", step=uid, run=run.uid)
                continue
            record = log.steps.get(step.uid)
            excused = step.end is None or (record is not None and record.state in CUT_OFF)
            forgotten = not excused and step.end is not None and run.uid not in step.end.entry.run_uids
            yield rule(forgotten, Breach("its outcome forgets the run", step.versions, step.sample, step.uid, run.uid))


def steps_agree(records: Records) -> Iterator[Ruling]:
    """The step that a station carried out is the one that was intended, after its intent, and ended as it says."""
    for log in _logs(records):
        for record in log.steps.values():
            step = records.steps.get(record.uid)
            if step is None:
                yield Breach(f"station {log.station} carried out a step that was never intended", step=record.uid)
                continue
            wrong = _differs(record, step) or _too_early(record, step) or _ends_apart(record, step)
            yield rule(bool(wrong), Breach(f"station {log.station}: {wrong}", step.versions, step.sample, step.uid))
    for step in records.steps.values():
        log_of = records.stations.get(step.intent.entry.station)
        if step.ended_as == "done" and (log_of is None or step.uid not in log_of.steps):
            yield Breach("done, and its station knows nothing of it", step.versions, step.sample, step.uid)


def _differs(record: StepRecord, step: Step) -> str:
    intent, told = step.intent.entry, record.step
    metadata = told.get("metadata")
    given = metadata if isinstance(metadata, dict) else {}
    pairs: list[tuple[str, Any, Any]] = [
        ("plan", told.get("plan"), intent.plan),
        ("arguments", _canonical(told.get("kwargs")), _canonical(intent.kwargs)),
        ("sample", given.get("sample"), intent.sample),
        ("attempt", given.get("attempt"), intent.attempt),
    ]
    return next(
        (f"it was told another {what}: {has!r}, not {wanted!r}" for what, has, wanted in pairs if has != wanted), ""
    )


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _too_early(record: StepRecord, step: Step) -> str:
    if step.since is not None and record.begun < step.since - CLOCK_S:
        return f"begun {step.since - record.begun:.1f} s before it was intended"
    if record.ended is None or step.until is None or record.state in CUT_OFF:
        return ""
    late = record.ended - step.until
    return f"ended {late:.1f} s after its outcome" if late > CLOCK_S else ""


MAY_END = {
    "done": ("done", "unknown"),
    "failed": ("failed", "unknown"),
    "aborted": ("aborted", "interrupted", "failed", "unknown"),
    **dict.fromkeys(CUT_OFF, ("interrupted", "failed", "aborted", "unknown")),
}
"""State of a step in its station's log -> what the journal may say of it: a station's word may be doubted, never
improved."""


def _ends_apart(record: StepRecord, step: Step) -> str:
    if step.ended_as is None or step.ended_as in MAY_END.get(record.state, ()):
        return ""
    if step.plan == "measure" and (record.state, step.ended_as) == ("done", "failed"):
        return ""  # the loop was no good
    return f"it says {record.state}, the journal {step.ended_as}"


def marks_after_intent(records: Records) -> Iterator[Ruling]:
    """An act is marked, so it was begun, only after the intent of its step, and before its outcome."""
    for log in _logs(records):
        for mark in log.marks:
            step = records.steps.get(mark.step)
            if step is None:
                yield Breach(f"station {log.station} set out to {mark.mark}, which was never intended", step=mark.step)
                continue
            if step.since is None:
                yield Unchecked(f"the journal's clock stood still when step {step.uid} was intended")
                continue
            message = f"station {log.station} set out to {mark.mark} while the step was not open"
            yield rule(not step.open_at(mark.time), Breach(message, step.versions, step.sample, step.uid))


FILM = ("finished", "composition", "composition_sigma", "thickness_nm", "thickness_sigma_nm", "doses", "shutter_open_s")


def film_as_recorded(records: Records) -> Iterator[Ruling]:
    """The film in the journal is the one that the station's log tells of."""
    for film in records.of(e.FilmDeposited):
        for step, outcome in _outcomes(records, film, "deposit"):
            if outcome is None:
                yield Unchecked(f"step {step.uid} was cut off: what its station recorded need not be the film")
                continue
            yield _as_recorded(film, step, outcome, FILM)


def observed_as_recorded(records: Records) -> Iterator[Ruling]:
    """Quantities, loop and validity in the journal are the ones that the station's log tells of, and the value is
    the quantity that the campaign is after.  Of a failed one nothing need be kept."""
    for seen in records.of(e.ObservationMade):
        if seen.entry.validity == "failed":
            continue
        yield _is_objective(records, seen)
        yield from _are_outcomes(seen)
        for step, outcome in _outcomes(records, seen, "measure"):
            if outcome is None:
                yield Unchecked(f"step {step.uid} was cut off: its station recorded no outcome")
                continue
            yield _as_recorded(seen, step, outcome, ("quantities", "loop", "validity"))


def _outcomes(
    records: Records, fact: Fact[e.FilmDeposited] | Fact[e.ObservationMade], plan: str
) -> Iterator[tuple[Step, Mapping[str, Any] | None]]:
    """The steps that `fact` came from, with the outcome in the station's own log unless its worker died."""
    for step in records.steps_on(fact.entry.sample, plan):
        if step.covers(fact):
            log = records.stations.get(step.intent.entry.station)
            record = log.steps.get(step.uid) if log else None
            known = record is not None and record.state not in CUT_OFF and record.outcome
            yield step, record.outcome if record is not None and known else None


def _as_recorded(
    fact: Fact[e.FilmDeposited] | Fact[e.ObservationMade], step: Step, outcome: Mapping[str, Any], told: Iterable[str]
) -> Ruling:
    entry = fact.entry.model_dump(mode="json")
    other = [key for key in told if key in outcome and outcome[key] != entry[key]]
    message = f"{', '.join(other)}: not what station {step.intent.entry.station} recorded"
    return rule(bool(other), Breach(message, (fact.version,), fact.entry.sample, step.uid))


def _is_objective(records: Records, seen: Fact[e.ObservationMade]) -> Ruling:
    """The value is the objective's quantity, as far as both are in one unit."""
    told = seen.entry
    match records.started.campaign.get("objectives") if records.started else None:
        case [{"quantity": str(quantity)}, *_]:
            measured = told.quantities.get(quantity)
        case _:
            measured = None
    if measured is None or measured.get("unit") != told.unit:
        return Unchecked(f"entry {seen.version} gives the value in another unit than its quantities")
    value = measured.get("value")
    same = isinstance(value, int | float) and told.value is not None and math.isclose(value, told.value, rel_tol=1e-9)
    message = f"the value {told.value} is not the {quantity} of {value}"
    return rule(not same, Breach(message, (seen.version,), told.sample))


def _are_outcomes(seen: Fact[e.ObservationMade]) -> Iterator[Ruling]:
    """Each quantity that the film is judged by is the one measured, as far as both are in one unit."""
    told = seen.entry
    for quantity, outcome in told.outcomes.items():
        measured = told.quantities.get(quantity, {})
        if outcome.get("validity") == "failed":
            continue
        if measured.get("unit") != outcome.get("unit"):
            yield Unchecked(f"entry {seen.version} gives the {quantity} in another unit than its quantities")
            continue
        value, read = outcome.get("value"), measured.get("value")
        same = isinstance(value, float) and isinstance(read, float) and math.isclose(value, read, rel_tol=1e-9)
        message = f"the {quantity} told, {value}, is not the {read} that was measured"
        yield rule(not same, Breach(message, (seen.version,), told.sample))


def readings_within_limits(records: Records) -> Iterator[Ruling]:
    """No event shows a device set outside the limits that it was given."""
    for log in _logs(records):
        for run in log.runs.values():
            for at in run.settings:
                message = f"{at.name} was set to {at.value:g}, {at.low:g} to {at.high:g} are allowed"
                broken = not at.low <= at.value <= at.high
                yield rule(broken, Breach(message, step=_step_of(run), run=run.uid))
