"""Who is asking, and what he may do.

Without logins whoever reaches the server is the machine's user: that is for loopback only.  With logins a session is
a signed cookie: name, when it ends, and a number of its own; it outlives the daemon, and ends with a change of the
password, with a logout, or after `SESSION_S`.  Every POST carries a second secret, which another site cannot read.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from orchestrator.console.users import NOBODY, Role, User, Users

COOKIE = "nightshift"
SESSION_S = 14 * 24 * 3600.0
GUESSES, FROM_ADDRESS, FOR_NAME = 5, 20, 50
"""Wrong passwords for one name from one address, for any name from one address, and for one name from anywhere, before
the next is refused.  The first is what stops who guesses; the others are larger, so that he keeps out neither who
shares his address (a proxy, a laboratory's network) nor, easily, whose name he tries..."""
WINDOW_S = 60.0
"""...until so long after the first of them."""
REMEMBERED = 10_000
"""Names, addresses and pairs of them of which wrong passwords are kept in mind: beyond, the oldest are forgotten."""
IPV6_NETWORK = 64
"""Bits of an IPv6 address that are not its owner's to choose."""


@dataclass(frozen=True)
class Person:
    """Who is asking; `nonce` is his session's own number, "" without one."""

    name: str
    role: Role
    nonce: str = ""


class TooOften(Exception):
    """Too many wrong passwords; `wait_s` says when another may be tried."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"too many wrong passwords: try again in {wait_s:.0f} s")
        self.wait_s = wait_s


class Attempts:
    """Wrong passwords of late, by whom and from where; `now` tells real seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._wrong: OrderedDict[tuple[str, str], list[float]] = OrderedDict()  # the last that was booked is the last

    def __len__(self) -> int:
        """How many names, addresses and pairs are remembered."""
        return len(self._wrong)

    def book(self, name: str, address: str) -> None:
        """Count one as wrong until it turns out to be `right`.  Raises `TooOften`, and then does not count it."""
        now = self._now()
        limits = dict(zip(_keys(name, address), (GUESSES, FROM_ADDRESS, FOR_NAME), strict=True))
        recent = {key: [at for at in self._wrong.get(key, ()) if now - at < WINDOW_S] for key in limits}
        for key, limit in limits.items():
            if len(recent[key]) >= limit:
                raise TooOften(WINDOW_S - (now - recent[key][0]))
        for key, times in recent.items():
            self._wrong[key] = [*times, now]
            self._wrong.move_to_end(key)
        while len(self._wrong) > REMEMBERED:
            self._wrong.popitem(last=False)

    def right(self, name: str, address: str) -> None:
        """It was right: forget the wrong ones for `name` before it, and this one."""
        pair, from_address, for_name = _keys(name, address)
        self._wrong.pop(pair, None)
        self._wrong.pop(for_name, None)
        if times := self._wrong.get(from_address):
            times.pop()


def _keys(name: str, address: str) -> tuple[tuple[str, str], tuple[str, str], tuple[str, str]]:
    """The pair, the address and the name; of an IPv6 address the network, in which its owner has any."""
    try:
        known = ip_address(address)
        if known.version == 6:
            address = str(ip_network((known, IPV6_NETWORK), strict=False))
    except ValueError:  # no address: a server on a socket file
        pass
    return (name, address), ("", address), (name, "")


class Access:
    """`users` is None where nobody logs in: then everybody is `owner`, an operator."""

    def __init__(
        self, key: bytes, owner: str, users: Users | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self._key, self._owner, self.users, self._now = key, owner, users, now
        self._ended: dict[str, float] = {}

    @property
    def login(self) -> bool:
        """Whether people log in."""
        return self.users is not None

    def person(self, cookie: str | None) -> Person | None:
        """Whose session `cookie` is; None if it is none, or is over."""
        if self.users is None:
            return Person(self._owner, Role.OPERATOR)
        if not cookie:
            return None
        try:
            text, _, mark = cookie.rpartition(".")
            name, until, nonce, stamp = urlsafe_b64decode(text.encode()).decode().split("\n")
            ends = float(until)
        except ValueError:
            return None
        user = self.users.all().get(name)
        if user is None or not hmac.compare_digest(mark, self._mark("session", text)):
            return None
        if ends <= self._now() or nonce in self._ended or not hmac.compare_digest(stamp, self._stamp(user)):
            return None
        return Person(name, Role.of(user.role), nonce)

    def verify(self, name: str, password: str) -> bool:
        """Whether that is `name`'s password; takes as long for a name that nobody has."""
        user = self.users.all().get(name) if self.users is not None else None
        return (user or NOBODY).knows(password) and user is not None

    def session(self, name: str) -> str:
        """A new session's cookie for `name`, who is known."""
        assert self.users is not None, "nobody logs in here"
        user = self.users.all()[name]
        told = "\n".join([name, repr(self._now() + SESSION_S), secrets.token_hex(16), self._stamp(user)])
        text = urlsafe_b64encode(told.encode()).decode()
        return f"{text}.{self._mark('session', text)}"

    def end(self, person: Person) -> None:
        """His session is over."""
        now = self._now()
        self._ended = {nonce: until for nonce, until in self._ended.items() if until > now}
        if person.nonce:
            self._ended[person.nonce] = now + SESSION_S

    def csrf(self, person: Person) -> str:
        """What every POST of his session carries."""
        return self._mark("csrf", f"{person.name}\n{person.nonce}")

    def is_csrf(self, person: Person, told: str | None) -> bool:
        return told is not None and hmac.compare_digest(told.encode(), self.csrf(person).encode())

    def _mark(self, what: str, text: str) -> str:
        return hmac.new(self._key, f"{what}\n{text}".encode(), hashlib.sha256).hexdigest()

    def _stamp(self, user: User) -> str:
        """Changes with the password."""
        return self._mark("password", user.hash)[:16]
