"""The application: routes, files, and how refusals are told."""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from orchestrator.console import alerting, checking, commands, looking, people, search
from orchestrator.console.access import Access, Attempts
from orchestrator.console.desk import Desk, Refused
from orchestrator.console.guard import Guard
from orchestrator.console.hub import Hub
from orchestrator.console.users import ConsoleError
from orchestrator.journal import JournalError

log = logging.getLogger(__name__)

ROUTERS = (commands.router, looking.router, search.router, checking.router, alerting.router, people.router)
STATIC = Path(__file__).parent / "static"
REVALIDATE = "no-cache"
PART = 64 * 1024
A_DAY = "private, max-age=86400"


class _Page(StaticFiles):
    """The page's files, asked for anew each time whether they have changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = REVALIDATE
        return response


def application(
    hub: Hub,
    access: Access,
    names: Iterable[str] = ("localhost",),
    *,
    loopback: bool = True,
    check: checking.Check | None = None,
) -> ASGIApp:
    """The whole application, guarded; `names` are the hosts that it is known by, `check` draws up the contract."""
    app = FastAPI(title="Nightshift console", openapi_url="/api/openapi.json", docs_url=None, redoc_url=None)
    app.state.desk = Desk(hub, access)
    app.state.attempts = Attempts()
    app.state.verifying = asyncio.Semaphore(2)
    app.state.checks = checking.Checks(check)
    app.state.charting = asyncio.Lock()
    app.state.charts = {}
    for router in ROUTERS:
        app.include_router(router)
    _files(app)
    _refusals(app)
    return Guard(app, names, loopback=loopback)


def _files(app: FastAPI) -> None:
    library = _Library("plotly", "package_data/plotly.min.js")
    app.mount("/static", _Page(directory=STATIC), name="static")

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(STATIC / "index.html", headers={"cache-control": REVALIDATE})

    @app.get("/vendor/plotly.min.js", include_in_schema=False)
    async def plotly(request: Request) -> Response:
        return await library.response("gzip" in request.headers.get("accept-encoding", ""))


class _Library:
    """A file of an installed package, compressed once: over a phone's network it is megabytes."""

    def __init__(self, package: str, file: str) -> None:
        spec = find_spec(package)
        self._path = Path(spec.origin).parent / file if spec is not None and spec.origin else None
        self._compressed: bytes | None = None

    async def response(self, compressed: bool) -> Response:
        headers = {"cache-control": A_DAY, "vary": "accept-encoding"}
        if self._path is None or not self._path.is_file():
            raise Refused(404, "not_found", "the package plotly is not installed")
        if not compressed:
            return FileResponse(self._path, media_type="text/javascript", headers=headers)
        if self._compressed is None:
            path = self._path
            self._compressed = await asyncio.to_thread(lambda: gzip.compress(path.read_bytes(), 6))
        told = {**headers, "content-encoding": "gzip", "content-length": str(len(self._compressed))}
        return StreamingResponse(_in_parts(self._compressed), media_type="text/javascript", headers=told)


async def _in_parts(content: bytes) -> AsyncIterator[bytes]:
    """So that for a client that takes none of it no copy is kept of the whole."""
    for begin in range(0, len(content), PART):
        yield content[begin : begin + PART]


def _refusals(app: FastAPI) -> None:
    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> Response:
        return _refusal(error.status, error.code, error.detail, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        told = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        return _refusal(422, "invalid", told)

    @app.exception_handler(HTTPException)
    async def other(_: Request, error: HTTPException) -> Response:
        code = {404: "not_found", 405: "method"}.get(error.status_code, "http")
        return _refusal(error.status_code, code, str(error.detail), error.headers)

    @app.exception_handler(JournalError)
    @app.exception_handler(ConsoleError)
    async def unreadable(_: Request, error: Exception) -> Response:
        log.warning("the console could not answer: %s", error)
        return _refusal(503, "unreadable", str(error))


def _refusal(status: int, code: str, detail: str, headers: Any = None) -> Response:
    return JSONResponse({"code": code, "detail": detail}, status, headers)
