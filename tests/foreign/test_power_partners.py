"""Vacuum, gas, power and heat: our simulators against drivers by others, our drivers against their simulators.

Each partner talks over a real pseudo-terminal.  Copyleft drivers run in processes of their own and are never imported.

Known deviations, with whose they are:

* PyMeasure `MKS937B` gives a pressure that is a word (``ATM``, ``LO<E-11``) as that word.  Theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simulators import mks_900
from tests.drivers.chamber_fixtures import Vacuum, served

pytestmark = pytest.mark.foreign


# --- PyMeasure reads our 937B -----------------------------------------------------------------------------


@pytest.fixture
def mks937b() -> Iterator[Any]:
    mksinst = pytest.importorskip("pymeasure.instruments.mksinst")
    with served(mks_900.Mks937b(Vacuum())) as wire:
        instrument = mksinst.mks937b.MKS937B(f"ASRL{wire.address}::INSTR", visa_library="@py", timeout=2000)
        yield instrument
        instrument.adapter.close()


def test_pymeasure_reads_our_937b(mks937b: Any) -> None:
    assert mks937b.serial == "0937150001"
    assert mks937b.ch_1.pressure == pytest.approx(0.5 / 133.3224, rel=5e-3)
    assert mks937b.ch_2.pressure == "NOGAUGE"
    assert mks937b.ch_1.ion_gauge_status == "Good"
    for unit in ("PASCAL", "mBAR", "TORR"):
        mks937b.unit = unit
        assert mks937b.unit == unit
    mks937b.ch_1.power_enabled = False
    assert mks937b.ch_1.power_enabled is False
    assert mks937b.ch_1.ion_gauge_status == "Off"
