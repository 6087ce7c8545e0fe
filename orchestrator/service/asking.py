"""Giving a command to a running daemon from another process: once, whatever happens to the answer."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from orchestrator import rpc
from orchestrator.campaign.actions import SearchRequest
from orchestrator.campaign.commands import Request
from orchestrator.service.home import Home, HomeError

TRIES = 3


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
