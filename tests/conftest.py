"""For every test: hypothesis explores on a person's machine, and repeats itself in CI."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy; more threads than cores make a busy machine crawl

from hypothesis import HealthCheck, settings

# Health checks that measure time judge the machine, not the code.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.register_profile("ten-thousand", parent=settings.get_profile("default"), max_examples=10_000)
settings.load_profile("ci" if os.environ.get("CI") else "default")
