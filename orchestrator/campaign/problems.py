"""What is wrong with a campaign or lab file, told so that it can be put right.

::

    SpecError(ValueError)     every problem found in one file
    Findings(ValueError)      problems found by a cross-check inside a model; becomes part of a SpecError
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Key = tuple[str | int, ...]
"""Where a value stands in a file: ("elements", "Fe", "step"), ("constraints", 0, "min")."""

NOTHING: Any = object()
"""In place of a value that the file does not have."""

SECRET: Any = object()
"""In place of a value that must not be shown."""


def dotted(key: Key) -> str:
    """`key` as it would be written in TOML, with [n] counting from 1 in lists."""
    text = ""
    for part in key:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{_written(part)}" if text else _written(part)
    return text


def _written(name: str) -> str:
    """`name` as a key in TOML: in quotes unless it is letters, digits, underscores and hyphens."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def shown(value: Any) -> str:
    """`value` as it would be written in TOML, shortened."""
    match value:
        case bool():
            text = str(value).lower()
        case str():
            text = json.dumps(value, ensure_ascii=False)
        case list() | tuple():
            text = "[" + ", ".join(map(shown, value)) + "]"
        case dict() if not value:
            text = "{}"
        case dict():
            text = "{ " + ", ".join(f"{_written(key)} = {shown(inner)}" for key, inner in value.items()) + " }"
        case float():
            text = f"{value:g}" if float(f"{value:g}") == value else repr(value)
        case _:
            text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


@dataclass(frozen=True)
class Problem:
    """One thing wrong: where, what stands there, what is wrong with it, what would be right."""

    key: Key
    value: Any
    wrong: str
    right: str

    def under(self, prefix: Key) -> Problem:
        return Problem((*prefix, *self.key), self.value, self.wrong, self.right)

    def text(self) -> str:
        """``key = value: what is wrong; what would be right``."""
        if not self.key:
            return f"{self.wrong}; {self.right}"
        value = "" if self.value is NOTHING else " = ***" if self.value is SECRET else f" = {shown(self.value)}"
        return f"{dotted(self.key)}{value}: {self.wrong}; {self.right}"


class Findings(ValueError):
    """Problems found by a cross-check, with keys relative to the table that was checked."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.text() for problem in self.problems))


class SpecError(ValueError):
    """A campaign or lab file that cannot be used.  `lines` has one text for each problem."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(self.lines))
