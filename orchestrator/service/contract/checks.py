"""What is looked at before a night, one line each, from what was read before: pure."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from orchestrator.campaign.digest import sha256_of
from orchestrator.campaign.fit import SCCM_PA_L_S
from orchestrator.campaign.labspec import LabSpec
from orchestrator.campaign.spec import Campaign
from orchestrator.service.contract.earlier import EarlierNight, Rehearsal
from orchestrator.service.contract.lines import Line, Verdict
from orchestrator.service.forecast import Forecast

GIB = 2.0**30
FILM_BYTES = 300e3
"""Journal, documents and report of one film, where no earlier night tells: 110 to 300 kB have been measured."""
HOME_BYTES = 20e6
"""What a home has besides: logs, the report's plots."""
ROOM = 3.0
"""A disk should have so many times what the night needs."""
WORN = 0.5
"""Share of what is left of a target or of the gas that a night may take without a word."""
LOOSE = 10.0
"""A limit that is so many times what the campaign asks for limits nothing."""
STALE_DAYS = 30.0
"""After which the reference specimen's last measurement says little."""


def finish(told: Forecast, campaign: Campaign) -> Line:
    early, likely, late = (datetime.fromtimestamp(at) for at in (told.early, told.likely, told.late))
    day = "%H:%M" if early.date() == late.date() else "%a %H:%M"
    found = f"{early:{day}} to {late:{day}}, likely {likely:{day}}, by {told.basis}; {campaign.budget.samples} films, "
    found += f"{campaign.budget.lab_hours:g} h at most"
    if told.open_ended:
        found += "; a stopping rule may end it earlier"
    if told.basis == "the plans":
        return Line("finish", "amber", found, "rehearse it: nobody has measured what its steps take")
    return Line("finish", "green", found)


def substrates(campaign: Campaign, lab: LabSpec) -> Line:
    bare, needed = len(lab.cassette.bare), campaign.budget.samples
    allowed = min(bare, campaign.budget.substrates or bare)
    found = f"{bare} bare substrates by the lab file, {needed} films wanted, {allowed} may be used"
    if allowed < needed:
        return Line("substrates", "red", found, "fill the cassette, or make fewer films")
    if allowed == needed:
        return Line("substrates", "amber", found, "one that fails has no spare: leave some in the cassette")
    return Line("substrates", "green", found, "")


def targets(campaign: Campaign, lab: LabSpec, told: Forecast, earlier: Sequence[EarlierNight]) -> Iterator[Line]:
    """Each film counts with the greatest power of the campaign, for as long as a deposition takes."""
    power_w = campaign.extremes("power_w")[1]
    need_kwh = campaign.budget.samples * power_w * told.steps["deposit"].typical_s / 3.6e6
    for element in campaign.ranges():
        subject, target = f"target {element}", lab.targets[element]
        since_kwh = _used_since(element, target.used_kwh, earlier)
        left_kwh = target.remaining_kwh - since_kwh
        found = f"{left_kwh:.3g} of {target.life_kwh:g} kWh left, {need_kwh:.2g} at most needed"
        if since_kwh:
            found += f" ({since_kwh:.2g} used since the lab file was brought up to date)"
        verdict, do = _supply(need_kwh, left_kwh, f"mount a new target of {element} and set its used_kwh to 0")
        yield Line(subject, verdict, found, do)


def _used_since(element: str, used_kwh: float, earlier: Sequence[EarlierNight]) -> float:
    """What nights took whose lab file said the same of the target as today's."""
    total = 0.0
    for night in earlier:
        assert night.state.started is not None
        known = night.state.started.lab.get("targets")
        known = known.get(element) if isinstance(known, dict) else None
        if not night.rehearsed and isinstance(known, dict) and known.get("used_kwh") == used_kwh:
            total += night.state.energy_kwh.get(element, 0.0)
    return total


def _supply(need: float, left: float, do: str) -> tuple[Verdict, str]:
    if need > left:
        return "red", do
    if need > WORN * left:
        return "amber", f"{do}, now or after this night"
    return "green", ""


def gas(campaign: Campaign, lab: LabSpec, told: Forecast) -> Line:
    """Argon flows during depositions, as much as the pressure takes at the station's pumping speed."""
    flow_sccm = campaign.extremes("argon_pressure_pa")[1] * lab.deposition.pumping_speed_l_s / SCCM_PA_L_S
    need_l = campaign.budget.samples * told.steps["deposit"].typical_s / 60 * flow_sccm / 1000
    left_l = lab.deposition.argon_left_l
    if left_l is None:
        found = f"about {need_l:.2g} l (0 °C, 1 atm) needed; how much is left is not in the lab file"
        return Line("argon", "amber", found, "look at the cylinder's gauge, or give argon_left_l in the lab file")
    verdict, do = _supply(need_l, left_l, "change the cylinder")
    return Line("argon", verdict, f"{left_l:g} l left by the lab file, about {need_l:.2g} l needed", do)


