"""Whether a lab can do a campaign."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.campaign.problems import NOTHING, Problem
from orchestrator.campaign.quantities import MEASURED_BY

if TYPE_CHECKING:
    from orchestrator.campaign.labspec import LabSpec
    from orchestrator.campaign.spec import Campaign

RATE_NM_S_W = 1e-4
"""Rate per watt on which target life is budgeted.  Published co-sputter rates at 100 W are 0.8e-4 (Fe), 1.4e-4
(Co) and 1.5e-4 (Ni) nm/s/W for a long throw (npj Comput. Mater. 11, 329, 2025) and five times that for a short
one, so this errs on the side of too much energy."""


def energy_kwh(campaign: Campaign, element: str) -> float:
    """Roughly what the campaign will take from the target of `element`, kWh.

    Every film is given the element's middling share of the thickness, grown at `RATE_NM_S_W`, and a pre-sputter
    at full power.  An order of magnitude, to refuse a worn target in the evening and not at 3 a.m.
    """
    bounds = campaign.elements[element]
    others = sum(r.min for name, r in campaign.elements.items() if name != element)
    share = (bounds.min + min(bounds.max, 100.0 - others)) / 200.0
    growing_j = share * campaign.film.thickness_nm / RATE_NM_S_W
    presputter_j = campaign.film.presputter_s * campaign.film.power_w
    return (growing_j + presputter_j) * campaign.budget.samples / 3.6e6


def misfits(campaign: Campaign, lab: LabSpec) -> list[Problem]:
    """Everything for which `lab` cannot do `campaign`; keys are those of the campaign file."""
    return [*_targets(campaign, lab), *_substrates(campaign, lab), *_film(campaign, lab), *_loop(campaign, lab)]


def _targets(campaign: Campaign, lab: LabSpec) -> Iterator[Problem]:
    guns = lab.guns()
    for element in campaign.elements:
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
    film, devices = campaign.film, lab.deposition.devices
    guns = lab.guns()
    for element in campaign.elements:
        if element not in guns:
            continue
        low, high = devices[guns[element]].limits.get("power", (0.0, film.power_w))
        if not low <= film.power_w <= high:
            wrong = f"{guns[element]} ({element}) is limited to {low:g} to {high:g} W"
            yield Problem(("film", "power_w"), film.power_w, wrong, f"give {low:g} to {high:g} W")
    if film.temperature_c is not None and not any(device.role == "heater" for device in devices.values()):
        wrong = f"lab {lab.name} has no heater"
        yield Problem(("film", "temperature_c"), film.temperature_c, wrong, "leave it out, or use a lab with a heater")
    if film.argon_pressure_pa <= lab.deposition.base_pressure_pa:
        wrong = f"is not above the base pressure {lab.deposition.base_pressure_pa:g} Pa of lab {lab.name}"
        yield Problem(("film", "argon_pressure_pa"), film.argon_pressure_pa, wrong, "give a higher pressure")


def _loop(campaign: Campaign, lab: LabSpec) -> Iterator[Problem]:
    signal = lab.magnetometry.quantity
    for number, objective in enumerate(campaign.objectives):
        if objective.quantity not in MEASURED_BY[signal]:
            wrong = f"the magnetometer of lab {lab.name} measures {signal}, which does not give it"
            right = "take one of " + ", ".join(MEASURED_BY[signal])
            yield Problem(("objectives", number, "quantity"), objective.quantity, wrong, right)
    field, most = campaign.measurement.max_field_mt, lab.max_field_mt()
    if field > most:
        wrong = f"the magnet of lab {lab.name} reaches {most:g} mT within its current limits"
        yield Problem(("measurement", "max_field_mt"), field, wrong, f"give at most {most:g} mT")
