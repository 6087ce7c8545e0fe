"""The server as its parent and its instruments' drivers see it: a process, pseudo-terminals, sockets."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import serial

from simulators.clock import ScaledClock
from tests.simulators.world import DEPOSITION

CONFIG = {
    "devices": {
        "pty": {"driver": "bell", "transport": "pty", "settings": {"tone": "dong", "other": 1}},
        "tcp": {"driver": "bell", "transport": "tcp"},
    },
    "slots": [1, 2],
    "places": {"cassette/1": [0, 0, 0, 0, 0, 0], "deposition": DEPOSITION},
}


class Server:
    def __init__(self, process):
        self.process = process

    def ask(self, message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@contextmanager
def served(config=None, **request):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.simulators.bell"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        server = Server(process)
        server.first = server.ask(
            {"clock": None, "seed": 1, "truth": None, "world": None, "config": config or CONFIG} | request
        )
        yield server
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()


@contextmanager
def port(address):
    with serial.serial_for_url(address, timeout=5) as client:
        yield client


def exchange(client, message):
    """The reply; a greeting before it is passed over (pyserial itself may discard it on opening)."""
    client.write(message)
    reply = client.read_until(b"\n")
    return client.read_until(b"\n") if reply == b"bell\n" else reply


@pytest.fixture(scope="module")
def server():
    with served() as running:
        yield running


@pytest.fixture
def addresses(server):
    return server.first["addresses"]


def test_every_device_has_an_address_of_its_kind(addresses):
    assert addresses["pty"].startswith("/dev/pts/")
    assert addresses["tcp"].startswith("socket://127.0.0.1:")


def test_a_pty_is_raw_in_both_directions(addresses):
    with port(addresses["pty"]) as client:
        every_byte = bytes(set(range(256)) - {0x0A}) + b"\n"
        assert exchange(client, every_byte) == every_byte


def test_a_socket_may_be_left_and_entered_again(addresses):
    for _ in range(3):
        with port(addresses["tcp"]) as client:
            assert exchange(client, b"hello\n") == b"hello\n"
            client.write(b"half a mess")  # lost with the connection


def test_a_client_is_greeted(addresses):
    number = int(addresses["tcp"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", number), timeout=5) as client:
        assert client.recv(5) == b"bell\n"


def test_a_serial_line_may_be_closed_and_opened_again(addresses):
    for _ in range(3):
        with port(addresses["pty"]) as client:
            assert exchange(client, b"hello\n") == b"hello\n"


def test_a_second_client_takes_the_instrument_over(addresses):
    with port(addresses["tcp"]) as first, port(addresses["tcp"]) as second:
        assert exchange(second, b"mine\n") == b"mine\n"
        with pytest.raises(serial.SerialException):
            first.read(100)


@pytest.mark.parametrize(("device", "tone"), [("pty", b"dong\n"), ("tcp", b"ding\n")])
def test_an_instrument_may_speak_unasked(addresses, device, tone):
    with port(addresses[device]) as client:
        assert exchange(client, b"hello\n") == b"hello\n"
        client.write(b"ring 0.01\nring 0.02\nring 0\n")
        assert client.read(3 * len(tone)) == 3 * tone


def test_messages_may_come_in_pieces_and_in_bunches(addresses):
    with port(addresses["tcp"]) as client:
        assert exchange(client, b"hello\n") == b"hello\n"
        client.write(b"on")
        time.sleep(0.01)
        client.write(b"e\ntwo\nthree")
        assert client.read(8) == b"one\ntwo\n"


def test_the_clock_is_restarted_by_its_parent():
    with served() as server, port(server.first["addresses"]["pty"]) as client:
        client.write(b"ring 3600\n")
        assert abs(float(exchange(client, b"time?\n")) - time.time()) < 60
        clock = ScaledClock.starting_now(1000.0, lab_epoch=5_000.0)
        assert server.ask({"clock": clock.spec()}) == {"ok": True}
        before = clock.now()
        told = float(exchange(client, b"time?\n"))
        assert before <= told <= clock.now()


def test_unasked_speech_keeps_lab_time():
    clock = ScaledClock.starting_now(10_000.0)
    with served(clock=clock.spec()) as server, port(server.first["addresses"]["pty"]) as client:
        client.write(b"ring 600\n")
        assert client.read_until(b"\n") == b"dong\n"


def test_summary_and_nonsense(server):
    assert server.ask({"summary": True}) == {"hazards": [], "films": []}
    assert "give" in server.ask({"sing": True})["error"]
    assert "error" in server.ask({"clock": {"speed": 1.0}})
    assert "error" in server.ask({"clock": {"speed": -1.0, "lab_epoch": 0, "monotonic_epoch": 0}})


@pytest.mark.parametrize("end", ["end of input", "SIGTERM"])
def test_it_ends_with_its_parent_or_by_signal(end, tmp_path):
    with served(world=str(tmp_path / "world.jsonl")) as server:
        if end == "SIGTERM":
            server.process.send_signal(signal.SIGTERM)
        else:
            server.process.stdin.close()
        assert server.process.wait(10) == 0
        assert server.process.stderr.read() == ""
    assert (tmp_path / "world.jsonl").exists()


def test_no_request_is_no_error():
    process = subprocess.run([sys.executable, "-m", "simulators.serve"], input="", capture_output=True, text=True)
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"truth": "/absent.csv"}, "there is no such file"),
        ({"config": {"devices": {"x": {"driver": "abacus"}}}}, "x: no simulator for driver 'abacus'"),
        ({"config": {"devices": {"x": {"driver": "bell", "transport": "pigeon"}}}}, "must be"),
        ({"config": {"devices": {"gun1": {"driver": "aja-dcxs"}}}}, "gun1: it has no target"),
        ({"config": {"targets": {"gun1": "Xx"}}}, "knows nothing of Xx"),
        ({"config": {"faults": [{"device": "x", "kind": "late", "at": 1}]}}, "the devices are none"),
        ({"seed": "one"}, "invalid literal"),
        ({"clock": {"speed": 1.0}}, "lab_epoch"),
    ],
)
def test_what_cannot_be_served_is_explained(request_, message):
    with served(**request_) as server:
        assert message in server.first["error"]
        assert server.process.wait(10) == 2
        assert message in server.process.stderr.read()


@pytest.mark.parametrize("device", ["pty", "tcp"])
def test_a_line_that_drops_comes_back(device):
    config = CONFIG | {"faults": [{"device": device, "kind": "disconnect", "at": 0}]}
    with served(config) as server:
        address = server.first["addresses"][device]
        with port(address) as client:
            client.timeout = 10.0 if device == "tcp" else 0.05  # a closed socket ends a read at once
            client.write(b"hello\n")
            if device == "tcp":
                with pytest.raises(serial.SerialException):
                    client.read(100)
            else:
                assert client.read(1) == b""
        with port(address) as client:
            deadline = time.monotonic() + 10
            client.timeout = 0.2
            while not exchange(client, b"hello\n").endswith(b"hello\n"):
                assert time.monotonic() < deadline


def test_every_driver_has_its_part_of_the_world():
    """The table names modules that exist and wires each to what it simulates."""
    pytest.importorskip("simulators.mecademic_meca500")
    names = ["alicat", "pfeiffer-tpg36x", "inficon-sqm160", "kepco-bop", "lakeshore-475", "srs-sr830"]
    devices = {name: {"driver": name} for name in [*names, "mecademic-meca500"]}
    devices |= {"gun1": {"driver": "aja-dcxs", "settings": {"target": "Fe"}}}
    with served({"devices": devices, "targets": {"gun1": "Fe"}}) as server:
        kinds = {name: address.split("127")[0] for name, address in server.first["addresses"].items()}
    assert kinds.pop("kepco-bop") == kinds.pop("srs-sr830") == "TCPIP0::"
    assert kinds.pop("mecademic-meca500") == "tcp://"
    assert all(kind.startswith("/dev/pts/") for kind in kinds.values())
