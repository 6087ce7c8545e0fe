"""What the night used up, and what is left: pure facts, and their table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.report.facts import Night, is_number
from orchestrator.report.formats import HOUR_S, counted, number, percent
from orchestrator.report.markup import Child, Html, el, join, table_row

LITRES_AN_SCCM_HOUR = 60 / 1000
"""Of gas at 0 °C and 1013 hPa: a standard cubic centimetre a minute, for an hour."""


@dataclass(frozen=True)
class Gas:
    """`sccm`: median flow that the flow controller told of while films grew, `readings` of them."""

    sccm: float
    readings: int


@dataclass(frozen=True)
class Substrates:
    """`filmed` carry a film, `bare` were taken for nothing, `left` were never touched (None: the lab does not say)."""

    filmed: int
    bare: int
    left: int | None


@dataclass(frozen=True)
class Target:
    """A sputter target: gun, film minutes and energy in this campaign; life and what is left of it, kWh."""

    element: str
    gun: str
    film_s: float
    used_kwh: float | None
    life_kwh: float | None
    left_kwh: float | None

    def films_left(self, films: int) -> int | None:
        """How many more films like the `films` of this campaign it lasts for; None if that is not known."""
        if self.left_kwh is None or not self.used_kwh or not films:
            return None
        return max(0, int(self.left_kwh / (self.used_kwh / films)))


def substrates(night: Night) -> Substrates:
    used = {sample.slot for sample in night.samples}
    filmed = sum(sample.film is not None for sample in night.samples)
    tray: dict[str, Any] = night.lab.get("cassette") or {}
    slots = tray.get("filled") or (range(1, tray["slots"] + 1) if isinstance(tray.get("slots"), int) else None)
    kept = {(night.lab.get("reference") or {}).get("slot")}
    left = None if slots is None else len(set(slots) - used - kept)
    return Substrates(filmed, len(used) - filmed, left)


def targets(night: Night) -> list[Target]:
    """Of every gun of the lab, and of elements that were sputtered from none that it names."""
    guns = _guns(night.lab)
    films = [s.film for s in night.samples if s.film]
    elements = dict.fromkeys([*guns.values(), *(el for film in films for el in film.doses)])
    named = {element: gun for gun, element in guns.items()}
    return [_target(night, element, named.get(element, "–"), films) for element in elements]


def _target(night: Night, element: str, gun: str, films: list[e.FilmDeposited]) -> Target:
    spec = (night.lab.get("targets") or {}).get(element) or {}
    life, before = spec.get("life_kwh"), spec.get("used_kwh", 0.0)
    used = night.state.energy_kwh.get(element)
    return Target(
        element=element,
        gun=gun,
        film_s=sum(float(film.doses.get(element, {}).get("seconds", 0.0)) for film in films),
        used_kwh=used,
        life_kwh=life if is_number(life) else None,
        left_kwh=life - before - (used or 0.0) if is_number(life) and is_number(before) else None,
    )


def _guns(lab: dict[str, Any]) -> dict[str, str]:
    """Gun -> element of its target, as the lab file orders them."""
    found = {}
    for station in (lab.get("stations") or {}).values():
        for name, device in ((station or {}).get("devices") or {}).items():
            target = (device.get("settings") or {}).get("target")
            if device.get("role") == "gun" and target:
                found[str(name)] = str(target)
    return found


def gas_litres(night: Night, gas: Gas) -> float:
    """Standard litres, about: the median flow over all the time that depositions took."""
    hours = sum(bar.end - bar.start for bar in night.bars if bar.intent.plan == "deposit") / HOUR_S
    return gas.sccm * hours * LITRES_AN_SCCM_HOUR


# --- on the page ----------------------------------------------------------------------------------------


def consumables(night: Night, gas: Gas | None) -> Html:
    used = substrates(night)
    left = "how many are left is not known: the lab names no cassette" if used.left is None else f"{used.left} are left"
    words = f"{counted(used.filmed, 'substrate')} with a film, {used.bare} taken and left bare; {left}."
    told = el("p", _gas(night, gas))
    return join(el("p", words), told, _targets(night, used.filmed))


def _gas(night: Night, gas: Gas | None) -> str:
    if gas is None:
        return "Gas: not known, no reading of a flow was found; the journal has none."
    return (
        f"Gas: about {gas_litres(night, gas):.0f} standard litres, the median flow of {gas.sccm:.1f} sccm "
        f"({counted(gas.readings, 'reading')}) over the time of all depositions."
    )


def _targets(night: Night, films: int) -> Html:
    found = targets(night)
    if not found:
        return el("p", "Targets: not known, the lab names no gun.", class_="none")
    head: list[Child] = [
        el("th", "target", class_="text"),
        el("th", "gun", class_="text"),
        "film minutes",
        "energy (kWh)",
        "left (kWh)",
        el("th", "of its life left", class_="text"),
        "films like these",
    ]
    rows = [table_row("td", _row(target, films)) for target in found]
    table = el("table", el("thead", table_row("th", head)), el("tbody", *rows), class_="targets")
    return el("div", table, class_="scroll", tabindex="0", role="region", aria_label="Targets")


def _row(target: Target, films: int) -> list[Child]:
    share = target.left_kwh / target.life_kwh if target.left_kwh is not None and target.life_kwh else None
    more = target.films_left(films)
    return [
        el("th", target.element, class_="text", scope="row"),
        el("td", target.gun, class_="text"),
        number(target.film_s / 60 if target.film_s else None, 0),
        number(target.used_kwh, 2),
        number(target.left_kwh, 1),
        el("td", _gauge(share), class_="text"),
        "–" if more is None else f"{more}",
    ]


def _gauge(share: float | None) -> Html:
    if share is None:
        return Html("not known")
    within = min(1.0, max(0.0, share))
    bar = Html(
        '<svg class="gauge" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="whole" width="100" height="8"/><rect class="left" width="{100 * within:.1f}" height="8"/></svg>'
    )
    return join(bar, el("span", percent(share)))
