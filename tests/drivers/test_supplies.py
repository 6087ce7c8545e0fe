"""Power supplies: bytes published by others, and what only they do."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.ae_bus import CESAR, PINNACLE, AeCesar, AePinnacle
from drivers.errors import Refused, SettingError, WrongInstrument
from drivers.tc_cxn import DEAD_MAN_S, TcCxn
from drivers.tdk_genesys import TdkGenesys
from drivers.wire import aebus, cxn, genesys
from drivers.wire.errors import Malformed
from simulators import ae_bus as simulated_ae
from simulators import tc_cxn as simulated_cxn
from simulators import tdk_genesys as simulated_genesys
from tests.drivers.chamber_fixtures import Gun, connected, lab_clock, on_wire, served

# --- AE Bus -----------------------------------------------------------------------------------------------

PUBLISHED = [
    ("08 9B 93", aebus.Packet(1, 155)),
    ("09 9B 06 94", aebus.Packet(1, 155, b"\x06")),
    ("09 0E 02 05", aebus.Packet(1, 14, b"\x02")),
    ("09 0E 00 07", aebus.Packet(1, 14, b"\x00")),
    ("0A 08 E8 03 E9", aebus.Packet(1, 8, b"\xe8\x03")),
    ("09 08 00 01", aebus.Packet(1, 8, b"\x00")),
    ("08 02 0A", aebus.Packet(1, 2)),
    ("08 01 09", aebus.Packet(1, 1)),
    ("08 A2 AA", aebus.Packet(1, 162)),
    ("0C A2 20 00 00 00 8E", aebus.Packet(1, 162, b"\x20\0\0\0")),
    ("08 A4 AC", aebus.Packet(1, 164)),
    ("0B A4 E8 03 06 42", aebus.Packet(1, 164, b"\xe8\x03\x06")),
    ("08 A6 AE", aebus.Packet(1, 166)),
]
"""InstrumentKit's tests of ``dressler.Cesar1312``."""


@pytest.mark.parametrize(("published", "packet"), PUBLISHED)
def test_published_packets_of_the_ae_bus(published: str, packet: aebus.Packet) -> None:
    written = bytes.fromhex(published)
    assert aebus.pack(packet) == written
    assert aebus.unpack(written) == packet
    assert aebus.host_framing(written) == len(written)
    assert aebus.host_framing(written[:-1]) is None
    for at in range(len(written)):
        spoiled = written[:at] + bytes([written[at] ^ 0x10]) + written[at + 1 :]
        with pytest.raises(Malformed):
            aebus.unpack(spoiled)


def test_long_packets_of_the_ae_bus_say_their_length() -> None:
    packet = aebus.Packet(1, 127, b"target Fe 99.95 %".ljust(40))
    written = aebus.pack(packet)
    assert written[:3] == bytes([0x0F, 127, 40])
    assert aebus.unpack(written) == packet
    with pytest.raises(Malformed):
        aebus.pack(aebus.Packet(32, 1))


def test_an_answer_of_the_ae_bus_is_found_behind_noise() -> None:
    answer = aebus.ACK + bytes.fromhex("09 9B 06 94")
    framing = aebus.answer_framing(1, 155)
    for noise in (b"", b"\xff\0", b"\x06\x15"):
        assert framing(noise + answer) == len(noise + answer)
        assert aebus.unpack_answer(noise + answer, 1, 155) == b"\x06"
    assert framing(answer[:-1]) is None
    assert framing(aebus.NAK) == 1


@given(st.binary(max_size=80))
def test_whatever_comes_the_codecs_of_supplies_do_not_break(frame: bytes) -> None:
    for parse in (
        aebus.unpack,
        lambda f: aebus.unpack_answer(f, 1, 155),
        cxn.parse_command,
        lambda f: cxn.parse_answer(f, 6),
        cxn.accepted,
        genesys.parse,
    ):
        with suppress(Malformed):
            parse(frame)
    for framing in (aebus.answer_framing(1, 155), aebus.host_framing, cxn.answer_framing, cxn.host_framing):
        end = framing(frame) if frame else None
        assert end is None or 0 < end <= max(len(frame), 1)


def plasma() -> Gun:
    return Gun(lab_clock(), strike_s=0.0)


def test_a_cesar_regulates_its_load_power_and_takes_host_control() -> None:
    with served(simulated_ae.Cesar(plasma())) as wire, connected(AeCesar, wire, target="Fe") as gun:
        assert on_wire(gun, gun.identify) == "AE CESAR_1312, address 1, target Fe"
        assert (wire.instrument.control, wire.instrument.mode) == (2, 7)
        gun.power.set(250).wait(10)
        assert bytes.fromhex("0A 08 FA 00 F8") in wire.heard
        gun.output.set("on").wait(10)
        wire.instrument.control = 6  # somebody at the panel
        with pytest.raises(Refused, match="CSR 1, not in host control"):
            gun.power.set(100).wait(10)


def test_a_pinnacle_names_its_interlock_bit_by_bit() -> None:
    with served(simulated_ae.Pinnacle(plasma())) as wire, connected(AePinnacle, wire, target="Fe") as gun:
        gun.power.set(250).wait(10)
        assert bytes.fromhex("0A 06 FA 00 F6") in wire.heard
        gun.output.set("on").wait(10)
        wire.instrument.interlock_open = True
        gun.trigger().wait(10)
        assert gun.fault.get().startswith("tripped: output off")
        assert gun.fault.get().endswith("user interlock open")
        with pytest.raises(Refused, match="CSR 7, a fault is active"):
            gun.output.set("on").wait(10)
        with pytest.raises(Refused, match="CSR 4, out of range"):
            on_wire(gun, lambda: gun._send_power(6000))


