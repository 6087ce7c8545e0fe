"""Rehearse a night, and take pictures of its page with Chromium: docs/images/console-desk.png and console-phone.png.

::

    python -m docs.generate_console_pictures                       # about ten minutes
    python -m docs.generate_console_pictures http://localhost:8765/   # of a night under way: it is held for a moment

It takes `chromium` on the path (Debian's package of that name), and Playwright.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[1]
IMAGES = Path(__file__).parent / "images"
SPEED = 100.0
"""Lab seconds per real second."""
FILMS = 13
"""Shown: enough for the model to be of use."""
DESK: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True}
PATIENCE_MS = 1_200_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?", help="of a page that is served already")
    told = parser.parse_args()
    if told.url:
        pictures(told.url)
        return
    with tempfile.TemporaryDirectory() as folder, night(Path(folder) / "home") as url:
        pictures(url)


@contextmanager
def night(home: Path) -> Iterator[str]:
    """A rehearsal under way, and where its page is."""
    command = [sys.executable, "-m", "orchestrator.cli", "dry-run", str(ROOT / "campaigns/fe-co-ni.toml"), "--json"]
    process = subprocess.Popen(
        [*command, "--home", str(home), "--speed", str(SPEED), "--console", "127.0.0.1:0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        note = home / "console.json"
        while not note.exists():
            if process.poll() is not None:
                raise SystemExit("the rehearsal has ended: try `nightshift dry-run` by itself")
            time.sleep(0.1)
        yield json.loads(note.read_text())["url"]
    finally:
        process.terminate()
        process.wait()


def pictures(url: str) -> None:
    executable = shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable)
        desk = page_of(browser, url, DESK)
        expect(desk.locator(f"tr[data-sample='{FILMS}'] .value")).to_contain_text("±")
        expect(desk.locator("#film")).to_contain_text("depositing")
        expect(desk.locator("#figures figure:not(.empty) .main-svg").nth(6)).to_be_attached()
        expect(desk.locator("#stations [data-station=magnetometry] .doing")).to_contain_text("Measure")
        desk.screenshot(path=IMAGES / "console-desk.png")
        phone = page_of(browser, url, {**PHONE, "color_scheme": "dark"})
        phone.locator("#hold").click()
        expect(phone.locator("#badge .word")).to_have_text("held")
        phone.screenshot(path=IMAGES / "console-phone.png")
        phone.locator("#hold").click()
        expect(phone.locator("#badge .word")).to_have_text("running")
        browser.close()


def page_of(browser: Browser, url: str, options: dict[str, Any]) -> Page:
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page = context.new_page()
    page.goto(url)
    return page


if __name__ == "__main__":
    main()
