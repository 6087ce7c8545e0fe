"""Pages of the console as a person has them before them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
DESK: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
PATIENCE_MS = 40_000
SERIOUS = ("serious", "critical")

expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Pages:
    """`allowed` are parts of messages on the browser's console that the test expects."""

    browser: Browser
    screens: Path
    allowed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def context(self, **options: Any) -> BrowserContext:
        opened = self.browser.new_context(**options)
        opened.set_default_timeout(PATIENCE_MS)
        self.contexts.append(opened)
        return opened

    def open(
        self, url: str, context: BrowserContext | None = None, *, await_state: bool = True, **options: Any
    ) -> Page:
        """A page that shows a state, unless told not to wait for one."""
        page = (context or self.context(**(options or DESK))).new_page()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(url)
        if await_state:
            expect(page.locator("body")).to_have_attribute("data-contact", "yes")
        return page

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.text} ({message.location.get('url')})")

    def picture(self, page: Page, name: str, *, full: bool = False) -> None:
        """Keep what it looks like."""
        self.screens.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=self.screens / f"{name}.png", full_page=full)

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        unexpected = [error for error in self.errors if not any(part in error for part in self.allowed)]
        assert unexpected == []


def badge(page: Page, word: str) -> None:
    """Wait until the badge says it."""
    expect(page.locator("#badge .word")).to_have_text(word)


def violations(page: Page) -> list[str]:
    """What axe-core finds serious."""
    told = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for one in told
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]
