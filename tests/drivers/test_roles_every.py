"""What every driver of a chamber must bear, whatever its role."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers import roles
from drivers.errors import InstrumentError, LinkError, Refused, WrongInstrument
from drivers.instrument import Reading, Setting
from drivers.wire.framing import until
from simulators.instrument import SimulatedInstrument
from tests.drivers.chamber_fixtures import Gas, Gun, Holder, Panel, Pump, Quartz, Vacuum, connected, lab_clock, served
from tests.drivers.role_fixtures import babbling, bench, driver_class, drivers_of, needed

ROLES: dict[str, tuple[type, Any]] = {
    "gun": (roles.Gun, lambda: Gun(lab_clock(), strike_s=0.0)),
    "gas": (roles.MassFlow, Gas),
    "gauge": (roles.Gauge, Vacuum),
    "monitor": (roles.ThicknessMonitor, Quartz),
    "relays": (roles.Relays, Panel),
    "heater": (roles.Heater, Holder),
    "pump": (roles.Pump, Pump),
}
DRIVERS = [(driver, role) for role in ROLES for driver in drivers_of(role)]
every = pytest.mark.parametrize(("driver", "role"), DRIVERS, ids=[driver for driver, _ in DRIVERS])


def world(role: str) -> Any:
    """A stand-in for the part of the world behind an instrument of `role`."""
    return ROLES[role][1]()


@every
def test_it_has_what_its_role_promises(driver: str, role: str) -> None:
    device = babbling(driver, [])
    for attribute, kind in get_type_hints(ROLES[role][0]).items():
        if isinstance(kind, type) and issubclass(kind, Reading):
            assert isinstance(getattr(device, attribute), kind), attribute
            assert kind is Setting or not isinstance(getattr(device, attribute), Setting), attribute
        else:
            assert isinstance(getattr(device, attribute), kind), attribute
    assert (device.driver, device.role) == (driver, role)
    assert device.fault.get() == ""
    assert "nverified on hardware" in (__import__(driver_class(driver).__module__, fromlist=["x"]).__doc__ or "")


@every
def test_it_says_who_it_is_and_is_well(driver: str, role: str) -> None:
    with bench(driver, world(role)) as b:
        identity = b.device.port.submit(b.device.identify).result(10)
        assert identity
        assert identity.isprintable()
        b.device.trigger().wait(10)
        assert b.device.fault.get() == ""


@every
def test_silence_is_no_reply_in_the_stated_time(driver: str, role: str) -> None:
    with bench(driver, world(role), timeout_s=0.1) as b:
        b.wire.spoil = lambda answer: b""
        with pytest.raises(LinkError, match=r"b'|b\""):
            b.device.trigger().wait(10)
        b.wire.spoil = lambda answer: answer
        b.device.trigger().wait(10)
        assert b.device.fault.get() == ""


@every
def test_garbage_before_and_instead_of_one_answer_does_no_harm(driver: str, role: str) -> None:
    with bench(driver, world(role), timeout_s=0.2) as b:
        b.device.trigger().wait(10)
        before = {name: getattr(b.device, name).get() for name in b.device.component_names}
        for spoil in (lambda a: b"\xff\0" + a, lambda a: a[: len(a) // 2], lambda a: b"\xff" * len(a)):
            spoils = iter([spoil])
            b.wire.spoil = lambda answer, spoils=spoils: next(spoils, lambda a: a)(answer)
            b.device.trigger().wait(10)
            after = {name: getattr(b.device, name).get() for name in b.device.component_names}
            assert after == pytest.approx(before, nan_ok=True)


@every
def test_nothing_waits_for_the_wire(driver: str, role: str) -> None:
    with bench(driver, world(role), timeout_s=5.0) as b:
        b.wire.flowing.clear()
        done = threading.Event()
        status = b.device.trigger()
        status.add_callback(lambda _: done.set())
        assert not status.done
        b.wire.flowing.set()
        assert done.wait(10)


class Parrot(SimulatedInstrument):
    """Another instrument at the address: it repeats what it hears, line by line or at once."""

    framing = staticmethod(until(b"\r"))

    def receive(self, received: bytes) -> bytes:
        return b"HAMEG INSTRUMENTS,HMP4040\r\n" if received.strip() else b""


@every
def test_another_instrument_is_never_taken_for_it(driver: str, role: str) -> None:
    with (
        served(Parrot()) as wire,
        pytest.raises((WrongInstrument, LinkError, Refused)),
        connected(driver_class(driver), wire, timeout_s=0.1, **needed(driver)),
    ):
        pass


@every
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.binary(max_size=30)
        | st.sampled_from([b"\x06", b"\x15", b"\r", b"OK\r", b"0\r\n", b"@253ACK1.00E+0;FF", b"+1.0E+0\r\n"])
        | st.binary(max_size=12).map(lambda b: b + b"\r\n"),
        max_size=10,
    )
)
def test_whatever_comes_only_instrument_errors_leave_it(driver: str, role: str, answers: list[bytes]) -> None:
    device = babbling(driver, answers)
    for verb in (device.identify, device.refresh):
        with suppress(InstrumentError):
            verb()
