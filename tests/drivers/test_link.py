"""Links on real ports: replies in pieces, late replies, silence, unplugging."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import tty

import pytest

from drivers.errors import Gone, NoReply
from drivers.link import Port, SerialLink, TcpLink, VisaLink, exchange
from drivers.wire.framing import fixed, until

LINE = until(b"\n")


class Peer:
    """The other end, driven by the test."""

    def __init__(self, send, receive, unplug):
        self.send, self.receive, self.unplug = send, receive, unplug


@contextlib.contextmanager
def tcp_pair(open_link, form):
    listener = socket.create_server(("127.0.0.1", 0))
    link = open_link(form.format(*listener.getsockname()))
    accepted, _ = listener.accept()
    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        yield link, Peer(accepted.sendall, lambda: accepted.recv(4096), accepted.close)
    finally:
        link.close()
        accepted.close()
        listener.close()


@contextlib.contextmanager
def pty_pair(open_link, form):
    ours, theirs = os.openpty()
    for end in (ours, theirs):
        tty.setraw(end)
    link = open_link(form.format(os.ttyname(theirs)))
    os.close(theirs)
    ends = [ours]

    def unplug():
        if ends:
            os.close(ends.pop())

    try:
        yield link, Peer(lambda data: os.write(ours, data), lambda: os.read(ours, 4096), unplug)
    finally:
        link.close()
        unplug()


KINDS = {
    "serial on a pty": lambda: pty_pair(SerialLink, "{}"),
    "serial on a socket": lambda: tcp_pair(SerialLink, "socket://{}:{}"),
    "tcp": lambda: tcp_pair(TcpLink, "tcp://{}:{}"),
    "visa socket": lambda: tcp_pair(VisaLink, "TCPIP0::{}::{}::SOCKET"),
    "visa serial on a pty": lambda: pty_pair(VisaLink, "ASRL{}::INSTR"),
}


@pytest.fixture(params=KINDS)
def pair(request):
    with KINDS[request.param]() as made:
        yield made


def test_a_reply_may_come_in_pieces(pair):
    link, peer = pair

    def answer():
        assert peer.receive() == b"MEAS?\n"
        for piece in (b"1", b".2", b"5\n"):
            peer.send(piece)
            pause.wait(0.02)

    pause = threading.Event()
    answering = threading.Thread(target=answer)
    answering.start()
    assert exchange(link, b"MEAS?\n", LINE) == b"1.25\n"
    answering.join()


def test_two_frames_at_once_are_two_frames(pair):
    link, peer = pair
    peer.send(b"one\ntwo\n")
    assert link.receive(LINE) == b"one\n"
    assert link.receive(LINE) == b"two\n"


def test_binary_frames(pair):
    link, peer = pair
    every = bytes(range(256))
    peer.send(every)
    assert link.receive(fixed(256)) == every


def test_long_replies(pair):
    link, peer = pair
    long = b"x" * 3000 + b"\n"
    sending = threading.Thread(target=peer.send, args=(long,))
    sending.start()
    assert link.receive(LINE) == long
    sending.join()


def test_no_reply_says_what_did_come(pair):
    link, peer = pair
    peer.send(b"+1.2")
    with pytest.raises(NoReply, match=r"\+1\.2"):
        link.receive(LINE, 0.05)
    peer.send(b"5\n")
    assert link.receive(LINE) == b"+1.25\n"  # the rest still completes it


def test_exchange_names_the_request(pair):
    link, _ = pair
    link.timeout_s = 0.05
    with pytest.raises(NoReply, match="RDGFIELD"):
        exchange(link, b"RDGFIELD?\n", LINE)


def test_a_stale_reply_is_dropped(pair):
    link, peer = pair
    link.timeout_s = 0.05
    with pytest.raises(NoReply):
        exchange(link, b"first?\n", LINE)
    peer.receive()
    peer.send(b"first\nhalf of anoth")  # too late
    time.sleep(0.05)  # until it lies at this end

    def answer():
        assert peer.receive() == b"second?\n"
        peer.send(b"second\n")

    link.timeout_s = 5.0
    answering = threading.Thread(target=answer)
    answering.start()
    assert exchange(link, b"second?\n", LINE) == b"second\n"
    answering.join()


def test_drain_returns_what_it_drops(pair):
    link, peer = pair
    peer.send(b"one\ntwo")
    assert link.receive(LINE) == b"one\n"
    assert link.drain() == b"two"
    assert link.drain() == b""


def test_a_poll_takes_what_has_arrived_without_waiting(pair):
    link, peer = pair
    with pytest.raises(NoReply):
        link.receive(LINE, 0.0)
    peer.send(b"now\n")
    for _ in range(200):
        with contextlib.suppress(NoReply):
            assert link.receive(LINE, 0.0) == b"now\n"
            return
    pytest.fail("a poll never saw what had arrived")


def test_unplugging_is_told(pair):
    link, peer = pair
    peer.unplug()
    with pytest.raises(Gone):
        exchange(link, b"*IDN?\n", LINE)


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        (SerialLink, "/dev/does-not-exist"),
        (SerialLink, "socket://127.0.0.1:{}"),
        (TcpLink, "tcp://127.0.0.1:{}"),
        (TcpLink, "127.0.0.1:{}"),
        (TcpLink, "tcp://127.0.0.1"),
        (VisaLink, "TCPIP0::127.0.0.1::{}::SOCKET"),
        (VisaLink, "ASRL/dev/does-not-exist::INSTR"),
        (VisaLink, "nonsense"),
    ],
)
def test_what_cannot_be_opened_is_gone(kind, address):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    with pytest.raises(Gone):
        kind(address.format(free))


def test_a_port_runs_conversations_one_after_the_other():
    class Quiet:
        address = "nowhere"

        def close(self):
            order.append("closed")

    order: list[object] = []
    port = Port(Quiet())  # type: ignore[arg-type]
    futures = [port.submit(lambda n=n: order.append(n)) for n in range(20)]
    for future in futures:
        future.result(timeout=5)
    port.close()
    assert order == [*range(20), "closed"]


def test_a_pseudo_terminal_is_opened_again_and_again_whatever_the_instrument_s_parity():
    ours, theirs = os.openpty()
    for _ in range(3):
        link = SerialLink(os.ttyname(theirs), bytesize=7, parity="O")
        link.send(b"x\n")
        link.close()
    os.close(ours)
    os.close(theirs)


def test_a_conversation_that_hangs_is_told_from_one_that_waits(monkeypatch):
    """Waiting for bytes shows life; a call that does not come back from the system shows none."""
    monkeypatch.setattr(SerialLink, "STIR_S", 0.01)
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    port = Port(SerialLink(os.ttyname(theirs), timeout_s=30.0))
    assert (port.busy_s, port.still_s) == (0.0, 0.0)
    waiting = port.submit(lambda: port.link.receive(LINE))
    while port.busy_s < 0.5:
        time.sleep(0.01)
    assert port.still_s < 0.4
    os.write(ours, b"x\n")
    waiting.result(5)
    released = threading.Event()
    hanging = port.submit(released.wait)
    while port.still_s < 0.5:
        time.sleep(0.01)
    released.set()
    hanging.result(5)
    port.close()
    os.close(ours)
    os.close(theirs)
