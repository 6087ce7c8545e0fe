"""Commands that act on the search, to a daemon at work; and that there is one for everything in the table."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from orchestrator import rpc
from orchestrator.campaign.actions import ACTIONS
from orchestrator.cli import COMMANDS, main
from orchestrator.service.api import Api
from orchestrator.service.home import Home
from tests.service.nights import campaign
from tests.service.played import LAB, at_film, played


@pytest.fixture
def nightshift(tmp_path):
    """The command, in a home whose daemon is in a film."""
    with played(tmp_path / "journal.db") as lab:
        yield from commanding(lab, tmp_path)


def commanding(lab, tmp_path):
    lab.spec = campaign(samples=4)
    at_film(lab)
    api = Api(LAB)
    api.serve(lab.daemon)

    def call(*args):
        return CliRunner().invoke(main, [*args, "--home", str(tmp_path), "--by", "anna"])

    with rpc.serve({"daemon": api}, "t") as server:
        Home(tmp_path).announce(server.uris["daemon"], "t")
        yield call


def test_there_is_a_command_for_every_action_and_it_asks_for_its_fields():
    context = main.make_context("nightshift", [], resilient_parsing=True)
    by_queue = {"reorder": {"first"}, "withdraw": {"withdraw"}}
    for name, action in ACTIONS.items():
        command = main.get_command(context, "queue" if name in by_queue else name)
        asked = {parameter.name for parameter in command.params}
        assert {"home", "by", "reason", "key", "seen", "as_json"} <= asked
        fields = by_queue.get(name) or ({"amounts"} if name == "sample" else set(action.model_fields))
        assert fields <= asked
        assert (action.what in command.help) or name in by_queue
        assert ("It takes a --reason" in command.help) == action.why or name in by_queue
    assert {name for name, where in COMMANDS.items() if where.startswith("searching:")} == {
        *(set(ACTIONS) - set(by_queue)),
        "queue",
    }


def test_own_samples_are_queued_listed_reordered_and_withdrawn(nightshift):
    assert nightshift("queue").output == "nothing is queued\n"
    assert nightshift("sample", "Fe=60", "Co=30", "Ni=10", "--reason", "the edge").output == "own sample 1 is queued\n"
    assert nightshift("sample", "Co=100").exit_code == 0
    listed = nightshift("queue").output.splitlines()
    assert listed == ["   1  Fe60Co30Ni10  by anna (the edge)", "   2  Co100  by anna"]
    assert nightshift("queue", "--first", "2").output.startswith("reorder of own sample 2: done, entry ")
    assert nightshift("queue", "--withdraw", "1").exit_code == 0
    (left,) = json.loads(nightshift("queue", "--json").output)["queue"]
    assert (left["number"], left["composition"]["Co"]) == (2, 1.0)
    assert nightshift("queue", "--first", "1", "--withdraw", "2").exit_code == 2


def test_what_is_refused_and_what_is_wrong_have_exit_codes_of_their_own(nightshift):
    refused = nightshift("veto", "1", "--reason", "r")
    assert (refused.exit_code, refused.output) == (
        5,
        "Error: sample 1 is depositing: cannot veto it; its film may have been begun\n",
    )
    wrong = nightshift("note", "0", "a scratch")
    assert (wrong.exit_code, wrong.output) == (
        2,
        "Error: note: sample = 0: is less than 1; give a whole number of at least 1\n",
    )
    assert nightshift("sample", "Fe60").exit_code == 2
    assert "Fe is given twice" in nightshift("sample", "Fe=60", "Fe=40").output
    assert nightshift("sample", "Fe=nan").exit_code == 2


def test_the_same_key_is_the_same_request(nightshift):
    first = json.loads(nightshift("note", "1", "a scratch", "--key", "k", "--json").output)
    again = nightshift("note", "1", "a scratch", "--key", "k")
    assert (first["changed"], first["number"], first["mode"]) == (True, 1, "running")
    assert f"already done, entry {first['entry']}: note of sample 1: a scratch by anna" in again.output


def test_a_budget_is_changed(nightshift):
    assert nightshift("budget", "--samples", "7").output.startswith("budget of 7 samples: done")
    assert nightshift("budget").exit_code == 2
    assert "there is nothing to weigh it against" in nightshift("weights", "coercivity=2").output
