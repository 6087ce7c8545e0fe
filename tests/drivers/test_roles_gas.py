"""What a plan may ask of a gas: the same of every make."""

from __future__ import annotations

import pytest

from drivers.errors import SettingError
from tests.drivers.chamber_fixtures import TRANSPORTS, Gas
from tests.drivers.role_fixtures import bench, drivers_of

DRIVERS = drivers_of("gas")


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_flow_is_let_in_read_and_closed(driver: str, transport: str) -> None:
    with bench(driver, Gas(), transport, limits={"flow": (0, 50)}) as b:
        for sccm in (19.25, 40.0):
            b.device.flow.set(sccm).wait(10)
            assert b.part.setpoint_sccm == pytest.approx(sccm, rel=5e-3)
            b.device.trigger().wait(10)
            assert b.device.flow.get() == pytest.approx(sccm, rel=5e-3)
            assert b.device.actual_flow.get() == pytest.approx(sccm, rel=1e-2)
            assert b.device.fault.get() == ""
        b.device.flow.set(0).wait(10)
        assert b.part.setpoint_sccm == 0
        assert b.device.flow.get() == 0


@pytest.mark.parametrize("driver", DRIVERS)
def test_safe_is_no_flow_however_often(driver: str) -> None:
    with bench(driver, Gas()) as b:
        b.device.flow.set(30).wait(10)
        for _ in range(2):
            b.device.safe().wait(10)
            assert b.part.setpoint_sccm == 0
        b.device.flow.set(5).wait(10)
        assert b.part.setpoint_sccm == pytest.approx(5, rel=1e-2)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_flow_beyond_the_lab_files_limits_sends_nothing(driver: str) -> None:
    with bench(driver, Gas(), limits={"flow": (0, 50)}) as b:
        before = b.wire.heard
        for flow in (50.1, -0.1, float("nan")):
            with pytest.raises(SettingError, match="outside the limits 0 to 50 sccm"):
                b.device.flow.set(flow)
        assert b.wire.heard == before


@pytest.mark.parametrize("driver", DRIVERS)
def test_it_knows_its_gas_and_its_units(driver: str) -> None:
    with bench(driver, Gas()) as b:
        assert b.device.gas == "Ar"
        described = b.device.describe()
        assert {described[f"device_{name}"]["units"] for name in ("flow", "actual_flow")} == {"sccm"}