def test_the_families_are_not_taken_for_each_other() -> None:
    assert CESAR.set_command != PINNACLE.set_command
    with (
        served(simulated_ae.Pinnacle(plasma())) as wire,
        pytest.raises(WrongInstrument, match="calls itself 'PLUS', not CESAR"),
        connected(AeCesar, wire, target="Fe"),
    ):
        pass


def test_a_spoiled_answer_is_asked_for_again_and_the_act_is_not_repeated() -> None:
    with served(simulated_ae.Cesar(plasma())) as wire, connected(AeCesar, wire, target="Fe") as gun:
        before = len(wire.heard)
        spoils = iter([lambda a: a[:-1] + bytes([a[-1] ^ 1])])
        wire.spoil = lambda answer: next(spoils, lambda a: a)(answer)
        gun.power.set(100).wait(10)
        assert wire.heard[before:].count(bytes.fromhex("0A 08 64 00 66")) == 1
        assert aebus.NAK in wire.heard[before:]


# --- CXN --------------------------------------------------------------------------------------------------


def test_published_bytes_of_the_cxn() -> None:
    assert cxn.command(b"Gi", 1) == bytes.fromhex("43 00 47 69 00 01 00 00 00 F4")
    published = bytes.fromhex("2A 52 00 00 10 00 01") + b"AG 0313 GTC  \0" + bytes.fromhex("03 10")
    assert cxn.parse_answer(published, 16) == b"\x00\x01AG 0313 GTC  \0"
    assert cxn.answer_framing(published) == len(published)
    assert cxn.answer_framing(b"\xff\0" + published) == len(published) + 2
    assert cxn.answer_framing(published[:-1]) is None
    assert cxn.answer(b"\x00\x01AG 0313 GTC  \0") == published
    spoiled = published[:-1] + b"\x11"
    with pytest.raises(Malformed, match="checksum"):
        cxn.parse_answer(spoiled, 16)


class Machine:
    """The machine's seconds, as the test has them."""

    t = 0.0

    def __call__(self) -> float:
        return self.t


def test_a_dead_host_loses_its_plasma_within_two_seconds() -> None:
    machine, gun = Machine(), plasma()
    simulated = simulated_cxn.Cxn(gun, lab_clock(), tick=machine)
    with served(simulated) as wire, connected(TcCxn, wire, target="Fe") as device:
        device.power.set(80).wait(10)
        device.output.set("on").wait(10)
        for _ in range(5):  # the monitor asks once a second
            machine.t += 1.0
            device.trigger().wait(10)
        assert gun.on
        assert simulated.due() is not None
        machine.t += DEAD_MAN_S  # nobody asks
        assert simulated.speak() == b""
        assert not gun.on
        assert simulated.due() is None
        device.trigger().wait(10)
        assert "tripped: output off" in device.fault.get()
        device.safe().wait(10) if device._relays else device.output.set("off").wait(10)
        device.power.set(80).wait(10)  # control is requested again
        device.output.set("on").wait(10)
        assert gun.on


def test_the_watchdog_of_the_cxn_is_due_in_lab_time() -> None:
    clock, machine = lab_clock(), Machine()
    simulated = simulated_cxn.Cxn(plasma(), clock, tick=machine)
    simulated.receive(cxn.command(b"BC", 0x5555))
    assert simulated.due() == pytest.approx(clock.now() + 2.0 * clock.speed, abs=20)


def test_an_open_interlock_of_the_cxn_is_told() -> None:
    with served(simulated_cxn.Cxn(plasma(), lab_clock())) as wire, connected(TcCxn, wire, target="Fe") as gun:
        gun.power.set(80).wait(10)
        gun.output.set("on").wait(10)
        assert "W reflected" not in gun.fault.get()
        wire.instrument.interlock_open = True
        gun.trigger().wait(10)
        assert "interlock open" in gun.fault.get()


# --- GENESYS ----------------------------------------------------------------------------------------------


def test_published_bytes_of_the_genesys() -> None:
    assert genesys.line("STT?") == b"STT?$3A\r"
    assert genesys.parse(b"STT?$3A\r") == "STT?"
    for spoiled in (b"STT?$3B\r", b"STT?\r", b"OK\r"):
        with pytest.raises(Malformed, match="checksum"):
            genesys.parse(spoiled)


def test_status_of_the_genesys() -> None:
    status = genesys.parse_status("MV(412.30),PV(600.00),MC(0.2430),PC(0.2430),SR(06),FR(00)")
    assert status == (412.30, 600.0, 0.243, 0.243, 6, 0)
    assert genesys.parse_status(genesys.format_status(status)) == status


def test_a_genesys_is_addressed_first_and_never_restarts_by_itself() -> None:
    with served(simulated_genesys.Genesys(plasma())) as wire, connected(TdkGenesys, wire, target="Fe") as gun:
        assert wire.heard.startswith(b"ADR 6$")
        assert wire.instrument.settings["AST"] == "OFF"
        assert wire.instrument.settings["RMT"] == "REM"
        assert wire.instrument.settings["PV"] == 600
        gun.power.set(84).wait(10)
        assert wire.instrument.settings["PC"] == pytest.approx(84 / 400)
        gun.output.set("on").wait(10)
        assert wire.instrument.settings["PC"] == pytest.approx(84 / 420, abs=2e-3)  # by the plasma's own voltage
        gun._current_limit_a = 2.0
        with pytest.raises(SettingError, match=r"2\.38 A are needed and current_limit_a is 2 A"):
            gun.power.set(1000).wait(10)
        wire.instrument.enable_open = True
        gun.trigger().wait(10)
        assert "enable contact open" in gun.fault.get()
        with pytest.raises(Refused, match="was refused with E07: switched on during a fault"):
            gun.output.set("on").wait(10)
