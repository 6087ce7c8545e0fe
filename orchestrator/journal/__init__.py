"""The campaign's durable memory: append entries, read entries."""

from orchestrator.journal.base import Conflict, Journal, JournalError
from orchestrator.journal.sqlite import SqliteJournal

__all__ = ["Conflict", "Journal", "JournalError", "SqliteJournal"]