def disk(campaign: Campaign, free_bytes: float, earlier: Sequence[EarlierNight], low_gib: float) -> Line:
    sizes = [(night.size - HOME_BYTES) / night.films for night in earlier if night.films and night.size > HOME_BYTES]
    sizes += [night.size / night.films for night in earlier if night.films and night.size <= HOME_BYTES]
    film = statistics.median(sizes) if sizes else FILM_BYTES
    need = campaign.budget.samples * film + HOME_BYTES
    source = f"measured on {len(sizes)} earlier nights" if sizes else "by default"
    found = f"{free_bytes / GIB:.3g} GiB free, about {need / 1e6:.0f} MB needed ({film / 1e3:.0f} kB a film, {source})"
    if free_bytes < need:
        return Line("disk", "red", found, "make room, or choose a --home on another disk")
    if free_bytes < ROOM * need or free_bytes < low_gib * GIB + need:
        return Line("disk", "amber", found, "make room: below alerts.disk_low_gib somebody is alerted")
    return Line("disk", "green", found)


def limits(campaign: Campaign, lab: LabSpec) -> Line:
    """What a device may ever be set to, beside what the campaign asks for."""
    flow = campaign.extremes("argon_pressure_pa")[1] * lab.deposition.pumping_speed_l_s / SCCM_PA_L_S
    asked = {
        "power": campaign.extremes("power_w")[1],
        "flow": flow,
        "current": campaign.measurement.max_field_mt / lab.magnetometry.field_per_ampere_mt,
    }
    told, loose = [], []
    for station in lab.stations.values():
        for name, device in station.devices.items():
            for setting, (low, high) in device.limits.items():
                told.append(f"{name} {setting} {low:g} to {high:g}")
                if high > LOOSE * asked.get(setting, high):
                    loose.append(f"{name} {setting}: {asked[setting]:.3g} is asked for")
    if loose:
        do = "lower the limits in the lab file to what the hardware bears and the campaign needs"
        return Line("limits", "amber", f"{'; '.join(told)}; wide: {'; '.join(loose)}", do)
    return Line("limits", "green", "; ".join(told))


def calculators(campaign: Campaign, lab: LabSpec, missing: Collection[str]) -> Iterator[Line]:
    """One for each virtual station that the campaign uses; programs that are `missing` are not on this machine."""
    for name, use in campaign.virtual.items():
        spec = lab.virtual[name]
        found = f"{spec.calculator}, at most {use.calculations} calculations by {counted(spec.processes)}"
        if spec.command in missing:
            told = f"{found}; there is no program {spec.command} here"
            yield Line(
                f"calculator {name}", "amber", told, "install it, or give `program` in the lab file; films go on"
            )
        else:
            yield Line(f"calculator {name}", "green", found)


def counted(processes: int) -> str:
    return "one process" if processes == 1 else f"{processes} processes"


def interlocks(campaign: Campaign) -> Line:
    """Those that every station has: `orchestrator.execution.interlocks`."""
    wait_s = campaign.recovery.interlock_wait_s
    found = "pressure, flow, power, shutters, stale readings, magnet and arm faults; waits "
    found += f"{wait_s:g} s for one that may clear by itself"
    return Line("interlocks", "green", f"{found}; none of them replaces the hard-wired chain")


def reference(lab: LabSpec, earlier: Sequence[EarlierNight], now: float) -> Line:
    if lab.reference is None:
        do = "add [reference] to the lab file: without it nobody sees a magnetometer drift"
        return Line("reference", "amber", "none", do)
    known = f"in slot {lab.reference.slot}, measured before the first film and every {lab.reference.every_films} films"
    checked = [night.reference for night in earlier if night.reference is not None and not night.rehearsed]
    if not checked:
        return Line("reference", "amber", f"{known}; never measured yet", "see that it is in its slot")
    at, last = max(checked, key=lambda pair: pair[0])
    days = (now - at) / 86400
    found = f"{known}; last {days:.1f} days ago: {last.ratio:.3f} of its value, {last.verdict}"
    if last.verdict == "drifted":
        return Line("reference", "red", found, "see to the magnetometer: centring, phase, field, warming up")
    if days > STALE_DAYS:
        return Line("reference", "amber", found, "the night measures it first; be there for that")
    return Line("reference", "green", found)


def rehearsal(campaign: Campaign, lab: LabSpec, version: str, found: Sequence[Rehearsal]) -> Line:
    same = [one for one in found if one.campaign_sha256 == sha256_of(campaign)]
    passed = [one for one in same if one.passed]
    if not passed:
        last = max(same, key=lambda one: one.at, default=None)
        told = f"not passed: {last.home} ended {last.end}" if last else "none of this campaign file"
        return Line("dry run", "red", told, "pass `nightshift dry-run` with the same campaign file first")
    at_home = [one for one in passed if one.lab_sha256 == sha256_of(lab)]
    best = max(at_home or passed, key=lambda one: one.at)
    told = f"passed in {best.home} on {datetime.fromtimestamp(best.at):%d %b %Y, %H:%M}"
    if not at_home:
        return Line("dry run", "amber", f"{told}, with another lab file", "rehearse it in this one")
    if best.version != version:
        return Line("dry run", "amber", f"{told}, with Nightshift {best.version}", "rehearse it with this version")
    return Line("dry run", "green", told)
