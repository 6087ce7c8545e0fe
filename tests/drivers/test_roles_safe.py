"""The safe state is reached in spite of one request that is lost, and one answer that is: of every make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from tests.drivers.chamber_fixtures import Gas, Gun, Holder, Panel, Quartz, lab_clock, on_wire
from tests.drivers.role_fixtures import Bench, bench, drivers_of, gun_bench


@contextmanager
def burning(driver: str) -> Iterator[tuple[Bench, Callable[[], bool]]]:
    gun = Gun(lab_clock(), strike_s=0.0)
    with gun_bench(driver, gun, timeout_s=0.15) as b:
        b.device.power.set(60).wait(20)
        b.device.output.set("on").wait(20)
        b.device.shutter.set("open").wait(20)
        assert gun.on
        assert gun.shutter_open
        yield b, lambda: not gun.on and not gun.shutter_open


@contextmanager
def flowing(driver: str) -> Iterator[tuple[Bench, Callable[[], bool]]]:
    with bench(driver, Gas(), timeout_s=0.15) as b:
        b.device.flow.set(30).wait(20)
        assert b.part.setpoint_sccm > 29
        yield b, lambda: b.part.setpoint_sccm == 0


@contextmanager
def hot(driver: str) -> Iterator[tuple[Bench, Callable[[], bool]]]:
    with bench(driver, Holder(), timeout_s=0.15) as b:
        b.device.temperature.set(300).wait(20)
        b.device.heating.set("on").wait(20)
        assert b.part.heating
        yield b, lambda: not b.part.heating


@contextmanager
def energised(driver: str) -> Iterator[tuple[Bench, Callable[[], bool]]]:
    with bench(driver, Panel(), timeout_s=0.15) as b:
        b.device.claim(2)
        on_wire(b.device, partial(b.device.switch, 2, True))
        assert b.part.on == {2}
        yield b, lambda: not b.part.on


@contextmanager
def uncovered(driver: str) -> Iterator[tuple[Bench, Callable[[], bool]]]:
    with bench(driver, Quartz(), timeout_s=0.15) as b:
        b.device.substrate_shutter.set("open").wait(20)
        assert b.part.substrate_shutter_open
        yield b, lambda: not b.part.substrate_shutter_open


BEFORE: dict[str, Any] = {
    "gun": burning,
    "gas": flowing,
    "heater": hot,
    "relays": energised,
    "monitor": uncovered,
}
CASES = [(driver, role) for role in BEFORE for driver in drivers_of(role)]


def lose_request(b: Bench, at: int) -> None:
    """The request number `at` from now on never arrives."""
    receive, requests = b.wire.instrument.receive, iter(range(1000))
    b.wire.instrument.receive = lambda received: b"" if next(requests) == at else receive(received)


def lose_answer(b: Bench, at: int) -> None:
    """The answer number `at` from now on never comes."""
    answers = iter(range(1000))
    b.wire.spoil = lambda answer: b"" if next(answers) == at else answer


@pytest.mark.parametrize("lose", [lose_request, lose_answer])
@pytest.mark.parametrize("at", [0, 1, 3])
@pytest.mark.parametrize(("driver", "role"), CASES, ids=[driver for driver, _ in CASES])
def test_safe_in_spite_of_a_loss(driver: str, role: str, at: int, lose: Callable[[Bench, int], None]) -> None:
    with BEFORE[role](driver) as (b, is_safe):
        lose(b, at)
        b.device.safe().wait(30)
        assert is_safe()
