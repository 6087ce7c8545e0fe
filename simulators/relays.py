"""What hangs on a relay box: the shutters of guns whose supplies have none, and the interlock switches it reads."""

from __future__ import annotations

from collections.abc import Callable

DOOR, WATER, ARM, SPARE = range(4)
"""The switches in the order of the inputs."""


class RelayPanel:
    """`loads`: relay -> what is told when it changes.  `inputs`: each switch, True when closed, which is safe."""

    INPUTS = 4

    def __init__(self, loads: dict[int, Callable[[bool], None]]) -> None:
        self._loads = loads
        self.inputs = [True] * self.INPUTS

    def set_relay(self, number: int, on: bool) -> None:
        load = self._loads.get(number)
        if load is not None:
            load(on)
