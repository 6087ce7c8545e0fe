"""The night on a terminal of its own: asked for again and again, and marked as old when nobody answers."""

from __future__ import annotations

import time
from collections.abc import Callable

from orchestrator.display import Screen
from orchestrator.service.contact import Contact, ask, read
from orchestrator.service.home import Home, HomeError

EVERY_S = 0.5


def watch(
    home: Home,
    screen: Screen,
    *,
    now: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Show the campaign of `home` on `screen` until it has ended; only looks.

    Raises `HomeError` if there is nothing to watch.
    """
    contact = Contact(now())
    known = _first(home, contact, now)
    while not known:
        screen.show(contact, now())
        wait(EVERY_S)
        known = _again(home, contact, now)
    screen.show(contact, now())


def _first(home: Home, contact: Contact, now: Callable[[], float]) -> bool:
    """The first look; whether the campaign is over."""
    if home.served:
        return _again(home, contact, now)
    word = read(home)
    contact.heard(word, now())
    return bool(word.progress and word.progress.end)


def _again(home: Home, contact: Contact, now: Callable[[], float]) -> bool:
    """Another look; whether the campaign is over, by its daemon or, when that has gone, by its journal."""
    before = contact.trouble
    try:
        contact.heard(ask(home), now())
    except HomeError as error:
        contact.not_heard(str(error))
        if before == contact.trouble:  # nothing new since the last look
            return False
        if home.daemon is None and home.begun:
            word = read(home)
            if word.progress and word.progress.end:
                contact.heard(word, now())
                return True
    return bool(contact.progress and contact.progress.end)
