"""What a gun may ask of a relay box: the same of every make."""

from __future__ import annotations

from functools import partial

import pytest

from drivers.errors import Fault, Refused, SettingError
from drivers.velleman_k8090 import VellemanK8090
from drivers.wire import k8090
from drivers.wire.errors import Malformed
from tests.drivers.chamber_fixtures import TRANSPORTS, Panel, on_wire
from tests.drivers.role_fixtures import Bench, bench, drivers_of

DRIVERS = drivers_of("relays")


def switch(b: Bench, number: int, on: bool) -> None:
    on_wire(b.device, partial(b.device.switch, number, on))


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_relay_is_switched_and_seen_to_be(driver: str, transport: str) -> None:
    with bench(driver, Panel(), transport) as b:
        switch(b, 3, True)
        switch(b, 5, True)
        switch(b, 3, True)  # changes nothing, and is no fault
        assert b.part.on == {3, 5}
        assert {3, 5} <= set(b.device.closed_contacts())
        assert {"3", "5"} <= set(b.device.energised.get().split())
        switch(b, 5, False)
        assert b.part.on == {3}
        b.device.trigger().wait(10)
        assert 5 not in b.device.closed_contacts()


@pytest.mark.parametrize("driver", DRIVERS)
def test_safe_lets_go_of_shutters_and_of_nothing_else(driver: str) -> None:
    with bench(driver, Panel()) as b:
        b.device.claim(3)
        for number in (3, 4):
            switch(b, number, True)
        for _ in range(2):
            b.device.safe().wait(10)
            assert b.part.on == {4}


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_relay_drives_one_shutter(driver: str) -> None:
    with bench(driver, Panel()) as b:
        b.device.claim(3)
        with pytest.raises(SettingError, match="drives another shutter"):
            b.device.claim(3)
        with pytest.raises(SettingError, match="there is no relay 40"):
            b.device.claim(40)
        with pytest.raises(SettingError, match="there is no relay 0"):
            switch(b, 0, True)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("spoiled", [b"", b"\xff\xff"])
def test_a_lost_answer_to_a_switch_is_settled_by_looking(driver: str, spoiled: bytes) -> None:
    with bench(driver, Panel(), timeout_s=0.1) as b:
        spoils = iter([spoiled])
        b.wire.spoil = lambda answer: next(spoils, answer)
        switch(b, 2, True)
        assert b.part.on == {2}


# --- K8090 ------------------------------------------------------------------------------------------------

PUBLISHED = [
    ("04 71 00 00 00 8B 0F", k8090.Packet(0x71)),
    ("04 71 FF 0A 01 81 0F", k8090.Packet(0x71, 0xFF, 10, 1)),
    ("04 18 00 00 00 E4 0F", k8090.Packet(0x18)),
    ("04 51 01 15 80 15 0F", k8090.Packet(0x51, 0x01, 0x15, 0x80)),
    ("04 11 05 00 00 E6 0F", k8090.Packet(0x11, 0x05)),
    ("04 51 01 05 80 25 0F", k8090.Packet(0x51, 0x01, 0x05, 0x80)),
    ("04 12 FF 00 00 EB 0F", k8090.Packet(0x12, 0xFF)),
]
"""PyMeasure's ``tests/instruments/velleman/test_velleman_k8090.py``."""


@pytest.mark.parametrize(("published", "packet"), PUBLISHED)
def test_published_bytes(published: str, packet: k8090.Packet) -> None:
    written = bytes.fromhex(published)
    assert k8090.pack(packet) == written
    assert k8090.framing(written[:6]) is None
    assert k8090.framing(b"\x04\0" + written) == 9
    assert k8090.unpack(b"\x04\0" + written) == packet
    spoiled = written[:5] + bytes([written[5] ^ 1]) + written[6:]
    with pytest.raises(Malformed):
        k8090.unpack(spoiled)


def test_masks() -> None:
    assert k8090.numbers(0x15) == {1, 3, 5}
    assert k8090.mask([1, 3, 5]) == 0x15
    with pytest.raises(Malformed):
        k8090.mask([9])


def test_the_k8090_says_who_it_is_and_buttons_confuse_nobody() -> None:
    with bench("velleman-k8090", Panel()) as b:
        assert isinstance(b.device, VellemanK8090)
        assert on_wire(b.device, b.device.identify) == "Velleman K8090, firmware 2010 week 1, relays on: none"
        presses = iter([b.wire.instrument.press(7)])
        b.wire.spoil = lambda answer: next(presses, b"") + answer
        b.device.trigger().wait(10)
        assert b.device.energised.get() == "7"


def test_a_relay_that_sticks_is_a_fault() -> None:
    with bench("velleman-k8090", Panel()) as b:
        b.wire.instrument.stuck = {2}
        with pytest.raises(Fault, match="relay 2 should be energised and is not"):
            switch(b, 2, True)


# --- Arduino ----------------------------------------------------------------------------------------------


def test_an_open_interlock_of_the_arduino_is_a_fault_and_its_alarm_is_told() -> None:
    with bench("arduino-relays", Panel()) as b:
        b.part.inputs[1] = False
        b.device.trigger().wait(10)
        assert b.device.fault.get() == (
            "interlock open: water; AUTO_SAFETY: Mains power disabled - interlock violation detected"
        )
        assert b.device.inputs.get() == "safe open safe safe"
        b.part.inputs[1] = True
        b.device.trigger().wait(10)
        assert b.device.fault.get().startswith("AUTO_SAFETY")  # the mains stays off until a person switches it on
        b.wire.instrument.on[1] = True
        b.device.trigger().wait(10)
        assert b.device.fault.get() == ""


def test_the_fourth_input_is_watched_if_the_lab_file_says_so() -> None:
    panel = Panel()
    panel.inputs[3] = False
    with bench("arduino-relays", panel, watched="4") as b:
        b.device.trigger().wait(10)
        assert b.device.fault.get() == "interlock open: input 4"


def test_the_mains_is_never_switched() -> None:
    with bench("arduino-relays", Panel()) as b:
        before = b.wire.heard
        with pytest.raises(Refused, match="relay 1 is the mains"):
            switch(b, 1, False)
        with pytest.raises(Refused, match="relay 1 is the mains"):
            b.device.claim(1)
        assert b"RELAY_1" not in b.wire.heard[len(before) :]
