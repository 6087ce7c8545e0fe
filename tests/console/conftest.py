"""A daemon with played stations, and its console: a real server on a real port."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from orchestrator.campaign.state import CampaignState
from orchestrator.console.serve import Address, Console
from orchestrator.console.source import Post, Source
from orchestrator.console.users import Role, User, Users
from orchestrator.journal import SqliteJournal
from orchestrator.service.contract.lines import Line
from orchestrator.service.home import Routes
from tests.service.played import LAB, Lab, played

PATIENCE_S = 60.0


def post_of(path: Path) -> Post:
    return Post.of(path / "alerts.jsonl", Routes(("ntfy://secret@host/topic",), ("mailto://secret",)))


PASSWORDS = {"vera": "only looks on", "olga": "runs the night", "ada": "may do anything"}
FOUND = [
    Line("disk", "green", "120 GiB free"),
    Line("gas", "amber", "argon for 9 films", "have another bottle at hand"),
]
ROLES = {"vera": Role.VIEWER, "olga": Role.OPERATOR, "ada": Role.ADMIN}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["code"])


@dataclass
class Browser:
    """As much of one as is needed: it keeps its cookie, and says where it comes from."""

    port: int
    cookie: str = ""
    csrf: str = ""
    host: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        host = self.host or f"localhost:{self.port}"
        told = {"Host": host, **self.headers}
        if method == "POST":
            told |= {"Content-Type": "application/json", "Origin": f"http://{host}", "X-CSRF-Token": self.csrf}
        if self.cookie:
            told["Cookie"] = self.cookie
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            data = body if isinstance(body, bytes | type(None)) else json.dumps(body).encode()
            connection.request(method, path, data, told)
            response = connection.getresponse()
            answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()
        if (cookie := answer.headers.get("set-cookie")) is not None:
            self.cookie = cookie.partition(";")[0]
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.ask("POST", path, body, **headers)

    def enter(self) -> Browser:
        """Fetch what to send with each POST."""
        self.csrf = self.get("/api/session").json["csrf"]
        return self

    def login(self, name: str) -> Browser:
        answer = self.post("/api/login", {"name": name, "password": PASSWORDS[name]})
        assert answer.status == 200, answer.body
        self.csrf = answer.json["csrf"]
        return self

    def command(self, command: str, key: str = "", seen: int = 10**6, reason: str = "a test") -> Answer:
        key = key or f"key-{command}-{id(object())}"
        body = {"reason": reason, "seen": seen}
        return self.post(f"/api/commands/{command}", body, Idempotency_Key=key)

    @contextmanager
    def socket(self, query: str = "", **headers: str) -> Iterator[ClientConnection]:
        host = self.host or f"localhost:{self.port}"
        told = {"Origin": f"http://{host}", **headers} | ({"Cookie": self.cookie} if self.cookie else {})
        origin = told.pop("Origin")
        with connect(
            f"ws://localhost:{self.port}/api/socket{query}",
            additional_headers=told,
            origin=origin,  # type: ignore[arg-type]  # a string to us
            max_size=None,
            proxy=None,
        ) as opened:
            yield opened


def hear(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of `kind`."""
    while (message := json.loads(socket.recv(timeout=PATIENCE_S)))["type"] != kind:
        pass
    return dict(message)


@cache
def known_users() -> dict[str, User]:
    """Hashing is slow by intention."""
    return {name: User.with_password(ROLES[name], password) for name, password in PASSWORDS.items()}


class Served:
    """A lab of played stations whose daemon has a console."""

    def __init__(self, path: Path, lab: Lab, *, login: bool) -> None:
        self.path, self.lab = path, lab
        self.config = path / "config"
        self.address = Address("127.0.0.1", 0, exact=True, login=login)
        self.charts: list[tuple[Any, ...]] = []
        if login:
            users = Users(self.config)
            for name, user in known_users().items():
                users.put(name, user)
        self.console: Console | None = None
        self.checks = 0
        self.check: Callable[[], dict[str, Any]] = lambda: {
            "verdict": "amber",
            "lines": [line.as_dict() for line in FOUND],
        }

    def _check(self) -> dict[str, Any]:
        self.checks += 1
        return self.check()

    def open(self) -> Browser:
        """Serve what the daemon does; a new daemon has a new console."""
        self.console = Console(self.address, "otto", self.config, check=self._check).open()
        self.attach()
        return self.browser()

    def attach(self) -> None:
        assert self.console is not None
        self._journal = SqliteJournal(self.lab.path)
        source = Source(
            self.lab.daemon,
            self._journal,
            StillClock(),
            True,
            self.heard,
            self.chart,
            post=post_of(self.path),
        )
        self._attached = self.console.attached(source)
        self._attached.__enter__()

    def close(self) -> None:
        if self.console is not None:
            self._attached.__exit__(None, None, None)
            self._journal.close()
            self.console = None

    def browser(self) -> Browser:
        assert self.console is not None
        return Browser(int(self.console.url.rstrip("/").rpartition(":")[2]))

    def heard(self) -> dict[str, Any]:
        status = {"state": "running", "progress": {"fraction": 0.5, "text": "opening"}, "waiting_on": ""}
        status |= {"readings": {"gun1_output": {"value": "on", "unit": ""}}, "faults": ["gun2: NoReply"], "blocked": []}
        return dict.fromkeys(LAB.stations) | {"deposition": SimpleNamespace(at=0.0, status=status)}

    def chart(self, candidates: list[Any], pending: list[Any], number: int) -> dict[str, Any]:
        self.charts.append((candidates, pending, number))
        n = len(candidates)
        return {"observed": 1, "mean": [1.0] * n, "sigma": [2.0] * n, "acquisition": [3.0] * n}


class StillClock:
    """Lab time is that of the journal, and passes at the usual rate."""

    resolution_s = 0.0

    def now(self) -> float:
        return 0.0

    def real_s(self, lab_s: float) -> float:
        return lab_s

    def sleep(self, lab_s: float) -> None:
        raise AssertionError("nobody waits for the lab here")

    def patience_s(self, lab_s: float) -> float:
        return lab_s


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with played(tmp_path / "journal.db") as lab:
        yield lab


def _in_film(path: Path, lab: Lab, *, login: bool) -> Iterator[Served]:
    lab.holds = {"deposit"}
    lab.start()
    assert lab.begun.wait(PATIENCE_S)
    served = Served(path, lab, login=login)
    served.open()
    yield served
    served.close()


@pytest.fixture
def served(tmp_path: Path, lab: Lab) -> Iterator[Served]:
    """A night in the middle of its first film, where nobody logs in."""
    yield from _in_film(tmp_path, lab, login=False)


@pytest.fixture
def guarded(tmp_path: Path, lab: Lab) -> Iterator[Served]:
    """The same, where people log in."""
    yield from _in_film(tmp_path, lab, login=True)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One night where people log in, for many tests that change nothing."""
    path = tmp_path_factory.mktemp("standing")
    with played(path / "journal.db") as lab:
        yield from _in_film(path, lab, login=True)


def finish_film(served: Served) -> CampaignState:
    """Let the film, and whatever follows it, end."""
    from tests.service.nights import DONE

    served.lab.holds = set()
    served.lab.stations["deposition"].end(DONE["deposit"])
    served.lab.ended()
    return served.lab.daemon.state


__all__ = ["Browser", "Served", "finish_film", "hear", "threading"]
