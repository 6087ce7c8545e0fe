"""The night contract, drawn up again: POST /api/check.  Instruments at work are never asked."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request

from orchestrator.console.commands import REFUSALS
from orchestrator.console.desk import REPLY_S, Key, Operator, Refused, TheDesk
from orchestrator.console.shapes import Checked
from orchestrator.console.view import contract_lines
from orchestrator.service.contract.lines import NotChecked

router = APIRouter(prefix="/api", responses=REFUSALS)

KEPT = 50
"""Answers kept for whoever asks again with the same key."""
Check = Callable[[], Mapping[str, Any]]
"""Draws up the contract of the campaign that is shown, as plain values: takes its time, and raises `NotChecked`."""


class Checks:
    """On the server's loop: one check at a time, whose answer all have that ask meanwhile."""

    def __init__(self, check: Check | None) -> None:
        self._check = check
        self._running: asyncio.Task[Checked] | None = None
        self._asked: OrderedDict[str, asyncio.Task[Checked]] = OrderedDict()

    async def answer(self, key: str) -> Checked:
        """What is found.  Raises `Refused`: if it takes a while, then ask again, with the same key."""
        if self._check is None:
            raise Refused(409, "no_check", "nothing is checked from here: use `nightshift check --offline`")
        task = self._asked.get(key)
        if task is None:
            if self._running is None or self._running.done():
                self._running = asyncio.create_task(self._run(self._check))
            task = self._asked[key] = self._running
            if len(self._asked) > KEPT:
                self._asked.popitem(last=False)
        done, _ = await asyncio.wait([task], timeout=REPLY_S)
        if not done:
            raise Refused(503, "not_answered", "it is not checked yet: ask again, with the same key")
        try:
            return task.result()
        except NotChecked as error:
            raise Refused(409, "not_checked", f"it could not be checked: {error}") from None

    @staticmethod
    async def _run(check: Check) -> Checked:
        told = await asyncio.to_thread(check)
        return Checked(at=time.time(), verdict=told["verdict"], lines=contract_lines(told["lines"]))


@router.post("/check")
async def check(_: Operator, key: Key, desk: TheDesk, request: Request) -> Checked:
    """What the night contract would say now; no instrument and no alert channel is asked."""
    desk.commanded()
    checks: Checks = request.app.state.checks
    return await checks.answer(key)
