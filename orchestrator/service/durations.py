"""How long a step takes by its plan's own figures: pure.

What waits, dwells and rates say, added up; nothing is measured here.  `orchestrator.service.forecast` corrects these
figures by what steps really took in this lab.  All times are lab seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from orchestrator.campaign.entries import Plan
from orchestrator.campaign.labspec import LabSpec
from protocols.loop import next_field_mt
from protocols.rates import MOLAR_VOLUME_CM3, Rate, powers_for

Rates = Mapping[str, Mapping[str, float]]
"""Element -> "nm_s_w", as a journal has it: nm/s on the substrate at 1 W."""

USUAL_RATE_NM_S_W = 4e-4
"""Of a target whose rate nobody has measured here: between the 0.8e-4 to 1.5e-4 of a long throw (npj Comput. Mater. 11,
329, 2025) and five times that of a short one."""
GAS_S = 12.0
"""Until the argon pressure is settled: one correction of its flow and four readings, sometimes two."""
STRIKE_S = 5.0
PUMP_S = 90.0
"""Until the base pressure is back after a substrate was changed."""
CALIBRATION_S = 20.0 + 50.0 + 5.0
"""One gun: the crystal comes to rest, some fifty readings a second apart, shutter and material."""
AGAIN = 1
"""Guns that are calibrated twice, since their power moved far."""
STEADY_S = 3 * 10.0
"""After each of two settings of the powers, and with the gun shutters open."""
LEAVE_S = 5.0
TRANSFER_S = 30.0
RETIRE_S = 20.0
LOOP_READINGS = 12
"""Before the first branch: sensitivity, settling, noise at the highest field."""
USUAL_COERCIVITY_MT = 2.0
POINT_S = 0.3
"""What a point costs beyond its dwell and its ramp: orders and answers."""


def planned_s(plan: Plan, kwargs: Mapping[str, Any], lab: LabSpec, known: Rates) -> float:
    """Lab seconds of a step with the arguments `kwargs`, where `known` rates count for those that it was not told."""
    match plan:
        case "deposit":
            return _deposit_s(kwargs, known)
        case "measure":
            return _measure_s(kwargs, lab)
        case "transfer":
            return TRANSFER_S
        case "retire":
            return RETIRE_S


def _deposit_s(kwargs: Mapping[str, Any], known: Rates) -> float:
    wanted = {element: x for element, x in kwargs["composition"].items() if x > 0}
    guns = len(wanted)
    again = AGAIN if guns > 1 else 0
    before = PUMP_S + GAS_S + guns * STRIKE_S + (guns + again) * CALIBRATION_S + STEADY_S
    before += float(kwargs.get("presputter_s", 0.0))
    growth = growth_nm_s(wanted, float(kwargs["power_w"]), {**known, **kwargs.get("rates", {})})
    return before + float(kwargs["thickness_nm"]) / growth + LEAVE_S


def growth_nm_s(composition: Mapping[str, float], power_w: float, known: Rates) -> float:
    """How fast a film of `composition` grows with its strongest gun at `power_w`."""
    rates = {
        element: Rate(known.get(element, {}).get("nm_s_w", USUAL_RATE_NM_S_W), 0.0)
        for element, x in composition.items()
        if x > 0
    }
    if not rates.keys() <= MOLAR_VOLUME_CM3.keys():  # which the deposition itself will refuse
        return USUAL_RATE_NM_S_W * power_w
    watts = powers_for(composition, rates, power_w).watts
    return sum(rate.at(watts[element]) for element, rate in rates.items())


def rates_known(composition: Mapping[str, float], known: Rates) -> bool:
    """Whether the rate of every element of `composition` has been measured."""
    return all(element in known for element, x in composition.items() if x > 0)


def _measure_s(kwargs: Mapping[str, Any], lab: LabSpec) -> float:
    magnet = next(device for device in lab.magnetometry.devices.values() if device.role == "magnet")
    slew_mt_s = float(magnet.settings["max_slew_a_s"]) * lab.magnetometry.field_per_ampere_mt
    top, coarse, fine = (float(kwargs[name]) for name in ("max_field_mt", "coarse_step_mt", "fine_step_mt"))
    points = LOOP_READINGS + 2 * branch_points(top, coarse, fine)
    return points * (float(kwargs["dwell_s"]) + POINT_S) + 6 * top / slew_mt_s


@lru_cache(maxsize=64)
def branch_points(top_mt: float, coarse_mt: float, fine_mt: float) -> int:
    """Points of one branch of the loop of a soft film, by the rule that the measurement itself follows."""
    fields, signals = [top_mt], [1.0]
    while True:
        field = next_field_mt(fields, signals, target_mt=-top_mt, coarse_mt=coarse_mt, fine_mt=fine_mt, noise=0.005)
        if field is None:
            return len(fields) - 1
        fields.append(field)
        signals.append(math.tanh((field + USUAL_COERCIVITY_MT) / USUAL_COERCIVITY_MT))
