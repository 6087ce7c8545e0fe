"""What earlier homes tell of a lab: how long its steps take, what it has used up, what a film weighs on disk, and
whether a campaign has been rehearsed."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from orchestrator.campaign import entries as e
from orchestrator.campaign.lifecycle import LifecycleError
from orchestrator.campaign.state import CampaignState
from orchestrator.journal import JournalError, SqliteJournal
from orchestrator.service.home import Home, HomeError

log = logging.getLogger(__name__)

NEWEST = 12
"""Homes that are read: steps of a lab do not change their pace every week."""


@dataclass(frozen=True)
class Rehearsal:
    """What a dry run leaves in its home; `passed` if it ended as it should and nothing was endangered."""

    campaign_sha256: str
    lab_sha256: str
    version: str
    passed: bool
    end: str
    at: float
    home: str = ""

    def write(self, home: Home) -> None:
        """Raises `HomeError`."""
        try:
            home.rehearsal.write_text(json.dumps({k: v for k, v in asdict(self).items() if k != "home"}) + "\n")
        except OSError as error:
            raise HomeError(f"{home.rehearsal}: cannot be written ({error.strerror}); is its disk full?") from error

    @classmethod
    def of(cls, home: Home) -> Rehearsal | None:
        """The one in `home`; None if there is none that can be read."""
        try:
            told: dict[str, Any] = json.loads(home.rehearsal.read_text())
            return cls(**told, home=str(home.path))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            log.warning("%s: cannot be read as what a dry run leaves (%s)", home.rehearsal, error)
            return None


@dataclass(frozen=True)
class EarlierNight:
    """A home: the state that its journal leads to, whether it was a rehearsal, its bytes on disk, and the last
    measurement of the reference specimen, with its lab time."""

    home: Home
    state: CampaignState
    rehearsed: bool
    size: int
    reference: tuple[float, e.ReferenceMeasured] | None

    @property
    def films(self) -> int:
        return self.state.films_made

    @property
    def lab(self) -> str:
        assert self.state.started is not None
        return str(self.state.started.lab.get("name"))


def homes_below(folder: Path, *also: Path) -> list[Home]:
    """Those that hold a journal, the oldest first; the newest of them, and `also`."""
    found = sorted(folder.glob("*/journal.db"), key=lambda path: path.stat().st_mtime)[-NEWEST:]
    paths = [path.parent for path in found]
    paths += [path for path in also if path not in paths]
    return [Home(path) for path in paths]


def nights(homes: Sequence[Home], lab: str) -> list[EarlierNight]:
    """Those of `homes` whose campaign began in `lab`.  One that cannot be read is left out, and said so."""
    found = []
    for home in homes:
        try:
            night = _night(home)
        except (JournalError, LifecycleError) as error:
            log.warning("%s: tells nothing of the lab: %s", home.path, error)
            continue
        if night is not None and night.lab == lab:
            found.append(night)
    return found


def _night(home: Home) -> EarlierNight | None:
    state, checked = CampaignState(), None
    journal = SqliteJournal(home.need_journal())
    try:
        for recorded in journal.read():
            state.apply(recorded)
            if isinstance(recorded.entry, e.ReferenceMeasured):
                checked = recorded.time, recorded.entry
    finally:
        journal.close()
    if state.started is None:
        return None
    size = sum(path.stat().st_size for path in home.path.iterdir() if path.is_file())
    return EarlierNight(home, state, home.rehearsed, size, checked)
