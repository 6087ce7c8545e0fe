"""Write the reference page of the console's endpoints: what each does, and who may ask it.

``python docs/generate_console_api.py`` writes it, ``--check`` only says whether it is out of date.  What a role may is
read off what each route depends on (`orchestrator.console.desk`); that the server then does so is tested by asking it,
row by row (tests/console/test_roles.py).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs.generated import keep  # noqa: E402
from orchestrator.console import desk  # noqa: E402 - after the path
from orchestrator.console.access import FOR_NAME, FROM_ADDRESS, GUESSES, SESSION_S, WINDOW_S  # noqa: E402
from orchestrator.console.door import ASK_S, FROM_ONE, MOST, TAKE_S  # noqa: E402
from orchestrator.console.guard import MOST_BODY  # noqa: E402
from orchestrator.console.looking import socket  # noqa: E402
from orchestrator.console.server import ROUTERS  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "console-api.md"
SOCKET = "socket"
ROLES = ("anonymous", "viewer", "operator", "admin")
HEAD = """# The console's endpoints

<!-- Written by docs/generate_console_api.py: change the routes, not this page. -->

`GET /api/openapi.json` has every endpoint with the schema of what it takes and answers. Here is who may ask what, where
people log in; where nobody does, which is on loopback only, whoever reaches the server is the operator.
An admin sees and changes who may log in too, here or on the server itself by `nightshift user`; nobody their own role.

A refusal is `{"code": ..., "detail": ...}`: the code for programs, the detail for people. 401: log in first. 403: the
role may not. *Token*: with the `csrf` of `GET /api/session` as the header `X-CSRF-Token`; without, 403. *Key*: with a
name of the request's own, 8 to 128 characters, as the header `Idempotency-Key`; said again with the same key, it is
done once, and answered as it was.
"""
TAIL = f"""
What every request meets before:

| | refused with |
|---|---|
| another `Host` than the server's own names and addresses (on loopback: than loopback's) | 421 `wrong_host` |
| an `Origin` that is not scheme and host of the request itself; also for the socket | 403 `wrong_origin`; the socket is not opened |
| a body of more than {MOST_BODY // 1024} KiB, told or sent | 413 `too_large` |
| a request that has not come whole after {ASK_S:.0f} s | closed |
| a client that takes nothing of its answer for {TAKE_S:.0f} s (a page on its socket: 10 s, code 1013) | closed |
| more than {MOST} connections, or {FROM_ONE} from one address that is not loopback | closed |
| {GUESSES} wrong passwords for a name from one address, {FROM_ADDRESS} from one address, {FOR_NAME} for one name, in {WINDOW_S:.0f} s | 429 `too_often`, with `Retry-After` |
| a cookie that is forged, of a session logged out or older than {SESSION_S / 86400:.0f} days, or of a password changed since | 401 `login` |
| a campaign that is only looked at (`nightshift console HOME`, or a page that stayed): every command | 409 `read_only` |
"""  # noqa: E501 - rows of a table
OPEN = {
    "/": "The page.",
    "/static/{file}": "Its files.",
    "/vendor/plotly.min.js": "The plotting library, of the installed package.",
    "/api/openapi.json": "The schema of all this.",
}


@dataclass(frozen=True)
class Endpoint:
    """`least` is the index in `ROLES` of the first that may; `token` and `key`: what has to come with it."""

    method: str
    path: str
    what: str
    least: int
    token: bool = False
    key: bool = False

    def may(self, role: str) -> bool:
        return ROLES.index(role) >= self.least

    def answer(self, role: str) -> str:
        """What `role` is answered: yes, or the status of the refusal."""
        if self.may(role):
            return "yes"
        return "401" if role == "anonymous" and self.method != SOCKET else "403"


def endpoints() -> Iterator[Endpoint]:
    """Every one that the server has."""
    for path, what in OPEN.items():
        yield Endpoint("GET", path, what, 0)
    for router in ROUTERS:
        for route in router.routes:
            yield _endpoint(route)


def _endpoint(route: Any) -> Endpoint:
    what = (route.endpoint.__doc__ or "").strip().partition("\n")[0]
    if route.endpoint is socket:  # refuses by itself: 403 is what a socket that is not opened is answered
        return Endpoint(SOCKET, route.path, what, 1)
    (method,) = route.methods
    needs = {call for dependency in route.dependant.dependencies for call in _calls(dependency)}
    least = next((at for at, ours in _ROLE_OF if ours in needs), 0)
    return Endpoint(method, route.path, what, least, desk.commanding in needs, desk.own_key in needs)


_ROLE_OF = ((3, desk.keeping), (3, desk.administering), (2, desk.operating), (1, desk.asking))
"""The first that a route depends on says who may."""


def _calls(dependency: Any) -> Iterator[Any]:
    yield dependency.call
    for below in dependency.dependencies:
        yield from _calls(below)


def page() -> str:
    """The page as it should be."""
    rows = ["| | | " + " | ".join(ROLES) + " | with |", "|---|---|" + "---|" * (len(ROLES) + 1)]
    for one in endpoints():
        extra = ", ".join(word for word, needed in (("token", one.token), ("key", one.key)) if needed)
        cells = [f"{one.method} `{one.path}`", one.what, *(one.answer(role) for role in ROLES), extra]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join([HEAD, *rows, TAIL])


if __name__ == "__main__":
    keep(PAGE, page(), "generate_console_api")
