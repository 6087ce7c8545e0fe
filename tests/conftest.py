"""For every test: hypothesis explores on a person's machine, and repeats itself in CI."""

from __future__ import annotations

import gc
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy; more threads than cores make a busy machine crawl

import pytest
from hypothesis import HealthCheck, settings

# Health checks that measure time judge the machine, not the code.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.register_profile("ten-thousand", parent=settings.get_profile("default"), max_examples=10_000)
settings.load_profile("ci" if os.environ.get("CI") else "default")

MOST_LEFT_OPEN = 100
"""Descriptors after all tests.  `select`, which pyserial waits with, takes none above 1023; tests that leave theirs
open make others fail, hundreds of tests later."""


def pytest_sessionfinish(session: pytest.Session) -> None:
    gc.collect()
    still_open = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    if still_open > MOST_LEFT_OPEN:
        raise pytest.UsageError(f"{still_open} files and sockets were left open by these tests")
