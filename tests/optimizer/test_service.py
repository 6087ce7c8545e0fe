"""The optimizer as a process of its own, over real Pyro5."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from orchestrator import rpc
from orchestrator.optimizer.making import make_optimizer
from orchestrator.optimizer.service import NotConfigured, OptimizerService, StaleModel

TOKEN = "night"
TERNARY = {"Fe": (0, 100, 5), "Co": (0, 100, 5), "Ni": (0, 100, 5)}


def history(count: int) -> list[dict]:
    return [
        {
            "sample": k,
            "composition": {"Fe": k / 20, "Co": 1 - k / 20, "Ni": 0.0},
            "composition_sigma": {"Fe": 0.004, "Co": 0.004, "Ni": 0.001},
            "value": 1.0 - (k / 20 - 0.4) ** 2,
            "sigma": 0.01,
            "validity": "valid",
        }
        for k in range(count)
    ]


@pytest.fixture
def campaign(make_campaign):
    return make_campaign(TERNARY)


@pytest.fixture
def process():
    child = subprocess.Popen(
        [sys.executable, "-m", "orchestrator.optimizer.service"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield child
    child.kill()
    child.communicate()


def started(child: subprocess.Popen, config: dict) -> rpc.Remote:
    child.stdin.write(json.dumps(config) + "\n")
    child.stdin.flush()
    return rpc.connect(json.loads(child.stdout.readline())["uri"], TOKEN, timeout_s=60)


def test_a_conversation_over_the_wire(process, campaign):
    sent = json.loads(campaign.model_dump_json())
    with started(process, {"token": TOKEN}) as remote:
        with pytest.raises(rpc.RemoteError) as unready:
            remote.suggest([], 0, 0)
        assert unready.value.kind == "NotConfigured"
        assert remote.configure(sent) == 0
        for k, observation in enumerate(history(10)):
            assert remote.observe(observation, k) == k + 1
        with pytest.raises(rpc.RemoteError, match="knows 10 observations, the caller 11") as stale:
            remote.suggest([], 10, 11)
        assert stale.value.kind == "StaleModel"
        suggestion = remote.suggest([{"composition": {"Fe": 0.4, "Co": 0.6}}], 11, 10)
        assert remote.reset() == 0
        assert remote.observe_all(history(10)) == 10
        again = remote.suggest([{"composition": {"Fe": 0.4, "Co": 0.6}}], 11, 10)
    here = make_optimizer(campaign)
    for observation in history(10):
        here.observe(observation)
    expected = here.suggest([{"composition": {"Fe": 0.4, "Co": 0.6}}], 11).as_dict()
    for answer in (suggestion, again):
        assert answer["composition"] == expected["composition"]
        assert answer["method"] == "gp"
        assert answer["mean"] == pytest.approx(expected["mean"], rel=1e-6)


def test_it_ends_when_its_parent_is_gone(process, campaign):
    remote = started(process, {"token": TOKEN, "campaign": json.loads(campaign.model_dump_json())})
    assert remote.known() == 0
    process.stdin.close()  # as when the parent is killed
    assert process.wait(30) == 0
    process.stdin = None
    with pytest.raises(rpc.RpcError):
        remote.known()
    remote.close()


def test_a_stranger_is_denied(process):
    process.stdin.write(json.dumps({"token": TOKEN}) + "\n")
    process.stdin.flush()
    uri = json.loads(process.stdout.readline())["uri"]
    with pytest.raises(rpc.Denied):
        rpc.connect(uri, "day", timeout_s=60)


def test_an_observation_comes_once(campaign):
    """A call repeated because its answer was lost is not learned twice."""
    service = OptimizerService()
    service.configure(campaign.model_dump())
    first, second = history(2)
    assert service.observe(first, 0) == 1
    with pytest.raises(StaleModel, match="reset it and send them all"):
        service.observe(first, 0)
    assert service.observe(second, 1) == 2
    assert service.known() == 2


def test_all_at_once_only_after_a_reset(campaign):
    service = OptimizerService()
    service.configure(campaign.model_dump())
    service.observe_all(history(3))
    with pytest.raises(StaleModel):
        service.observe_all(history(3))
    service.reset()
    assert service.observe_all(history(4)) == 4


@pytest.mark.parametrize("ask", [lambda s: s.reset(), lambda s: s.suggest([], 0, 0), lambda s: s.observe({}, 0)])
def test_nothing_before_a_campaign(ask):
    with pytest.raises(NotConfigured, match="configure first"):
        ask(OptimizerService())


def test_a_new_campaign_forgets_the_old(campaign, make_campaign):
    service = OptimizerService()
    service.configure(campaign.model_dump())
    service.observe_all(history(3))
    assert service.configure(make_campaign({"Fe": (0, 100, 10), "Co": (0, 100, 10)}).model_dump()) == 0
    assert set(service.suggest([], 0, 0)["composition"]) == {"Fe", "Co"}
