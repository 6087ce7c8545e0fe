"""What every mover has in common: a pose within the lab's workspace."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ophyd.status import DeviceStatus

from drivers.errors import SettingError
from drivers.instrument import Setting

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
