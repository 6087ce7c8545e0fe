"""A TOML text with the line of every key, which `tomllib` does not give.

`key_lines` scans a text that `tomllib` has accepted; it tells keys and values apart and understands nothing
else, so it never decides what a value is.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.campaign.problems import Key, Problem, SpecError

MAX_BYTES = 1_000_000
"""Longest campaign or lab file accepted."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = re.compile(
    r'"""(?:\\.|[^\\])*?"""+|' + r"'''.*?'''+|" + r'"(?:\\.|[^"\\])*"|' + r"'[^']*'",
    re.DOTALL,
)
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SCALAR = re.compile(r"[^,\]}\n#]*")
_PLACE = re.compile(r"\(at line (\d+), column \d+\)")

_HINTS = (
    ("Cannot", "give each key and each table once"),
    ("Illegal character '\\n'", "close the quotation marks before the end of the line"),
    ("Unterminated", "close the quotation marks"),
    ("Expected ']'", "close the brackets"),
    ("Unclosed", "close the brackets"),
    ("Invalid value", 'give a number, "text", true, false, [a list] or { a = table }'),
    ("", "write key = value, with text in quotation marks, or [table]"),
)
"""What to do about a message of `tomllib`, by a part of it."""


@dataclass(frozen=True)
class Source:
    """A parsed TOML text, and where its keys stand."""

    name: str
    tables: dict[str, Any]
    lines: dict[Key, int]

    @classmethod
    def parse(cls, text: str, name: str) -> Source:
        """Raises `SpecError` if `text` is not TOML."""
        try:
            tables = tomllib.loads(text)
        except RecursionError:
            raise SpecError([f"{name}: is nested too deeply; a campaign or lab file has few levels"]) from None
        except ValueError as error:  # TOMLDecodeError, and Python's own refusal of very long integers
            place = _PLACE.search(str(error))
            line = int(place[1]) if place else 1 + text.rstrip("\n").count("\n")
            wrong = _PLACE.sub("", str(error)).replace("(at end of document)", "").strip()
            hint = next(hint for sign, hint in _HINTS if sign in wrong)
            raise SpecError([f"{name}:{line}: is not TOML here: {wrong}; {hint}"]) from error
        return cls(name, tables, key_lines(text))

    @classmethod
    def read(cls, path: str | Path) -> Source:
        """Raises `SpecError` if the file cannot be read or is not TOML."""
        return cls.parse(read_text(Path(path)), str(path))

    def line(self, key: Key) -> int:
        """The line of `key`, or of the nearest table around it that the text has; 1 if none."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)

    def located(self, problem: Problem) -> str:
        """``file:line: key = value: what is wrong; what would be right``."""
        return f"{self.name}:{self.line(problem.key)}: {problem.text()}"


def read_text(path: Path) -> str:
    """The text of a campaign or lab file.  Raises `SpecError`, saying what to do."""
    if path.is_dir():
        raise SpecError([f"{path}: is a directory; give the path of a TOML file"])
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise SpecError([f"{path}: has {size} bytes; a campaign or lab file has at most {MAX_BYTES}"])
        if not path.is_file():
            raise SpecError([f"{path}: is not a regular file; give the path of a TOML file"])
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise SpecError([f"{path}: there is no such file; check the path"]) from None
    except UnicodeDecodeError as error:
        raise SpecError([f"{path}: is not UTF-8 text ({error}); save it as UTF-8"]) from error
    except (OSError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError([f"{path}: cannot be read ({error}); check the path and its permissions"]) from error


def key_lines(text: str) -> dict[Key, int]:
    """The line (from 1) of every table, key and list element of a valid TOML `text`."""
    return _Scanner(text.replace("\r\n", "\n")).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]  # of the lines
        self.lines: dict[Key, int] = {}
        self.counts: dict[Key, int] = {}  # arrays of tables, and how many tables each has so far

    def scan(self) -> dict[Key, int]:
        table: Key = ()
        while self.skip_blank():
            if self.text.startswith("[", self.at):
                table = self.header()
            else:
                self.pair(table)
        return self.lines

    def skip_blank(self) -> bool:
        """Pass over blanks and comments; whether anything is left."""
        match = _BLANK.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return self.at < len(self.text)

    def note(self, key: Key) -> None:
        self.lines.setdefault(key, bisect_right(self.starts, self.at))

    def header(self) -> Key:
        many = self.text.startswith("[[", self.at)
        start = self.at
        self.at += 2 if many else 1
        parts = self.key()
        self.at, end = start, self.at
        table: Key = ()
        for part in parts[:-1]:
            table = self.last((*table, part))
        table = (*table, parts[-1])
        if many:
            self.note(table)
            self.counts[table] = self.counts.get(table, 0) + 1
        table = self.last(table)
        self.note(table)
        self.at = self.text.index("]", end) + (2 if many else 1)
        return table

    def last(self, table: Key) -> Key:
        return (*table, self.counts[table] - 1) if table in self.counts else table

    def key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self.skip_blank()
            if self.text[self.at] in "\"'":
                parts.append(self.quoted())
            else:
                match = _BARE_KEY.match(self.text, self.at)
                assert match is not None
                parts.append(match[0])
                self.at = match.end()
            self.skip_blank()
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def quoted(self) -> str:
        match = _STRINGS.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return str(tomllib.loads(f"key = {match[0]}")["key"])

    def pair(self, table: Key) -> None:
        start = self.at
        parts = self.key()
        self.at, end = start, self.at
        for depth in range(len(parts)):
            self.note((*table, *parts[: depth + 1]))
        self.at = end + 1  # past "="
        self.skip_blank()
        self.value((*table, *parts))

    def value(self, key: Key) -> None:
        opening = self.text[self.at]
        if opening in "\"'":
            match = _STRINGS.match(self.text, self.at)
            assert match is not None
            self.at = match.end()
        elif opening in "[{":
            self.members(key, "]" if opening == "[" else "}")
        else:
            match = _SCALAR.match(self.text, self.at)
            assert match is not None
            self.at = match.end()

    def members(self, key: Key, closing: str) -> None:
        self.at += 1
        number = 0
        while self.skip_blank() and self.text[self.at] != closing:
            if closing == "}":
                self.pair(key)
            else:
                self.note((*key, number))
                self.value((*key, number))
                number += 1
            self.skip_blank()
            if self.text[self.at] == ",":
                self.at += 1
        self.at += 1
