"""What a plan says to the run engine of its station, beyond Bluesky's own messages.

=========== ================================================= ========================================
command     asks                                              answer
=========== ================================================= ========================================
gate        wait up to one slice of lab time, then look at    `Passed`; raises `Aborted`,
            the orders, the interlocks and the readings       `InterlockTripped`
held        wait until the operator lets go                   lab time; raises like gate, and
                                                              `HeldTooLong`
apply       carry out settings together, wait for all         `Applied`; raises what a device raised
secure      the same towards a safe target, whatever was      `Secured`; never raises
            ordered; for finalizers
refresh     read devices now                                  lab time
mark        write down, synced, that an act is about to be    lab time
            begun
record      the outcome as it stands, should the plan fail    None
            or this process die; ``synced``: or the power
=========== ================================================= ========================================

A plan yields these as plain messages: no stub wraps them, since a decorated stub costs a hundred times more
than the message.  `orchestrator.execution.gate` carries them out.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any, NamedTuple

from bluesky.utils import Msg

Plan = Generator[Msg, Any, Any]

SLICE_S = 1.0
"""A film never grows longer than this, lab seconds, between two looks at the station."""
IDLE_SLICE_S = 5.0
"""The same while every shutter is closed."""
INSTANT_S = 1e-6
"""What is left of a wait, lab seconds, counts as over when it is shorter.  Lab time is a double near 2e9 s, whose
neighbours are 2.4e-7 s apart: a plan that waited for less might find the same time again, for ever."""


class Passed(NamedTuple):
    """The answer of a gate."""

    now: float  # lab time, s
    verdict: str  # "go" | "hold"


class Applied(NamedTuple):
    """When settings were sent and when the last was confirmed, lab time in s."""

    begun: float
    done: float


class Secured(NamedTuple):
    """Like `Applied`, and what could not be secured, in words."""

    begun: float
    done: float
    problems: tuple[str, ...]


class Stopped(Exception):
    """A plan may not go on.  `sent`: the message that was refused had already reached an instrument."""

    exit_status = "fail"

    def __init__(self, reason: str, *, sent: bool = False) -> None:
        super().__init__(reason)
        self.sent = sent


class Aborted(Stopped):
    """The operator, or the daemon, wants the plan to end at once."""

    exit_status = "abort"


class InterlockTripped(Stopped):
    """A reading is outside what is allowed, or too old to be trusted."""


class HeldTooLong(Stopped):
    """Policy does not let a plan be held for so long: it ends, and its sample is not to blame."""

    exit_status = "abort"


class ProtocolError(Exception):
    """The procedure cannot do what was asked of it; the message says what to do."""


class PressureNotReached(ProtocolError):
    """The chamber does not come to the pressure that was asked for."""


class NoRate(ProtocolError):
    """A deposition rate could not be measured."""


class NotHeld(ProtocolError):
    """The robot does not hold what it should, or holds what it should not."""


class DeviceWrong(ProtocolError):
    """A device does what it was told, and what comes of it is wrong."""


class NotSecured(ProtocolError):
    """A finalizer could not bring everything into its safe state."""


def pause(seconds: float, text: str = "", *, slice_s: float = IDLE_SLICE_S) -> Plan:
    """Let lab time pass, through gates; a hold is waited out wherever it falls."""
    passed = yield Msg("gate", None, 0.0, None, text)
    until = passed.now + seconds
    while until - passed.now > INSTANT_S:
        passed = yield Msg("gate", None, min(slice_s, until - passed.now), None, text)
        if passed.verdict == "hold":
            yield Msg("held")


def take_event(devices: Iterable[Any], stream: str = "primary") -> Plan:
    """One event with the last readings of `devices`; nothing is asked of the wire."""
    yield Msg("create", None, name=stream)
    for device in devices:
        yield Msg("read", device)
    yield Msg("save")


def closing(plan: Plan, close_down: Callable[[], Plan]) -> Plan:
    """`plan`, then `close_down()` however `plan` ended."""
    try:
        value = yield from plan
    except GeneratorExit:  # thrown away from outside: a generator may not yield any more
        raise
    except BaseException:
        yield from close_down()
        raise
    yield from close_down()
    return value


def in_run(plan: Plan) -> Plan:
    """`plan` as one run, whose stop document keeps the reason of its end.

    The run cannot be rewound: a pause by the run engine's own means ends it instead of repeating it.
    """
    yield Msg("open_run")
    yield Msg("clear_checkpoint")
    try:
        value = yield from plan
    except GeneratorExit:
        raise
    except BaseException as error:
        status = getattr(error, "exit_status", "fail")
        yield Msg("close_run", None, exit_status=status, reason=str(error) or type(error).__name__)
        raise
    yield Msg("close_run", None, exit_status="success", reason="")
    return value


def secure(*stages: Iterable[tuple[Any, Any]]) -> Plan:
    """Bring settings to safe values, stage after stage; every stage is tried, whatever the others did.

    Returns a `Secured` with the times of the first stage and the problems of all.
    """
    secured = []
    for stage in stages:
        secured.append((yield Msg("secure", None, *stage)))  # noqa: PERF401 - no yield in a comprehension
    problems = tuple(problem for stage in secured for problem in stage.problems)
    return Secured(secured[0].begun, secured[0].done, problems)


def require(secured: Secured) -> None:
    """Raises `NotSecured` if there were problems."""
    if secured.problems:
        raise NotSecured("; ".join(secured.problems))
