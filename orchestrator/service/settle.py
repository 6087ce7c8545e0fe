"""From marks and evidence to what became of a step that was cut off: pure.

A worker that finds a step cut off answers ``unknown``, with the marks of the acts that the step set out to, the
outcome it last recorded, and what the devices showed before and after they were made safe.  A film or a move is
settled here from these, or is `Unsettled`: nothing is guessed.

A film is never gone on with: whoever starts again makes the station safe first, which puts out the plasma, and
what grows on a target that has stood is another film.  Within a hold the plasma burns on, and the film is finished.
A film that was uncovered has the composition of the rates it grew at, and the dose that `orchestrator.service.dosing`
finds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from orchestrator.campaign.entries import GRIPPER, Place
from orchestrator.service.dosing import Dose, Unsettled, dose
from protocols.growth import Record

__all__ = ["Unsettled", "deposit", "transfer"]

Answer = Mapping[str, Any]

AT_PLACE_MM = 10.0


# --- transfers ----------------------------------------------------------------------------------------


def transfer(kwargs: Mapping[str, Any], answer: Answer) -> Place:
    """Where the sample of a transfer is that did not end well: a place, or the gripper.  Raises `Unsettled`."""
    source, destination = str(kwargs["source"]), str(kwargs["destination"])
    outcome = _recorded(answer)
    moved = outcome.get("moved") is True
    if not answer.get("evidence"):
        return _as_told(source, destination, answer)
    marks = {mark["mark"]: mark for mark in answer.get("marks") or []}
    mover = _mover(answer)
    if mover["holding"]:
        if moved or (source != GRIPPER and "pick" not in marks):
            raise Unsettled("the gripper holds a part that it should not hold")
        return GRIPPER
    if moved:
        return destination
    if source != GRIPPER and not outcome.get("holding"):
        return source  # what it has not lifted, it has not lost
    if "place" not in marks:
        raise Unsettled(f"the gripper had picked the sample at {source}, and is empty")
    if not _there(mover, marks["place"].get("pose")):
        raise Unsettled(f"the gripper is empty, and not open at {destination}, where it was to let go of the sample")
    return destination


def _as_told(source: Place, destination: Place, answer: Answer) -> Place:
    """Where the plan itself said that the sample is, if nobody looked."""
    outcome = _recorded(answer)
    if outcome.get("moved") is True and answer["state"] != "unknown":
        return destination
    told = outcome.get("moved") is False and outcome.get("holding") is False
    if told and answer["state"] in ("failed", "aborted"):
        return source
    raise Unsettled("nobody looked what the gripper holds")


def _mover(answer: Answer) -> Mapping[str, Any]:
    """The arm's readings at rest."""
    after = _evidence(answer).get("after") or {}
    mover: Mapping[str, Any] | None = (after.get("readings") or {}).get("mover")
    if mover is None:
        trouble = (after.get("troubles") or {}).get("mover", "nobody looked")
        raise Unsettled(f"what the gripper holds could not be read ({trouble})")
    if mover.get("holding") not in (0, 1) or mover.get("gripper") not in ("open", "closed"):
        raise Unsettled(f"the gripper says neither that it holds a part nor that it does not: {mover}")
    return mover


def _there(mover: Mapping[str, Any], pose: Any) -> bool:
    """Whether the open gripper is where it was to let go."""
    at = mover.get("pose")
    if not at or not pose or None in at[:3]:
        return False
    return mover["gripper"] == "open" and math.dist(at[:3], pose[:3]) <= AT_PLACE_MM


# --- depositions --------------------------------------------------------------------------------------


def deposit(answer: Answer) -> dict[str, Any]:
    """The outcome of a deposition that was cut off: "begun", and the film if there is one.  Raises `Unsettled`."""
    recorded = _recorded(answer)
    learnt = {key: recorded[key] for key in ("rates", "energy_kwh") if key in recorded}
    film = _last_record(answer)
    if film is None or not film.begun:
        return {"begun": False, **learnt}
    remarks = [str(remark) for remark in recorded.get("remarks") or []]
    if film.ledger.opening is None:
        under_flux = Dose(film.ledger.closed_s, film.ledger.closed_s)
        remarks += [] if film.finished else ["interrupted while the substrate shutter was closed"]
    else:
        under_flux = dose(film, _evidence(answer))
        if under_flux.most_s == 0.0:
            return {"begun": False, **learnt}
        remarks.append(f"interrupted: under the flux for {under_flux.least_s:.0f} to {under_flux.most_s:.0f} s")
    sigma_s = math.hypot(under_flux.sigma_s, film.ledger.closed_sigma_s)
    made = film.growth.film(under_flux.middle_s, sigma_s)
    return {"begun": True, "finished": film.finished, **made, **learnt, "remarks": remarks}


def _last_record(answer: Answer) -> Record | None:
    """The film as last written down; None if it never was to be uncovered."""
    if answer.get("marks") is None:
        raise Unsettled("nobody knows what the station had set out to")
    marks = [mark for mark in answer.get("marks") or [] if mark["mark"] in ("uncover", "cover")]
    written = [mark.get("film") for mark in marks]
    recorded = _recorded(answer).get("film")
    try:
        films = [Record.of(plain) for plain in (*written, *([recorded] if recorded else []))]
    except (KeyError, TypeError, ValueError) as error:
        raise Unsettled(f"what was written down of the film cannot be read: {error!r}") from error
    last = max(films, key=lambda film: film.ledger.as_of, default=None)
    if last is not None and last.begun and not marks:
        raise Unsettled("a film was begun without the mark that comes before it")
    return last


# --- both ---------------------------------------------------------------------------------------------


def _recorded(answer: Answer) -> Mapping[str, Any]:
    outcome = answer.get("outcome")
    return outcome if isinstance(outcome, Mapping) else {}


def _evidence(answer: Answer) -> Mapping[str, Any]:
    return answer.get("evidence") or {}
