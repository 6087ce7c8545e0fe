"""What every mover has in common: a pose within the lab's workspace, and a gripper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ophyd import Component as Cpt
from ophyd.status import DeviceStatus

from drivers.errors import SettingError
from drivers.instrument import Reading, Setting
from drivers.stoppable import Stoppable

AXES = ("x", "y", "z", "alpha", "beta", "gamma")


class MoverPose(Setting):
    """Six numbers, (x, y, z) in mm and (alpha, beta, gamma) in degrees.

    The workspace is bounded by ``limits["pose_x"]`` ... ``limits["pose_gamma"]``.
    """

    def check_value(self, value: Sequence[float]) -> None:
        if isinstance(value, str | bytes) or not hasattr(value, "__len__") or len(value) != len(AXES):
            raise SettingError(f"{self.name}: {value!r} is not six numbers ({', '.join(AXES)})")
        for axis, coordinate in zip(AXES, value, strict=True):
            if not math.isfinite(coordinate):
                raise SettingError(f"{self.name}: {axis} is {coordinate!r}, not a finite number")
            low, high = self.parent.limits.get(f"pose_{axis}", (-math.inf, math.inf))
            if not low <= coordinate <= high:
                raise SettingError(f"{self.name}: {axis} = {coordinate:g} is outside the workspace {low:g} to {high:g}")

    def set(self, value: Any, *, timeout: float | None = None, **kwargs: Any) -> DeviceStatus:
        self.check_value(value)
        return super().set(tuple(float(coordinate) for coordinate in value), timeout=timeout, **kwargs)


class Mover(Stoppable):
    """Where it is, its gripper, and whether that holds something.

    Subclasses write `_write_pose` and `_write_gripper`.
    """

    role = "mover"

    pose = Cpt(MoverPose, units="mm, deg", write="_write_pose", timeout_s=60.0, value=(math.nan,) * 6)
    gripper = Cpt(Setting, write="_write_gripper", choices=("open", "closed"), timeout_s=20.0, value="unknown")
    holding = Cpt(Reading, precision=0, value=0)
    fault = Cpt(Reading, value="")

    def __init__(self, *args: Any, limits: dict[str, tuple[float, float]] | None = None, **kwargs: Any) -> None:
        workspace = {f"pose_{axis}" for axis in AXES}
        limits = dict(limits or {})
        others = {name: limit for name, limit in limits.items() if name not in workspace}
        super().__init__(*args, limits=others, **kwargs)
        self.limits.update(limits)
