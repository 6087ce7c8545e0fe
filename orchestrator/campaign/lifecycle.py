"""The lifecycles of a night, as tables: the sample's, the reference specimen's and the campaign's.

Documentation draws its diagrams from these tables, and tests visit them cell by cell.
"""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """How far a sample has come.  Where it *is* stands apart, in its place."""

    SUGGESTED = "suggested"  # a composition, and a bare substrate
    DEPOSITING = "depositing"
    DEPOSITED = "deposited"  # a film, not measured yet
    MEASURING = "measuring"
    OBSERVED = "observed"  # its observation is in the journal
    DISCARDED = "discarded"
    VETOED = "vetoed"  # not to be made; in its slot, its substrate is free again
    QUARANTINED = "quarantined"
    REFERENCE = "reference"  # the reference specimen, whenever it is not being measured


class Happening(StrEnum):
    """What moves a sample from one phase to the next."""

    DEPOSIT_INTENDED = "deposit intended"
    FILM_NOT_BEGUN = "deposit ended before the film was begun"
    FILM_DEPOSITED = "film deposited"
    MEASURE_INTENDED = "measurement intended"
    NOT_MEASURED = "measurement ended without a result"
    OBSERVATION_MADE = "observation made"
    GIVEN_UP = "discarded by a policy or person"
    SET_ASIDE = "quarantined"
    WITHDRAWN = "observation withdrawn"
    REPEAT_ASKED = "to be measured again"
    VETO = "vetoed by an operator"
    REFERENCE_MEASURED = "reference measured"
    PUT_BACK = "put back by the operator"


class LifecycleError(Exception):
    """The journal tells of something that cannot happen: it was damaged, or we have a bug."""


_FORWARD: dict[tuple[Phase, Happening], Phase] = {
    (Phase.SUGGESTED, Happening.DEPOSIT_INTENDED): Phase.DEPOSITING,
    (Phase.DEPOSITING, Happening.FILM_NOT_BEGUN): Phase.SUGGESTED,
    (Phase.DEPOSITING, Happening.FILM_DEPOSITED): Phase.DEPOSITED,
    (Phase.DEPOSITED, Happening.MEASURE_INTENDED): Phase.MEASURING,
    (Phase.MEASURING, Happening.NOT_MEASURED): Phase.DEPOSITED,
    (Phase.MEASURING, Happening.OBSERVATION_MADE): Phase.OBSERVED,
    (Phase.OBSERVED, Happening.WITHDRAWN): Phase.DEPOSITED,
    (Phase.OBSERVED, Happening.REPEAT_ASKED): Phase.DEPOSITED,
    (Phase.SUGGESTED, Happening.VETO): Phase.VETOED,
    (Phase.QUARANTINED, Happening.WITHDRAWN): Phase.QUARANTINED,
}
_GIVEN_UP = {(phase, Happening.GIVEN_UP): Phase.DISCARDED for phase in (Phase.SUGGESTED, Phase.DEPOSITED)}
# Whatever was known of a sample, it can be lost on its way, also one that was given up.
_SET_ASIDE: dict[tuple[Phase, Happening], Phase] = {
    (phase, Happening.SET_ASIDE): Phase.QUARANTINED
    for phase in Phase
    if phase not in (Phase.QUARANTINED, Phase.REFERENCE)
}

SAMPLE_TRANSITIONS: dict[tuple[Phase, Happening], Phase] = {**_FORWARD, **_GIVEN_UP, **_SET_ASIDE}

# The reference specimen is never deposited upon: here is no way to a film, or to an observation.
REFERENCE_TRANSITIONS: dict[tuple[Phase, Happening], Phase] = {
    (Phase.REFERENCE, Happening.MEASURE_INTENDED): Phase.MEASURING,
    (Phase.MEASURING, Happening.NOT_MEASURED): Phase.REFERENCE,
    (Phase.MEASURING, Happening.REFERENCE_MEASURED): Phase.REFERENCE,
    (Phase.REFERENCE, Happening.SET_ASIDE): Phase.QUARANTINED,
    (Phase.MEASURING, Happening.SET_ASIDE): Phase.QUARANTINED,
    (Phase.QUARANTINED, Happening.PUT_BACK): Phase.REFERENCE,
}


