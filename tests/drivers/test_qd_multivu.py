from __future__ import annotations

import pytest

from drivers.errors import Fault, Refused
from drivers.qd_multivu import QdMultiVu
from simulators.qd_multivu import ERRORS
from simulators.qd_multivu import QdMultiVu as SimulatedMultiVu
from tests.drivers.magnetometer_fixtures import Magnet, a_clock, driven, on_meca_tcp, on_thread

PPMS = {"field_per_ampere_mt": 1000.0, "limits": {"current": (-9.0, 9.0)}, "max_slew_a_s": 0.02, "settle_s": 2.0}


@pytest.fixture
def clock():
    return a_clock(500.0)


@pytest.fixture
def served(clock):
    with on_meca_tcp(SimulatedMultiVu(Magnet(clock)), clock) as served:
        yield served


@pytest.fixture
def magnet(served):
    with driven(QdMultiVu, served, **PPMS) as magnet:
        on_thread(magnet, magnet.identify)
        yield magnet


def test_an_ampere_is_so_many_oersted_and_never_persistent(magnet, served):
    magnet.current.set(0.5).wait(30)
    assert b'"action": "FIELD", "query": "5000.000,200.000,0,1"' in served.heard
    assert magnet.actual_current.get() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("words", ERRORS)
def test_what_is_wrong_with_the_field_is_told_in_words(magnet, served, words):
    with served.at_work():
        served.instrument.fail(words)
    magnet.trigger().wait(5)
    assert magnet.fault.get() == words.lower()
    with pytest.raises(Fault, match=words.lower()):
        magnet.current.set(1.0).wait(30)


def test_another_client_is_told(served, clock):
    served.instrument._do = lambda request: request._replace(
        result="Connection attempt rejected from ('127.0.0.1', 1): another client is connected."
    )
    with driven(QdMultiVu, served, **PPMS) as magnet, pytest.raises(Refused, match="another client"):
        on_thread(magnet, magnet.identify)


def test_it_says_goodbye(served):
    with driven(QdMultiVu, served, **PPMS) as magnet:
        on_thread(magnet, magnet.identify)
    deadline = 100
    while b'"CLOSE"' not in served.heard and deadline:
        deadline -= 1
        served.clock.sleep(5.0)
    assert b'"action": "CLOSE"' in served.heard
