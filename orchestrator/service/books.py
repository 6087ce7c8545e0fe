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


class Listener:
    """Is told what `Books` does, on the thread that decides; must return at once.  This one does nothing."""

    def recorded(self, recorded: e.Recorded) -> None:
        """An entry has been committed."""

    def unwritable(self, reason: str) -> None:
        """The journal cannot be written; "" when it can be again."""


class Books:
    """`state` is the fold of `journal`."""

    def __init__(self, journal: Journal, clock: Clock, listener: Listener | None = None) -> None:
        self._journal = journal
        self._clock = clock
        self._listener = listener or Listener()
        self.state: CampaignState = fold(journal.read())
        self._latest = self.state.time
        self._ahead_s = 0.0

    def now(self) -> float:
        """Lab time; never before the last entry, nor before what was said last.

        A clock that turns out to be behind that was set back.  Lab time then goes on from where it was, at the clock's
        pace and ahead of it by as much for good: to wait until the clock has caught up would stop the lab's time, its
        budget and every wait before another attempt for hours.
        """
        shown = self._clock.now() + self._ahead_s
        if shown < self._latest:
            log.warning("the clock was set back by %.1f s: lab time goes on without it", self._latest - shown)
            self._ahead_s += self._latest - shown
            shown = self._latest
        self._latest = shown
        return shown

    def append(self, *entries: e.Entry) -> None:
        """Commit all of `entries` or none, and fold them.

        Raises `LifecycleError` if they cannot follow, with nothing committed; `JournalError` if the journal cannot be
        written for `PATIENCE_S`, or is written by somebody else.
        """
        at = self.now()
        trial = self.state.copy()
        recorded = [e.Recorded(version=n, time=at, entry=entry) for n, entry in enumerate(entries, trial.version + 1)]
        for one in recorded:
            trial.apply(one)
        self._commit(entries, at)
        self.state = trial
        for one in recorded:
            log.info("%d %s", one.version, one.entry.kind)
            self._listener.recorded(one)

    def _commit(self, entries: tuple[e.Entry, ...], at: float) -> None:
        deadline = time.monotonic() + PATIENCE_S
        refused = False
        while True:
            try:
                self._journal.append(entries, self.state.version, at)
            except Conflict:
                raise
            except JournalError as error:
                if time.monotonic() >= deadline:
                    raise
                log.error("%s: trying again", error)
                if not refused:
                    self._listener.unwritable(str(error))
                refused = True
                time.sleep(RETRY_S)
            else:
                if refused:
                    self._listener.unwritable("")
                return
