"""Calls between processes: what crosses, what is refused, and what a failure is called."""

from __future__ import annotations

import io
import json
import threading

import pytest

from orchestrator import rpc

TOKEN = "open sesame"


class Bench:
    """Something to call."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.released = threading.Event()
        self._secret = 42

    def echo(self, *args: object, **kwargs: object) -> dict[str, object]:
        return {"args": args, "kwargs": kwargs}

    def refuse(self) -> None:
        raise LookupError("no such sample: 7")

    def unspeakable(self) -> object:
        return object()

    def block(self) -> str:
        self.arrived.set()
        assert self.released.wait(30)
        return "released"

    def release(self) -> None:
        self.released.set()

    def thread(self) -> str:
        return threading.current_thread().name

    def _private(self) -> None:
        raise AssertionError("reached from outside")


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def server(bench):
    with rpc.serve({"bench": bench, "other": Bench()}, TOKEN) as server:
        yield server


@pytest.fixture
def remote(server):
    with rpc.connect(server.uris["bench"], TOKEN, timeout_s=30) as remote:
        yield remote


def test_plain_values_cross(remote):
    sent = {"nested": [1, 2.5, "täxt", None, True], "empty": {}}
    assert remote.echo(1, None, composition=sent) == {"args": [1, None], "kwargs": {"composition": sent}}


def test_floats_cross_exactly(remote):
    values = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, float("inf")]
    assert remote.echo(values)["args"][0] == values


def test_listens_on_loopback_only(server):
    assert all("@127.0.0.1:" in uri for uri in server.uris.values())


def test_an_exception_crosses_with_class_name_and_message(remote):
    with pytest.raises(rpc.RemoteError, match="LookupError: no such sample: 7") as caught:
        remote.refuse()
    assert caught.value.kind == "LookupError"
    assert caught.value.message == "no such sample: 7"
    assert "in refuse" in caught.value.trace
    assert remote.echo()["args"] == []  # and the connection is still good


@pytest.mark.parametrize("method", ["_private", "_secret", "nothing", "__init__"])
def test_only_public_methods_can_be_called(remote, method):
    with pytest.raises(rpc.RemoteError, match="no method"):
        remote._call(method, (), {})


def test_what_is_not_plain_fails_at_its_source(remote):
    with pytest.raises(TypeError, match="not JSON serializable"):
        remote.echo(object())
    with pytest.raises(rpc.RemoteError, match="not JSON serializable"):
        remote.unspeakable()


@pytest.mark.parametrize("token", ["", "open sesam", "öpen", "open sesame "])
def test_a_wrong_token_is_denied(server, token):
    with pytest.raises(rpc.Denied, match="refuses our token"):
        rpc.connect(server.uris["bench"], token, timeout_s=30)


def test_an_empty_token_is_not_served():
    with pytest.raises(ValueError, match="token"):
        rpc.serve({}, "")


def test_nobody_there(server):
    uri = server.uris["bench"]
    server.close()
    with pytest.raises(rpc.Unreachable, match="is that process running"):
        rpc.connect(uri, TOKEN, timeout_s=30)


def test_unknown_object(server):
    uri = server.uris["bench"].replace("bench", "nothing")
    with pytest.raises(rpc.Unreachable, match="nothing"):
        rpc.connect(uri, TOKEN, timeout_s=30)


def test_a_server_that_goes_away_loses_the_call(server, remote):
    server.close()
    with pytest.raises(rpc.CallLost, match="'echo'"):
        remote.echo()


def test_a_call_that_takes_too_long_is_lost_and_leaves_the_others_whole(bench, remote):
    with pytest.raises(rpc.CallLost, match="may have been done"):
        remote.within(0.05).block()
    bench.released.set()
    assert remote.echo("after")["args"] == ["after"]


def test_threads_call_at_the_same_time(bench, remote):
    answers = []
    blocked = threading.Thread(target=lambda: answers.append(remote.block()))
    blocked.start()
    assert bench.arrived.wait(30)
    remote.release()  # while the other thread is still in its call
    blocked.join(30)
    assert answers == ["released"]


def test_many_threads_get_their_own_answers(remote):
    wrong = []

    def ask(number: int) -> None:
        wrong.extend(k for k in range(20) if remote.echo(number, k)["args"] != [number, k])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not wrong


def test_a_child_reads_one_line_and_announces_itself(server):
    stdin = io.StringIO('{"token": "t"}\nnoise\n')
    stdout = io.StringIO()
    assert rpc.read_config(stdin) == {"token": "t"}
    rpc.announce(server, stdout)
    assert json.loads(stdout.getvalue()) == {"uri": server.uris["bench"], "uris": server.uris}
    rpc.await_orphaned(stdin)  # returns at the end of input


@pytest.mark.parametrize(("line", "error"), [("", EOFError), ("[1]\n", ValueError), ("{\n", ValueError)])
def test_a_child_refuses_a_broken_configuration(line, error):
    with pytest.raises(error):
        rpc.read_config(io.StringIO(line))


def test_what_is_no_address_is_unreachable():
    with pytest.raises(rpc.Unreachable, match="no address"):
        rpc.connect("nonsense", "token")
