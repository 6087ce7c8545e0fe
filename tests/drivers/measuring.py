"""Every instrument of the measuring side, by role: driver, simulator, and how the two are joined.

One line an instrument.  The role contracts (`test_role_contracts`) and the wire faults (`test_measuring_faults`) run
over all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from drivers.instrument import Instrument
from simulators.instrument import SimulatedInstrument
from tests.drivers.magnetometer_fixtures import on_meca_tcp, on_pty, on_visa


@dataclass(frozen=True)
class Made:
    """A make of instrument.  `options` are for its simulator, `settings` for its driver."""

    driver: str
    simulator: str
    serve: Callable[..., Any]
    settings: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def cls(self) -> type[Instrument]:
        return _named(self.driver)

    def simulated(self, part: Any) -> SimulatedInstrument:
        """Its simulator at `part` of the world."""
        return _named(self.simulator)(part, **self.options)


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


ORIGIN = {"origin_x_mm": -300.0, "origin_y_mm": -300.0, "origin_z_mm": 0.0}
MOVERS = {
    "mecademic-meca500": Made("drivers.mecademic_meca500:Meca500", "simulators.mecademic_meca500:Meca500", on_meca_tcp),
    "zaber-gantry": Made("drivers.zaber_gantry:ZaberGantry", "simulators.zaber_gantry:ZaberGantry", on_pty, ORIGIN),
    "ur-dashboard": Made("drivers.ur_dashboard:UrDashboard", "simulators.ur_dashboard:UrDashboard", on_meca_tcp),
}
MAGNETS = {
    "kepco-bop": Made("drivers.kepco_bop:KepcoBop", "simulators.kepco_bop:KepcoBop", on_visa),
    "lakeshore-643": Made("drivers.lakeshore_643:LakeShore643", "simulators.lakeshore_643:Lakeshore643", on_visa),
    "danfysik-8500": Made(
        "drivers.danfysik_8500:Danfysik8500",
        "simulators.danfysik_8500:Danfysik8500",
        on_pty,
        {"full_scale_a": 20.0},
        {"full_scale_a": 20.0},
    ),
}
MAGNETS["qd-multivu"] = Made(
    "drivers.qd_multivu:QdMultiVu",
    "simulators.qd_multivu:QdMultiVu",
    on_meca_tcp,
    {"field_per_ampere_mt": 100.0},
    {"field_per_ampere_mt": 100.0},
)
FIELD_METERS = {
    "lakeshore-475": Made("drivers.lakeshore_475:LakeShore475", "simulators.lakeshore_475:Lakeshore475", on_pty),
    "lakeshore-425": Made("drivers.lakeshore_425:LakeShore425", "simulators.lakeshore_425:Lakeshore425", on_pty),
    "lakeshore-f71": Made("drivers.lakeshore_f71:LakeShoreF71", "simulators.lakeshore_f71:LakeshoreF71", on_meca_tcp),
    "lakeshore-f71 with three axes": Made(
        "drivers.lakeshore_f71:LakeShoreF71",
        "simulators.lakeshore_f71:LakeshoreF71",
        on_meca_tcp,
        {"axis": "z"},
        {"axes": 3},
    ),
}
HALL_METERS = {
    "keithley-2450": Made("drivers.keithley_2450:Keithley2450", "simulators.keithley_2450:Keithley2450", on_visa),
    "keithley-6221-2182a": Made("drivers.keithley_6221:Keithley6221", "simulators.keithley_6221:Keithley6221", on_visa),
}
LOOP_METERS = {
    "srs-sr830": Made("drivers.srs_sr830:Sr830", "simulators.srs_sr830:Sr830", on_visa),
    "srs-sr860": Made("drivers.srs_sr860:Sr860", "simulators.srs_sr860:Sr860", on_visa),
}
