"""What virtual stations calculated beside the films, and what the model made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.campaign.calculations import Result
from orchestrator.report.facts import Night
from orchestrator.report.formats import counted, elapsed, formula, listed, number, short, unit_after
from orchestrator.report.markup import Child, Html, el, join, table_row

MOST_SHOWN = 5


def calculations(night: Night) -> Html | None:
    """None for a campaign that calculated nothing."""
    told = night.state.calculations
    if not told.intended:
        return None
    stations = dict.fromkeys([*(night.campaign.get("virtual") or {}), *(r.intent.station for r in told.results)])
    head: list[Child] = [*(el("th", word, class_="text") for word in ("station", "method")), "results", "failed"]
    head += ["real time", "on disk already"]
    rows = [table_row("td", _cells(night, station)) for station in stations]
    inner = el("table", el("thead", table_row("th", head)), el("tbody", *rows))
    table = el("div", inner, class_="scroll", tabindex="0", role="region", aria_label="Calculations")
    failures = Counter(ended.error for _, ended in told.failed)
    failed = listed(f"{times} x {error}" for error, times in failures.most_common(MOST_SHOWN))
    return join(
        table,
        el("p", _trust(night), class_="note"),
        el("p", "Most was promised by ", listed(_most_promising(night)), ".", class_="note") if told.results else None,
        el("p", "Failed: ", failed, ".", class_="note") if failures else None,
    )


def _cells(night: Night, station: str) -> list[Child]:
    told = night.state.calculations
    results = [result for result in told.results if result.intent.station == station]
    failed = sum(intent.station == station for intent, _ in told.failed)
    methods = ", ".join(dict.fromkeys(result.ended.fidelity for result in results))
    kept = sum(result.ended.remembered for result in results)
    return [
        el("td", station, class_="text"),
        el("td", methods or "-", class_="text"),
        str(len(results)),
        str(failed),
        elapsed(told.seconds.get(station, 0.0)),
        str(kept),
    ]


def _most_promising(night: Night) -> Iterator[Child]:
    """The best results, each composition once."""
    best: dict[str, Result] = {}
    sign = -1.0 if night.direction == "min" else 1.0
    for result in sorted(night.state.calculations.results, key=lambda r: -sign * (r.ended.value or 0.0)):
        best.setdefault(str(formula(result.ended.composition)), result)
    for result in list(best.values())[:MOST_SHOWN]:
        value = number(result.ended.value, 4 if abs(result.ended.value or 0.0) < 10 else 0)
        yield join(formula(result.ended.composition), f" ({value}{unit_after(night.unit)})")


def _trust(night: Night) -> str:
    """What the model last made of the calculators, in words."""
    told = [sample.suggestion.hyperparameters for sample in night.samples if sample.suggestion.hyperparameters]
    trusts = [trust for trust in _trusts(told[-1]) if trust] if told else []
    if not trusts:
        return "The model has not yet weighed them against films."
    taken = [trust for trust in trusts if trust.get("taken")]
    processes = counted(len(trusts), "process", "processes")
    if not taken:
        return f"None of {processes} of the model leans on them in the end: films do not bear them out."
    scales = [float(trust.get("scale", 0.0)) for trust in taken]
    span = short(min(scales)) if len(scales) == 1 else f"{short(min(scales))} to {short(max(scales))}"
    return (
        f"{len(taken)} of {processes} of the model lean on them in the end: by {span} standard deviations of the films "
        "for one of what is calculated over the space."
    )


def _trusts(hyperparameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    hierarchy = hyperparameters.get("hierarchy")
    trusts = hierarchy.get("trusts") if isinstance(hierarchy, dict) else None
    return [trust for trust in trusts or [] if isinstance(trust, dict)]
