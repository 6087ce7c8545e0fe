"""Checks of films against the simulated world's own account, which nothing of ours writes."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.audit.records import CLOCK_S, Event, Records, World
from orchestrator.audit.ruling import FINE, Breach, Ruling, Unchecked, rule
from orchestrator.audit.witnessed import seen, witnessed
from orchestrator.campaign import entries as e

SIGMAS = 5.0
LEAST_FRACTION = 0.03
"""Atomic fraction that is never called wrong: the drift of a gun since its calibration is not in the stated sigma."""
LEAST_THICKNESS = 0.1
"""The same of a thickness, relative."""
LEAST_VALUE = 0.2
"""The same of a measured value, relative: of the thinnest films the noise is not all in the stated sigma."""


@witnessed
def world_intact(records: Records, world: World) -> Iterator[Ruling]:
    yield from (Breach(wrong.message) for wrong in world.misread)
    yield from (FINE for _ in world.events)


@witnessed
def world_in_order(records: Records, world: World) -> Iterator[Ruling]:
    """The world's time goes forward, and no film is finished or measured before it is begun."""
    latest, begun = float("-inf"), set[int]()
    for event in world.events:
        if event.t < latest - CLOCK_S:
            yield seen(f"the world's time went back by {latest - event.t:.1f} s", event)
        latest = max(latest, event.t)
        if event.event == "film_begun":
            begun.add(event.substrate)
        has_none = event.substrate not in begun and records.slots.get(event.substrate) != e.REFERENCE
        early = event.event in ("film_finished", "measured") and has_none
        yield rule(early, seen("there was no film yet", event))


@witnessed
def begun_once(records: Records, world: World) -> Iterator[Ruling]:
    begun: dict[int, Event] = {}
    for event in world.of("film_begun"):
        first = begun.setdefault(event.substrate, event)
        sample = records.slots.get(event.substrate)
        yield rule(first is not event, seen(f"a film was begun twice, first in line {first.line}", event, sample))


@witnessed
def films_known(records: Records, world: World) -> Iterator[Ruling]:
    """Every film of the world is told of in the journal, or known to be unknown."""
    for event in world.of("film_begun"):
        sample = records.slots.get(event.substrate)
        if sample is None:
            yield seen("a film on a substrate of no sample", event)
            continue
        steps = records.steps_on(sample, "deposit")
        known = sample in records.films or sample in records.quarantined
        given_up = sample in records.discarded and any(step.ended_as == "unknown" for step in steps)
        may_go_on = records.over is None or records.over.entry.end == "needs operator"
        under_way = may_go_on and any(step.end is None for step in steps)
        lost = "a film is lost: the journal knows of none"
        yield rule(not (known or given_up or under_way), seen(lost, event, sample))


@witnessed
def films_real(records: Records, world: World) -> Iterator[Ruling]:
    """Every film of the journal was begun in the world, before the journal told of it."""
    begun = {event.substrate: event for event in reversed(world.of("film_begun"))}
    for number, film in records.films.items():
        slot = records.substrates.get(number, 0)
        event = begun.get(slot)
        late = event is not None and film.version not in records.stalled and event.t > film.time + CLOCK_S
        missing = Breach("the world has no such film", (film.version,), number, substrate=slot)
        yield rule(event is None or late, missing)


@witnessed
def made_as_told(records: Records, world: World) -> Iterator[Ruling]:
    """Composition and thickness are the true ones within their stated uncertainty."""
    true = {event.substrate: event for event in world.of("film_finished")}
    for number, film in records.films.items():
        event = true.get(records.substrates.get(number, 0))
        if event is None:
            yield Unchecked(f"the world does not say what the film of sample {number} became")
            continue
        told, made = film.entry, event.fields["composition"]
        wrong = [
            f"{element} {told.composition.get(element, 0.0):.4f}, truly {made.get(element, 0.0):.4f}"
            for element in sorted(told.composition.keys() | made.keys())
            if abs(told.composition.get(element, 0.0) - made.get(element, 0.0))
            > max(SIGMAS * told.composition_sigma.get(element, 0.0), LEAST_FRACTION)
        ]
        off = abs(told.thickness_nm - event.fields["thickness_nm"])
        if off > max(SIGMAS * told.thickness_sigma_nm, LEAST_THICKNESS * event.fields["thickness_nm"]):
            wrong.append(f"{told.thickness_nm:.2f} nm, truly {event.fields['thickness_nm']:.2f} nm")
        yield rule(bool(wrong), seen(f"told otherwise than made ({'; '.join(wrong)})", event, number, film.version))


@witnessed
def value_true(records: Records, world: World) -> Iterator[Ruling]:
    """A valid value is the world's true one within its uncertainty, where the world says which that is, and a censored
    one is a bound on it."""
    films = {event.substrate: event for event in world.of("film_finished")}
    for number, fact in records.observed.items():
        told = fact.entry
        if told.validity == "failed" or told.value is None or told.sigma is None:
            continue
        event = films.get(records.substrates.get(number, 0))
        true = _true_value(records, event)
        if true is None or told.unit != "kA/m":
            yield Unchecked(f"the world does not say the true value for sample {number}")
            continue
        off = {None: abs(told.value - true), "lower": told.value - true, "upper": true - told.value}[told.bound]
        bound = f"{told.bound} bound " if told.bound else ""
        message = f"{bound}{told.value:.4g} +- {told.sigma:.2g} {told.unit} was observed, truly {true:.4g}"
        broken = off > max(SIGMAS * told.sigma, LEAST_VALUE * abs(true))
        yield rule(broken, Breach(message, (fact.version,), number, substrate=records.substrates.get(number)))


def _true_value(records: Records, event: Event | None) -> float | None:
    match records.started.campaign.get("objectives") if records.started else None:
        case [{"quantity": "saturation_magnetisation"}, *_]:
            properties = event.fields.get("true_properties") if event else None
            value = properties.get("saturation_magnetisation_ka_m") if isinstance(properties, dict) else None
            return float(value) if isinstance(value, int | float) else None
    return None


@witnessed
def no_hazard(records: Records, world: World) -> Iterator[Ruling]:
    for event in world.events:
        told = f"{event.fields.get('kind')}: {event.fields.get('detail', '')}"
        yield rule(event.event == "hazard", seen(f"a hazard: {told}", event))


@witnessed
def sources_off(records: Records, world: World) -> Iterator[Ruling]:
    """After the last film the plasmas went out: a film is finished when they do, or when it is taken away."""
    if records.over is None:
        yield Unchecked("the campaign has not ended")
        return
    finished = {event.substrate: event for event in world.of("film_finished")}
    for event in world.of("film_begun"):
        end = finished.get(event.substrate)
        yield rule(end is None or end.t < event.t, seen("the world does not see this film's sources go off", event))
    last = max(finished.values(), key=lambda event: event.t, default=None)
    if last is not None and any(p.substrate == last.substrate and abs(p.t - last.t) < 0.01 for p in world.of("picked")):
        yield Unchecked(f"the last film ended by being taken away, whatever its sources did: {last}")
    after = last.t if last else float("-inf")
    for step in records.steps.values():
        if step.plan == "deposit" and (step.since is None or step.since > after):
            why = f"deposition {step.uid} came after the last film, or at no known time"
            yield Unchecked(f"{why}: the world log does not tell of its sources")
