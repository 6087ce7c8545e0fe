"""What to do next: a pure function of the campaign's state.

The deposition chamber is the station that the night waits for, so the rules keep it full: a finished film
leaves it at once, to the magnetometer if that is free, else to its own cassette slot; the next substrate
goes in; the magnetometer is served in between.

Before the first film is measured, at intervals, and when nothing is left to do, the lab's reference specimen goes
to the magnetometer.  When it is due no film is taken there before it; the chamber is served first all the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from orchestrator.campaign.entries import GRIPPER, Place, Plan
from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.lifecycle import Mode, Phase
from orchestrator.campaign.sample import Sample, Specimen, slot_place
from orchestrator.campaign.state import CampaignState

CHAMBER: Place = "deposition"
MAGNETOMETER: Place = "magnetometry"
"""What the robot calls the places in the two stations that take samples, whatever the stations are called."""


@dataclass(frozen=True)
class Interval:
    """After so many films, or so much lab time, the reference specimen is due again."""

    films: int
    seconds: float = math.inf


@dataclass(frozen=True)
class Layout:
    """The names of the stations, by what they do.

    `slots` are the cassette slots that held a bare substrate when the campaign began; None: never short of any.
    `reference` is for a lab that has a reference specimen.
    """

    deposition: str
    magnetometry: str
    transfer: str
    slots: tuple[int, ...] | None = None
    reference: Interval = Interval(1)

    def station_of(self, place: Place) -> str | None:
        """The station that must stand still while a sample comes to or leaves `place`; None for a slot."""
        return {CHAMBER: self.deposition, MAGNETOMETER: self.magnetometry}.get(place)


def layout_of(lab: LabSpec) -> Layout:
    """The layout of `lab`, with what its cassette holds before a campaign."""
    reference = lab.reference
    return Layout(
        deposition=lab.station("deposition")[0],
        magnetometry=lab.station("magnetometry")[0],
        transfer=lab.station("transfer")[0],
        slots=lab.cassette.bare,
        reference=Interval(reference.every_films, 3600 * reference.every_hours) if reference else Interval(1),
    )


@dataclass(frozen=True)
class Step:
    """One step to claim: `plan` on `sample`; a transfer has a destination."""

    plan: Plan
    sample: int
    station: str
    claims: tuple[str, ...]
    destination: Place | None = None


FILMS_AHEAD = 2
"""Films that may wait for the magnetometer before no further sample is suggested: it would be chosen without
what these have to tell, and be measured no sooner."""


def next_steps(state: CampaignState, layout: Layout) -> list[Step]:
    """Every step that may start now, none of them in another's way, most urgent first.

    None while the campaign is held or ending, or while a person is needed.
    """
    if state.mode not in (Mode.RUNNING, Mode.STOPPING) or state.needs:
        return []
    free = {layout.deposition, layout.magnetometry, layout.transfer} - set(state.occupied)
    free -= state.lost_stations
    steps = []
    if clearing := _clearing(state, layout):
        if free.issuperset(clearing.claims):
            steps.append(clearing)
        free.difference_update(clearing.claims)
    for step in _wishes(state, layout):
        if free.issuperset(step.claims):
            steps.append(step)
            free.difference_update(step.claims)
    return steps


def wants_suggestion(state: CampaignState, samples: int) -> bool:
    """Whether the chamber will soon have nothing to deposit, and the budget of `samples` is not used up."""
    if state.films_planned >= samples:
        return False
    phases = [sample.phase for sample in state.pending]
    if Phase.SUGGESTED in phases or Phase.DEPOSITING in phases:
        return False
    return phases.count(Phase.DEPOSITED) < FILMS_AHEAD


def all_home(state: CampaignState) -> bool:
    """Nothing under way, every sample finished (or set aside) and, unless set aside, in its slot."""
    stowed = state.reference is None or state.reference.phase is Phase.QUARANTINED or state.reference.at_home
    return state.all_settled and stowed and not state.open_steps


def reference_due(state: CampaignState, interval: Interval) -> bool:
    """Whether no film may be measured before the reference specimen."""
    if state.reference is None or state.reference.phase is Phase.QUARANTINED:
        return False
    if state.reference_awaited or len(state.unchecked) >= interval.films:
        return True
    if state.time - state.reference_at >= interval.seconds:
        return True
    return bool(state.unchecked) and not state.pending


def _clearing(state: CampaignState, layout: Layout) -> Step | None:
    """What to do with an arm that a transfer left on its way, before anything else is done where it may be."""
    astray = state.astray.claims if state.astray else ()
    if (held := state.at(GRIPPER)) is not None:
        step = _move(held, _destination(held, state, layout), layout)
        return replace(step, claims=tuple(dict.fromkeys((*step.claims, *astray))))
    if state.astray is None:
        return None
    return Step("retire", state.astray.sample, layout.transfer, astray)


def _destination(held: Specimen, state: CampaignState, layout: Layout) -> Place:
    """Where what is in the gripper goes from there."""
    wanted = {Phase.SUGGESTED: CHAMBER, Phase.DEPOSITED: MAGNETOMETER}.get(held.phase)
    if wanted == MAGNETOMETER and reference_due(state, layout.reference):
        return slot_place(held.slot)
    if wanted is not None and state.at(wanted) is None:
        return wanted
    return slot_place(held.slot)


def _wishes(state: CampaignState, layout: Layout) -> Iterator[Step]:
    """Steps in the order of their urgency, each possible if the stations it claims are free.

    The samples asked about are at rest: one that is being carried has its transfer under way, which claims
    the places at both ends, and one that was lost is quarantined.
    """
    in_chamber, in_magnetometer = state.at(CHAMBER), state.at(MAGNETOMETER)
    reference, due = state.reference, reference_due(state, layout.reference)
    open_to_films = in_magnetometer is None and not due

    if in_chamber and in_chamber.phase is Phase.SUGGESTED:
        yield Step("deposit", in_chamber.number, layout.deposition, (layout.deposition,))
    if in_magnetometer and (in_magnetometer.phase is Phase.DEPOSITED or (in_magnetometer is reference and due)):
        yield Step("measure", in_magnetometer.number, layout.magnetometry, (layout.magnetometry,))
    if in_magnetometer and (in_magnetometer.finished or (in_magnetometer.phase is Phase.REFERENCE and not due)):
        yield _move(in_magnetometer, slot_place(in_magnetometer.slot), layout)
    if in_chamber and in_chamber.phase is Phase.DEPOSITED:
        if open_to_films:
            yield _move(in_chamber, MAGNETOMETER, layout)
        elif due or not (in_magnetometer and in_magnetometer.finished):
            yield _move(in_chamber, slot_place(in_chamber.slot), layout)
    if in_chamber and (in_chamber.finished or _set_aside(in_chamber)):
        yield _move(in_chamber, slot_place(in_chamber.slot), layout)
    if in_chamber is None and (bare := _first_at_home(state, Phase.SUGGESTED)):
        yield _move(bare, CHAMBER, layout)
    if open_to_films and (waiting := _first_at_home(state, Phase.DEPOSITED)):
        yield _move(waiting, MAGNETOMETER, layout)
    if reference and due and in_magnetometer is None and reference.at_home:
        yield _move(reference, MAGNETOMETER, layout)


def _set_aside(sample: Specimen) -> bool:
    """Quarantined for what it is, not for where: it can be brought home, and the chamber be used."""
    return sample.phase is Phase.QUARANTINED and sample.bound_for is None


def _first_at_home(state: CampaignState, phase: Phase) -> Sample | None:
    """The sample that has been waiting in its slot for longest; one in `phase` is pending."""
    return next((s for s in state.pending if s.phase is phase and s.at_home), None)


def _move(sample: Specimen, destination: Place, layout: Layout) -> Step:
    stations = (layout.station_of(sample.place), layout.station_of(destination))
    claims = (layout.transfer, *(station for station in stations if station))
    return Step("transfer", sample.number, layout.transfer, claims, destination)
