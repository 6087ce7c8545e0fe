"""Acting on the search: GET /api/search tells what may be done, and POST /api/search/ACTION does it.

What there is to do, and what it takes, is told by the table `orchestrator.campaign.actions`: the page makes its forms
of that, and whatever is added there is here too.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from orchestrator.campaign.actions import SearchRequest, described, parsed
from orchestrator.campaign.lifecycle import CommandRefused
from orchestrator.campaign.problems import SpecError
from orchestrator.console.commands import REFUSALS
from orchestrator.console.desk import Key, Operator, Refused, TheDesk, Viewer
from orchestrator.console.shapes import Act, Did, OwnSample, Refusal, Search

router = APIRouter(prefix="/api/search", responses=REFUSALS)


@router.get("")
async def search(_: Viewer, desk: TheDesk) -> Search:
    """What may be done about the search, and what waits for its turn."""
    source = desk.hub.source
    queue = () if source is None else source.state.search.queue
    return Search(
        boot=desk.hub.boot, actions=described(), queue=[OwnSample.model_validate(own.as_dict()) for own in queue]
    )


@router.post("/{action}", responses={404: {"model": Refusal}})
async def act(action: Annotated[str, Path(max_length=50)], given: Act, by: Operator, key: Key, desk: TheDesk) -> Did:
    """Do something about the search: answered once it is in the journal."""
    desk.source()
    try:
        wanted = parsed(action, given.fields)
    except CommandRefused as error:
        raise Refused(404, "no_action", str(error)) from None
    except SpecError as error:
        raise Refused(422, "invalid", "; ".join(error.lines)) from None
    request = SearchRequest(wanted, by.name, given.reason, key, given.seen)
    return await desk.act(lambda daemon: daemon.act(request))
