from __future__ import annotations

from typing import Any

import pytest

from orchestrator.campaign.spec import Campaign


@pytest.fixture(scope="session")
def make_campaign():
    """A campaign from what matters to the optimizer: elements {symbol: (min, max, step)} and a few settings."""

    def make(
        elements: dict[str, tuple[float, float, float]],
        *,
        seed: int = 1,
        at_most: int | None = None,
        constraints: list[dict[str, Any]] | None = None,
        direction: str = "max",
        **settings: Any,
    ) -> Campaign:
        return Campaign.model_validate(
            {
                "name": "test",
                "seed": seed,
                "at_most": at_most,
                "elements": {el: {"min": low, "max": high, "step": step} for el, (low, high, step) in elements.items()},
                "constraints": constraints or [],
                "film": {"argon_pressure_pa": 0.5, "power_w": 100, "thickness_nm": 50},
                "objectives": [{"quantity": "kerr_rotation", "direction": direction, "unit": "mrad"}],
                "budget": {"samples": 24, "lab_hours": 12},
                "optimizer": settings,
            }
        )

    return make
