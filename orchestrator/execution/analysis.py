"""From a hysteresis loop to what it says of the film, with uncertainties, or to the reason why it says nothing.

The fit at high field (`orchestrator.execution.highfield`) separates the film from offset, drift and background.
What is left is the film's own loop, from which coercivity and remanence are read.

A film that is not saturated at the highest field still bends there, or rises like a background.  Its tangent
meets zero field below the saturation, so what the fit gives is a bound, and the measurement is censored.  Each
quantity says which side its bound is of: in absolute terms a lower one, so an upper one of a negative rotation.
Squareness is a ratio of two such bounds, and has none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.roles import MagnetometryStation
from orchestrator.execution.highfield import NoResult, widest

Array = NDArray[np.float64]

FEWEST_POINTS = 20
LEAST_SIGNAL_TO_NOISE = 5.0
WIDEST_GAP = 0.05
"""Of the full swing, between the first and the last point, before the loop counts as not closed."""
STEEPEST_BACKGROUND = {"moment": 0.05, "kerr_rotation": 1.5, "hall_resistance": 0.5}
"""Of M at the highest field: a background that steep, and of the film's sign, may be the film itself.  Optics
turn the light too, either way; substrates and holders are diamagnetic, against the film.  The ordinary Hall effect of
a metal is a small part of the anomalous one at a few tesla."""
LARGEST_BEND = 0.02
"""Of the saturation, before a significant bend matters."""
SIGNIFICANT = 4.0
VAGUEST_THICKNESS = 0.2
"""Relative uncertainty beyond which a thickness is no divisor: the quotient's error would not be what is stated."""
UNITS = {"moment": "A m2", "kerr_rotation": "mrad", "hall_resistance": "ohm"}


@dataclass(frozen=True)
class Estimate:
    """A value and its standard uncertainty."""

    value: float
    sigma: float

    def scaled(self, factor: float, relative_sigma: float = 0.0) -> Estimate:
        """Times a factor that has an uncertainty of its own."""
        value = self.value * factor
        return Estimate(value, math.hypot(self.sigma * factor, value * relative_sigma))

    def as_dict(self, unit: str) -> dict[str, Any]:
        return {"value": float(self.value), "sigma": float(self.sigma), "unit": unit}


@dataclass(frozen=True)
class Loop:
    """A loop and what its high-field fit made of it; `film` is the signal without offset, drift, background."""

    field_mt: Array
    film: Array
    noise: float
    saturation: Estimate
    slope_per_mt: float  # of the background, or what passes for it
    unsaturated: str = ""  # why the film may not be saturated

    @property
    def noisy(self) -> bool:
        """Whether single points say too little to find where the film reverses."""
        return abs(self.saturation.value) < LEAST_SIGNAL_TO_NOISE * self.noise


