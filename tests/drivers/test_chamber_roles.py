"""Each chamber driver has what its role promises to plans."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest

from drivers import roles
from drivers.aja_dcxs import AjaDcxs
from drivers.alicat import Alicat
from drivers.inficon_sqm160 import InficonSqm160
from drivers.instrument import Instrument, Reading, Setting
from drivers.pfeiffer_tpg import PfeifferTpg36x
from tests.drivers.chamber_fixtures import babbled

DRIVERS = [
    (AjaDcxs, roles.Gun, "aja-dcxs", {"target": "Fe"}),
    (Alicat, roles.MassFlow, "alicat", {}),
    (PfeifferTpg36x, roles.Gauge, "pfeiffer-tpg36x", {}),
    (InficonSqm160, roles.ThicknessMonitor, "inficon-sqm160", {}),
]


@pytest.mark.parametrize(("driver", "role", "name", "settings"), DRIVERS)
def test_role(driver: type[Instrument], role: type, name: str, settings: dict[str, Any]) -> None:
    device = babbled(driver, [], **settings)
    for attribute, kind in get_type_hints(role).items():
        if kind in (Setting, Reading):
            assert isinstance(getattr(device, attribute), kind), attribute
        else:
            assert isinstance(getattr(device, attribute), kind)
    assert driver.driver == name
    assert isinstance(device.fault.get(), str)
