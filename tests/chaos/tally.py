"""What became of a night: the world log and the journal, held against each other, and added up over many nights.

Written apart from the code that it judges: of the orchestrator it uses the entry types and nothing else.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.campaign.entries import Recorded
from orchestrator.journal import SqliteJournal

BREACHES = (
    "lost",
    "doubled",
    "orphans",
    "double_observations",
    "hazards",
    "misreported",
    "unsafe",
    "audit",
    "untold",
    "trouble",
)
"""None of these may ever happen; each is a list of what did."""
LEAVES_FILMS = ("needs operator", "aborted")
FRACTION_OFF, THICKNESS_OFF = 0.02, 0.1
"""By how much the journal may differ from the world, besides five sigma: at. fraction, and share of a thickness."""


@dataclass
class Verdict:
    """Lists of what was found, in words or sample numbers; `films` counts films begun in the world.

    `lost`: films that the world saw measured, of which the journal has no observation.
    `orphans`: films of which the journal does not say how they ended.
    `misreported`: films whose composition or thickness in the journal is not what the world made.
    `untold`: what a person should have been alerted to, and was not.
    `unsafe`: what was still on when the night had ended.
    `unknown`: samples quarantined, with the reason.
    `stranded`: films left unmeasured because the night ended in need of an operator, or aborted, with its reason.
    """

    films: int = 0
    measured: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    double_observations: list[str] = field(default_factory=list)
    hazards: list[str] = field(default_factory=list)
    misreported: list[str] = field(default_factory=list)
    unsafe: list[str] = field(default_factory=list)
    audit: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    discarded: list[str] = field(default_factory=list)
    stranded: list[str] = field(default_factory=list)
    end: str = ""

    @property
    def clean(self) -> bool:
        return not any(getattr(self, name) for name in BREACHES)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def read_world(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def read_journal(path: Path) -> list[Recorded]:
    """Every entry; none if there is no journal."""
    if not path.exists():
        return []
    journal = SqliteJournal(path)
    try:
        return list(journal.read())
    finally:
        journal.close()


def judge(world: list[dict[str, Any]], journal: list[Recorded]) -> Verdict:
    """What the world saw, against what the journal says at the end of a night."""
    verdict = Verdict()
    told = _Told(journal)
    begun = Counter(event["substrate"] for event in world if event["event"] == "film_begun")
    measured = {event["substrate"] for event in world if event["event"] == "measured"}
    verdict.films, verdict.measured = len(begun), len(told.observed)
    verdict.doubled = [f"substrate {slot}: begun {times} times" for slot, times in begun.items() if times > 1]
    verdict.hazards = [f"{event['kind']}: {event['detail']}" for event in world if event["event"] == "hazard"]
    often = {n: k for n, k in told.observed.items() if k > 1 + told.again[n]}
    verdict.double_observations = [f"sample {n}: {k} times" for n, k in often.items()]
    verdict.unknown = [f"sample {n}: {reason}" for n, reason in told.quarantined.items()]
    verdict.discarded = [f"sample {n}: {reason}" for n, reason in told.discarded.items()]
    verdict.end = f"{told.ended.end}: {told.ended.reason}" if told.ended else "not ended"
    for slot in begun:
        number = told.by_slot.get(slot)
        if number is not None and number in told.settled:
            continue
        if slot in measured:
            verdict.lost.append(f"substrate {slot}")
        if number is not None and number in told.films and told.ended and told.ended.end in LEAVES_FILMS:
            verdict.stranded.append(f"sample {number}: {told.ended.reason}")
        else:
            verdict.orphans.append(f"substrate {slot}")
    verdict.misreported = list(_misreported(told, world))
    return verdict


class _Told:
    """What the journal tells, by sample."""

    def __init__(self, journal: list[Recorded]) -> None:
        self.by_slot: dict[int, int] = {}
        self.films: dict[int, e.FilmDeposited] = {}
        self.observed: Counter[int] = Counter()
        self.again: Counter[int] = Counter()  # measurements that a person asked for once more
        self.quarantined: dict[int, str] = {}
        self.discarded: dict[int, str] = {}
        self.ended: e.CampaignEnded | None = None
        for recorded in journal:
            match recorded.entry:
                case e.SampleSuggested() as told:
                    self.by_slot[told.slot] = told.sample
                case e.FilmDeposited() as told:
                    self.films[told.sample] = told
                case e.ObservationMade() as told:
                    self.observed[told.sample] += 1
                case e.MeasurementRequested() as told:
                    self.again[told.sample] += 1
                case e.SampleQuarantined() as told:
                    self.quarantined[told.sample] = told.reason
                case e.SampleDiscarded() as told:
                    self.discarded[told.sample] = told.reason
                case e.CampaignEnded() as told:
                    self.ended = told

    @property
    def settled(self) -> set[int]:
        return {*self.observed, *self.quarantined, *self.discarded}


def _misreported(told: _Told, world: list[dict[str, Any]]) -> Iterable[str]:
    """Films that the journal describes and the world made otherwise; quarantined ones excepted."""
    made = {event["substrate"]: event for event in world if event["event"] == "film_finished"}
    for slot, number in told.by_slot.items():
        film, real = told.films.get(number), made.get(slot)
        if film is None or number in told.quarantined:
            continue
        if real is None:
            yield f"sample {number}: the journal has a film and the world has none"
            continue
        for element, fraction in film.composition.items():
            true, sigma = real["composition"].get(element, 0.0), film.composition_sigma[element]
            if abs(fraction - true) > 5 * sigma + FRACTION_OFF:
                yield f"sample {number}: {element} {fraction:.3f} ± {sigma:.3f}, in truth {true:.3f}"
        true = real["thickness_nm"]
        if abs(film.thickness_nm - true) > 5 * film.thickness_sigma_nm + THICKNESS_OFF * true:
            yield f"sample {number}: {film.thickness_nm:.1f} ± {film.thickness_sigma_nm:.1f} nm, in truth {true:.1f} nm"


# --- many nights --------------------------------------------------------------------------------------


def totals(nights: list[dict[str, Any]]) -> dict[str, Any]:
    """The sum over the records of nights (see `tests.chaos.harness`)."""
    acts = [act for night in nights for act in night["acts"]]
    verdicts = [night["verdict"] for night in nights]
    return {
        "kills": sum(night["kills"] for night in nights),
        "nights": len(nights),
        **counted(verdicts),
        "acts": dict(Counter(f"{act['fault']} {act['target']}" for act in acts if act["done"])),
        "not_done": dict(Counter(act["why_not"] for act in acts if not act["done"])),
        "ends": ends(verdicts),
        "gave_up": sum(len(night["gave_up"]) for night in nights),
        "recovery_s": spread(r["accepting_s"] for n in nights for r in n["restarts"]),
        "next_action_s": spread(r["action_s"] for n in nights for r in n["restarts"]),
        "detection_s": spread(act.get("detected_s") for act in acts),
        "safe_alone_s": spread(act.get("safe_alone_s") for act in acts),
        "unknown_reasons": reasons(verdicts, "unknown"),
        "stranded_reasons": reasons(verdicts, "stranded"),
        "failed_nights": [night["night"] for night in nights if not night["clean"]],
    }


def spread(values: Iterable[float | None]) -> dict[str, float | int | None]:
    """p50, p99 and maximum of the values that are there, and how many there are."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return {"p50": None, "p99": None, "max": None, "n": 0}
    at = {name: known[min(len(known) - 1, int(share * len(known)))] for name, share in (("p50", 0.5), ("p99", 0.99))}
    return {**{name: round(value, 3) for name, value in at.items()}, "max": round(known[-1], 3), "n": len(known)}


Verdicts = list[dict[str, Any]]
"""As plain values; of a night that could not be judged, some are missing."""


def counted(verdicts: Verdicts) -> dict[str, int]:
    """How many of everything there were."""
    films = {name: sum(verdict.get(name, 0) for verdict in verdicts) for name in ("films", "measured")}
    listed = (*BREACHES, "unknown", "stranded", "discarded")
    return {**films, **{name: sum(len(verdict.get(name, [])) for verdict in verdicts) for name in listed}}


def ends(verdicts: Verdicts) -> dict[str, int]:
    """How the nights ended, without why -> how many."""
    return dict(Counter(verdict.get("end", "").partition(":")[0] for verdict in verdicts))


def reasons(verdicts: Verdicts, name: str) -> dict[str, int]:
    """The reasons in the lists `name`, without their samples -> how many."""
    return dict(Counter(reason.partition(": ")[2] for verdict in verdicts for reason in verdict.get(name, [])))
