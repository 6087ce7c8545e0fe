"""The table of the reference, row by row, against the server: who may ask what."""

from __future__ import annotations

from itertools import count

import pytest
from websockets.exceptions import InvalidStatus

from docs.generate_console_api import PAGE, ROLES, SOCKET, Endpoint, endpoints, page

from .conftest import Browser, Served, hear

NAMES = {"viewer": "vera", "operator": "olga", "admin": "ada"}
PARTS = {"{file}": "index.html", "{command}": "hold", "{number}": "1", "{name}": "-"}
LOGIN = {"name": "nobody", "password": "guesses"}
EVERY = list(endpoints())
keys = count()


def browser_of(role: str, served: Served) -> Browser:
    return served.browser() if role == "anonymous" else served.browser().login(NAMES[role])


def asked(browser: Browser, endpoint: Endpoint, *, token: bool = True, key: bool = True) -> str:
    """ "yes", or the status of the refusal."""
    path = endpoint.path
    for part, value in PARTS.items():
        path = path.replace(part, value)
    if endpoint.method == SOCKET:
        try:
            with browser.socket() as opened:
                hear(opened, "hello")
        except InvalidStatus as refused:
            return str(refused.response.status_code)
        return "yes"
    if endpoint.method == "GET":
        answer = browser.get(path)
    else:
        body = LOGIN if path.endswith("/login") else {"seen": 10**6}
        headers = {"Idempotency_Key": f"a-key-of-its-own-{next(keys)}"} if key else {}
        browser.csrf = browser.csrf if token else ""
        answer = browser.post(path, body, **headers)
    assert answer.status < 500, answer.body
    let_in = answer.status < 400 or answer.json["code"] not in ("login", "role", "csrf", "key")
    return "yes" if let_in else str(answer.status)


def test_the_reference_is_that_of_these_routes() -> None:
    assert PAGE.read_text() == page(), "run python docs/generate_console_api.py"


def test_every_endpoint_of_the_schema_is_in_the_table(standing: Served) -> None:
    paths = standing.browser().get("/api/openapi.json").json["paths"]
    told = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert told <= {(one.method, one.path) for one in EVERY}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("endpoint", EVERY, ids=lambda one: f"{one.method} {one.path}")
def test_each_may_what_the_table_says(standing: Served, endpoint: Endpoint, role: str) -> None:
    assert asked(browser_of(role, standing), endpoint) == endpoint.answer(role)


@pytest.mark.parametrize("endpoint", [one for one in EVERY if one.token], ids=lambda one: one.path)
def test_nothing_is_changed_without_the_token(standing: Served, endpoint: Endpoint) -> None:
    assert asked(browser_of("operator", standing), endpoint, token=False) == "403"


@pytest.mark.parametrize("endpoint", [one for one in EVERY if one.key], ids=lambda one: one.path)
def test_nothing_is_commanded_without_a_key(standing: Served, endpoint: Endpoint) -> None:
    assert asked(browser_of("operator", standing), endpoint, key=False) == "400"


def test_whatever_changes_something_needs_the_token() -> None:
    assert {one.path for one in EVERY if one.method == "POST" and not one.token} == {"/api/login"}
    assert all(one.key for one in EVERY if one.least == ROLES.index("operator"))
