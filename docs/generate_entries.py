"""Write the reference page of the journal's entries from the entries themselves.

``python docs/generate_entries.py`` writes it, ``--check`` only says whether it is out of date.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs.generated import keep  # noqa: E402
from orchestrator.campaign import entries  # noqa: E402 - after the path

PAGE = ROOT / "docs" / "reference" / "entries.md"
HEAD = """# Journal entries

<!-- Written by docs/generate_entries.py from orchestrator/campaign/entries.py: change the entries, not this page. -->

What can stand in a campaign's journal, in the order in which the code lists it.  `nightshift journal` prints one
entry a line: `{"version": 3, "time": 1795947084.3, "entry": {...}}`.  `version` counts from 1 without gaps, and `time`
is lab time, seconds since the epoch.

An entry is a fact, in the past tense, and never changes; the state of a campaign is what all of them lead to.
Every irreversible act stands between two: `step_intended`, synced to disk before the act, and `step_ended` after it.
`v` is the version of an entry's form.  A form never changes in place: a new one gets a new number, and the old one
stays readable.

Compositions are fractions that sum to 1; times are lab time; sample 0 is the lab's reference specimen.
"""


def page() -> str:
    """The page as it should be."""
    models = get_args(get_args(entries.Entry)[0])
    return "\n".join([HEAD, *(line for model in models for line in _section(model))])


def _section(model: type[BaseModel]) -> Iterator[str]:
    kind = model.model_fields["kind"].default
    yield f"## {kind}"
    yield ""
    yield from (_marked(model) or [f"{_words(kind)}."])
    rows = [(name, info) for name, info in model.model_fields.items() if name not in ("kind", "v")]
    versions = ", ".join(map(str, get_args(model.model_fields["v"].annotation)))
    yield ""
    yield f"Form version: {versions}." + ("" if rows else "  No fields.")
    yield ""
    if rows:
        yield "| field | type | default |"
        yield "|---|---|---|"
        yield from (f"| `{name}` | {_type(info)} | {_default(info)} |" for name, info in rows)
        yield ""


def _marked(model: type[BaseModel]) -> list[str]:
    """The docstring, in Markdown."""
    text = inspect.cleandoc(model.__doc__ or "") if model.__doc__ != BaseModel.__doc__ else ""
    return text.replace("``", "`").splitlines()


def _words(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


NAMES = {
    "float": "number",
    "int": "whole number",
    "str": "text",
    "bool": "true or false",
    "dict[str, float]": "name → number",
    "dict[str, dict[str, float]]": "name → name → number",
    "list[int]": "list of whole numbers",
    "list[str]": "list of texts",
    "dict[str, JsonValue]": "anything by name",
}


def _type(info: FieldInfo) -> str:
    return _named(info.annotation)


def _named(annotation: Any) -> str:
    arguments = get_args(annotation)
    text = str(annotation)
    if text.startswith("typing.Annotated"):
        return _named(arguments[0])
    if text.startswith("typing.Literal"):
        return ", ".join(f"`{json.dumps(value)}`" for value in arguments)
    if "|" in text or "Union" in text.split("[")[0]:
        some = [_named(part) for part in arguments if part is not type(None)]
        return " or ".join([*some, *(["null"] if type(None) in arguments else [])])
    if annotation in (float, int, str, bool):
        return NAMES[annotation.__name__]
    if text.startswith(("dict", "list")) and arguments:
        text = re.sub(r"[a-z_]+\.", "", text)
        return NAMES.get(text) or (
            f"list of: {_named(arguments[0])}" if text.startswith("list") else _by_name(arguments)
        )
    if isinstance(annotation, type) and issubclass(annotation, str):  # of an enumeration
        return ", ".join(f"`{json.dumps(value.value)}`" for value in annotation)  # type: ignore[attr-defined]
    return "anything by name"


def _by_name(arguments: tuple[Any, ...]) -> str:
    return f"name → {_named(arguments[1])}" if "Json" not in str(arguments[1]) else "anything by name"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    return f"`{json.dumps(info.default)}`" if info.default is not None else "null"


if __name__ == "__main__":
    keep(PAGE, page(), "generate_entries")
