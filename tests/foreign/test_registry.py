"""What the table of instruments says of partners and published bytes is so."""

from __future__ import annotations

from importlib import import_module

import pytest

from benchmarks.wire_faults.faults import CHECKSUM, NAMES_THE_QUESTION
from orchestrator import lab
from orchestrator.campaign import labchecks
from simulators import serve
from tests.foreign.registry import PARTNERS, PUBLISHED, Bytes, Partner


@pytest.mark.parametrize("entry", [*PARTNERS, *PUBLISHED], ids=lambda entry: f"{entry.driver}-{entry[1]}")
def test_its_test_is_there(entry: Partner | Bytes) -> None:
    assert entry.driver in labchecks.DRIVERS
    try:
        import_module(entry.test)
    except ModuleNotFoundError:
        module, _, function = entry.test.rpartition(".")
        assert callable(getattr(import_module(module), function))


def test_every_driver_is_in_every_registry() -> None:
    assert set(labchecks.DRIVERS) == set(lab.DRIVERS) == set(serve.DRIVERS)
    assert set(labchecks.DRIVERS) >= CHECKSUM | NAMES_THE_QUESTION | labchecks.SHUTTERLESS
    assert set(labchecks.DRIVERS) >= set(labchecks.DEAD_MAN_POLL_S)


def test_the_page_of_the_instruments_is_up_to_date() -> None:
    from docs import generate_instruments

    assert generate_instruments.PAGE.read_text() == generate_instruments.page(), (
        "run python docs/generate_instruments.py"
    )
