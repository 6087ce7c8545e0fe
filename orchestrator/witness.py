"""The simulated world's own account of a night, held against the journal.

The simulated lab writes its world log by itself; nothing of ours writes to it, so it can convict us.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.campaign.lifecycle import Phase
from orchestrator.campaign.state import CampaignState, Sample

_SETTLED = (Phase.OBSERVED, Phase.DISCARDED, Phase.QUARANTINED)


@dataclass(frozen=True)
class Account:
    """`lost`: substrates with a film that the journal does not know of, or that a campaign which ended by itself
    left unmeasured.  `doubled`: substrates on which a
    film was begun more than once.  `unmeasured`: samples observed as valid whose film the world never saw measured."""

    hazards: list[dict[str, Any]]
    films: list[dict[str, Any]]
    lost: list[int]
    doubled: list[int]
    unmeasured: list[int]


class WitnessError(Exception):
    """The world log cannot be read; the message names the line."""


def read_world(path: Path) -> list[dict[str, Any]]:
    """The events of the world log at `path`, but for a last line under way.  Raises `WitnessError`."""
    events = []
    try:
        written = path.read_text().rpartition("\n")[0]
        for number, line in enumerate(written.splitlines(), 1):
            try:
                events.append(json.loads(line))
            except ValueError as error:
                raise WitnessError(f"{path}:{number}: is not JSON ({error})") from error
    except OSError as error:
        raise WitnessError(f"{path}: cannot be read ({error.strerror})") from error
    return events


def account(events: list[dict[str, Any]], state: CampaignState) -> Account:
    """Hold the world's `events` against the journal's `state`, at the end of a campaign."""
    begun = Counter(event["substrate"] for event in events if event["event"] == "film_begun")
    measured = {event["substrate"] for event in events if event["event"] == "measured"}
    hazards = [event for event in events if event["event"] == "hazard"]
    samples = {sample.slot: sample for sample in state.samples.values()}
    return Account(
        hazards=hazards,
        films=[event for event in events if event["event"] == "film_finished"],
        lost=[slot for slot in begun if slot not in samples or _forgotten(samples[slot], state)],
        doubled=[s for s, times in begun.items() if times > 1],
        unmeasured=[
            sample.number
            for slot, sample in samples.items()
            if sample.observation and sample.observation.validity != "failed" and slot not in measured
        ],
    )


def _forgotten(sample: Sample, state: CampaignState) -> bool:
    """Whether a sample that has a film in the world was left without its end in the journal."""
    if sample.phase in _SETTLED:
        return False
    broken_off = state.ended is not None and state.ended.end in ("aborted", "needs operator")
    return sample.film is None or not broken_off
