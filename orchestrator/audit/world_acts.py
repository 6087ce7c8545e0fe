"""Checks of acts against the simulated world's own account: what moved, what was begun, what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestrator.audit.records import CLOCK_S, Event, Records, Step, World
from orchestrator.audit.ruling import FINE, Breach, Ruling, Unchecked, rule
from orchestrator.audit.witnessed import seen, witnessed
from orchestrator.campaign import entries as e


@witnessed
def acts_within_steps(records: Records, world: World) -> Iterator[Ruling]:
    """A film begins, and a substrate moves, only while a step is open that may do that to its sample."""
    plans = {"film_begun": "deposit", "picked": "transfer", "placed": "transfer", "moved": "transfer"}
    for event in world.of(*plans):
        plan = plans[event.event]
        sample = records.slots.get(event.substrate)
        steps = [s for s in records.steps_of(event.substrate, plan) if s.open_at(event.t)]
        if steps and all(step.since is None for step in steps):
            yield Unchecked(f"the journal's clock stood still when step {steps[0].uid} was intended")
            continue
        yield rule(not steps, seen(f"no {plan} of that substrate was open", event, sample))


@witnessed
def measured_for_real(records: Records, world: World) -> Iterator[Ruling]:
    """Behind every observed value is a stay in the magnetometer in which the world saw a whole loop read."""
    for number, fact in records.observed.items():
        if fact.entry.validity == "failed":
            continue
        slot = records.substrates.get(number, 0)
        steps = [step for step in records.steps_on(number, "measure") if step.covers(fact)]
        rulings = [_measured(world, slot, step) for step in steps]
        nothing = Breach("the world saw nothing measured", (fact.version,), number, substrate=slot)
        if FINE in rulings:
            yield FINE
        else:
            yield next((ruling for ruling in rulings if isinstance(ruling, Unchecked)), nothing)


def _measured(world: World, slot: int, step: Step) -> Ruling | None:
    """Whether `slot`'s substrate lay in the magnetometer during `step`, and left it measured; None if not."""
    if step.since is None or step.until is None:
        ever = any(event.substrate == slot for event in world.of("measured"))
        doubt = f"substrate {slot} was measured; whether in step {step.uid}, whose times are not known"
        return Unchecked(doubt) if ever else None
    inside = False
    for event in world.of("placed", "picked", "measured"):
        if event.substrate != slot:
            continue
        if event.t > step.until and inside and event.event != "placed":
            return FINE if event.event == "measured" else None
        if event.event == "placed" and event.t <= step.since + CLOCK_S:
            inside = event.fields["place"] == "magnetometry"
        elif event.event == "picked" and event.t <= step.since + CLOCK_S:
            inside = False
    still = f"substrate {slot} is still in the magnetometer; its loop is told when it leaves"
    return Unchecked(still) if inside else None


@witnessed
def moves_agree(records: Records, world: World) -> Iterator[Ruling]:
    """What the journal says was moved was moved, and what was moved the journal says, or says it does not know."""
    events = world.of("picked", "placed")
    told: set[int] = set()
    for fact in records.of(e.SampleMoved):
        moved, slot = fact.entry, records.substrates.get(fact.entry.sample, 0)
        steps = [step for step in records.steps_on(moved.sample, "transfer") if step.covers(fact)]
        ends = [("picked", moved.source), ("placed", moved.destination)]
        for act, place in ((act, place) for act, place in ends if place != e.GRIPPER):
            event = next((x for x in events if x.line not in told and _is(x, act, place, slot, steps)), None)
            told |= {event.line} if event else set()
            message = f"the world did not see the sample {act} at {place}"
            yield rule(event is None, Breach(message, (fact.version,), moved.sample, substrate=slot))
    yield from (_untold(records, event) for event in _changing(x for x in events if x.line not in told))


def _is(event: Event, act: str, place: str, slot: int, steps: list[Step]) -> bool:
    there = (event.event, event.fields["place"], event.substrate) == (act, place, slot)
    return there and any(step.open_at(event.t) for step in steps)


def _changing(events: Iterable[Event]) -> list[Event]:
    """`events` without those by which a substrate was picked up and put back where it was."""
    left: list[Event] = []
    for event in events:
        before = next((x for x in reversed(left) if x.substrate == event.substrate), None)
        back = before is not None and (before.event, event.event) == ("picked", "placed")
        if before is not None and back and before.fields["place"] == event.fields["place"]:
            left.remove(before)
        else:
            left.append(event)
    return left


def _untold(records: Records, event: Event) -> Ruling:
    """A move that the journal does not tell of: fine only where it says that it does not know."""
    sample = records.slots.get(event.substrate, 0)
    steps = [step for step in records.steps_of(event.substrate, "transfer") if step.open_at(event.t)]
    unknown = any(step.end is None or step.ended_as == "unknown" for step in steps)
    return rule(not unknown, seen("a move that the journal does not tell of", event, sample))
