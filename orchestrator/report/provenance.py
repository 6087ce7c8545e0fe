"""Where all this comes from: the campaign as it was validated, the software, the runs; and the rehearsal's hazards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.report.facts import Night
from orchestrator.report.formats import clock, counted, day_and_clock
from orchestrator.report.markup import Child, Html, el, table_row

_PACKAGES = {
    "nightshift": "nightshift-lab",
    "bluesky": "bluesky",
    "ophyd": "ophyd",
    "numpy": "numpy",
    "scipy": "scipy",
}


def provenance(night: Night) -> Html:
    run_uids = [uid for r in night.entries if isinstance(r.entry, e.StepEnded) for uid in r.entry.run_uids]
    told: list[tuple[str, Child]] = []
    if night.state.started:
        told += [
            ("campaign", night.name),
            ("seed", str(night.campaign.get("seed", "not told"))),
            ("lab", str(night.lab.get("name", "not told"))),
            ("started by", night.state.started.by),
        ]
    if night.entries:
        told += [
            ("lab time", f"{day_and_clock(night.start, night.zone)} to {day_and_clock(night.end, night.zone)}"),
            ("journal", counted(len(night.entries), "entry", "entries")),
            ("Bluesky runs", str(len(set(run_uids)))),
        ]
    if night.state.started:
        told += [
            ("campaign, SHA-256", digest(night.campaign)),
            ("lab, SHA-256", digest(night.lab)),
        ]
    told += [(name, found) for name, found in versions().items()]
    settings = list(_flat(night.campaign))
    return el(
        "div",
        _definitions(told),
        _runs(night),
        el("details", el("summary", "Campaign, as it was validated"), _definitions(settings)) if settings else None,
        class_="provenance",
    )


def digest(told: Mapping[str, Any]) -> str:
    """SHA-256 of a campaign or a lab as the journal holds it: of its JSON with sorted keys and no spaces, in UTF-8."""
    canonical = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _runs(night: Night) -> Html | None:
    """The uid of every Bluesky run, by sample and plan: what documents, Tiled and exports know it by."""
    intents = {bar.intent.step: bar.intent for bar in night.bars}
    rows = []
    for recorded in night.entries:
        if not isinstance(recorded.entry, e.StepEnded) or recorded.entry.step not in intents:
            continue
        intent = intents[recorded.entry.step]
        if intent.plan not in ("deposit", "measure"):
            continue
        for uid in recorded.entry.run_uids:
            what = f"{intent.plan}{f', attempt {intent.attempt}' if intent.attempt > 1 else ''}"
            rows.append(el("li", el("b", intent.sample or "reference"), f" {what} ", el("code", uid)))
    if not rows:
        return None
    summary = el("summary", f"Runs of films and measurements: {len(rows)} uids")
    return el("details", summary, el("ul", *rows, class_="runs"))


def versions() -> dict[str, str]:
    """Of Python, and of the packages that decide, carry out and compute."""
    found = {"python": python_version()}
    for name, distribution in _PACKAGES.items():
        try:
            found[name] = version(distribution)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def hazard_list(hazards: Sequence[Mapping[str, Any]] | None, night: Night) -> Html:
    """What the simulated world says would have broken, been ruined or hurt someone."""
    if hazards is None:
        return el("p", "The simulated lab's own log was not read.", class_="none")
    if not hazards:
        return el("p", "None: by the simulated lab's own log, nothing was endangered.", class_="none")
    rows = []
    for hazard in hazards:
        time = hazard.get("t")
        when = clock(time, night.zone) if isinstance(time, int | float) else ""
        kind = str(hazard.get("kind", "hazard")).replace("_", " ")
        rows.append(
            table_row(
                "td", [when, el("td", kind, class_="text what"), el("td", str(hazard.get("detail", "")), class_="text")]
            )
        )
    head = table_row("th", ["time", el("th", "hazard", class_="text"), el("th", "detail", class_="text")])
    return el("div", el("table", el("thead", head), el("tbody", *rows), class_="troubles"), class_="scroll")


def _flat(told: Any, name: str = "") -> Iterator[tuple[str, Child]]:
    """Settings as dotted keys; a table of plain values stays in one line."""
    match told:
        case Mapping() if told and (not name or not _is_plain(told)):
            for key, value in told.items():
                yield from _flat(value, f"{name}.{key}" if name else str(key))
        case Mapping():
            yield (
                name,
                ", ".join(f"{key} {_plain(value)}" for key, value in told.items() if value is not None) or "none",
            )
        case list() | tuple() if any(isinstance(item, Mapping) for item in told):
            for n, item in enumerate(told, 1):
                yield from _flat(item, f"{name} {n}" if len(told) > 1 else name)
        case None:
            pass
        case _:
            yield name, _plain(told)


def _is_plain(told: Mapping[str, Any]) -> bool:
    return not any(isinstance(value, Mapping | list | tuple) for value in told.values())


def _plain(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case list() | tuple():
            return ", ".join(_plain(item) for item in value) or "none"
        case _:
            return str(value)


def _definitions(told: Sequence[tuple[str, Child]]) -> Html:
    return el("dl", *(el("div", el("dt", name), el("dd", value)) for name, value in told))
