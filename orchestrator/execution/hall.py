"""From a loop of the Hall resistance to the film's anomalous Hall resistivity.

Notation, for n points of the falling branch:

    b   (n,) field, mT, from the highest to its opposite      y   (n,) transverse resistance, ohm

What reverses with the field is the Hall effect; what does not is the longitudinal resistance that misplaced contacts
see, and its magnetoresistance.  A point of the falling branch and that of the rising branch at the opposite field
belong to opposite states of the film, so half their difference is the Hall resistance alone, offset-free:

    h(b) = [y_falling(b) - y_rising(-b)] / 2

Beyond saturation  h = R_A sgn(b) + R_0 b,  anomalous and ordinary part; a constant is fitted with them, which takes
up a drift that is linear in time.  The resistivity is  rho = R_A d  for a film of thickness d.

The field is that in the gap: a film saturated out of its plane has B = mu_0 H outside of it, and the demagnetising
field N = 1 only moves the field at which it saturates, not R_A.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from drivers.roles import MagnetometryStation
from orchestrator.execution import analysis
from orchestrator.execution.analysis import Array, Estimate, Loop
from orchestrator.execution.highfield import NoResult, least_squares

PARTS = (0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
"""Of the highest field, beyond which the film may be saturated; the widest range that is straight is fitted."""
FEWEST_A_SIDE = 4
AS_STRAIGHT = 1.2
"""Residuals of a wider fit over those of the narrowest."""
STRAIGHT = 2.5
"""Standard uncertainties of the bend."""
MICROOHM_CM = 0.1
"""Of one ohm in one nanometre."""


def of_measurement(
    outcome: Mapping[str, Any], station: MagnetometryStation, kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The outcome of a measure plan with ``quantities``, ``validity`` and ``reason``, and the loop in units: by its
    Hall resistance if that is what the station measures, else by `orchestrator.execution.analysis`."""
    if station.quantity != "hall_resistance":
        return analysis.of_measurement(outcome, station, kwargs)
    raw = outcome["loop"]
    resistance = np.array(raw["signal"], dtype=float) * station.scale
    loop: dict[str, Any] = {**raw, "signal": resistance.tolist(), "unit": "ohm"}
    answer: dict[str, Any] = {**outcome, "loop": loop, "quantities": {}, "validity": "failed", "reason": ""}
    try:
        field = np.array(raw["field_mt"], dtype=float)
        analysis.check_points(field, resistance, np.array(raw["overloaded"], dtype=bool), meter="Hall meter")
        fitted = fit(field, resistance)
        quantities = _quantities(fitted, station, kwargs)
    except NoResult as reason:
        return {**answer, "reason": str(reason), "again": reason.again}
    return {
        **answer,
        "loop": {**loop, "film": _film(field, resistance, fitted).tolist(), "film_unit": "ohm"},
        "quantities": quantities,
        "validity": "censored" if fitted.unsaturated else "valid",
        "reason": fitted.unsaturated
        or _why_no_resistivity(kwargs)
        or ("too noisy to read a coercivity" if fitted.noisy else ""),
    }


def antisymmetrised(field_mt: Array, resistance: Array) -> tuple[Array, Array]:
    """Field (n,) falling and Hall resistance (n,) of the falling branch.  Raises `NoResult`."""
    lowest = int(np.argmin(field_mt))
    b, falling = field_mt[: lowest + 1], resistance[: lowest + 1]
    b_rising, rising = field_mt[lowest:], resistance[lowest:]
    order = np.argsort(b_rising)
    inside = (-b >= b_rising.min()) & (-b <= b_rising.max())
    if np.count_nonzero(inside) < 2 * FEWEST_A_SIDE:
        raise NoResult("the two branches share too few fields to tell the Hall effect from an offset")
    opposite = np.interp(-b[inside], b_rising[order], rising[order])
    return b[inside], (falling[inside] - opposite) / 2


def fit(field_mt: Array, resistance: Array) -> Loop:
    """The film's anomalous Hall loop, by straight lines beyond its saturation.  Raises `NoResult`."""
    b, hall = antisymmetrised(field_mt, resistance)
    top = float(np.max(np.abs(b)))
    part, parameters, sigmas, noise = _straight(b / top, hall)
    constant, slope, anomalous = (float(value) for value in parameters)
    if abs(anomalous) < analysis.LEAST_SIGNAL_TO_NOISE * sigmas[2]:
        raise NoResult(
            f"no anomalous Hall resistance beyond the noise: {anomalous:.3g} +- {sigmas[2]:.2g} ohm; are the contacts "
            f"in place, and is {top:.4g} mT enough to saturate the film out of its plane?"
        )
    film = hall - constant - slope * b / top
    # The rising branch is the falling one turned round: what antisymmetrising makes of it.
    both_b, both = np.concatenate([b, -b[1:]]), np.concatenate([film, -film[1:]])
    return Loop(
        both_b,
        both,
        float(noise),
        Estimate(anomalous, float(sigmas[2])),
        slope / top,
        _why_unsaturated(part, b / top, hall, anomalous),
    )


