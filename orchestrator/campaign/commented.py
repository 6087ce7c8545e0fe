"""A campaign or lab file in which every key is explained by the model that will check it: pure.

Keys that are given are written; the others stand there as comments with their defaults.  A table whose form has been
explained once is written without explanations after that.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from orchestrator.campaign.table import bare, kinds, noted

WIDTH = 100
LINE = 60


def commented(model: type[BaseModel], values: Mapping[str, Any], *, leave_out: frozenset[str] = frozenset()) -> str:
    """`values` as the TOML text of a `model`; keys in `leave_out` are not mentioned."""
    return "\n".join(_Writer(leave_out).table(model, values, "")).strip() + "\n"


class _Writer:
    def __init__(self, leave_out: frozenset[str]) -> None:
        self._leave_out = leave_out
        self._explained: set[type[BaseModel]] = set()

    def table(self, model: type[BaseModel], values: Mapping[str, Any], path: str) -> Iterator[str]:
        """The lines of a table at `path`: plain keys first, then the tables in it."""
        explain = model not in self._explained
        self._explained.add(model)
        inner: list[str] = []
        for name, info in model.model_fields.items():
            if name in self._leave_out and name not in values:
                continue
            if name in values and _stands_alone(info, values[name]):
                inner.append(name)
            elif name in values:
                yield from (_explained(info) if explain else ())
                yield f"{name} = {toml(values[name])}"
            elif explain:
                yield from _explained(info)
                yield f"# {name} = {_default(info)}"
        for name in inner:
            yield from self._inner(model.model_fields[name], values[name], f"{path}.{name}" if path else name)

    def _inner(self, info: FieldInfo, value: Any, path: str) -> Iterator[str]:
        yield ""
        yield from _explained(info)
        table = bare(info.annotation)
        if isinstance(value, list):
            for one in value:
                yield f"[[{path}]]"
                yield from self.table(_of(table, one), one, path)
        elif isinstance(table, type) and issubclass(table, BaseModel):
            yield f"[{path}]"
            yield from self.table(table, value, path)
        elif all(_fits_a_line(one) for one in value.values()):
            yield from self._in_short(table, value)
            yield f"[{path}]"
            yield from (f"{_key(name)} = {toml(one)}" for name, one in value.items())
        else:
            for name, one in value.items():
                yield from self._named(_of(table, one), one, f"{path}.{_key(name)}")

    def _in_short(self, annotation: Any, value: Mapping[str, Any]) -> Iterator[str]:
        """The keys of tables that are written in a line each."""
        model = _of(annotation, next(iter(value.values())))
        self._explained.add(model)
        for name, info in model.model_fields.items():
            first, *rest = _explained(info)
            yield f"#   {name}: {first[2:]}"
            yield from (f"#     {line[2:]}" for line in rest)

    def _named(self, model: type[BaseModel], value: Mapping[str, Any], path: str) -> Iterator[str]:
        yield ""
        yield f"[{path}]"
        yield from self.table(model, value, path)


def _of(annotation: Any, value: Mapping[str, Any]) -> type[BaseModel]:
    """The model of the tables in a list or under free names, for a table that holds `value`."""
    inner = bare([part for part in annotation.__args__ if part is not Ellipsis][-1])
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return inner
    found: type[BaseModel] = kinds(inner)[str(value["kind"])]
    return found


def _stands_alone(info: FieldInfo, value: Any) -> bool:
    """Whether the value of a key is written as a table with a head of its own, or as several."""
    if isinstance(value, dict):
        annotation = bare(info.annotation)
        return (isinstance(annotation, type) and issubclass(annotation, BaseModel)) or not _fits_a_line(value)
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _fits_a_line(value: Any) -> bool:
    """A table of numbers and words, short enough to be written in a line."""
    if not isinstance(value, dict):
        return False
    return not any(isinstance(inner, dict) for inner in value.values()) and len(toml(value)) < LINE


def _explained(info: FieldInfo) -> Iterator[str]:
    unit = noted(info, "unit")
    text = (info.description or "") + (f"  [{unit}]" if unit else "")
    return (f"# {line}" for line in textwrap.wrap(text, WIDTH - 2))


def _default(info: FieldInfo) -> str:
    if info.default is PydanticUndefined or info.default is None:
        return "..."
    if isinstance(info.default, BaseModel):
        return "{ ... }"
    return toml(list(info.default) if isinstance(info.default, tuple) else info.default)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # which TOML takes only so


def toml(value: Any) -> str:
    """`value` in TOML, on one line."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return _quoted(value)
        case list() | tuple():
            return "[" + ", ".join(map(toml, value)) + "]"
        case dict():
            return "{ " + ", ".join(f"{_key(name)} = {toml(inner)}" for name, inner in value.items()) + " }"
        case float():
            return f"{value:g}" if float(f"{value:g}") == value else repr(value)
        case _:
            return str(value)
