"""Who may log in, as an admin sees and changes it over the network."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from .conftest import PASSWORDS, Browser, Served, hear

NEW = {"role": "operator", "password": "a new password"}


def roles(browser: Browser) -> dict[str, str]:
    return {one["name"]: one["role"] for one in browser.get("/api/users").json["people"]}


def test_an_admin_sees_who_may_log_in_and_no_secret(guarded: Served) -> None:
    ada = guarded.browser().login("ada")
    assert roles(ada) == {"ada": "admin", "olga": "operator", "vera": "viewer"}
    assert {key for one in ada.get("/api/users").json["people"] for key in one} == {"name", "role"}


def test_somebody_new_logs_in_at_once(guarded: Served) -> None:
    ada, new = guarded.browser().login("ada"), guarded.browser()
    told = {"name": "nina", "password": NEW["password"]}
    assert new.post("/api/login", told).status == 401
    answer = ada.post("/api/users/nina", NEW)
    assert (answer.status, answer.json["people"]) == (200, ada.get("/api/users").json["people"])
    assert roles(ada)["nina"] == "operator"
    assert new.post("/api/login", told).json["role"] == "operator"


def test_another_role_counts_at_once_and_the_password_stays(guarded: Served) -> None:
    ada, vera = guarded.browser().login("ada"), guarded.browser().login("vera")
    assert vera.command("hold").code == "role"
    assert ada.post("/api/users/vera", {"role": "operator"}).status == 200
    assert vera.command("hold").status == 200
    assert guarded.browser().login("vera").get("/api/session").json["role"] == "operator"


def test_another_password_ends_the_sessions_of_before(guarded: Served) -> None:
    ada, olga = guarded.browser().login("ada"), guarded.browser().login("olga")
    assert ada.post("/api/users/olga", NEW).status == 200
    assert olga.get("/api/session").code == "login"
    old = {"name": "olga", "password": PASSWORDS["olga"]}
    assert guarded.browser().post("/api/login", old).code == "wrong_password"
    assert guarded.browser().post("/api/login", {**old, "password": NEW["password"]}).status == 200


def test_who_is_removed_is_out_at_once_also_of_an_open_page(guarded: Served) -> None:
    ada, vera = guarded.browser().login("ada"), guarded.browser().login("vera")
    with vera.socket() as page:
        hear(page, "hello")
        assert ada.post("/api/users/vera/remove", {}).status == 200
        with pytest.raises(ConnectionClosed) as closed:
            hear(page, "the end")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
    assert vera.get("/api/session").code == "login"
    assert "vera" not in roles(ada)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("nina", {"role": "operator"}, 409, "password"),
        ("nina", {"role": "operator", "password": "short"}, 422, "invalid"),
        ("nina", {"role": "king", "password": "long enough"}, 422, "invalid"),
        ("nina", {}, 422, "invalid"),
        ("-nina", NEW, 422, "invalid"),
        ("n%20na", NEW, 422, "invalid"),
        ("x" * 65, NEW, 422, "invalid"),
        ("nina/remove", {}, 404, "not_found"),
        ("ada", {"role": "operator"}, 409, "own"),
        ("ada/remove", {}, 409, "own"),
    ],
)
def test_what_is_refused_changes_nothing(
    guarded: Served, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    ada = guarded.browser().login("ada")
    before = roles(ada)
    answer = ada.post(f"/api/users/{path}", body)
    assert (answer.status, answer.code) == (status, code)
    assert roles(ada) == before


def test_nobody_else_sees_or_changes_it(guarded: Served) -> None:
    olga = guarded.browser().login("olga")
    assert olga.get("/api/users").code == "role"
    assert olga.post("/api/users/nina", NEW).code == "role"
    assert olga.post("/api/users/vera/remove", {}).code == "role"


def test_where_nobody_logs_in_nobody_is_an_admin(served: Served) -> None:
    owner = served.browser().enter()
    assert owner.get("/api/users").code == "role"
    assert owner.post("/api/users/nina", NEW).code == "role"
