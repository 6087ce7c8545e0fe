"""The journal and the state that follows from it, kept together: what is appended can be folded, always."""

from __future__ import annotations

import logging
import time

from drivers.clock import Clock
from orchestrator.campaign import entries as e
from orchestrator.campaign.state import CampaignState, fold
from orchestrator.journal import Conflict, Journal, JournalError

log = logging.getLogger(__name__)

PATIENCE_S = 120.0
"""Real seconds that a journal has to be writable again: a full disk is emptied, a lock let go."""
RETRY_S = 1.0


class Books:
    """`state` is the fold of `journal`."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self.state: CampaignState = fold(journal.read())

    def now(self) -> float:
        """Lab time; never before the last entry, whatever has been done to the machine's clock."""
        return max(self._clock.now(), self.state.time)

    def append(self, *entries: e.Entry) -> None:
        """Commit all of `entries` or none, and fold them.

        Raises `LifecycleError` if they cannot follow, with nothing committed; `JournalError` if the journal cannot be
        written for `PATIENCE_S`, or is written by somebody else.
        """
        at = self.now()
        trial = self.state.copy()
        for number, entry in enumerate(entries, self.state.version + 1):
            trial.apply(e.Recorded(version=number, time=at, entry=entry))
        self._commit(entries, at)
        self.state = trial
        for number, entry in enumerate(entries, trial.version + 1 - len(entries)):
            log.info("%d %s", number, entry.kind)

    def _commit(self, entries: tuple[e.Entry, ...], at: float) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._journal.append(entries, self.state.version, at)
            except Conflict:
                raise
            except JournalError as error:
                if time.monotonic() >= deadline:
                    raise
                log.error("%s: trying again", error)
                time.sleep(RETRY_S)
            else:
                return
