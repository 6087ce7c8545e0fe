"""What is sent, computed once for each version of the journal and shared by all who look.

A `Sheet` is JSON text in parts: the view, each sample's row and the version at which it changed last, and the latest
entries.  Whoever has seen version v is sent the view, the rows changed since v, and the entries after v.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from orchestrator.campaign.state import Sample
from orchestrator.console.foresight import finish
from orchestrator.console.history import History
from orchestrator.console.source import Source
from orchestrator.console.view import row, view
from orchestrator.console.words import line
from orchestrator.service.foresight import Foresight

ENTRIES = 400
"""Latest entries kept at hand; earlier ones are read from the journal."""


@dataclass(frozen=True)
class Row:
    """A sample's row as JSON, and the version since which it has been so."""

    sample: Sample
    text: str
    changed: int


@dataclass(frozen=True)
class Sheet:
    """All that is shown of the journal up to `seq`."""

    seq: int = 0
    view: str = "null"
    rows: dict[int, Row] = field(default_factory=dict)
    entries: tuple[tuple[int, str], ...] = ()

    def rows_since(self, seq: int) -> str:
        """A JSON list of the rows that changed after `seq`."""
        return _list(row.text for row in self.rows.values() if row.changed > seq)

    def entries_since(self, seq: int) -> str | None:
        """A JSON list of the entries after `seq`; None if some of them are not at hand."""
        if seq < self.seq and (not self.entries or self.entries[0][0] > seq + 1):
            return None
        return _list(text for version, text in self.entries if version > seq)

    @property
    def samples(self) -> str:
        """A JSON list of all rows."""
        return self.rows_since(-1)


class Scribe:
    """Writes the sheets of one source, each from the last; on one thread."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._history = History()
        self._foresight = Foresight(finish)
        self._entries: deque[tuple[int, str]] = deque(maxlen=ENTRIES)
        self.sheet = Sheet()

    @property
    def source(self) -> Source:
        return self._source

    @property
    def history(self) -> History:
        return self._history

    def write(self) -> Sheet:
        """The sheet of the daemon's state now.  Raises `JournalError` if the journal cannot be read."""
        source, state = self._source, self._source.state
        if state.started is None or state.version == self.sheet.seq:
            return self.sheet
        count = state.version - self._history.version
        for recorded in source.journal.read(self._history.version, count):
            self._history.take(recorded)
            if recorded.version > state.version - ENTRIES:
                self._entries.append((recorded.version, line(recorded).model_dump_json()))
        campaign, lab, read_only = source.daemon.campaign, source.daemon.lab, source.read_only()
        shown = view(
            state,
            campaign,
            lab,
            self._history,
            simulated=source.simulated,
            read_only=read_only,
            finish=None if read_only else self._foresight.told(state, campaign, lab, source.now()),
        )
        rows = {number: self._row(sample, state.version) for number, sample in state.samples.items()}
        self.sheet = Sheet(state.version, shown.model_dump_json(), rows, tuple(self._entries))
        return self.sheet

    def _row(self, sample: Sample, version: int) -> Row:
        before = self.sheet.rows.get(sample.number)
        if before is not None and before.sample is sample:
            return before
        text = row(sample, self._history).model_dump_json()
        if before is not None and before.text == text:
            return Row(sample, text, before.changed)
        return Row(sample, text, version)


def _list(parts: Iterable[str]) -> str:
    return f"[{','.join(parts)}]"
