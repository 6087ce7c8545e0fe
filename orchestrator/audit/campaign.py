"""Checks of what was decided: suggestions, moves, commands, limits, and the lab left safe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.audit.records import Records, Step
from orchestrator.audit.ruling import Breach, Ruling, Unchecked, rule
from orchestrator.campaign import entries as e


def suggestions_distinct(records: Records) -> Iterator[Ruling]:
    """Samples count up from 1, each on a bare substrate of its own."""
    filled = _filled(records)
    slots: dict[int, int] = {}
    for number, fact in enumerate(records.of(e.SampleSuggested), 1):
        told, wrong = fact.entry, ""
        if told.sample != number:
            wrong = f"sample {told.sample} is the {number}. to be suggested"
        elif told.slot in slots and not records.given_back(slots[told.slot], fact.version):
            wrong = f"the substrate in slot {told.slot} is sample {slots[told.slot]}'s"
        elif filled is not None and told.slot not in filled:
            wrong = f"slot {told.slot} held no bare substrate"
        if told.slot not in slots or not wrong:
            slots[told.slot] = told.sample
        yield rule(bool(wrong), Breach(wrong, (fact.version,), told.sample, substrate=told.slot))


def _filled(records: Records) -> set[int] | None:
    cassette = _table(records.started.lab, "cassette") if records.started else {}
    match cassette:
        case {"filled": [*slots]}:
            return {slot for slot in slots if isinstance(slot, int)}
        case {"slots": int(count)}:
            return set(range(1, count + 1))
    return None


def suggestions_informed(records: Records) -> Iterator[Ruling]:
    """Each choice took every observation and every pending sample into account that there was when it was asked for."""
    observed: list[int] = []
    made: dict[int, int] = {}
    settled: set[int] = set()
    rejected: set[int] = set()
    known: list[int] = []
    for fact in records.facts:
        match fact.entry:
            case e.SampleSuggested() as told:
                counted = set(observed[: told.observed])
                wrong = ""
                if told.observed > len(observed):
                    wrong = f"it counts {told.observed} observations of {len(observed)}"
                elif left_out := sorted(set(known) - counted - settled - rejected - set(told.pending)):
                    wrong = f"it knows nothing of {_samples(left_out)}"
                elif both := sorted(set(told.pending) & counted) or sorted(set(told.pending) - set(known)):
                    wrong = f"it takes {_samples(both)} for pending"
                yield rule(bool(wrong), Breach(wrong, (fact.version,), told.sample))
                known.append(told.sample)
            case e.ObservationMade(sample=number):
                observed.append(number)
                made[number] = fact.version
            case e.ObservationWithdrawn(sample=number) | e.MeasurementRequested(sample=number):
                observed = [other for other in observed if other != number]
                rejected.discard(number)
            case e.ObservationRejected(sample=number):
                observed = [other for other in observed if other != number]
                rejected.add(number)
            case e.ObservationRestored(sample=number) if number in rejected:
                observed = sorted([*observed, number], key=lambda other: made.get(other, 0))
                rejected.discard(number)
            case (
                e.SampleDiscarded(sample=number)
                | e.SampleQuarantined(sample=number)
                | e.SuggestionVetoed(sample=number)
            ):
                settled.add(number)


def _samples(numbers: list[int]) -> str:
    return f"sample{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def suggestions_in_budget(records: Records) -> Iterator[Ruling]:
    """Films, and samples that may become one, stay within the budget; so do substrates."""
    budget = _table(records.started.campaign, "budget") if records.started else {}
    films, substrates = budget.get("samples"), budget.get("substrates")
    if not isinstance(films, int):
        yield Unchecked("the campaign states no budget")
        return
    planned: set[int] = set()
    slots: set[int] = set()
    for fact in records.facts:
        match fact.entry:
            case e.BudgetChanged(samples=int(changed)):
                films = changed
                message = f"{len(planned)} films are planned, and the budget becomes {films}"
                yield rule(len(planned) > films, Breach(message, (fact.version,)))
            case e.SuggestionVetoed(sample=number):
                planned.discard(number)
            case e.SampleSuggested(sample=number, slot=slot):
                planned.add(number)
                slots.add(slot)
                over = len(planned) > films or (isinstance(substrates, int) and len(slots) > substrates)
                message = f"{len(planned)} films on {len(slots)} substrates, the budget is {films} on {substrates}"
                yield rule(over, Breach(message, (fact.version,), number))
            case e.SampleDiscarded(sample=number) if number not in records.films:
                planned.discard(number)


def moves_connected(records: Records) -> Iterator[Ruling]:
    """A transfer starts where the sample is, ends where it was to go, and puts no sample onto another."""
    homes = {number: f"cassette/{slot}" for number, slot in records.substrates.items()}
    vetoed = {records.substrates.get(number) for number in records.vetoed}
    places = {number: home for number, home in homes.items() if records.substrates[number] not in vetoed}
    for fact in records.facts:
        match fact.entry:
            case e.SampleSuggested(sample=number, slot=slot) if slot in vetoed:
                # What was vetoed and is back is no sample any more: its substrate is this one's.
                back = [n for n, place in places.items() if place == homes.get(n) == homes[number]]
                places = {n: place for n, place in places.items() if not (n in back and n in records.vetoed)}
                places[number] = homes[number]
            case e.StepIntended(plan="transfer", sample=number) as intent:
                place = places.get(number)
                wrong = f"it sets out from {intent.kwargs.get('source')}, but the sample is at {place}"
                yield rule(intent.kwargs.get("source") != place, Breach(wrong, (fact.version,), number, intent.step))
            case e.SampleMoved(sample=number) as moved:
                wrong = ""
                if moved.source != places.get(number):
                    wrong = f"moved from {moved.source}, but it was at {places.get(number)}"
                elif met := [n for n, place in places.items() if place == moved.destination and n != number]:
                    wrong = f"moved to {moved.destination}, where {_samples(met)} is"
                elif not any(s.covers(fact) and _leads(s, moved) for s in records.steps_on(number, "transfer")):
                    wrong = f"moved to {moved.destination}, where no transfer was to take it"
                yield rule(bool(wrong), Breach(wrong, (fact.version,), number))
                places[number] = moved.destination
            case e.CommandGiven(command="recover"):
                places |= {number: homes[number] for number in _lost(records, fact.version) if number in homes}


def _lost(records: Records, version: int) -> set[int]:
    """Samples that were lost on their way before `version`; whoever says "recover" has put them back."""
    return {
        step.sample
        for step in records.steps.values()
        if step.plan == "transfer" and step.ended_as == "unknown" and step.end and step.end.version < version
    }


def _leads(step: Step, moved: e.SampleMoved) -> bool:
    kwargs = step.intent.entry.kwargs
    return kwargs.get("source") == moved.source and moved.destination in (kwargs.get("destination"), e.GRIPPER)


def commands_fresh(records: Records) -> Iterator[Ruling]:
    """No request is taken twice, and none lifts a hold that whoever made it had not seen."""
    taken: dict[str, int] = {}
    hold = 0
    for fact in records.facts:
        told = fact.entry
        if not isinstance(told, e.CommandGiven | e.Act):
            continue
        wrong = ""
        if told.key and told.key in taken:
            wrong = f"request {told.key} of {told.by} was taken with entry {taken[told.key]}, and again"
        elif (
            isinstance(told, e.CommandGiven) and told.command == "resume" and told.seen is not None and hold > told.seen
        ):
            wrong = f"{told.by} resumes, who had seen entry {told.seen}: the hold of entry {hold} came later"
        taken.setdefault(told.key, fact.version)
        if isinstance(told, e.CommandGiven):
            hold = {"hold": fact.version, "resume": 0}.get(told.command, hold)
        yield rule(bool(wrong), Breach(wrong, (fact.version,)))


def commands_obeyed(records: Records) -> Iterator[Ruling]:
    """Held or aborting, no step is begun; stopping, no film and no sample."""
    held = stopping = aborting = 0
    for fact in records.facts:
        match fact.entry:
            case e.CampaignEnded():
                held = aborting = 0  # whoever takes it up again begins anew
            case e.CommandGiven(command="recover"):
                pass
            case e.CommandGiven(command=command, seen=seen):
                unseen = command == "stop" and seen is not None and held > seen
                held = fact.version if command == "hold" else held if unseen else 0
                stopping = fact.version if command == "stop" else stopping
                aborting = fact.version if command == "abort" else aborting
            case e.StepIntended() as intent:
                films = stopping if intent.plan == "deposit" else 0
                since = aborting or held or films
                order = "an abort" if aborting else "a hold" if held else "a stop"
                breach = Breach(
                    f"a {intent.plan} is begun after {order}", (since, fact.version), intent.sample, intent.step
                )
                yield rule(bool(since), breach)
            case e.SampleSuggested(sample=number):
                since = aborting or stopping
                order = "an abort" if aborting else "a stop"
                yield rule(bool(since), Breach(f"a sample is suggested after {order}", (since, fact.version), number))


def left_safe(records: Records) -> Iterator[Ruling]:
    """When the campaign is over every station has been made safe after its last step."""
    if records.over is None or records.started is None:
        yield Unchecked("the campaign has not ended")
        return
    for station, told in _table(records.started.lab, "stations").items():
        if isinstance(told, dict) and told.get("kind") == "virtual":
            continue  # it has nothing that could be unsafe
        last = max((_last(step) for step in records.steps.values() if step.intent.entry.station == station), default=0)
        safe = any(
            isinstance(fact.entry, e.StationMadeSafe | e.StationRestarted) and fact.entry.station == station
            for fact in records.facts
            if fact.version > last
        )
        if not safe and any(f.entry.station == station for f in records.of(e.StationLost)):
            yield Unchecked(f"station {station} was lost; only its own watchdog can have made it safe")
            continue
        message = f"station {station} was not made safe after its last step"
        yield rule(not safe, Breach(message, (last, records.over.version)))


def _last(step: Step) -> int:
    return step.end.version if step.end else step.intent.version


def settings_within_limits(records: Records) -> Iterator[Ruling]:
    """Powers and fields that were asked for, and powers that films were made with, are within the lab file's limits."""
    if records.started is None:
        yield Unchecked("no campaign and no lab are in the journal")
        return
    guns, field_mt = _gun_limits(records.started.lab), _largest_field(records.started.lab)
    for step in records.steps.values():
        power, field = (step.intent.entry.kwargs.get(key) for key in ("power_w", "max_field_mt"))
        where = ((step.intent.version,), step.sample, step.uid)
        if step.plan == "deposit" and isinstance(power, int | float) and guns:
            allowed = max(high for _, high in guns.values())
            yield rule(not 0 <= power <= allowed, Breach(f"{power:g} W is asked for, {allowed:g} W allowed", *where))
        if step.plan == "measure" and isinstance(field, int | float) and field_mt is not None:
            yield rule(field > field_mt, Breach(f"{field:g} mT is asked for, {field_mt:g} mT allowed", *where))
    for film in records.of(e.FilmDeposited):
        for element, dose in film.entry.doses.items():
            low, high = guns.get(element, (0.0, 0.0))
            power = dose.get("power_w")
            if power is None or element not in guns:
                yield Unchecked(f"no limits for the power of the {element} gun are known")
                continue
            message = f"{element} was deposited with {power:g} W, {low:g} to {high:g} W are allowed"
            yield rule(not low <= power <= high, Breach(message, (film.version,), film.entry.sample))


def _devices(lab: Mapping[str, Any], kind: str) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """(station, device) for every device of every station of `kind`."""
    stations = [s for s in _table(lab, "stations").values() if isinstance(s, dict) and s.get("kind") == kind]
    return [(s, d) for s in stations for d in _table(s, "devices").values() if isinstance(d, dict)]


def _gun_limits(lab: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    limits = {}
    for _, device in _devices(lab, "deposition"):
        match device:
            case {
                "role": "gun",
                "settings": {"target": str(element)},
                "limits": {"power": [float() | int() as low, float() | int() as high]},
            }:
                limits[element] = (float(low), float(high))
    return limits


def _largest_field(lab: Mapping[str, Any]) -> float | None:
    for station, device in _devices(lab, "magnetometry"):
        match device:
            case {"role": "magnet", "limits": {"current": [_, float() | int() as high]}}:
                factor = station.get("field_per_ampere_mt")
                return high * factor if isinstance(factor, int | float) else None
    return None


def _table(told: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = told.get(key)
    return value if isinstance(value, dict) else {}
