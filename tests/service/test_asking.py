"""Commands from another process whose answers are lost, late or refused."""

from __future__ import annotations

import pytest

from orchestrator import rpc
from orchestrator.campaign import entries as e
from orchestrator.campaign.commands import Request
from orchestrator.campaign.digest import sha256_of
from orchestrator.campaign.lifecycle import Command, CommandRefused
from orchestrator.service import api as api_module
from orchestrator.service.api import Api
from orchestrator.service.asking import TRIES, acknowledge, give, new_key
from orchestrator.service.home import Home, HomeError
from orchestrator.service.status import progress_of
from tests.service.nights import campaign
from tests.service.played import LAB, at_film, played
from tests.service.test_daemon import given

TOKEN = "t"


@pytest.fixture
def lab(tmp_path):
    with played(tmp_path / "journal.db") as lab:
        yield lab


@pytest.fixture
def home(tmp_path, lab):
    """A home whose daemon is in a film, and can be reached."""
    at_film(lab)
    api = Api(LAB)
    api.serve(lab.daemon)
    with rpc.serve({"daemon": api}, TOKEN) as server:
        home = Home(tmp_path)
        home.announce(server.uris["daemon"], TOKEN)
        yield home


def request(command, by="anna", **rest):
    return Request(command, by, "r", **rest)


def test_what_was_done_is_told(lab, home):
    told = give(home, request(Command.HOLD))
    assert (told["mode"], told["changed"]) == ("holding", True)
    (taken,) = [recorded for recorded in lab.entries() if recorded.entry.kind == "command_given"]
    assert taken.entry.key
    assert 0 < taken.entry.seen < taken.version
    with home.connect() as daemon:
        status = daemon.status()
    assert (status["command"]["by"], status["command"]["command"]) == ("anna", "hold")
    assert status["version"] >= status["command"]["version"]


def test_who_has_seen_too_little_is_refused(lab, home):
    seen = lab.daemon.state.version
    give(home, request(Command.HOLD))
    with pytest.raises(rpc.RemoteError, match="before you came hold by anna") as refused:
        give(home, request(Command.RESUME, "bert", seen=seen))
    assert refused.value.kind == "CommandRefused"
    assert give(home, request(Command.RESUME, "bert"))["mode"] == "running"


def test_an_answer_that_is_lost_is_asked_for_again_and_nothing_is_done_twice(lab, home, monkeypatch):
    exchange, lost = rpc._Connections.exchange, []

    def deaf(self, method, request, timeout_s):
        answer = exchange(self, method, request, timeout_s)
        if method == "command" and not lost:
            lost.append(answer)
            raise rpc.CallLost("the cable was pulled")
        return answer

    monkeypatch.setattr(rpc._Connections, "exchange", deaf)
    told = give(home, request(Command.STOP))
    assert lost
    assert (told["mode"], told["again"]) == ("stopping", True)
    assert given(lab) == [("stop", "anna")]


def test_a_daemon_that_does_not_answer_may_still_do_it_and_the_key_says_so(home, monkeypatch):
    monkeypatch.setattr(api_module, "REPLY_S", 0.0)
    tries = []
    monkeypatch.setattr(Api, "status", lambda self: tries.append("status") or {"version": 1})
    slow = api_module.Api.command

    def counted(self, *args):
        tries.append("command")
        return slow(self, *args)

    monkeypatch.setattr(Api, "command", counted)
    monkeypatch.setattr("orchestrator.service.daemon.Daemon._command_came", lambda self, came: None)
    with pytest.raises(HomeError, match="may still be done: ask again with `--key again`"):
        give(home, request(Command.STOP, key="again"))
    assert tries == ["status", *["command"] * TRIES]


@pytest.mark.parametrize(("by", "key"), [("", "k"), ("anna", "")])
def test_a_command_without_a_name_or_a_key_is_refused(home, by, key):
    with home.connect() as daemon, pytest.raises(rpc.RemoteError, match="needs a key of its own, and the name"):
        daemon.command("hold", by, "r", key, 1)


def test_the_status_tells_the_end_as_the_journal_does(lab, home):
    api = Api(LAB)
    api.serve(lab.daemon)
    told, read = api.status(), progress_of(home.journal).as_dict()
    for name in ("predicted_finish", "finish_early", "finish_late"):
        assert told[name] == pytest.approx(read[name], abs=60), name
    assert told["finish_early"] < told["predicted_finish"] < told["finish_late"]


def test_before_a_campaign_there_is_nothing_to_command():
    with pytest.raises(CommandRefused, match="no campaign is under way"):
        Api(LAB).command("hold", "anna", "r", "k", 1)


def test_no_two_keys_are_alike():
    assert len({new_key() for _ in range(1000)}) == 1000


# --- acknowledging ------------------------------------------------------------------------------------


def test_a_daemon_keeps_who_acknowledged(lab, home):
    with home.claimed():
        version = acknowledge(home, "anna", "on my way")
    taken = next(recorded for recorded in lab.entries() if recorded.version == version)
    assert isinstance(taken.entry, e.AlertsAcknowledged)
    assert (taken.entry.by, taken.entry.reason) == ("anna", "on my way")
    with home.connect() as daemon:
        again = daemon.acknowledge("anna", "on my way", taken.entry.key)
    assert again == version, "the same request is done once"


def test_an_acknowledgement_has_a_name(home):
    with home.connect() as daemon, pytest.raises(rpc.RemoteError, match="needs a key of its own"):
        daemon.acknowledge("", "", "k")


# --- starting on hardware -----------------------------------------------------------------------------


def signed(spec, **changes):
    told = {"by": "anna", "campaign_sha256": sha256_of(spec), "lab_sha256": sha256_of(LAB), "version": "1"}
    return e.ContractSigned(**{**told, "armed": "typed", "lines": [], **changes}).model_dump(mode="json")


RED = {"subject": "disk", "verdict": "red", "found": "full", "do": "make room"}


@pytest.mark.parametrize(
    ("contract", "why"),
    [
        (None, "nobody signed for it"),
        ({"armed": ""}, "it is not armed"),
        ({"campaign_sha256": "other"}, "another campaign"),
        ({"lab_sha256": "other"}, "another lab file"),
        ({"lines": [RED]}, "red lines: disk"),
    ],
)
def test_a_campaign_begins_on_a_signed_contract_or_not_at_all(contract, why):
    spec = campaign(samples=3)
    api = Api(LAB)
    given_ = None if contract is None else signed(spec, **contract)
    with pytest.raises(CommandRefused, match=why):
        api.start(spec.model_dump(mode="json"), "anna", given_)
    api.start(spec.model_dump(mode="json"), "anna", signed(spec))
    begun = api.await_campaign()
    assert begun is not None
    taken, by, on = begun
    assert (taken, by, on.armed) == (spec, "anna", "typed")
