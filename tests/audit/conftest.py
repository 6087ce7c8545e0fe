"""Nights to audit, each written once and copied for whoever doctors it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .night import acted_night, calculated_night, checked_night, plain_night, troubled_night


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Homes of nights that broke no invariant."""
    folder = tmp_path_factory.mktemp("nights")
    return {
        "plain": plain_night(folder / "plain"),
        "troubled": troubled_night(folder / "troubled"),
        "checked": checked_night(folder / "checked"),
        "calculated": calculated_night(folder / "calculated"),
        "acted": acted_night(folder / "acted"),
        "taken up": troubled_night(folder / "taken up", taken_up=True),
    }
