"""What the routes have at hand: who is asking, the hub, and how to ask the daemon.

A route that commands is one function::

    @router.post("/search/veto")
    async def veto(order: Veto, by: Operator, key: Key, desk: TheDesk) -> Told:
        return await desk.give(lambda daemon: daemon.veto(order.sample, by.name, order.reason, key, order.seen))

`Operator` refuses whoever may not, and whoever comes without the session's second secret; `Key` is the request's own
name; `give` turns `CommandRefused` into 409, and a daemon that is slow into 503: then ask again, with the same key.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from concurrent.futures import Future
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header
from starlette.requests import HTTPConnection

from orchestrator.campaign.lifecycle import CommandRefused
from orchestrator.console.access import COOKIE, Access, Person
from orchestrator.console.hub import Hub
from orchestrator.console.shapes import Did, Told
from orchestrator.console.source import Source
from orchestrator.console.users import Role

log = logging.getLogger(__name__)

T = TypeVar("T")
REPLY_S = 10.0
KEY = re.compile(r"[\x21-\x7e]{8,128}")


class Refused(Exception):
    """An answer that is no: `code` for programs, `detail` for people."""

    def __init__(self, status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers


class Desk:
    """One for each server."""

    def __init__(self, hub: Hub, access: Access) -> None:
        self.hub, self.access = hub, access
        self.changing_people = asyncio.Lock()

    def source(self) -> Source:
        """Raises `Refused` before a campaign begins."""
        if self.hub.source is None:
            raise Refused(409, "no_campaign", "no campaign is under way: start one with `nightshift run`")
        return self.hub.source

    async def give(self, ask: Callable[[Any], Future[dict[str, Any]]]) -> Told:
        """What the daemon answers to what `ask` asks of it, which is quickly asked.  Raises `Refused`."""
        return Told.model_validate(await self._answer(ask(self.commanded().daemon)))

    async def act(self, ask: Callable[[Any], Future[dict[str, Any]]]) -> Did:
        """The same for an action on the search, which may take a moment to look into.  Raises `Refused`."""
        return Did.model_validate(await self._answer(await asyncio.to_thread(ask, self.commanded().daemon)))

    def commanded(self) -> Source:
        """What can be commanded.  Raises `Refused` where a campaign is only looked at."""
        source = self.source()
        if why := source.read_only():
            raise Refused(409, "read_only", why)
        return source

    async def acknowledge(self, by: str, reason: str, key: str) -> int:
        """The entry that says that `by` sees to what was alerted.  Raises `Refused`."""
        return await self._answer(self.commanded().daemon.acknowledge(by, reason, key))

    async def _answer(self, reply: Future[T]) -> T:
        # Never cancelled, whatever becomes of the request: the deciding thread sets its result.
        answered = asyncio.Event()
        loop = asyncio.get_running_loop()
        reply.add_done_callback(lambda _: _wake(loop, answered))
        try:
            await asyncio.wait_for(answered.wait(), REPLY_S)
        except TimeoutError:
            raise Refused(503, "not_answered", "it is not decided yet: ask again, with the same key") from None
        try:
            return reply.result()
        except CommandRefused as refusal:
            raise Refused(409, "refused", str(refusal)) from None


def _wake(loop: asyncio.AbstractEventLoop, answered: asyncio.Event) -> None:
    try:
        loop.call_soon_threadsafe(answered.set)
    except RuntimeError:  # the server has ended meanwhile: nobody waits
        log.debug("answered too late")


def the_desk(connection: HTTPConnection) -> Desk:
    desk: Desk = connection.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(the_desk)]


def asking(connection: HTTPConnection, desk: TheDesk) -> Person:
    """Who is asking.  Raises `Refused` if he has not logged in."""
    person = desk.access.person(connection.cookies.get(COOKIE))
    if person is None:
        raise Refused(401, "login", "log in first")
    return person


Viewer = Annotated[Person, Depends(asking)]


def commanding(
    person: Viewer, desk: TheDesk, x_csrf_token: Annotated[str | None, Header(max_length=200)] = None
) -> Person:
    """Who is asking for something that changes something.  Raises `Refused` if he may not."""
    if not desk.access.is_csrf(person, x_csrf_token):
        raise Refused(403, "csrf", "send the token of GET /api/session as the header X-CSRF-Token")
    return person


def operating(person: Annotated[Person, Depends(commanding)]) -> Person:
    if person.role < Role.OPERATOR:
        raise Refused(403, "role", f"{person.name} may look, but not command: ask for the role of an operator")
    return person


def keeping(person: Viewer) -> Person:
    if person.role < Role.ADMIN:
        raise Refused(403, "role", f"who may log in is an admin's to see and to change, and {person.name} is none")
    return person


def administering(person: Annotated[Person, Depends(commanding)]) -> Person:
    return keeping(person)


Commanding = Annotated[Person, Depends(commanding)]
Operator = Annotated[Person, Depends(operating)]
SeeingPeople = Annotated[Person, Depends(keeping)]
Admin = Annotated[Person, Depends(administering)]


def own_key(idempotency_key: Annotated[str | None, Header(max_length=200)] = None) -> str:
    """The request's own name.  Raises `Refused` if it has none."""
    if idempotency_key is None or not KEY.fullmatch(idempotency_key):
        raise Refused(
            400, "key", "send a name of the request's own, 8 to 128 characters, as the header Idempotency-Key"
        )
    return idempotency_key


Key = Annotated[str, Depends(own_key)]