def next_phase(phase: Phase, happening: Happening, *, reference: bool = False) -> Phase:
    """Raises `LifecycleError` if `happening` cannot happen to a sample (or the reference) in `phase`."""
    try:
        return (REFERENCE_TRANSITIONS if reference else SAMPLE_TRANSITIONS)[phase, happening]
    except KeyError:
        raise LifecycleError(f"this cannot happen to a sample that is {phase}: {happening}") from None


class Mode(StrEnum):
    """The campaign's state as the operator sees it."""

    RUNNING = "running"
    HOLDING = "holding"
    HELD = "held"
    STOPPING = "stopping"
    ABORTING = "aborting"
    STOPPED = "stopped"
    NEEDS_OPERATOR = "needs operator"


HOLDS = (Mode.HOLDING, Mode.HELD)


class Command(StrEnum):
    HOLD = "hold"
    RESUME = "resume"
    STOP = "stop"
    ABORT = "abort"
    RECOVER = "recover"  # the operator's word that what was needed of him is done


CAMPAIGN_TRANSITIONS: dict[tuple[Mode, Command], Mode] = {
    (Mode.RUNNING, Command.HOLD): Mode.HOLDING,
    (Mode.RUNNING, Command.RESUME): Mode.RUNNING,
    (Mode.RUNNING, Command.STOP): Mode.STOPPING,
    (Mode.RUNNING, Command.ABORT): Mode.ABORTING,
    (Mode.HOLDING, Command.HOLD): Mode.HOLDING,
    (Mode.HOLDING, Command.RESUME): Mode.RUNNING,
    (Mode.HOLDING, Command.STOP): Mode.STOPPING,
    (Mode.HOLDING, Command.ABORT): Mode.ABORTING,
    (Mode.HELD, Command.HOLD): Mode.HELD,
    (Mode.HELD, Command.RESUME): Mode.RUNNING,
    (Mode.HELD, Command.STOP): Mode.STOPPING,
    (Mode.HELD, Command.ABORT): Mode.ABORTING,
    (Mode.STOPPING, Command.HOLD): Mode.HOLDING,
    (Mode.STOPPING, Command.STOP): Mode.STOPPING,
    (Mode.STOPPING, Command.ABORT): Mode.ABORTING,
    (Mode.ABORTING, Command.ABORT): Mode.ABORTING,
    (Mode.NEEDS_OPERATOR, Command.ABORT): Mode.ABORTING,
    (Mode.NEEDS_OPERATOR, Command.RECOVER): Mode.RUNNING,
    # A daemon may die between asking for the operator and ending for want of him.
    **{(mode, Command.RECOVER): mode for mode in (Mode.RUNNING, Mode.HOLDING, Mode.HELD, Mode.STOPPING, Mode.ABORTING)},
}


class Turn(StrEnum):
    """What moves the campaign on without a command."""

    AT_REST = "every station at rest"
    ENDED = "ended"
    OPERATOR_NEEDED = "operator needed"


UNDER_WAY = (Mode.RUNNING, Mode.HOLDING, Mode.HELD, Mode.STOPPING, Mode.ABORTING)

CAMPAIGN_TURNS: dict[tuple[Mode, Turn], Mode] = {
    (Mode.HOLDING, Turn.AT_REST): Mode.HELD,
    (Mode.RUNNING, Turn.ENDED): Mode.STOPPED,
    (Mode.STOPPING, Turn.ENDED): Mode.STOPPED,
    (Mode.ABORTING, Turn.ENDED): Mode.STOPPED,
    **{(mode, Turn.OPERATOR_NEEDED): Mode.NEEDS_OPERATOR for mode in UNDER_WAY},
}


class CommandRefused(Exception):
    """The command makes no sense in the campaign's state; the message says which would."""


def next_mode(mode: Mode, command: Command) -> Mode:
    """Raises `CommandRefused` if `command` makes no sense in `mode`."""
    try:
        return CAMPAIGN_TRANSITIONS[mode, command]
    except KeyError:
        allowed = [other for other in Command if (mode, other) in CAMPAIGN_TRANSITIONS]
        may = f"it takes {', '.join(allowed)}" if allowed else "it takes no more commands"
        raise CommandRefused(f"the campaign is {mode}: cannot {command}; {may}") from None


def turned(mode: Mode, turn: Turn) -> Mode:
    """Raises `LifecycleError` if `turn` cannot come in `mode`."""
    try:
        return CAMPAIGN_TURNS[mode, turn]
    except KeyError:
        raise LifecycleError(f"this cannot happen to a campaign that is {mode}: {turn}") from None
