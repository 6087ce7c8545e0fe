"""Giving a command to a running daemon from another process: once, whatever happens to the answer."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

from orchestrator import rpc
from orchestrator.campaign import entries as e
from orchestrator.campaign.actions import SearchRequest
from orchestrator.campaign.commands import Request
from orchestrator.campaign.lifecycle import Mode
from orchestrator.campaign.state import fold
from orchestrator.journal import SqliteJournal
from orchestrator.service.home import Home, HomeError

TRIES = 3
"""Times that a request is made whose answer was lost."""


def new_key() -> str:
    """A request's own name, like no other's."""
    return str(uuid.uuid4())


def give(home: Home, request: Request | SearchRequest) -> dict[str, Any]:
    """What the giver of `request` is told (see `orchestrator.campaign.commands.answer`, or `search.answer`).

    If an answer is lost, the same request is made again, with the same key.  Without `seen`, what the daemon tells
    now counts as seen.  Raises `HomeError` if there is no daemon or it does not answer, or `rpc.RemoteError` with the
    kind ``CommandRefused``.
    """
    request = replace(request, key=request.key or new_key())
    lost: rpc.RpcError | None = None
    for _ in range(TRIES):
        with home.connect() as daemon:
            try:
                if request.seen is None:
                    request = replace(request, seen=int(daemon.status().get("version", 0)))
                return _said(daemon, request)
            except rpc.CallLost as error:
                lost = error
            except rpc.RemoteError as error:
                if error.kind != "NotAnswered":
                    raise
                lost = error
    raise HomeError(
        f"{home.path}: its daemon has not answered ({lost}); {_name(request)} may still be done: "
        f"ask again with `--key {request.key}`"
    )


def _said(daemon: Any, request: Request | SearchRequest) -> dict[str, Any]:
    told = (request.by, request.reason, request.key, request.seen)
    if isinstance(request, Request):
        return dict(daemon.command(request.command.value, *told))
    return dict(daemon.act(request.action.name, request.action.model_dump(mode="json"), *told))


def _name(request: Request | SearchRequest) -> str:
    return request.command.value if isinstance(request, Request) else request.action.name


def acknowledge(home: Home, by: str, reason: str, now: Callable[[], float] = time.time) -> int:
    """Somebody sees to what was alerted in `home`; the version of the entry that says so.

    Without a living daemon the entry is appended here.  Raises `HomeError`, `JournalError`, `rpc.RemoteError`.
    """
    home.need_journal()
    if home.daemon is not None:
        return _acknowledge_by_daemon(home, by, reason)
    with home.claimed(), closing(SqliteJournal(home.journal)) as journal:
        state = fold(journal.read())
        if state.started is None or state.mode is Mode.STOPPED:
            over = "the campaign is over" if state.started else "no campaign has begun here"
            raise HomeError(f"{home.path}: {over}, and nothing is to be acknowledged")
        seen = e.AlertsAcknowledged(by=by, reason=reason, key=new_key())
        return journal.append([seen], state.version, max(state.time, now()))


def _acknowledge_by_daemon(home: Home, by: str, reason: str) -> int:
    key = new_key()
    lost: rpc.RpcError | None = None
    for _ in range(TRIES):
        with home.connect() as daemon:
            try:
                return int(daemon.acknowledge(by, reason, key))
            except rpc.CallLost as error:
                lost = error
    raise HomeError(f"{home.path}: its daemon has not answered ({lost}); acknowledge again")
