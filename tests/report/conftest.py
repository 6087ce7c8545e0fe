from __future__ import annotations

import pytest

from orchestrator.campaign.entries import Recorded
from tests.report.synthetic import full_night


@pytest.fixture(scope="session")
def journal() -> list[Recorded]:
    """A whole night of 25 samples, with its troubles."""
    return full_night()
