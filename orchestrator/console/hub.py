"""One sheet for all who look: written when the journal has grown and somebody is there, at most ten times a second."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Self, TypeVar

from orchestrator.console.sheet import Scribe, Sheet
from orchestrator.console.source import Source, live
from orchestrator.console.words import line
from orchestrator.journal import JournalError

log = logging.getLogger(__name__)
T = TypeVar("T")

LOOK_S = 0.05
"""Between looks whether the journal has grown, while somebody is there."""
PACE_S = 0.1
"""Between two sheets."""
BEAT_S = 1.0
GOING_S = 1.0
PAGE = 200
"""Entries in one message, for whoever has missed more than are at hand."""


class Hub:
    """On the server's loop, as an async context.  `source` tells what is shown: None until a campaign begins."""

    def __init__(self, boot: str, source: Callable[[], Source | None]) -> None:
        self.boot = boot
        self._source = source
        self.closing: str | None = None
        self.watchers = 0
        self._scribe: Scribe | None = None
        self._beat = ""
        self._beats = 0
        self._changed = asyncio.Condition()
        self._thread = ThreadPoolExecutor(1, "console-sheet")  # so that the loop never waits for a disk
        self._messages: dict[tuple[int, int], str] = {}  # seq of the sheet, seq seen -> message
        self._task: asyncio.Task[None] | None = None
        self._refreshing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._thread.shutdown(wait=False)

    # --- what is shown --------------------------------------------------------------------------------

    @property
    def source(self) -> Source | None:
        return self._source()

    @property
    def sheet(self) -> Sheet:
        return self._scribe.sheet if self._scribe is not None else Sheet()

    @property
    def scribe(self) -> Scribe | None:
        return self._scribe

    async def fresh(self) -> Sheet:
        """The sheet of the journal as it is now.  Raises `JournalError`."""
        source = self.source
        if source is None:
            return Sheet()
        scribe = self._scribe
        if scribe is None or scribe.source is not source or source.state.version != scribe.sheet.seq:
            async with self._refreshing:
                scribe = self._scribe
                if scribe is None or scribe.source is not source:  # a new one tells of the same journal
                    scribe = Scribe(source)
                before = scribe.sheet
                if await self.apart(scribe.write) is not before:
                    self._messages.clear()
                self._scribe = scribe
        return scribe.sheet

    def live(self) -> str:
        """Clocks, liveness and readings, as JSON."""
        return "null" if self.source is None else live(self.source).model_dump_json()

    async def apart(self, work: Callable[[], T]) -> T:
        """`work`, on the thread that reads the journal."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    # --- messages -------------------------------------------------------------------------------------

    async def hello(self, after: int | None) -> tuple[str, int]:
        """The first message to somebody who has seen the entries up to `after` (None: wants none of them), and up to
        where he has seen them then."""
        sheet = await self.fresh()
        seen = sheet.seq if after is None or after > sheet.seq else after
        entries, seq = await self._entries(sheet, seen)
        head = self._head("hello", seq)
        parts = f'"view":{sheet.view},"samples":{sheet.samples},"entries":{entries},"live":{self.live()}'
        return f"{head},{parts}}}", seq

    async def update(self, seen: int) -> tuple[str, int]:
        """What has come after `seen`, and up to where that is."""
        sheet = self.sheet
        if (known := self._messages.get((sheet.seq, seen))) is not None:
            return known, sheet.seq
        entries, seq = await self._entries(sheet, seen)
        head = self._head("update", seq)
        message = f'{head},"view":{sheet.view},"samples":{sheet.rows_since(seen)},"entries":{entries}}}'
        if seq == sheet.seq and sheet is self.sheet:
            self._messages[sheet.seq, seen] = message
        return message, seq

    async def _entries(self, sheet: Sheet, seen: int) -> tuple[str, int]:
        if (at_hand := sheet.entries_since(seen)) is not None:
            return at_hand, sheet.seq
        source = self.source
        assert source is not None
        journal = source.journal
        lines = await self.apart(lambda: [line(recorded) for recorded in journal.read(seen, PAGE)])
        return f"[{','.join(one.model_dump_json() for one in lines)}]", lines[-1].seq

    def _head(self, kind: str, seq: int) -> str:
        return f'{{"type":"{kind}","boot":"{self.boot}","seq":{seq}'

    @property
    def beat(self) -> tuple[int, str]:
        """The number of the last beat, and its message."""
        return self._beats, self._beat

    def bye(self) -> str:
        """The last message."""
        return f'{self._head("bye", self.sheet.seq)},"view":{self.sheet.view}}}'

    async def news(self, seen: int, beats: int) -> None:
        """Wait for something after `seen` entries and `beats` beats, or the end."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.sheet.seq > seen or self._beats > beats or self.closing)

    async def close(self, reason: str) -> None:
        """Tell everybody that it is over, and give them a moment to go."""
        with suppress(JournalError):
            await self.fresh()
        self.closing = reason
        await self._notify()
        patience = time.monotonic() + GOING_S
        while self.watchers and time.monotonic() < patience:
            await asyncio.sleep(LOOK_S)

    # --- the task -------------------------------------------------------------------------------------

    async def _run(self) -> None:
        beat_at = written_at = 0.0
        while True:
            await asyncio.sleep(LOOK_S)
            if not self.watchers:
                continue
            now = time.monotonic()
            changed = False
            if self._behind() and now - written_at >= PACE_S:
                changed = await self._refresh()
                written_at = time.monotonic()
            if now - beat_at >= BEAT_S:
                self._beats += 1
                self._beat = f'{self._head("beat", self.sheet.seq)},"live":{self.live()}}}'
                beat_at, changed = now, True
            if changed:
                await self._notify()

    def _behind(self) -> bool:
        return self.source is not None and self.source.state.version != self.sheet.seq

    async def _refresh(self) -> bool:
        try:
            await self.fresh()
        except JournalError as error:  # the daemon says so too; what was shown stays, and its age tells
            log.warning("the page is not kept up to date: %s", error)
            return False
        except Exception:  # process edge: a view that cannot be drawn must not end all others
            log.exception("the page is not kept up to date")
            return False
        return True

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