def of_measurement(
    outcome: Mapping[str, Any], station: MagnetometryStation, kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The outcome of a measure plan with ``quantities``, ``validity`` and ``reason``, and the loop in units.

    ``again``: if it failed, whether another measurement may do better.
    """
    raw = outcome["loop"]
    signal = np.array(raw["signal"], dtype=float) * station.scale
    loop: dict[str, Any] = {**raw, "signal": signal.tolist(), "unit": UNITS[station.quantity]}
    answer: dict[str, Any] = {**outcome, "loop": loop, "quantities": {}, "validity": "failed", "reason": ""}
    try:
        fitted = fit(
            np.array(raw["field_mt"], dtype=float),
            signal,
            np.array(raw["at_s"], dtype=float),
            np.array(raw["overloaded"], dtype=bool),
            steepest=STEEPEST_BACKGROUND[station.quantity],
        )
        quantities = _quantities(fitted, station, kwargs)
    except NoResult as reason:
        return {**answer, "reason": str(reason), "again": reason.again}
    film, unit = _in_film_units(fitted, station, kwargs)
    return {
        **answer,
        "loop": {**loop, "film": film.tolist(), "film_unit": unit},
        "quantities": quantities,
        "validity": "censored" if fitted.unsaturated else "valid",
        "reason": fitted.unsaturated or ("too noisy to read a coercivity" if fitted.noisy else ""),
    }


def _film_factor(station: MagnetometryStation, kwargs: Mapping[str, Any]) -> tuple[float, float, str]:
    """From the magnetometer's quantity to the film's: factor, its relative uncertainty, unit."""
    if kwargs.get("reference"):  # what it shows, by `scale` as it stands: that is what is being checked
        return 1.0, 0.0, UNITS[station.quantity]
    if station.quantity == "kerr_rotation":
        return 1.0, station.scale_sigma, "mrad"
    thickness = kwargs.get("thickness_nm") or 0.0
    if not thickness > 0:
        raise NoResult("the film's thickness is not known, so its moment gives no magnetisation", again=False)
    thickness_sigma = (kwargs.get("thickness_sigma_nm") or 0.0) / thickness
    if thickness_sigma > VAGUEST_THICKNESS:
        raise NoResult(
            f"the film's thickness is known to {thickness_sigma:.0%} only, where {VAGUEST_THICKNESS:.0%} is needed: "
            f"its moment gives no magnetisation",
            again=False,
        )
    volume_m3 = station.film_area_mm2 * 1e-6 * thickness * 1e-9
    relative = math.hypot(station.scale_sigma, thickness_sigma)
    return 1e-3 / volume_m3, relative, "kA/m"


def _in_film_units(loop: Loop, station: MagnetometryStation, kwargs: Mapping[str, Any]) -> tuple[Array, str]:
    factor, _, unit = _film_factor(station, kwargs)
    return loop.film * factor, unit


def _quantities(loop: Loop, station: MagnetometryStation, kwargs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What can be read off the loop.  Single points that drown in noise leave the saturation alone."""
    factor, relative, unit = _film_factor(station, kwargs)
    moment = station.quantity == "moment"
    saturation = loop.saturation
    if moment and saturation.value < 0:
        raise NoResult(_why_opposed(loop), again=False)
    if kwargs.get("reference"):
        return {station.quantity: saturation.as_dict(unit)}
    name = "saturation_magnetisation" if moment else "kerr_rotation"
    found = {name: saturation.scaled(factor, relative).as_dict(unit)}
    if not loop.noisy:
        found |= read_off(loop, factor, relative, unit if moment else None)
    return _as_bounds(found, name) if loop.unsaturated else found


def _why_opposed(loop: Loop) -> str:
    """Why the moment seems to oppose the field.

    A film that is turned round takes work, the area of its loop, whatever part of it turns.  So a loop that goes round
    the right way is of a film that the field only begins to turn: it bends upwards to the highest field, where the
    fit takes it for a background and a small moment against that.  With the wrong phase it goes round the other way.
    """
    b, m = loop.field_mt, loop.film
    work = float(np.sum((b[1:] + b[:-1]) / 2 * np.diff(m)))
    spread = loop.noise * float(np.linalg.norm(b[2:] - b[:-2])) / 2
    if work > SIGNIFICANT * spread:
        return (
            f"the highest field, {b.max():.3g} mT, is below what turns the film round: raise max_field_mt above its "
            f"coercivity"
        )
    return "the moment opposes the field; turn the lock-in's phase by 180 degrees or negate the scale"


def read_off(
    loop: Loop, factor: float = 1.0, relative: float = 0.0, unit: str | None = None
) -> dict[str, dict[str, Any]]:
    """What single points tell; the remanence only if it has a `unit`."""
    found, saturation = {}, loop.saturation
    remanent = remanence(loop)
    square = remanent.value / saturation.value
    square_sigma = math.hypot(remanent.sigma, square * saturation.sigma) / abs(saturation.value)
    found["coercivity"] = coercivity_mt(loop).as_dict("mT")
    found["squareness"] = Estimate(square, square_sigma).as_dict("1")
    if unit is not None:
        found["remanence"] = remanent.scaled(factor, relative).as_dict(unit)
    return found


def _as_bounds(found: dict[str, dict[str, Any]], saturation: str) -> dict[str, dict[str, Any]]:
    """What a loop inside the film's full one tells: it is nowhere wider or higher."""
    side = dict.fromkeys(("coercivity", "remanence"), "lower")
    side[saturation] = "lower" if found[saturation]["value"] >= 0 else "upper"
    return {name: {**told, "bound": side[name]} if name in side else told for name, told in found.items()}


# --- the fit --------------------------------------------------------------------------------------------


def fit(field_mt: Array, signal: Array, at_s: Array, overloaded: NDArray[np.bool_], *, steepest: float = 0.05) -> Loop:
    """Separate the film from offset, drift and background.  Raises `NoResult`."""
    check_points(field_mt, signal, overloaded)
    time = (at_s - at_s[0]) / max(at_s[-1] - at_s[0], 1e-9)
    b = field_mt / min(field_mt.max(), -field_mt.min())
    high = widest(b, time, signal)
    (offset, drift, slope, saturated), sigmas, noise = high.parameters, high.sigmas, high.noise
    if abs(saturated) < LEAST_SIGNAL_TO_NOISE * sigmas[3]:
        raise NoResult(
            f"signal to noise too low: {abs(saturated) / sigmas[3]:.1f} over all points at high field, where "
            f"{LEAST_SIGNAL_TO_NOISE:g} is needed; is a sample in the magnetometer, and the field high enough?"
        )
    gap = signal[-1] - signal[0] - slope * (b[-1] - b[0])
    if abs(gap) > WIDEST_GAP * 2 * abs(saturated) + SIGNIFICANT * noise:
        raise NoResult(
            f"the loop does not close: its ends are {abs(gap / (2 * saturated)):.0%} of the swing apart; "
            f"the sample moved or the signal drifts"
        )
    film = signal - offset - drift * time - slope * b
    significance, change = high.bend()
    reason = ""
    if slope / saturated > steepest and abs(slope) > SIGNIFICANT * sigmas[2]:
        reason = f"the signal still rises by {slope / saturated:.0%} of its saturation towards the highest field"
    elif significance > SIGNIFICANT and change > LARGEST_BEND:
        reason = "the loop still bends at the highest field"
    if reason:
        reason = f"not saturated: {reason}; the values are bounds"
    slope_per_mt = float(slope) / min(field_mt.max(), -field_mt.min())
    return Loop(field_mt, film, noise, Estimate(float(saturated), float(sigmas[3])), slope_per_mt, reason)


def check_points(field_mt: Array, signal: Array, overloaded: NDArray[np.bool_], *, meter: str = "lock-in") -> None:
    """Raises `NoResult` if the points are no loop."""
    if len(signal) < FEWEST_POINTS:
        raise NoResult(f"too few points: {len(signal)}, {FEWEST_POINTS} are needed")
    if overloaded.any():
        raise NoResult(f"the {meter} was overloaded at {np.count_nonzero(overloaded)} points")
    if not (np.isfinite(signal).all() and np.isfinite(field_mt).all()):
        missing = np.count_nonzero(~(np.isfinite(signal) & np.isfinite(field_mt)))
        raise NoResult(f"{missing} points are not numbers")
    if np.ptp(signal) == 0:
        raise NoResult(f"the signal never changed from {signal[0]:.3g}: no contact, or a cable is off")
    if not (field_mt.max() > 0 > field_mt.min()):
        raise NoResult(f"the field stayed between {field_mt.min():.3g} and {field_mt.max():.3g} mT")


# --- what is read off the film's own loop ---------------------------------------------------------------


def _branches(loop: Loop) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of the falling and of the rising branch, the lowest field belonging to both."""
    lowest = int(np.argmin(loop.field_mt))
    return np.arange(lowest + 1), np.arange(lowest, len(loop.field_mt))


def coercivity_mt(loop: Loop) -> Estimate:
    """Half the distance between the fields at which the two branches cross zero.

    Of a film that is not saturated, the background that was subtracted may be its own: that widens the loop by the
    ratio of the two slopes, which is taken off twice, so that what is left is a bound.
    """
    (falling, flat), (rising, flat_too) = (_crossing_mt(loop, branch) for branch in _branches(loop))
    width = (rising.value - falling.value) / 2
    if loop.unsaturated:
        width = max(0.0, width * (1 - 2 * max(flat, flat_too)))
    return Estimate(width, math.hypot(falling.sigma, rising.sigma) / 2)


def _crossing_mt(loop: Loop, branch: NDArray[np.intp]) -> tuple[Estimate, float]:
    """Where, and which part of the slope there the background is.

    The field is that at which the branch crosses zero; through the points that noise leaves near zero, or between two.
    """
    b, m = loop.field_mt[branch], loop.film[branch]
    start = np.sign(m[0])
    threshold = min(3 * loop.noise, abs(loop.saturation.value) / 2)
    over = np.nonzero(m * start < -threshold)[0]
    if not len(over):
        raise NoResult("the signal does not reverse with the field")
    after = int(over[0])
    before = int(np.nonzero(m[:after] * start > threshold)[0][-1])
    b, m = b[before : after + 1], m[before : after + 1]
    slope, at_zero = np.polyfit(m, b, 1)
    step = np.max(np.abs(np.diff(b)))
    jump = np.max(np.abs(np.diff(m))) / abs(loop.saturation.value)
    spread = loop.noise * abs(slope) / math.sqrt(len(b))
    # Between two points on a smooth flank a straight line errs in the second order; across a jump it knows nothing.
    sigma = math.hypot(spread, step * min(1.0, jump) ** 2 / math.sqrt(12))
    background = abs(loop.slope_per_mt * slope)
    return Estimate(float(at_zero), sigma), background / (1 + background)


def remanence(loop: Loop) -> Estimate:
    """Half the difference of the branches at zero field, in the units of the signal."""
    falling, rising = (_at_zero_field(loop, branch) for branch in _branches(loop))
    return Estimate((falling.value - rising.value) / 2, math.hypot(falling.sigma, rising.sigma) / 2)


def _at_zero_field(loop: Loop, branch: NDArray[np.intp]) -> Estimate:
    b, m = loop.field_mt[branch], loop.film[branch]
    after = int(np.nonzero(b * np.sign(b[0]) <= 0)[0][0])
    before = after - 1
    part = b[before] / (b[before] - b[after])
    value = m[before] + part * (m[after] - m[before])
    between = abs(m[after] - m[before]) / (2 * math.sqrt(12))
    return Estimate(float(value), math.hypot(loop.noise, between))
