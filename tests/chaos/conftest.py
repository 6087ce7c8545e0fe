"""The long runs of this folder are chosen with ``-m chaos``."""

from __future__ import annotations

import pytest

LONG = ("test_real.py", "test_emulated.py", "test_orders.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "chaos" and item.path.name in LONG:
            item.add_marker(pytest.mark.chaos)
