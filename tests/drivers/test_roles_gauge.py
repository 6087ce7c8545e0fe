"""What a plan may ask of a gauge: the same of every make."""

from __future__ import annotations

import math

import pytest

from drivers.errors import SettingError
from tests.drivers.chamber_fixtures import TRANSPORTS, Vacuum
from tests.drivers.role_fixtures import bench, drivers_of

DRIVERS = drivers_of("gauge")


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("driver", DRIVERS)
def test_pressure_is_pascal(driver: str, transport: str) -> None:
    with bench(driver, Vacuum(), transport) as b:
        for pressure in (0.5, 3.2e-4, 21.0):
            b.part.pressure_pa = pressure
            b.device.trigger().wait(10)
            assert b.device.pressure.get() == pytest.approx(pressure, rel=1e-2)
            assert b.device.fault.get() == ""
        assert b.device.describe()["device_pressure"]["units"] == "Pa"


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_pressure_below_what_it_measures_is_none_and_says_so(driver: str) -> None:
    """Plans take "under" for a pressure that is low enough."""
    with bench(driver, Vacuum(1e-12)) as b:
        b.device.trigger().wait(10)
        assert math.isnan(b.device.pressure.get())
        assert "under" in b.device.fault.get()


@pytest.mark.parametrize("driver", DRIVERS)
def test_it_drives_nothing(driver: str) -> None:
    with bench(driver, Vacuum()) as b:
        with pytest.raises(SettingError, match="is a reading"):
            b.device.pressure.set(1)
        before = b.wire.heard
        b.device.safe().wait(10)
        assert b.wire.heard == before
