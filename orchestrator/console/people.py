"""Who may log in, seen and changed by an admin."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from orchestrator.console.commands import REFUSALS
from orchestrator.console.desk import Admin, Desk, Refused, SeeingPeople, TheDesk
from orchestrator.console.shapes import Login, People
from orchestrator.console.users import NAME, SHORTEST, Role, User, Users

router = APIRouter(prefix="/api/users", responses=REFUSALS)
log = logging.getLogger(__name__)

Name = Annotated[str, Path(pattern=f"^{NAME.pattern}$")]


class Letting(BaseModel):
    """Without a password somebody who is known keeps his."""

    role: Literal["viewer", "operator", "admin"]
    password: Annotated[str, Field(min_length=SHORTEST, max_length=1000)] | None = None


@router.get("")
async def people(_: SeeingPeople, desk: TheDesk) -> People:
    """Who may log in, and as what."""
    return _people(_users(desk))


@router.post("/{name}")
async def let_in(name: Name, letting: Letting, by: Admin, desk: TheDesk) -> People:
    """Let somebody log in, or give them another role or password; another password ends their sessions."""
    users = _users(desk)
    if name == by.name and letting.role != by.role.word:
        raise Refused(409, "own", "nobody takes away their own role: another admin can")
    async with desk.changing_people:
        await asyncio.to_thread(_put, users, name, letting)
    log.info("%s lets %s log in as %s", by.name, name, letting.role)
    return _people(users)


@router.post("/{name}/remove")
async def remove(name: Name, by: Admin, desk: TheDesk) -> People:
    """Let somebody log in no more, and end their sessions."""
    users = _users(desk)
    if name == by.name:
        raise Refused(409, "own", "nobody removes themselves: another admin can")
    async with desk.changing_people:
        if name not in users.all():
            raise Refused(404, "not_found", f"there is no {name}")
        await asyncio.to_thread(users.remove, name)
    log.info("%s lets %s log in no more", by.name, name)
    return _people(users)


def _users(desk: Desk) -> Users:
    users = desk.access.users
    assert users is not None, "without logins nobody is an admin"
    return users


def _put(users: Users, name: str, letting: Letting) -> None:
    known = users.all().get(name)
    if letting.password is not None:
        users.put(name, User.with_password(Role.of(letting.role), letting.password))
    elif known is not None:
        users.put(name, known.as_role(Role.of(letting.role)))
    else:
        raise Refused(409, "password", f"{name} is new: give a password")


def _people(users: Users) -> People:
    return People(people=[Login(name=name, role=user.role) for name, user in users.all().items()])  # type: ignore[arg-type]  # a role's word
