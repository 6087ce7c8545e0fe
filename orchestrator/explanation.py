"""Samples, and why they were chosen, on a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.campaign import entries as e
from orchestrator.campaign.fronts import standing, value_words
from orchestrator.campaign.sample import Sample
from orchestrator.campaign.spec import Campaign
from orchestrator.campaign.why import Neighbour, Why, plainly

BAR = 30


def explained(why: Why) -> Group:
    """The choice in words, then the numbers behind it."""
    at = time.strftime("%Y-%m-%d %H:%M", time.localtime(why.time))
    rows: list[RenderableType] = [
        Text(f"Sample {why.sample}: {made(why.composition, why.settings)}", style="bold"),
        Text(f"Chosen {at} by {why.method}, from {why.observed} observations{_beside(why.pending)}."),
        Text(why.words),
    ]
    if why.exploration is not None:
        rows.append(_shares(why.exploration))
    if why.nearest:
        rows += [Text(""), Text("Nearest films measured by then"), _nearest(why.nearest, why.unit)]
    if why.runner_up:
        rows += [Text(""), Text(_second(why.runner_up, why.unit))]
    if why.binds:
        rows += [Text(""), Text(f"It lies at these limits: {'; '.join(why.binds)}.")]
    if why.hyperparameters:
        rows += [Text(""), Text("The model"), *(Text(f"  {line}") for line in why.hyperparameters)]
    if why.cut_short:
        rows.append(Text("Time was up before the search had ended: a faster machine may have chosen another."))
    return Group(*rows)


def _beside(pending: tuple[int, ...]) -> str:
    if not pending:
        return ""
    verb = "sample {} was" if len(pending) == 1 else "samples {} were"
    return f", while {verb.format(', '.join(map(str, pending)))} under way"


def _shares(exploration: float) -> Text:
    cells = round(BAR * exploration)
    bar = Text(f"Exploration {exploration:.0%} ")
    bar.append("█" * cells, style="blue").append("░" * (BAR - cells), style="green")
    return bar.append(f" {1 - exploration:.0%} exploitation: shares of the expected improvement.")


def _nearest(films: Iterable[Neighbour], unit: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=True)
    for title in ("sample", "made", "away", f"value ({unit})", ""):
        table.add_column(title, justify="left" if title in ("made", "") else "right")
    for film in films:
        away = f"{film.distance_at_percent:.1f} at.%"
        value = _value(film.value, film.sigma)
        table.add_row(str(film.sample), made(film.composition, film.settings), away, value, film.validity)
    return table


def _second(runner_up: Mapping[str, object], unit: str) -> str:
    composition, settings = runner_up.get("composition"), runner_up.get("settings")
    if not isinstance(composition, dict):
        return "The optimizer told no runner-up."
    text = f"Second came {made(composition, settings if isinstance(settings, dict) else {})}"
    mean, sigma = runner_up.get("mean"), runner_up.get("sigma")
    if isinstance(mean, float) and isinstance(sigma, float):
        text += f", expected {_value(mean, sigma)} {unit}"
    return text + "."


def sample_table(samples: Iterable[Sample], campaign: Campaign) -> Table:
    """A line for each of `samples`."""
    unit, terms = campaign.objective.unit, campaign.terms
    others = [] if terms.plain else [name for name in terms.units if name != campaign.objective.quantity]
    samples = list(samples)
    front = {seen.sample for seen in terms.front(_that_count(samples))} if terms.several else set()
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    beside = [f"{name.replace('_', ' ')} ({terms.units[name]})" for name in others]
    for title in ("#", "state", "slot", "asked", "made", "nm", f"predicted ({unit})", f"value ({unit})", *beside,
                  "validity", *([] if terms.plain else ["stands"]), "chosen by", "remark"):  # fmt: skip
        right = title in ("#", "slot", "nm") or "(" in title
        table.add_column(title, justify="right" if right else "left", overflow="fold")
    for sample in samples:
        told, film, seen = sample.suggestion, sample.film, sample.observation
        table.add_row(
            str(sample.number),
            sample.phase.value,
            str(sample.slot),
            made(told.composition, told.settings),
            made(film.composition, {}) + ("" if film.finished else " (broken off)") if film else "",
            f"{film.thickness_nm:.0f}" if film else "",
            _value(told.mean, told.sigma),
            _bounded(seen) if seen else "",
            *(value_words({**seen.outcomes.get(name, {}), "unit": ""}) if seen else "" for name in others),
            ("rejected" if sample.rejected else seen.validity) if seen else "",
            *([] if terms.plain else [standing(terms, seen, front) if seen and not sample.rejected else ""]),
            told.method + (", again" if told.replicate else ""),
            (seen.reason if seen else "") or sample.note,
        )
    return table


def _that_count(samples: Iterable[Sample]) -> list[e.ObservationMade]:
    return [s.observation for s in samples if s.observation is not None and s.rejected is None]


def made(composition: Mapping[str, float], settings: Mapping[str, float]) -> str:
    """Such as ``Fe64 Co36``, at.%, and the settings."""
    text = " ".join(f"{element}{100 * share:.3g}" for element, share in composition.items() if share >= 5e-4)
    return text + "".join(f", {name} {value:.4g}" for name, value in settings.items())


def _bounded(seen: e.ObservationMade) -> str:
    sign = {"lower": "≥ ", "upper": "≤ ", None: ""}[seen.bound]
    return sign + _value(seen.value, seen.sigma)


def _value(value: float | None, sigma: float | None) -> str:
    if value is None:
        return ""
    return plainly(value, 4) + ("" if sigma is None else f" ± {plainly(sigma, 2)}")
