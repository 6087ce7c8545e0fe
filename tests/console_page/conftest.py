"""A real Chromium without a window, and pages in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.console.conftest import guarded, lab, served

from .pages import Pages

SCREENS = Path(__file__).parents[2] / "build/screens"

__all__ = ["guarded", "lab", "served"]


def chromium() -> str:
    """Where it is."""
    found = os.environ.get("NIGHTSHIFT_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        missing = "no Chromium: install Debian's package chromium, or name one in $NIGHTSHIFT_CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


# For a module only: while it is there, no other test can have an event loop on this thread.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium())
        yield opened
        opened.close()


@pytest.fixture
def pages(browser: Browser) -> Iterator[Pages]:
    """Opens pages; afterwards none of them may have met an error that the test did not name."""
    opened = Pages(browser, SCREENS)
    yield opened
    opened.close()
