"""Who may log in: a file of names, roles and password hashes, readable by its owner only.

``users.json`` in `folder()`, beside ``console.key``, which signs sessions.  Passwords are kept as scrypt hashes
(RFC 7914, each with a salt of its own).  The file is read again when it changes: a user is added or removed at once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Any

N, R, P = 2**14, 8, 1
"""Of scrypt: 16 MiB and about 50 ms for a guess."""
SHORTEST = 10
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class ConsoleError(Exception):
    """The console cannot be served as asked for; the message says what to do."""


class Role(IntEnum):
    """Each may do what those before it may."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Role:
        """Raises `ConsoleError`."""
        try:
            return cls[word.upper()]
        except KeyError:
            raise ConsoleError(f"a role is viewer, operator or admin, not {word!r}") from None


@dataclass(frozen=True)
class User:
    """`salt` and `hash` are hexadecimal, `n`, `r` and `p` the parameters of scrypt."""

    role: str
    salt: str
    hash: str
    n: int = N
    r: int = R
    p: int = P

    @classmethod
    def with_password(cls, role: Role, password: str) -> User:
        """Raises `ConsoleError` for a password that is too short."""
        if len(password) < SHORTEST:
            raise ConsoleError(f"a password has at least {SHORTEST} characters")
        salt = secrets.token_bytes(16)
        return cls(role.word, salt.hex(), _scrypt(password, salt, N, R, P).hex())

    def as_role(self, role: Role) -> User:
        """With the same password."""
        return replace(self, role=role.word)

    def knows(self, password: str) -> bool:
        """Takes about 50 ms."""
        found = _scrypt(password, bytes.fromhex(self.salt), self.n, self.r, self.p)
        return hmac.compare_digest(found, bytes.fromhex(self.hash))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=32)


NOBODY = User("viewer", "00" * 16, "00" * 32)
"""Whose password is nobody's: so that a name that is not known takes as long as one that is."""


def folder() -> Path:
    """Where users are kept: ``$NIGHTSHIFT_CONFIG``, else ``nightshift`` in the user's configuration folder."""
    if told := os.environ.get("NIGHTSHIFT_CONFIG"):
        return Path(told)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "nightshift"


class Users:
    """Those of the file in `where`; none if it is not there."""

    def __init__(self, where: Path) -> None:
        self.path = where / "users.json"
        self._known: dict[str, User] = {}
        self._stamp: tuple[int, int, int] | None = None

    def all(self) -> Mapping[str, User]:
        """By name.  Raises `ConsoleError` if the file cannot be read."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            self._known, self._stamp = {}, None
            return self._known
        except OSError as error:
            raise ConsoleError(f"{self.path}: cannot be read ({error.strerror})") from error
        if (stamp := (stat.st_mtime_ns, stat.st_size, stat.st_ino)) != self._stamp:
            self._known, self._stamp = self._read(), stamp
        return self._known

    def _read(self) -> dict[str, User]:
        try:
            told = json.loads(self.path.read_text())
            users = {str(name): User(**fields) for name, fields in told["users"].items()}
            for user in users.values():
                Role.of(user.role)
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise ConsoleError(f"{self.path}: cannot be read ({type(error).__name__}); make users anew") from None
        return users

    def put(self, name: str, user: User) -> bool:
        """Add or replace; whether it was known.  Raises `ConsoleError`."""
        if not NAME.fullmatch(name):
            raise ConsoleError(f"a user's name has letters, digits, '.', '_' and '-', not {name!r}")
        users = dict(self.all())
        known = name in users
        self._write({**users, name: user})
        return known

    def remove(self, name: str) -> None:
        """Raises `ConsoleError` if there is no such user."""
        users = dict(self.all())
        if name not in users:
            raise ConsoleError(f"{self.path}: has no user {name!r}")
        del users[name]
        self._write(users)

    def _write(self, users: Mapping[str, User]) -> None:
        write_private(self.path, {"users": {name: asdict(user) for name, user in sorted(users.items())}})


def signing_key(where: Path) -> bytes:
    """The key of this user's sessions, made if it is not there: so that a session outlives a daemon.

    Raises `ConsoleError`.
    """
    path = where / "console.key"
    try:
        if not path.exists():
            write_private(path, {"key": secrets.token_hex(32)})
        key = bytes.fromhex(json.loads(path.read_text())["key"])
        if len(key) < 32:
            raise ValueError("too short")
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ConsoleError(f"{path}: cannot be read ({error}); remove it, and everybody logs in again") from error
    return key


def write_private(path: Path, content: dict[str, Any]) -> None:
    """Write JSON that only its owner can read, all or nothing.  Raises `ConsoleError`."""
    new = path.with_suffix(".new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new.unlink(missing_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(handle)
        new.replace(path)
    except OSError as error:
        raise ConsoleError(f"{path}: cannot be written ({error.strerror})") from error
