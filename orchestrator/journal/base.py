"""What a journal is: two verbs.

::

    JournalError
    └── Conflict       somebody else appended first: read on, decide again
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from orchestrator.campaign.entries import Entry, Recorded


class JournalError(Exception):
    """The journal cannot be opened, read or written; the message names file and cause."""


class Conflict(JournalError):
    """The journal is not at the expected version; nothing was appended."""


class Journal(Protocol):
    """Durable, ordered, append-only.  Versions count from 1 without gaps."""

    def append(self, entries: Sequence[Entry], expected_version: int, at: float) -> int:
        """Append all of `entries` or none, stamped with lab time `at`; return the new version.

        On return they survive a power cut.  Raises `Conflict` unless the journal is at `expected_version`,
        and `JournalError` if it cannot be written.
        """

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Recorded]:
        """Entries with a version above `after`, in order, at most `limit` of them.

        Raises `JournalError` on one that cannot be read.
        """

    def close(self) -> None:
        """Idempotent."""
