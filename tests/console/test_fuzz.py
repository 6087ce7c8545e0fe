"""Every endpoint, asked what its schema allows and what it does not: no answer is an error of the server.

A few examples by default; as many as wanted by::

    NIGHTSHIFT_FUZZ=500 pytest tests/console/test_fuzz.py
"""

from __future__ import annotations

import os
import secrets
from functools import partial
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from docs.generate_console_api import SOCKET, endpoints

from .conftest import PASSWORDS, Served

EXAMPLES = int(os.environ.get("NIGHTSHIFT_FUZZ", "15"))
CHECKS = (not_a_server_error, status_code_conformance, response_schema_conformance)
UNDER_SCHEMA = [(one.method, one.path) for one in endpoints() if one.path.startswith("/api/") and one.method != SOCKET]
ASKED = [each for each in UNDER_SCHEMA if each[1] != "/api/openapi.json"]


@pytest.mark.timeout(300 + EXAMPLES * 6)
@pytest.mark.parametrize("who", ["nobody", "olga"])
@pytest.mark.parametrize(("method", "path"), ASKED, ids=lambda told: str(told))
def test_no_request_is_an_error_of_the_server(guarded: Served, method: str, path: str, who: str) -> None:
    browser = guarded.browser()
    url = f"http://localhost:{browser.port}"
    schema = schemathesis.openapi.from_dict(browser.get("/api/openapi.json").json)
    schema.config.update(base_url=url)
    operation = schema[path][method]
    strategies = [operation.as_strategy()]
    if method == "POST" or "{" in path or path == "/api/journal":
        strategies.append(operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))

    @settings(max_examples=EXAMPLES, phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.one_of(*strategies))
    def ask(case: Any) -> None:
        told = {"Origin": url}
        if who in PASSWORDS:
            access = guarded.console._access  # type: ignore[union-attr]  # logging in is slow by intention
            cookie = access.session(who)
            person = access.person(cookie)
            told |= {"Cookie": f"nightshift={cookie}", "X-CSRF-Token": access.csrf(person)}
        if "commands" in path or "search" in path:
            told["Idempotency-Key"] = secrets.token_hex(8)
        response = case.call(headers={**(case.headers or {}), **told})
        case.validate_response(response, checks=list(CHECKS))

    ask()


@pytest.mark.parametrize("path", ["/", "/api/view", "/api/samples/", "/static/", "/api/commands/"])
def test_no_path_or_body_of_any_bytes_is_an_error_of_the_server(standing: Served, path: str) -> None:
    browser = standing.browser().login("olga")
    letters = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40)

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
    @given(letters, st.binary(max_size=200), st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"]))
    def ask(more: str, body: bytes, method: str) -> None:
        telling = partial(browser.ask, Idempotency_Key="a-key-of-its-own", X_CSRF_Token=browser.csrf)
        assert telling(method, path + more.replace("#", ""), body or None).status < 500

    ask()
