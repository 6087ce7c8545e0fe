"""How long a film was under the flux, from what was written down of it and what was seen afterwards: pure.

The dose is between what is known and what the evidence allows::

    opened            as_of                looked                          safe
      |--- known ------|---- perhaps -------|   shutter seen closed: no more
      |--- known ------|---- known ---------|---- perhaps ------------------|   shutter seen open

and less, if the thickness monitor tells that the flux ended before.

A look is what `orchestrator.execution.evidence` reads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocols.growth import Growth, Record

Look = Mapping[str, Any]

MONITOR_SIGMA = 0.1
"""How far the thickness monitor may be off what the rates make it show, relatively..."""
MONITOR_NM = 2.0
"""...and in nm: warming up and noise."""
OFF_POWER = 0.2
"""A gun that runs further from its power than this grows another composition."""
SLICE_S = 5.0
LATENCIES = 5.0
"""A living plan opens the shutter at most `SLICE_S` lab seconds after it says that it will, and closes it at most
this much after its dose is complete: `SLICE_S`, and so many times what it took to open it."""


class Unsettled(Exception):
    """Evidence is missing or contradicts itself; the message says which.  The sample is for a person to look at."""


@dataclass(frozen=True)
class Dose:
    """Seconds under the flux: anything between the two is as likely."""

    least_s: float
    most_s: float

    @property
    def middle_s(self) -> float:
        return (self.least_s + self.most_s) / 2

    @property
    def sigma_s(self) -> float:
        return (self.most_s - self.least_s) / math.sqrt(12)


def dose(film: Record, evidence: Mapping[str, Any]) -> Dose:
    """How long the substrate was under the flux, of a film that was cut off with its shutter open, or opening.

    Raises `Unsettled`.
    """
    ledger = film.ledger
    assert ledger.opening is not None
    looks = sorted(evidence.get("before") or [], key=lambda look: look["time"])
    if looks and looks[0]["time"] < ledger.as_of:
        raise Unsettled("the lab's time was set back: nobody knows how long the shutter was open")
    seen_open, seen_closed = _shutter(looks)
    first = seen_open or seen_closed
    assert first is not None
    lit = _lit(film.growth, first)
    if ledger.opened is None and seen_open is None:
        # Nothing but an order of ours moves it while its power is on, and none follows before an answer is on disk.
        if lit and not ledger.answered:
            return Dose(ledger.closed_s, ledger.closed_s)
        raise Unsettled("the shutter was to open, and nobody saw whether it did: there may be a film or none")
    # It opened in the exchange that `opened` is the middle of, or soon after the order, which was given at once.
    since = ledger.opening + SLICE_S if ledger.opened is None else 2 * ledger.opened - ledger.opening
    least = max(0.0, ledger.as_of - since)
    if seen_open is not None:
        least = max(least, seen_open["time"] - since)
        most = _closed_by(evidence, seen_closed) - ledger.opening
    else:
        most = first["time"] - ledger.opening
        if lit:  # then it was closed by the plan while that lived, which knows when it has enough
            late = SLICE_S + LATENCIES * (since - ledger.opening)
            most = min(most, max(least, ledger.target_s - ledger.closed_s + late))
    flux = _flux(film, first, lit)
    least = max(min(least, flux.least_s - ledger.opening), ledger.as_of - since, 0.0)
    most = max(min(most, flux.most_s - ledger.opening), least)
    return Dose(ledger.closed_s + least, ledger.closed_s + most)


def _shutter(looks: list[Look]) -> tuple[Look | None, Look | None]:
    """The last look that saw the substrate shutter open, and the first that saw it closed."""
    seen_open = seen_closed = None
    for look in looks:
        state = _reading(look, "monitor", "substrate_shutter")
        if state == "open" and seen_closed is not None:
            raise Unsettled("the substrate shutter was seen closed, and later open")
        if state == "open":
            seen_open = look
        elif state == "closed":
            seen_closed = seen_closed or look
    if seen_open is None and seen_closed is None:
        raise Unsettled("nobody saw whether the substrate shutter was open")
    return seen_open, seen_closed


def _closed_by(evidence: Mapping[str, Any], seen_closed: Look | None) -> float:
    """Lab time at which the shutter was closed at the latest."""
    if seen_closed is not None:
        return float(seen_closed["time"])
    safe = evidence.get("safe")
    if not safe:
        raise Unsettled("the substrate shutter was seen open, and nobody knows when it was closed")
    return float(safe["done"])


def _lit(growth: Growth, look: Look) -> bool:
    """Whether all the film's guns emit at their powers; False if none does.  Anything else is `Unsettled`."""
    emits = {element: _emits(look, f"gun {element}") for element in growth.power_w}
    if not any(emits.values()) and None not in emits.values():
        return False
    if not all(emits.values()):
        words = {True: "emits", False: "is off", None: "was not read"}
        told = ", ".join(f"{element} {words[emitting]}" for element, emitting in emits.items())
        raise Unsettled(f"the guns do not agree ({told}): the film's composition is not known")
    for element, wanted in growth.power_w.items():
        actual = _reading(look, f"gun {element}", "actual_power")
        if actual is None or abs(actual - wanted) > max(OFF_POWER * wanted, 3.0):
            raise Unsettled(f"the gun of {element} ran at {actual} W instead of {wanted:g} W")
    return True


def _emits(look: Look, gun: str) -> bool | None:
    output, shutter = _reading(look, gun, "output"), _reading(look, gun, "shutter")
    return None if output is None or shutter is None else output == "on" and shutter == "open"


def _flux(film: Record, look: Look, lit: bool) -> Dose:
    """The lab times between which the flux ended, by the monitor; infinite if it had not ended by `look`."""
    lasted = Dose(math.inf, math.inf)
    nobody_knows = lasted if lit else Dose(-math.inf, math.inf)
    seen, shown = film.indicated, _reading(look, "monitor", "thickness")
    if seen is None or shown is None or _reading(look, "monitor", "fault"):
        return nobody_knows
    expected = seen.nm_s * (look["time"] - seen.zeroed_at)
    if shown > expected * (1 + MONITOR_SIGMA) + MONITOR_NM:
        raise Unsettled(f"the thickness monitor shows {shown:.0f} nm, where at most {expected:.0f} nm can be")
    if lit and shown >= expected * (1 - MONITOR_SIGMA) - MONITOR_NM:
        return lasted
    if shown < seen.nm_s * (film.ledger.as_of - seen.zeroed_at) * (1 - MONITOR_SIGMA) + MONITOR_NM:
        return nobody_knows  # it may have begun to count anew
    span_s, slack_s = shown / seen.nm_s, MONITOR_NM / seen.nm_s
    return Dose(
        seen.zeroed_at + span_s / (1 + MONITOR_SIGMA) - slack_s,
        seen.zeroed_at + span_s / (1 - MONITOR_SIGMA) + slack_s,
    )


def _reading(look: Look, role: str, signal: str) -> Any:
    """None if it could not be read."""
    return ((look.get("readings") or {}).get(role) or {}).get(signal)
