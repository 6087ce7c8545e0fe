"""POST: commands to the campaign, and logging in."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from orchestrator.campaign import commands
from orchestrator.campaign.lifecycle import Command
from orchestrator.console.access import COOKIE, SESSION_S, Attempts, Person, TooOften
from orchestrator.console.desk import Commanding, Desk, Key, Operator, Refused, TheDesk, Viewer
from orchestrator.console.shapes import Order, Refusal, Session, Told

REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {"model": Refusal} for code in (400, 401, 403, 409, 413, 421, 422, 503)
}
router = APIRouter(prefix="/api", responses=REFUSALS)


class Login(BaseModel):
    name: Annotated[str, Field(max_length=64)]
    password: Annotated[str, Field(max_length=1000)]


@router.post("/commands/{command}")
async def give(command: Command, order: Order, by: Operator, key: Key, desk: TheDesk) -> Told:
    """Hold, resume, stop, abort or recover: answered at once with the state that follows."""
    request = commands.Request(command, by.name, order.reason, key, order.seen)
    return await desk.give(lambda daemon: daemon.command(request))


@router.get("/session")
async def session(person: Viewer, desk: TheDesk) -> Session:
    """Who I am here, and what to send with each POST."""
    return _session(person, desk)


@router.post("/login", responses={429: {"model": Refusal}})
async def login(given: Login, request: Request, response: Response, desk: TheDesk) -> Session:
    """Begin a session: its cookie comes with the answer."""
    if not desk.access.login:
        raise Refused(409, "no_login", "nobody logs in here")
    attempts: Attempts = request.app.state.attempts
    address = request.client.host if request.client else ""
    try:
        attempts.book(given.name, address)
    except TooOften as error:
        raise Refused(429, "too_often", str(error), {"Retry-After": f"{error.wait_s:.0f}"}) from None
    async with request.app.state.verifying:
        right = await asyncio.to_thread(desk.access.verify, given.name, given.password)
    if not right:
        raise Refused(401, "wrong_password", "name or password is wrong")
    attempts.right(given.name, address)
    cookie = desk.access.session(given.name)
    secure = request.url.scheme == "https"
    response.set_cookie(
        COOKIE, cookie, max_age=int(SESSION_S), path="/", httponly=True, samesite="strict", secure=secure
    )
    person = desk.access.person(cookie)
    assert person is not None
    return _session(person, desk)


@router.post("/logout", status_code=204)
async def logout(person: Commanding, response: Response, desk: TheDesk) -> None:
    """End the session."""
    desk.access.end(person)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def _session(person: Person, desk: Desk) -> Session:
    return Session(
        name=person.name,
        role=person.role.word,  # type: ignore[arg-type]  # one of its words
        csrf=desk.access.csrf(person),
        login=desk.access.login,
        boot=desk.hub.boot,
    )
