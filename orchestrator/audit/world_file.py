"""Reading the world log: one JSON object a line, written by the simulated lab alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orchestrator.audit.records import Event, Misread, World
from orchestrator.audit.sqlite_file import Unreadable

FIELDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "film_begun": {"substrate": int},
    "film_finished": {"substrate": int, "composition": dict, "thickness_nm": (int, float)},
    "measured": {"substrate": int},
    "picked": {"substrate": int, "place": str},
    "placed": {"substrate": int, "place": str},
    "moved": {"substrate": int, "from": str, "to": str},
    "hazard": {"kind": str},
}
"""What an event must tell for the checks to use it.  Events of other names are read, and used by none."""


def read_world(path: Path) -> World:
    """The events of the log at `path`.  Raises `Unreadable` if there is no such file."""
    try:
        lines = path.read_bytes().decode(errors="replace").splitlines()
    except OSError as error:
        raise Unreadable(f"{path}: cannot be read ({error.strerror})") from error
    events, misread = [], []
    for number, text in enumerate(lines, 1):
        try:
            events.append(_event(number, json.loads(text)))
        except (ValueError, TypeError) as error:
            misread.append(Misread(f"{path.name}, line {number}: {error}"))
    return World(tuple(events), len(lines), tuple(misread))


def _event(line: int, told: Any) -> Event:
    """Raises `ValueError` for what is no event."""
    if not isinstance(told, dict) or not isinstance(told.get("t"), int | float):
        raise ValueError("is no event with a time")
    name = told.get("event")
    for key, kind in FIELDS.get(str(name), {}).items():
        if not isinstance(told.get(key), kind):
            raise ValueError(f"{name} does not tell its {key}")
    if name == "film_finished" and not all(isinstance(x, int | float) for x in told["composition"].values()):
        raise ValueError("the composition of a film is of numbers")
    substrate = told.get("substrate")
    return Event(line, float(told["t"]), str(name), substrate if isinstance(substrate, int) else 0, told)