def _film(field_mt: Array, resistance: Array, fitted: Loop) -> Array:
    """(k,) of the film alone, at every point of the loop as measured: antisymmetrised, without the ordinary part."""
    lowest = int(np.argmin(field_mt))
    b, y = fitted.field_mt, fitted.film
    half = (len(b) + 1) // 2  # falling, then the same turned round
    falling = np.interp(-field_mt[: lowest + 1], -b[:half], y[:half])
    rising = np.interp(field_mt[lowest + 1 :], b[half - 1 :], y[half - 1 :])
    return np.concatenate([falling, rising])


def _model(b: Array) -> Array:
    """(n, 3): constant, ordinary, anomalous; `b` over the highest."""
    return np.column_stack([np.ones_like(b), b, np.sign(b)])


def _beyond(part: float, b: Array, y: Array) -> tuple[Array, Array] | None:
    """The points beyond `part` of the highest field, None if they are too few."""
    high = np.abs(b) >= part
    if min(np.count_nonzero(high & (b > 0)), np.count_nonzero(high & (b < 0))) < FEWEST_A_SIDE:
        return None
    return b[high], y[high]


def _straight(b: Array, y: Array) -> tuple[float, Array, Array, float]:
    """The widest range in which the loop is as straight as in the narrowest: part, parameters, sigmas, noise."""
    ranges = [(part, found) for part in PARTS if (found := _beyond(part, b, y)) is not None]
    if not ranges:
        raise NoResult("too few points at high field to tell the film from the ordinary Hall effect")
    narrowest = least_squares(_model(ranges[-1][1][0]), ranges[-1][1][1])[2]
    for part, (high, value) in ranges:
        parameters, sigmas, noise = least_squares(_model(high), value)
        if part == ranges[-1][0] or (noise <= AS_STRAIGHT * narrowest and _bend(high, value)[0] < STRAIGHT):
            return part, parameters, sigmas, noise
    raise AssertionError("the narrowest range is always taken")


def _bend(b: Array, y: Array) -> tuple[float, float]:
    """An approach to saturation that is not straight: its significance, and by how much it would change R_A."""
    approach = np.sign(b) * (1 / np.abs(b) - 1)
    straight = least_squares(_model(b), y)[0]
    parameters, sigmas, _ = least_squares(np.column_stack([_model(b), approach]), y)
    significance = float(abs(parameters[3]) / sigmas[3]) if sigmas[3] > 0 else 0.0
    return significance, float(abs(parameters[2] / straight[2] - 1)) if straight[2] else math.inf


def _why_unsaturated(part: float, b: Array, y: Array, anomalous: float) -> str:
    """Why the film may not be saturated, or "".

    While it turns, h rises by R_A within the field that saturates it.  So of a film that is not saturated the slope
    at high field is that of the turning itself.
    """
    high = _beyond(part, b, y)
    assert high is not None
    significance, change = _bend(*high)
    if significance > analysis.SIGNIFICANT and change > analysis.LARGEST_BEND:
        return "not saturated: the loop still bends at the highest field; the values are bounds"
    slope = float(least_squares(_model(high[0]), high[1])[0][1])
    if slope / anomalous > analysis.STEEPEST_BACKGROUND["hall_resistance"]:
        return (
            f"not saturated: the Hall resistance still rises by {slope / anomalous:.0%} of its anomalous part towards "
            f"the highest field; the values are bounds"
        )
    return ""


def _thickness_nm(kwargs: Mapping[str, Any]) -> tuple[float, float]:
    """Of the film, and its standard uncertainty; zero where it is not known."""
    return kwargs.get("thickness_nm") or 0.0, kwargs.get("thickness_sigma_nm") or 0.0


def _why_no_resistivity(kwargs: Mapping[str, Any]) -> str:
    """Why a resistance gives no resistivity, or ""."""
    if kwargs.get("reference"):
        return ""
    thickness, sigma = _thickness_nm(kwargs)
    if not thickness > 0:
        return "the film's thickness is not known, so its Hall resistance gives no resistivity"
    if sigma / thickness > analysis.VAGUEST_THICKNESS:
        return (
            f"the film's thickness is known to {sigma / thickness:.0%} only, where {analysis.VAGUEST_THICKNESS:.0%} is "
            f"needed: its Hall resistance gives no resistivity"
        )
    return ""


def _quantities(loop: Loop, station: MagnetometryStation, kwargs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    resistance = loop.saturation.scaled(1.0, station.scale_sigma)
    if kwargs.get("reference"):
        return {station.quantity: loop.saturation.as_dict("ohm")}
    found = {"anomalous_hall_resistance": resistance.as_dict("ohm")}
    if not _why_no_resistivity(kwargs):
        thickness, sigma = _thickness_nm(kwargs)
        relative = math.hypot(station.scale_sigma, sigma / thickness)
        rho = loop.saturation.scaled(MICROOHM_CM * thickness, relative)
        found["anomalous_hall_resistivity"] = rho.as_dict("uohm cm")
    if not loop.noisy:
        found |= analysis.read_off(loop)
    if loop.unsaturated:
        side = "lower" if loop.saturation.value >= 0 else "upper"
        bounds = dict.fromkeys(("anomalous_hall_resistance", "anomalous_hall_resistivity"), side)
        bounds["coercivity"] = "lower"
        found = {name: {**told, "bound": bounds[name]} if name in bounds else told for name, told in found.items()}
    return found
