"""Alerts: what became of each, and a person's word that he sees to them."""

from __future__ import annotations

import logging
from dataclasses import asdict

from fastapi import APIRouter

from orchestrator.console.commands import REFUSALS
from orchestrator.console.desk import Key, Operator, TheDesk, Viewer
from orchestrator.console.shapes import Acknowledged, AlertDelivery, AlertView, Order, Shape
from orchestrator.console.source import Post
from orchestrator.service.alerts.account import Told, account, unacknowledged
from orchestrator.service.alerts.outbox import lines_of

log = logging.getLogger(__name__)
router = APIRouter(prefix="/api", responses=REFUSALS)

SHOWN = 30
"""The latest alerts that are told."""


class Alerts(Shape):
    boot: str
    seq: int
    channels: list[str]
    """Who is told at once; empty: nobody."""
    escalation: list[str]
    """Who is told when nobody acknowledges."""
    unacknowledged: int
    alerts: list[AlertView]
    """The latest first."""


@router.get("/alerts")
async def alerts(_: Viewer, desk: TheDesk) -> Alerts:
    """Who is alerted, and what became of the latest alerts."""
    sheet = await desk.hub.fresh()
    source, scribe = desk.hub.source, desk.hub.scribe
    post = source.post if source is not None else None
    if post is None or scribe is None:
        return Alerts(boot=desk.hub.boot, seq=sheet.seq, channels=[], escalation=[], unacknowledged=0, alerts=[])
    known = post
    told = await desk.hub.apart(lambda: _told(known))
    left = unacknowledged(told, *scribe.history.seen_to)
    return Alerts(
        boot=desk.hub.boot,
        seq=sheet.seq,
        channels=list(post.channels),
        escalation=list(post.escalation),
        unacknowledged=len(left),
        alerts=[_view(one, one in left) for one in told[:SHOWN]],
    )


@router.post("/ack")
async def acknowledge(order: Order, by: Operator, key: Key, desk: TheDesk) -> Acknowledged:
    """I see to what was alerted, and nobody else is called: as `nightshift ack`."""
    return Acknowledged(entry=await desk.acknowledge(by.name, order.reason, key))


def _told(post: Post) -> list[Told]:
    try:
        return account(lines_of(post.outbox), post.channels)
    except (OSError, LookupError, TypeError, ValueError) as error:  # what others wrote into the file, or its disk
        log.warning("%s: cannot be read: %s", post.outbox, error)
        return []


def _view(told: Told, left: bool) -> AlertView:
    alert = told.alert
    return AlertView(
        name=alert.name,
        time=alert.time,
        severity=alert.severity,
        text=alert.text,
        unacknowledged=left,
        deliveries=[AlertDelivery.model_validate(asdict(delivery)) for delivery in told.deliveries],
    )
