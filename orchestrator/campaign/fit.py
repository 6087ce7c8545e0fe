"""Whether a lab can do a campaign."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from orchestrator.campaign.film import Setting
from orchestrator.campaign.problems import NOTHING, Key, Problem
from orchestrator.campaign.quantities import CALCULATED, MEASURED_BY

if TYPE_CHECKING:
    from orchestrator.campaign.labspec import LabSpec
    from orchestrator.campaign.spec import Campaign

RATE_NM_S_W = 1e-4
"""Rate per watt on which target life is budgeted.  Published co-sputter rates at 100 W are 0.8e-4 (Fe), 1.4e-4
(Co) and 1.5e-4 (Ni) nm/s/W for a long throw (npj Comput. Mater. 11, 329, 2025) and five times that for a short
one, so this errs on the side of too much energy."""

SCCM_PA_L_S = 1.68875
"""Pa l/s in one sccm: a cubic centimetre a minute at 0 °C and 101325 Pa."""


def energy_kwh(campaign: Campaign, element: str) -> float:
    """Roughly what the campaign will take from the target of `element`, kWh.

    Every film is given the element's middling share of the thickness, grown at `RATE_NM_S_W`, and a pre-sputter
    at full power; settings that are searched count with the middle of their range.  An order of magnitude, to refuse
    a worn target in the evening and not at 3 a.m.
    """
    ranges = campaign.ranges()
    least, most = ranges[element]
    others = sum(low for name, (low, _) in ranges.items() if name != element)
    share = (least + min(most, 100.0 - others)) / 200.0
    thickness_nm, presputter_s, power_w = (
        sum(campaign.extremes(name)) / 2 for name in ("thickness_nm", "presputter_s", "power_w")
    )
    growing_j = share * thickness_nm / RATE_NM_S_W
    presputter_j = presputter_s * power_w
    return (growing_j + presputter_j) * campaign.budget.samples / 3.6e6


def misfits(campaign: Campaign, lab: LabSpec) -> list[Problem]:
    """Everything for which `lab` cannot do `campaign`; keys are those of the campaign file."""
    each = (_targets, _substrates, _film, _loop, _virtual)
    return [problem for part in each for problem in part(campaign, lab)]


def _virtual(campaign: Campaign, lab: LabSpec) -> Iterator[Problem]:
    for name in campaign.virtual:
        at = ("virtual", name)
        if name not in lab.virtual:
            right = f"take one of {', '.join(lab.virtual)}" if lab.virtual else 'add one with kind = "virtual" there'
            yield Problem(at, NOTHING, f"lab {lab.name} has no virtual station of that name", right)
    for number, objective in enumerate(campaign.objectives):
        if campaign.virtual and objective.quantity not in CALCULATED:
            wrong = "is nothing that a calculator tells"
            right = f"take one of {', '.join(CALCULATED)}, or leave out [virtual]"
            yield Problem(("objectives", number, "quantity"), objective.quantity, wrong, right)


def _targets(campaign: Campaign, lab: LabSpec) -> Iterator[Problem]:
    guns = lab.guns()
    for element in campaign.ranges():
        at = ("elements", element)
        if element not in guns:
            wrong = f"no gun of lab {lab.name} has a target of it"
            yield Problem(at, NOTHING, wrong, f"take one of {', '.join(guns)}, or mount the target")
            continue
        needed, left = energy_kwh(campaign, element), lab.targets[element].remaining_kwh
        if needed > left:
            wrong = (
                f"its target has {left:.3g} kWh left, and {campaign.budget.samples} films need about {needed:.2g} kWh"
            )
            right = "make fewer films, or mount a new target and set its used_kwh to 0 in the lab file"
            yield Problem(at, NOTHING, wrong, right)


def _substrates(campaign: Campaign, lab: LabSpec) -> Iterator[Problem]:
    name = "samples" if campaign.budget.substrates is None else "substrates"
    needed = campaign.budget.substrates or campaign.budget.samples
    bare = len(lab.cassette.bare)
    if needed > bare:
        wrong = f"the cassette of lab {lab.name} holds {bare} bare substrates"
        yield Problem(("budget", name), needed, wrong, f"give at most {bare}, or fill the cassette")


def _film(campaign: Campaign, lab: LabSpec) -> Iterator[Problem]:
    devices, guns = lab.deposition.devices, lab.guns()
    for element in campaign.ranges():
        if element not in guns:
            continue
        low, high = devices[guns[element]].limits.get("power", (0.0, math.inf))
        for at, power in _ends(campaign, "power_w"):
            if not low <= power <= high:
                wrong = f"{guns[element]} ({element}) is limited to {low:g} to {high:g} W"
                yield Problem(at, power, wrong, f"give {low:g} to {high:g} W")
    heated = any(device.role == "heater" for device in devices.values())
    for at, temperature in _ends(campaign, "temperature_c"):
        wrong = f"lab {lab.name} has no heater"
        if heated:
            wrong = "films are not heated yet: a holder that is hot must cool before the robot comes, and nothing waits"
        yield Problem(at, temperature, wrong, "leave it out")
    for at, pressure in _ends(campaign, "argon_pressure_pa"):
        if pressure <= lab.deposition.base_pressure_pa:
            wrong = f"is not above the base pressure {lab.deposition.base_pressure_pa:g} Pa of lab {lab.name}"
            yield Problem(at, pressure, wrong, "give a higher pressure")
        yield from _flow(lab, at, pressure)


def _flow(lab: LabSpec, at: Key, pressure_pa: float) -> Iterator[Problem]:
    """Whether the gas that the pressure takes can be let in."""
    litres_s = lab.deposition.pumping_speed_l_s
    for name, device in lab.deposition.devices.items():
        if device.role == "gas" and "flow" in device.limits:
            most, needed = device.limits["flow"][1], pressure_pa * litres_s / SCCM_PA_L_S
            if needed > most:
                wrong = f"takes about {needed:.3g} sccm at {litres_s:g} l/s, and {name} is limited to {most:g} sccm"
                highest = math.floor(100 * most * SCCM_PA_L_S / litres_s) / 100
                yield Problem(at, pressure_pa, wrong, f"give at most {highest:g} Pa")


def _ends(campaign: Campaign, name: str) -> list[tuple[Key, float]]:
    """Where in the file the least and the greatest value of a key of [film] are, and these; none if it is absent."""
    given: Any = getattr(campaign.film, name)
    if given is None:
        return []
    low, high = campaign.extremes(name)
    if not isinstance(given, Setting):
        return [(("film", name), value) for value in dict.fromkeys((low, high))]
    if given.choices:
        return [(("film", name, "choices", given.choices.index(value)), value) for value in (low, high)]
    return [(("film", name, "min"), low), (("film", name, "max"), high)]


def _loop(campaign: Campaign, lab: LabSpec) -> Iterator[Problem]:
    signal = lab.magnetometry.quantity
    wanted = [("objectives", number, told.quantity) for number, told in enumerate(campaign.objectives)]
    wanted += [("limits", number, told.quantity) for number, told in enumerate(campaign.limits)]
    for table, number, quantity in wanted:
        if quantity not in MEASURED_BY[signal]:
            wrong = f"the magnetometer of lab {lab.name} measures {signal}, which does not give it"
            right = "take one of " + ", ".join(MEASURED_BY[signal])
            yield Problem((table, number, "quantity"), quantity, wrong, right)
    field, most = campaign.measurement.max_field_mt, lab.max_field_mt()
    if field > most:
        wrong = f"the magnet of lab {lab.name} reaches {most:g} mT within its current limits"
        yield Problem(("measurement", "max_field_mt"), field, wrong, f"give at most {most:g} mT")
