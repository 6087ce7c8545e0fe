"""GET: what the page is told beside its socket."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, WebSocket
from starlette.requests import Request
from starlette.responses import Response

from orchestrator import rpc
from orchestrator.console import maps, records
from orchestrator.console.access import COOKIE
from orchestrator.console.commands import REFUSALS
from orchestrator.console.desk import Desk, Refused, TheDesk, Viewer
from orchestrator.console.shapes import Line, Live, Loop, Map, Refusal, SampleRow, Shape, View, Why
from orchestrator.console.sheet import Scribe
from orchestrator.console.socket import NOT_ALLOWED, attend
from orchestrator.console.view import row
from orchestrator.console.why import why

router = APIRouter(prefix="/api", responses=REFUSALS)
NOT_THERE: dict[int | str, dict[str, Any]] = {404: {"model": Refusal}}

Seq = Annotated[int, Query(ge=0, le=2**53)]


class Health(Shape):
    ok: bool
    """The daemon decides, or the campaign is over."""
    boot: str
    seq: int
    campaign: str | None


class Viewed(Shape):
    boot: str
    seq: int
    view: View | None
    """Null before a campaign begins."""
    live: Live | None


class Samples(Shape):
    boot: str
    seq: int
    samples: list[SampleRow]


class Sample(Shape):
    boot: str
    seq: int
    sample: SampleRow
    why: Why
    quantities: dict[str, Any]
    """All that its loop gave."""
    film: dict[str, Any] | None
    """The film's entry in the journal."""


class Journal(Shape):
    boot: str
    seq: int
    entries: list[Line]
    more: bool
    """Beyond `limit`."""


class Charted(Shape):
    boot: str
    seq: int
    map: Map | None
    """Null before there is a model."""


class Devices(Shape):
    boot: str
    seq: int
    live: Live | None


@router.get("/health")
async def health(desk: TheDesk) -> Health:
    """Whether the daemon decides; for anyone."""
    source = desk.hub.source
    if source is None:
        return Health(ok=True, boot=desk.hub.boot, seq=0, campaign=None)
    decided_s = source.daemon.decided_s
    well = bool(source.state.ended) or (decided_s is not None and decided_s < 10.0)
    return Health(ok=well, boot=desk.hub.boot, seq=source.state.version, campaign=source.daemon.campaign.name)


@router.get("/view", response_model=Viewed)
async def view(_: Viewer, desk: TheDesk) -> Response:
    """The campaign as it is now."""
    sheet = await desk.hub.fresh()
    return _json(desk, sheet.seq, f'"view":{sheet.view},"live":{desk.hub.live()}')


@router.get("/samples", response_model=Samples)
async def samples(_: Viewer, desk: TheDesk) -> Response:
    """Every sample, a row each."""
    sheet = await desk.hub.fresh()
    return _json(desk, sheet.seq, f'"samples":{sheet.samples}')


@router.get("/samples/{number}", responses=NOT_THERE)
async def sample(number: int, _: Viewer, desk: TheDesk) -> Sample:
    """One sample: its row, why it was chosen, its film, and what its loop gave."""
    scribe = await _scribe(desk)
    source = desk.source()
    state = source.state
    found = state.samples.get(number)
    if found is None or number not in scribe.history.chosen:
        raise Refused(404, "no_sample", f"there is no sample {number}")
    observation, film = found.observation, found.film
    return Sample(
        boot=desk.hub.boot,
        seq=state.version,
        sample=row(found, scribe.history),
        why=why(found, state, source.daemon.campaign, scribe.history),
        quantities=observation.quantities if observation else {},
        film=film.model_dump(mode="json") if film else None,
    )


@router.get("/samples/{number}/loop", responses=NOT_THERE)
async def loop(number: int, _: Viewer, desk: TheDesk) -> Loop:
    """The sample's last hysteresis loop."""
    scribe = await _scribe(desk)
    version = scribe.history.loops.get(number)
    if version is None:
        raise Refused(404, "no_loop", f"no loop of sample {number} is known")
    journal = desk.source().journal
    return await desk.hub.apart(lambda: records.loop(journal, version))


@router.get("/journal")
async def journal(
    _: Viewer,
    desk: TheDesk,
    after: Seq | None = None,
    before: Seq | None = None,
    kind: Annotated[list[str], Query(max_length=30)] = [],  # noqa: B006 - FastAPI's form, and never changed
    sample: Annotated[int | None, Query(ge=0)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Journal:
    """Entries after one, in order; without `after` the last ones, those `before` one."""
    sheet = await desk.hub.fresh()
    if desk.hub.source is None:
        return Journal(boot=desk.hub.boot, seq=0, entries=[], more=False)
    book, want = desk.source().journal, records.wanted(kind, sample)
    if after is not None:
        lines, more = await desk.hub.apart(lambda: records.after(book, after, sheet.seq, limit, want))
    else:
        end = sheet.seq + 1 if before is None else min(before, sheet.seq + 1)
        lines, more = await desk.hub.apart(lambda: records.before(book, end, limit, want))
    return Journal(boot=desk.hub.boot, seq=sheet.seq, entries=lines, more=more)


@router.get("/map")
async def model_map(_: Viewer, desk: TheDesk, request: Request) -> Charted:
    """The model over the space: mean, spread and acquisition on a grid, as the next suggestion would see them."""
    source = desk.source()
    state = source.state
    asked = (len(state.observations), state.search.turns, tuple(sample.number for sample in state.pending))
    charts: dict[str, Any] = request.app.state.charts
    async with request.app.state.charting:
        if charts.get("asked") != asked:
            try:
                drawn = await asyncio.to_thread(maps.chart, state, source.daemon.campaign, source.chart)
            except rpc.RpcError as error:
                raise Refused(503, "optimizer", f"the optimizer could not be asked: {error}") from None
            charts.update(asked=asked, map=drawn, seq=state.version)
    return Charted(boot=desk.hub.boot, seq=charts["seq"], map=charts["map"])


@router.get("/devices", response_model=Devices)
async def devices(_: Viewer, desk: TheDesk) -> Response:
    """What every station's worker said last: readings, and how old they are."""
    return _json(desk, desk.hub.sheet.seq, f'"live":{desk.hub.live()}')


@router.websocket("/socket")
async def socket(page: WebSocket, desk: TheDesk, after: Seq | None = None) -> None:
    """What is new, as it comes."""
    cookie = page.cookies.get(COOKIE)
    if desk.access.person(cookie) is None:
        await page.close(NOT_ALLOWED)
        return
    await attend(page, desk.hub, after, lambda: desk.access.person(cookie) is not None)


def _json(desk: Desk, seq: int, parts: str) -> Response:
    return Response(f'{{"boot":"{desk.hub.boot}","seq":{seq},{parts}}}', media_type="application/json")


async def _scribe(desk: Desk) -> Scribe:
    desk.source()
    await desk.hub.fresh()
    assert desk.hub.scribe is not None
    return desk.hub.scribe
